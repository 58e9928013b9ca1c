"""Microsoft Defender's DeviceNetworkEvents, exported from advanced hunting as CSV: hosts, and who ran the browser.

Source: Microsoft's reference of the table's columns. The endpoint sees connections, whatever a proxy does with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha1

from tools.proxysim.traffic import Person
from tools.proxysim.views import Row, View
from tools.proxysim.writers.product import Product, login, when

_COLUMNS = (
    "Timestamp DeviceId DeviceName ActionType RemoteIP RemotePort RemoteUrl LocalIP LocalPort Protocol LocalIPType "
    "RemoteIPType InitiatingProcessFileName InitiatingProcessId InitiatingProcessAccountDomain "
    "InitiatingProcessAccountName ReportId"
)
COLUMNS = _COLUMNS.split()


def account(person: Person) -> str:
    """The account: a shared desk has one of its own."""
    return login(person) or f"desk{person.address.rpartition('.')[2]}"


def _lines(rows: Sequence[Row], view: View) -> Iterator[str]:
    yield ",".join(COLUMNS)
    for number, row in enumerate(rows, 1):
        if row.kind == "request":
            continue
        device = sha1(row.person.address.encode(), usedforsecurity=False).hexdigest()
        yield ",".join(
            (
                *(f"{when(row.at):%Y-%m-%dT%H:%M:%S.%f}0Z", device, f"pc-{device[:6]}.staff.example.org"),
                *("ConnectionSuccess", row.server, str(row.port), row.host, row.person.address),
                *(str(49_152 + row.connection % 16_000), "Tcp", "Private", "Public"),
                *("msedge.exe" if "Edg/" in row.person.agent else "chrome.exe", "4711", "staff"),
                *(account(row.person), str(number)),
            )
        )


PRODUCTS = (
    Product(
        "defender", "defender", "csv", {"host": "V1"}, _lines, account, ends_tls=False, challenges=False, refusals=False
    ),
)
