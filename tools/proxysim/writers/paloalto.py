"""PAN-OS syslog CSV: URL log, traffic log, data-filtering log.

Source: the field descriptions of PAN-OS 10.1 for the three logs. The URL log has neither status nor bytes; the traffic
log has bytes and no name of the host, the data-filtering log a file's name and no host: the session's number joins
them. As no line says whether the site answered, what is seen of requests is worth no more than tunnels with bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tools.proxysim.views import Row, View
from tools.proxysim.writers.product import Product, domain, when, who

SERIAL = "012801000001"
THREAT = 73
"""Columns of the threat logs up to "HTTP Headers" and a few more; the rest are blank."""


def _lines(rows: Sequence[Row], view: View) -> Iterator[str]:
    for row in rows:
        if row.kind == "request":
            yield _threat(row, "url", f'"{row.url.partition("://")[2]}"', row.method.lower())
            if row.file_name:
                yield _threat(row, "file", f'"{row.file_name}"', "")
            continue
        if not row.inspected:
            yield _threat(row, "url", f'"{row.host}/"', "")
        if view != "host" and row.fate == "answered":
            yield _traffic(row)


def _threat(row: Row, subtype: str, what: str, method: str) -> str:
    denied = row.fate == "denied"
    url = subtype == "url"
    cells = [
        *_start(row, "THREAT", subtype, row.at),
        *("block-url" if denied else "alert", what, "(9999)" if url else "JPEG(52060)"),
        *("computer-and-internet-info", "informational" if url else "low", "client-to-server"),
        *(str(row.connection * 10 + 1), "0x0", "10.0.0.0-10.255.255.255", "Reserved", "0", row.mime, "0", "", ""),
        *(
            "1" if url else "",
            f'"{row.agent}"' if url else "",
            "",
            "",
            f'"{row.referrer}"' if url else "",
            "",
            "",
            "",
            "",
        ),
        *("0", "0", "0", "0", "", "fw-1", "", "", "", method, "0", "", "0", "", "N/A", "N/A", "AppThreat-8900-1"),
        *("0x0", "0", "4294967295", "", '"computer-and-internet-info,low-risk"', "", "0"),
    ]
    return ",".join(cells)


def _traffic(row: Row) -> str:
    at = when(row.at)
    sent = row.sent or 0
    packets = (sent + row.received) // 900 + 12
    cells = [
        *_start(row, "TRAFFIC", "end", row.end),
        *("allow", str(sent + row.received), str(sent), str(row.received), str(packets)),
        *(f"{at:%Y/%m/%d %H:%M:%S}", str(round(row.seconds)), "computer-and-internet-info", "0"),
        *(str(row.connection * 10 + 5), "0x0", "10.0.0.0-10.255.255.255", "Reserved", "0"),
        *(str(packets // 2), str(packets - packets // 2), "tcp-fin", "0", "0", "0", "0", "", "fw-1", "from-policy"),
    ]
    return ",".join(cells)


def _start(row: Row, kind: str, subtype: str, moment: float) -> list[str]:
    at = f"{when(moment):%Y/%m/%d %H:%M:%S}"
    return [
        *("1", at, SERIAL, kind, subtype, "2561", at, row.person.address, row.server, EGRESS, row.server),
        *("web-out", who(row, domain) or "", "", "ssl" if row.kind == "tunnel" else "web-browsing", "vsys1"),
        *("trust", "untrust", "ethernet1/2", "ethernet1/1", "to-siem", at, str(row.connection), "1"),
        *(str(40_000 + row.connection % 20_000), str(row.port), str(row.connection % 60_000), str(row.port)),
        *("0x400000", "tcp"),
    ]


EGRESS = "198.51.100.20"
PRODUCTS = (
    Product(
        "paloalto",
        "paloalto",
        "csv",
        {"host": "V1", "bytes": "V2", "inspected": "V2", "names": "V2", "mixed": "V2"},
        _lines,
        domain,
        ends_tls=False,
        challenges=False,
    ),
)
