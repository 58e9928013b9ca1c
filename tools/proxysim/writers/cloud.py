"""Proxies in the cloud: Zscaler's web log by NSS (CSV and JSON), Cisco Umbrella's proxy and DNS logs (CSV).

Sources: Zscaler's "NSS Feed Output Format: Web Logs" and its feed for Splunk; Umbrella's "Web Log Formats" and "DNS Log
Formats". Zscaler names the location where nobody signed in, Umbrella the network.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from tools.proxysim.traffic import Person
from tools.proxysim.views import Row, View
from tools.proxysim.writers.product import Product, mail, quoted, when, who

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
EGRESS = "198.51.100.20"


def located(person: Person) -> str:
    """A login, or the location: a shared desk is a location of its own."""
    return mail(person) or f"desk-{person.address.rpartition('.')[2]}"


def _method(row: Row) -> str:
    return row.method if row.kind == "request" else "CONNECT"


def _time(row: Row) -> str:
    at = when(row.end)
    return f"{DAYS[at.weekday()]} {MONTHS[at.month - 1]} {at.day} {at:%H:%M:%S %Y}"


def _status(row: Row) -> str:
    return "NA" if row.fate in ("aborted", "unanswered") else str(row.status)


def _zscaler_url(row: Row) -> str:
    return row.url.partition("://")[2] if row.kind == "request" else f"{row.host}:{row.port}"


def _zscaler_csv(rows: Sequence[Row], view: View) -> Iterator[str]:
    for row in rows:
        yield quoted(
            (
                *(_time(row), located(row.person), _protocol(row), _zscaler_url(row), _action(row)),
                *("General Browsing", "General Browsing", row.sent or 0, row.received),
                *(round(row.seconds * 800), round(row.seconds * 1_000)),
                *("Bandwidth Loss", "Information Technology", "Other Information Technology"),
                *("None", "None", 0, "None", "None", "Head Office", "Default Department"),
                *(row.person.address, row.server, _method(row), _status(row)),
                *(row.agent or "None", row.referrer.partition("://")[2] or "None"),
                *("None", "None", row.mime or "None", "None", "NA", "NA", "N/A"),
            )
        )


def _zscaler_json(rows: Sequence[Row], view: View) -> Iterator[str]:
    for number, row in enumerate(rows, 7_000_000_001):
        event = {
            "datetime": f"{when(row.end):%Y-%m-%d %H:%M:%S}",
            "reason": "Not allowed to browse this category" if row.fate == "denied" else "Allowed",
            "event_id": str(number),
            "protocol": _protocol(row),
            "action": _action(row),
            "transactionsize": str((row.sent or 0) + row.received),
            "responsesize": str(row.received),
            "requestsize": str(row.sent or 0),
            "urlcategory": "Other Information Technology",
            "serverip": row.server,
            "requestmethod": _method(row),
            "refererURL": row.referrer.partition("://")[2] or "None",
            "useragent": row.agent or "Unknown",
            "product": "NSS",
            "location": "Head Office",
            "ClientIP": row.person.address,
            "status": _status(row),
            "user": located(row.person),
            "url": _zscaler_url(row),
            "vendor": "Zscaler",
            "hostname": row.host,
            "clientpublicIP": EGRESS,
            "contenttype": row.mime or "Other",
            "department": "Default Department",
        }
        if view == "names":
            event |= {"filename": "None", "upload_filename": row.file_name or "None"}
        yield json.dumps({"sourcetype": "zscalernss-web", "event": event})


def _protocol(row: Row) -> str:
    return "HTTP" if row.port == 80 else "HTTPS" if row.kind == "request" else "SSL"


def _action(row: Row) -> str:
    return "Blocked" if row.fate == "denied" else "Allowed"


def _umbrella(rows: Sequence[Row], view: View) -> Iterator[str]:
    for row in rows:
        person = who(row, mail)
        url = row.url if row.kind == "request" else f"https://{row.host}/"
        yield quoted(
            (
                *(
                    f"{when(row.end):%Y-%m-%d %H:%M:%S}",
                    person or "Head Office",
                    row.person.address,
                    EGRESS,
                    row.server,
                ),
                *(row.mime, "BLOCKED" if row.fate == "denied" else "ALLOWED", url, row.referrer, row.agent),
                *("" if row.fate in ("aborted", "unanswered") else row.status, row.sent or 0, row.received),
                *(max(row.received - 400, 0), "", "Computers and Internet", "", "", "", "", ""),
                *("AD Users" if person else "Networks", "", f"{person},Head Office" if person else "Head Office"),
                *("AD Users,Networks" if person else "Networks", _method(row), "ALLOWED", "", row.file_name),
                *("", "", "", "", "", "", "", "", "", "", "", row.host, "", "", row.host, "", "", "", "", "2204063"),
            )
        )


def _umbrella_dns(rows: Sequence[Row], view: View) -> Iterator[str]:
    for row in rows:
        person = mail(row.person)
        yield quoted(
            (
                *(f"{when(row.at):%Y-%m-%d %H:%M:%S}", person or "Head Office"),
                *(f"{person},Head Office" if person else "Head Office", row.person.address, EGRESS, "Allowed"),
                *("1 (A)", "NOERROR", f"{row.host}.", "Computers and Internet"),
                *("AD Users" if person else "Networks", "AD Users,Networks" if person else "Networks", ""),
            )
        )


PRODUCTS = (
    Product(
        "zscaler-csv",
        "zscaler",
        "csv",
        {"bytes": "V2", "inspected": "V3", "mixed": "V3"},
        _zscaler_csv,
        located,
        challenges=False,
    ),
    Product(
        "zscaler-json",
        "zscaler",
        "json",
        {"bytes": "V2", "inspected": "V3", "names": "V4", "mixed": "V3"},
        _zscaler_json,
        located,
        challenges=False,
    ),
    Product(
        "umbrella",
        "umbrella",
        "csv",
        {"bytes": "V2", "inspected": "V3", "names": "V4", "mixed": "V3"},
        _umbrella,
        mail,
        challenges=False,
    ),
    Product("umbrella-dns", "umbrella", "csv", {"dns": "V0"}, _umbrella_dns, mail),
)
