"""Microsoft Defender for Endpoint: the table DeviceNetworkEvents, exported as CSV from advanced hunting.

Source: Microsoft's "DeviceNetworkEvents" in the advanced hunting schema. It shows that a process on a device connected
to a host, as whom, and whether it succeeded; never a request, a method or bytes. Times are UTC.
"""

from __future__ import annotations

from collections.abc import Sequence

from countenance.domain.proxy import WebRequest
from countenance.proxylog.formats.addresses import Target, host, target
from countenance.proxylog.formats.columns import Columns, request
from countenance.proxylog.formats.kind import BadLine, Example, Fast, Format, Reading
from countenance.proxylog.formats.lines import check, first_lines, header, row
from countenance.proxylog.formats.times import Moment, iso, notation

_NAMES = {
    "time": ("timestamp", "timestamputc", "timegenerated", "timegeneratedutc"),
    "action": ("actiontype",),
    "url": ("remoteurl",),
    "server": ("remoteip",),
    "port": ("remoteport",),
    "address": ("localip",),
    "user": ("initiatingprocessaccountupn", "initiatingprocessaccountname"),
}
_OUTCOMES = {
    "connectionsuccess": "allowed",
    "connectionfound": "allowed",
    "connectionacknowledged": "allowed",
    "httpconnectioninspected": "allowed",
    "sslconnectioninspected": "allowed",
    "connectionfailed": "failed",
}
_INBOUND = frozenset({"inboundconnectionaccepted", "inboundconnectionattempt", "listeningconnectioncreated"})


class _Lines:
    fast: Fast | None = None

    def __init__(self, names: Sequence[str], first: str) -> None:
        self._first = first
        self._columns = Columns(names, _NAMES)
        self._iso = iso(None)
        self._others: tuple[Moment, ...] = tuple(
            notation(one, None) for one in ("%b %e, %Y %I:%M:%S %p", "%m/%d/%Y, %I:%M:%S.%f %p", "%m/%d/%Y %I:%M:%S %p")
        )

    def read(self, text: str, number: int) -> WebRequest | None:
        check(text)
        if text == self._first or not text.strip():
            return None
        if not self._first:
            raise BadLine("header")
        cells = row(text)
        if len(cells) != self._columns.width:
            raise BadLine("fields")
        values = self._columns(cells)
        action = values.get("action", "").lower()
        where = Target("") if action in _INBOUND else _where(values)
        outcome = _OUTCOMES.get(action)
        return request(number, self._when(values.get("time", "")), values, where, "flow", outcome)  # type: ignore[arg-type]

    def _when(self, text: str) -> float:
        for clock in (self._iso, *self._others):
            try:
                return clock(text)
            except BadLine:
                continue
        raise BadLine("time")


def _where(values: dict[str, str]) -> Target:
    found = target(values.get("url"))
    port = values.get("port", "")
    number = int(port) if port.isascii() and port.isdigit() and len(port) < 6 else None
    return Target(found.host or host(values.get("server", "")), found.port or number)


def _recognise(head: Sequence[str], reading: Reading) -> int:
    lines = first_lines(head)
    names = set(header(lines[0])) if lines else set()
    return 95 if {"remoteurl", "remoteip", "actiontype"} <= names and names & set(_NAMES["time"]) else 0


def _open(head: Sequence[str], reading: Reading) -> _Lines:
    lines = first_lines(head) if _recognise(head, reading) else []
    return _Lines(header(lines[0]), lines[0]) if lines else _Lines((), "")


_LINES = (
    "Timestamp,DeviceId,DeviceName,ActionType,RemoteIP,RemotePort,RemoteUrl,LocalIP,LocalPort,Protocol,"
    "InitiatingProcessFileName,InitiatingProcessCommandLine,InitiatingProcessAccountDomain,"
    "InitiatingProcessAccountName,InitiatingProcessAccountUpn,AdditionalFields",
    "2026-11-02T10:00:02.1234567Z,d41d8cd9,pc-0041.example.org,ConnectionSuccess,203.0.113.7,443,pimeyes.com,10.20.3.41,"
    'msedge.exe,Tcp,msedge.exe,"""msedge.exe"" --profile",example,j.doe,j.doe@example.org,"{""a"":1,""b"":2}"',
    "2026-11-02T10:00:03.0000000Z,d41d8cd9,pc-0041.example.org,ConnectionFailed,203.0.113.8,443,"
    "https://jsc11.pimeyes.com:443/,10.20.3.41,50112,Tcp,msedge.exe,,example,j.doe,,",
    '"Nov 2, 2026 10:00:04 AM",d41d8cd9,pc-0041.example.org,ConnectionSuccess,198.51.100.9,443,,,,Tcp,,,,,,',
    "yesterday,d41d8cd9,pc-0041.example.org,ConnectionSuccess,198.51.100.9,443,,,,Tcp,,,,,,",
    "2026-11-02T10:00:02Z,d41d8cd9",
)

FORMAT = Format(
    name="defender",
    title="Microsoft Defender, DeviceNetworkEvents",
    recognise=_recognise,
    open=_open,
    headed=True,
    examples=(
        Example(
            "Exported as CSV",
            _LINES,
            (
                None,
                {
                    "at": 1793613602.1234567,
                    "kind": "flow",
                    "host": "pimeyes.com",
                    "port": 443,
                    "user": "j.doe@example.org",
                    "address": "10.20.3.41",
                    "outcome": "allowed",
                    "path": None,
                    "sent": None,
                    "agent": None,
                },
                {"host": "jsc11.pimeyes.com", "outcome": "failed", "user": "j.doe"},
                {"host": "198.51.100.9", "at": 1793613604.0, "user": None, "address": None},
                "time",
                "fields",
            ),
            sees="host",
        ),
    ),
)
