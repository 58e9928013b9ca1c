"""Squid's native access log: `%ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt`.

Source: Squid's documentation of `logformat` and of the access.log. The time is that of the *end* of the transaction, so
the start is the time less the elapsed milliseconds. `%<st` is what went to the client; what the client sent is not in
this log. HTTPS that is not inspected is one CONNECT line a connection. Queries are cut unless `strip_query_terms off`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from countenance.domain.proxy import WebRequest
from countenance.proxylog.formats.addresses import target
from countenance.proxylog.formats.columns import kind_of, method_of
from countenance.proxylog.formats.kind import BadLine, Example, Fast, Format, Reading
from countenance.proxylog.formats.lines import check, first_lines, mostly, number, status_code, thousandths, word
from countenance.proxylog.formats.outcomes import by_result
from countenance.proxylog.formats.times import epoch

FAST = Fast(
    pattern=(
        r"^(?P<epoch>[1-3][0-9]{9}\.[0-9]{3}) +-?[0-9]{1,9} (?P<address>[!-~]+) [A-Z_]+/[0-9]{3} [0-9]{1,18}"
        r" (?P<method>[!-~]+) [!-~]+ (?P<user>[!-~]+) [A-Z_]+/[!-~]+ [ -~]+$"
    )
)
_USUAL = re.compile(
    r"([1-3][0-9]{9})\.([0-9]{3}) +(-?)([0-9]{1,9}) ([!-~]+) ([A-Z_]+)/([0-9]{3}) ([0-9]{1,18})"
    r" ([!-~]+) ([!-~]+) ([!-~]+) ([A-Z_]+)/[!-~]+ [ -~]+"
)
_ANY = re.compile(r"(\S+) +(-?[0-9]{0,10}) (.*)", re.DOTALL)


class _Lines:
    fast: Fast | None = FAST

    def read(self, text: str, number: int) -> WebRequest | None:
        check(text)
        found = _USUAL.fullmatch(text)
        if found is None:
            return _blanks(text, number)
        second, part, minus, elapsed, address, result, status, size, method, url, user, hierarchy = found.groups()
        taken = 0 if minus else int(elapsed)
        where = target(url)
        named = method_of(method)
        kind = "tunnel" if result.startswith("TCP_TUNNEL") else kind_of(named, where)
        code = int(status)
        whole = kind == "request"
        return WebRequest(
            "",
            number,
            (int(second) * 1000 + int(part) - taken) / 1000,
            kind,
            where.host,
            where.port,
            None if user == "-" else user,
            None if address == "-" else address,
            taken / 1000,
            named,
            where.path if whole else None,
            where.query if whole else None,
            code,
            by_result(result, code, hierarchy, kind),
            None,
            int(size),
        )


def _blanks(text: str, line: int) -> WebRequest | None:
    """A line in which some columns are blank, or that holds more than ASCII."""
    if not text.strip() or text.startswith("#"):
        return None
    found = _ANY.fullmatch(text)
    if found is None:
        raise BadLine("fields")
    cells = found[3].split(" ", 7)
    if len(cells) < 7:
        raise BadLine("fields")
    at, seconds = epoch(found[1]), thousandths(found[2])
    address, results, size, method, url, user, peer = cells[:7]
    result, _, status = results.partition("/")
    where, named, code = target(url), method_of(method), status_code(status)
    kind = "tunnel" if result.startswith("TCP_TUNNEL") else kind_of(named, where)
    whole = kind == "request"
    return WebRequest(
        file="",
        line=line,
        at=round(at - (seconds or 0.0), 3),
        kind=kind,
        host=where.host,
        port=where.port,
        user=word(user),
        address=word(address),
        seconds=seconds,
        method=named,
        path=where.path if whole else None,
        query=where.query if whole else None,
        status=code,
        outcome=by_result(word(result), code, word(peer.partition("/")[0]), kind),
        received=number(size),
    )


def _recognise(head: Sequence[str], reading: Reading) -> int:
    return 90 if mostly(first_lines(head), _USUAL.fullmatch) else 0


def _open(head: Sequence[str], reading: Reading) -> _Lines:
    return _Lines()


_INSPECTED = (
    "1793613602.845    112 10.20.3.41 TCP_MISS/200 18342 GET https://pimeyes.com/en j.doe HIER_DIRECT/203.0.113.7"
    " text/html",
    "1793613611.020   2340 10.20.3.41 TCP_MISS/200 914 POST https://pimeyes.com/api/upload/file j.doe"
    " HIER_DIRECT/203.0.113.7 application/json",
    "1793613613.500    480 10.20.3.41 TCP_MISS/200 611 POST https://pimeyes.com/api/search/new? j.doe"
    " HIER_DIRECT/203.0.113.7 application/json",
    "1793613614.001      0 10.20.3.42 TCP_DENIED/407 4012 GET http://facecheck.id/ - HIER_NONE/- text/html",
    "1793613615.250     31 10.20.3.42 TCP_MISS/403 512 POST https://FaceCheck.ID:443/api/upload_pic a.poe"
    " HIER_DIRECT/198.51.100.9 text/html",
    "1793613616.000  60000 10.20.3.43 TCP_MISS_ABORTED/000 0 GET http://pimeyes.com/ - HIER_DIRECT/203.0.113.7 -",
    "1793613617.000      0 10.20.3.43 NONE/400 3892 NONE error:invalid-request - HIER_NONE/- text/html",
    "1793613618.000      5 10.20.3.43 TCP_MISS/503 3710 GET http://pimeyes.com/ - HIER_NONE/- text/html",
    "1793613619.000     12 10.20.3.41 -/- - - https://pimeyes.com/en/results/a1_b2?query=x - -/- -",
    "1793613619.000 twelve 10.20.3.41 TCP_MISS/200 1 GET http://pimeyes.com/ - HIER_NONE/- -",
    "793613619.000     12 10.20.3.41 TCP_MISS/200 1 GET http://pimeyes.com/ - HIER_NONE/- -",
    "",
)
_TUNNELS = (
    "1793613602.000  61250 10.20.3.41 TCP_TUNNEL/200 48211 CONNECT pimeyes.com:443 j.doe HIER_DIRECT/203.0.113.7 -",
    "1793613640.118      1 10.20.3.44 TCP_DENIED/403 3890 CONNECT jsc11.pimeyes.com:443 - HIER_NONE/- text/html",
    "1793613641.118     20 10.20.3.44 NONE_NONE/200 0 CONNECT facecheck.id:443 - HIER_NONE/- -",
    "1793613642.118   9000 10.20.3.44 TCP_TUNNEL/503 0 CONNECT [2001:db8::7]:443 - HIER_NONE/- -",
)

FORMAT = Format(
    name="squid",
    title="Squid, native access log",
    recognise=_recognise,
    open=_open,
    examples=(
        Example(
            "HTTPS inspected, with errors and blanks",
            _INSPECTED,
            (
                {
                    "at": 1793613602.733,
                    "seconds": 0.112,
                    "kind": "request",
                    "host": "pimeyes.com",
                    "path": "/en",
                    "query": None,
                    "user": "j.doe",
                    "address": "10.20.3.41",
                    "method": "GET",
                    "status": 200,
                    "outcome": "allowed",
                    "received": 18342,
                    "sent": None,
                    "agent": None,
                },
                {"method": "POST", "path": "/api/upload/file", "outcome": "allowed"},
                {"path": "/api/search/new", "query": ""},
                {"status": 407, "outcome": "denied", "user": None},
                {"host": "facecheck.id", "port": 443, "status": 403, "outcome": "allowed"},
                {"status": 0, "outcome": "failed", "at": 1793613556.0},
                {"host": "", "method": None, "status": 400, "outcome": "failed"},
                {"status": 503, "outcome": "failed"},
                {
                    "kind": "request",
                    "method": None,
                    "path": "/en/results/a1_b2",
                    "query": "query=x",
                    "status": None,
                    "outcome": None,
                    "received": None,
                    "user": None,
                },
                "fields",
                "time",
                None,
            ),
        ),
        Example(
            "HTTPS not inspected",
            _TUNNELS,
            (
                {
                    "at": 1793613540.75,
                    "kind": "tunnel",
                    "host": "pimeyes.com",
                    "port": 443,
                    "path": None,
                    "outcome": "allowed",
                    "received": 48211,
                },
                {"kind": "tunnel", "host": "jsc11.pimeyes.com", "outcome": "denied"},
                {"kind": "tunnel", "outcome": "allowed"},
                {"kind": "tunnel", "host": "2001:db8::7", "outcome": "failed"},
            ),
            sees="host",
        ),
    ),
)
