"""Zeek's http.log, ssl.log and dns.log, tab-separated and JSON.

Source: Zeek's documentation of the logs. The sensor stands between the desks and the net, with a tap that decrypts
where a view is inspected: it knows addresses and no logins, and sees nothing of what a proxy refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from zlib import crc32

from tools.proxysim.views import Row, View
from tools.proxysim.writers.product import Product, nobody, when

_HTTP = (
    "ts uid id.orig_h id.orig_p id.resp_h id.resp_p trans_depth method host uri referrer version user_agent origin "
    "request_body_len response_body_len status_code status_msg info_code info_msg tags username password proxied "
    "orig_fuids orig_filenames orig_mime_types resp_fuids resp_filenames resp_mime_types"
)
HTTP = _HTTP.split()
_SSL = (
    "ts uid id.orig_h id.orig_p id.resp_h id.resp_p version cipher curve server_name resumed last_alert next_protocol "
    "established ssl_history cert_chain_fps client_cert_chain_fps sni_matches_cert"
)
SSL = _SSL.split()
_DNS = (
    "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto trans_id rtt query qclass qclass_name qtype qtype_name rcode "
    "rcode_name AA TC RD RA Z answers TTLs rejected"
)
DNS = _DNS.split()
FIELDS = {"http": HTTP, "ssl": SSL, "dns": DNS}
TYPES = {
    "ts": "time",
    "id.orig_h": "addr",
    "id.resp_h": "addr",
    "id.orig_p": "port",
    "id.resp_p": "port",
    "trans_depth": "count",
    "request_body_len": "count",
    "response_body_len": "count",
    "status_code": "count",
    "info_code": "count",
    "tags": "set[enum]",
    "proxied": "set[string]",
    "proto": "enum",
    "trans_id": "count",
    "rtt": "interval",
    "answers": "vector[string]",
    "TTLs": "vector[interval]",
    "established": "bool",
    "resumed": "bool",
    "rejected": "bool",
}
Value = str | int | float | bool | list[str] | list[float]


def part(row: Row) -> str:
    """Which log a row goes to."""
    return {"dns": "dns", "tunnel": "ssl", "request": "http"}[row.kind]


def _tsv(rows: Sequence[Row], view: View) -> Iterator[str]:
    name = part(rows[0])
    yield "#separator \\x09"
    yield "#set_separator\t,"
    yield "#empty_field\t(empty)"
    yield "#unset_field\t-"
    yield f"#path\t{name}"
    yield f"#open\t{when(rows[0].at):%Y-%m-%d-%H-%M-%S}"
    yield "\t".join(["#fields", *FIELDS[name]])
    yield "\t".join(["#types", *(TYPES.get(field, "string") for field in FIELDS[name])])
    for row in rows:
        found = _cells(row)
        yield "\t".join(_text(found.get(field)) for field in FIELDS[name])
    yield f"#close\t{when(rows[-1].end):%Y-%m-%d-%H-%M-%S}"


def _json(rows: Sequence[Row], view: View) -> Iterator[str]:
    for row in rows:
        yield json.dumps({name: value for name, value in _cells(row).items() if name in FIELDS[part(row)]})


def _text(value: Value | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, float):
        return f"{value:.6f}"
    if isinstance(value, list):
        return ",".join(_text(one) for one in value) if value else "(empty)"
    return str(value) or "(empty)"


def _cells(row: Row) -> dict[str, Value]:
    mark = f"{row.connection:x}{crc32(row.person.address.encode()):08x}"
    cells: dict[str, Value] = {
        "ts": row.at,
        "uid": f"C{mark}",
        "id.orig_h": row.person.address,
        "id.orig_p": 40_000 + row.connection % 20_000,
        "id.resp_h": "10.0.0.53" if row.kind == "dns" else row.server,
        "id.resp_p": row.port,
    }
    if row.kind == "dns":
        return cells | {
            "proto": "udp",
            "trans_id": row.connection % 60_000,
            "rtt": row.seconds,
            "query": row.host,
            "qclass": 1,
            "qclass_name": "C_INTERNET",
            "qtype": 1,
            "qtype_name": "A",
            "rcode": 0,
            "rcode_name": "NOERROR",
            **{"AA": False, "TC": False, "RD": True, "RA": True, "Z": 0},
            "answers": [row.server],
            "TTLs": [300.0],
            "rejected": False,
        }
    if row.kind == "tunnel":
        return cells | {
            "version": "TLSv13",
            "cipher": "TLS_AES_128_GCM_SHA256",
            "curve": "x25519",
            "server_name": row.host,
            "resumed": False,
            "next_protocol": "h2",
            "established": True,
            "ssl_history": "CsiI",
        }
    cells |= {
        "trans_depth": 1,
        "method": row.method,
        "host": row.host,
        "uri": row.path + (f"?{row.query}" if row.query else ""),
        "version": "1.1",
        "user_agent": row.agent,
        "request_body_len": row.body,
        "response_body_len": max(row.received - 400, 0),
        "tags": [],
    }
    if row.referrer:
        cells["referrer"] = row.referrer
    if row.status:
        cells |= {"status_code": row.status, "status_msg": "OK" if row.status == 200 else "Other"}
    if row.body:
        cells |= {"orig_fuids": [f"F{mark}"], "orig_mime_types": ["image/jpeg" if row.body > 20_000 else "text/json"]}
    if row.file_name:
        cells["orig_filenames"] = [row.file_name.replace(",", "_")]
    return cells


PRODUCTS = (
    Product(
        "zeek-tsv",
        "zeek",
        "log",
        {"dns": "V0", "host": "V1", "inspected": "V3", "names": "V4", "mixed": "V3"},
        _tsv,
        nobody,
        part=part,
        ends_tls=False,
        challenges=False,
        refusals=False,
    ),
    Product(
        "zeek-json",
        "zeek",
        "json",
        {"dns": "V0", "host": "V1", "inspected": "V3", "names": "V4", "mixed": "V3"},
        _json,
        nobody,
        part=part,
        ends_tls=False,
        challenges=False,
        refusals=False,
    ),
)
