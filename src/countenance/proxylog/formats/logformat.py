"""Squid's `logformat` line → expressions that its lines match.

Source: Squid's documentation of the directive, versions 2.6 to 6. A code is
`% [encoding] [-] [[0]width[.max]] [{arg}] code [{arg}]`, where encoding is one of `" [ # / '`. Text that is not quoted
has its blanks encoded, so a blank ends it; text between quotes that the line itself has is escaped by backslashes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from countenance.domain.errors import BadInput
from countenance.proxylog.formats.times import expression_of, notation

CLF = "%d/%b/%Y:%H:%M:%S %z"
"""How `%tl` and `%tg` are written when they say nothing else."""
LONGEST_LOGFORMAT = 4096

_HEADERS = {"referer": "referrer", "user-agent": "agent", "host": "host_header"}
_CODES = {
    "ts": "second",
    "tu": "part",
    "tS": "begun",
    "tl": "time",
    "tg": "time",
    "tr": "elapsed",
    "dt": "",
    ">a": "address",
    ">A": "client",
    "un": "un",
    "ul": "ul",
    "ui": "ui",
    "us": "us",
    "ue": "ue",
    "rm": "method",
    ">rm": "method",
    "<rm": "",
    "ru": "url",
    ">ru": "client_url",
    "<ru": "server_url",
    "rp": "path",
    ">rp": "path",
    ">rs": "scheme",
    ">rd": "domain",
    ">rP": "port",
    "rv": "",
    ">rv": "",
    "Hs": "status",
    ">Hs": "status",
    "<Hs": "server_status",
    "Ss": "result",
    "Sh": "hierarchy",
    "mt": "kind",
    "st": "",
    ">st": "sent",
    "<st": "received",
    ">sh": "",
    "<sh": "",
    ">h": "header",
    ">ha": "header",
    "<h": "",
    "<a": "",
    "<A": "",
    ">p": "",
    "<p": "",
    "la": "",
    "lp": "",
    "et": "",
    "ea": "",
    "sn": "",
    "ssl::>sni": "sni",
    "ssl::bump_mode": "bump",
}
_LONGEST_FIRST = sorted(_CODES, key=len, reverse=True)
_COUNTS = frozenset({"sent", "received"})
_PORTS = frozenset({">p", "<p", "lp", ">lp", "<lp", ">rP", "<rP"})
USERS = ("un", "ul", "ue", "us", "ui")
"""Keys of the codes that name a user, the best first."""
_START = re.compile(r"""%(["\[#/'])?(-?)([0-9]{0,5})(?:\.[0-9]{1,5})?(?:\{([^{}]{0,256})\})?""")
_OTHER = re.compile(r"(?:[a-z_]{1,32}::)?[<>]?[A-Za-z_]{1,48}")
_AFTER = re.compile(r"\{([^{}]{0,256})\}")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line: a literal, or what a code stands for. `key` is "" for what nobody asks for."""

    literal: str = ""
    key: str = ""
    code: str = ""
    encoding: str = ""
    left: bool = False
    width: str = ""
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """A logformat: the expression that its lines match, what its groups are, and the same for many lines at once.

    `times` is the notation of a `%tl` or `%tg`, if there is one.
    """

    expression: re.Pattern[str]
    keys: tuple[str, ...]
    fast: str | None
    times: str | None
    quoted: frozenset[str]


def understand(line: str) -> Written:
    """Squid's own line, with or without `logformat NAME` before it. Raises BadInput."""
    pieces = _pieces(line)
    known = {piece.key for piece in pieces}
    if not known & {"second", "begun", "time"}:
        raise _bad("has no time", "It needs %ts.%03tu, %tl or %tg.")
    if not known & {"url", "client_url", "domain", "sni", "host_header"}:
        raise _bad("has no host", "It needs %ru, %>ru, %>rd or %ssl::>sni.")
    slow, fast, keys = [], [], []
    times: str | None = None
    quoted = set()
    edges = [Piece(literal=" "), *pieces, Piece(literal=" ")]
    for (before, piece), (_, after) in pairwise(pairwise(edges)):
        if not piece.code:
            slow.append(re.escape(piece.literal))
            fast.append(re.escape(piece.literal))
            continue
        if piece.key == "time":
            times = piece.argument or CLF
        if before.literal.endswith('"') and after.literal.startswith('"'):
            quoted.add(piece.key)
        key = "" if piece.key in keys else piece.key
        exact, quick = _shape(piece, before.literal, after.literal, last=piece is pieces[-1])
        slow.append(f"({exact})" if key else f"(?:{exact})")
        name = "user" if key in USERS and len(known & set(USERS)) == 1 else key
        fast.append(f"(?P<{name}>{quick})" if name in ("address", "method", "user") else f"(?:{quick})")
        if key:
            keys.append(key)
    return Written(
        expression=re.compile("".join(slow)),
        keys=tuple(keys),
        fast=_quick("".join(fast), pieces),
        times=times,
        quoted=frozenset(quoted),
    )


def _pieces(line: str) -> list[Piece]:
    text = re.sub(r"^\s*logformat\s+\S+\s+", "", line).strip("\r\n")
    if len(text) > LONGEST_LOGFORMAT or "%" not in text or "\n" in text or not text.isprintable():
        raise _bad("is not one line with %-codes", "Give the line as squid.conf has it.")
    pieces: list[Piece] = []
    literal, at = "", 0
    while at < len(text):
        if text[at] != "%" or text.startswith("%%", at):
            literal += text[at]
            at += 2 if text[at] == "%" else 1
            continue
        start = _START.match(text, at)
        assert start is not None
        at = start.end()
        namespace = 6 if text.startswith("http::", at) else 0
        code = next((one for one in _LONGEST_FIRST if text.startswith(one, at + namespace)), "")
        other = _OTHER.match(text, at + namespace)
        if "::" in (other[0] if other else "") and code not in ("ssl::>sni", "ssl::bump_mode"):
            code = ""
        if not code:
            if other is None:
                raise _bad(f"has a code that is none, near {text[start.start() : at + 8]!r}", "See Squid's logformat.")
            code = other[0]
        at += namespace + len(code)
        behind = _AFTER.match(text, at)
        at = behind.end() if behind else at
        argument = start[4] or (behind[1] if behind else "") or ""
        key = _CODES.get(code, "")
        if key == "header":
            key = _HEADERS.get(argument.lower(), "")
        if literal:
            pieces.append(Piece(literal=literal))
            literal = ""
        pieces.append(Piece("", key, code, start[1] or "", bool(start[2]), start[3], argument))
    return [*pieces, Piece(literal=literal)] if literal else pieces


def _shape(piece: Piece, before: str, after: str, *, last: bool) -> tuple[str, str]:
    """The expression for what a code stands for, exact and quick."""
    width = "" if not piece.width or piece.width.startswith("0") else " *"
    if piece.key == "second":
        return "[0-9]{9,10}", "[1-3][0-9]{9}"
    if piece.key == "part":
        return "[0-9]{1,3}", "[0-9]{3}"
    if piece.key == "begun":
        return "[0-9]{9,10}[.][0-9]{1,9}", "[1-3][0-9]{9}[.][0-9]{3}"
    if piece.key == "time":
        try:
            notation(piece.argument or CLF, None)
            exact = re.sub(r"\?P<\w>", "?:", expression_of(piece.argument or CLF))
        except ValueError:
            raise _bad(f"has a time that is not understood: {piece.argument[:64]!r}", "Use %ts.%03tu.") from None
        return exact, exact
    if piece.key in ("status", "server_status"):
        return _padded("(?:[0-9]{1,3}|-|)", width, piece), _padded("[0-9]{1,3}", width, piece)
    if piece.key == "elapsed":
        return _padded("(?:-?[0-9]{1,10}|-|)", width, piece), _padded("[0-9]{1,9}", width, piece)
    if piece.code in _PORTS:
        return _padded("(?:[0-9]{1,5}|-|)", width, piece), _padded("(?:[0-9]{1,5}|-)", width, piece)
    if piece.key in _COUNTS:
        return _padded("(?:[0-9]{1,18}|-|)", width, piece), _padded("[0-9]{1,18}", width, piece)
    if before.endswith('"') and after.startswith('"'):
        return r'[^"\\]*+(?:\\.[^"\\]*+)*+', r"[ !#-\[\]-~]*"
    if before.endswith("[") and after.startswith("]"):
        return r"[^\]]*", r"[ -\\^-~]*"
    if piece.encoding == "/":
        return r'(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"|[^ "]*)', "[!#-~]+"
    if last:
        return ".*", "[ -~]+"
    if not after:  # two codes side by side
        return "[^ ]{0,64}?", "[!-~]{0,64}?"
    end = after[0]
    if piece.key in ("address", "client") and end == ":":  # an IPv6 address has colons too
        return "[^ ]{0,255}?", "[!-~]{0,255}?"
    if end.isspace():
        return _padded(r"[^ \t]*", width, piece), _padded("[!-~]+", width, piece)
    barred = re.escape(end)
    return _padded(rf"[^ \t{barred}]*", width, piece), _padded(_printable_but(end), width, piece)


def _padded(expression: str, width: str, piece: Piece) -> str:
    return expression + width if piece.left else width + expression


def _printable_but(letter: str) -> str:
    """Printable ASCII but the blank and one letter."""
    code = ord(letter)
    if not 0x21 < code < 0x7E:
        return "[!-~]+"
    return rf"[\x21-\x{code - 1:02x}\x{code + 1:02x}-\x7e]+"


def _quick(fast: str, pieces: Sequence[Piece]) -> str | None:
    """The expression for many lines, where its time is one that a group can hold and nothing in it is beyond ASCII."""
    plain, epoch = "(?:[1-3][0-9]{9})" + re.escape(".") + "(?:[0-9]{3})", r"(?P<epoch>[1-3][0-9]{9}\.[0-9]{3})"
    named = [piece.key for piece in pieces if piece.key]
    if "begun" in named or len(set(named)) != len(named) or fast.count(plain) != 1 or not fast.isascii():
        return None
    if any(piece.encoding in ('"', "[") and piece.key != "un" for piece in pieces):
        return None
    return "^" + fast.replace(plain, epoch) + "$"


def _bad(what: str, advice: str) -> BadInput:
    return BadInput(f"the logformat {what}", advice=advice)
