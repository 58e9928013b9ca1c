"""Logs to scan: a small format of our own with a header, lines of Squid, packed files, and scans of them."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from countenance.domain.proxy import WebRequest
from countenance.proxylog.formats import squid
from countenance.proxylog.formats.kind import BadLine, Fast, Format, Reading
from countenance.proxylog.scan import Scanned, ScanOptions, scan

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SITES = ("pimeyes.com", "facecheck.id")
START = 1_793_610_000

_PIECES = {
    "at": r"(?P<epoch>[0-9]{10,13}(?:\.[0-9]{1,3})?)",
    "address": "(?P<address>[0-9.]{1,15})",
    "via": "[0-9.]{1,15}",
    "user": "(?P<user>[a-z-]+)",
    "method": "(?P<method>[A-Z]+)",
    "url": "[a-z0-9.%-]+/[!-~]*",
}


class _Columns:
    """Columns with a blank between, in the order that a line `#fields …` says; it may come again and say another."""

    def __init__(self, head: Sequence[str], quick: bool) -> None:
        self._quick = quick
        self._order: tuple[str, ...] = ()
        self.fast: Fast | None = None
        for line in head:
            if line.startswith("#fields "):
                self._say(line)
                break

    def _say(self, line: str) -> None:
        self._order = tuple(line.split()[1:])
        if self._quick and set(self._order) <= _PIECES.keys():
            self.fast = Fast("^" + " ".join(_PIECES[name] for name in self._order) + "$")

    def read(self, text: str, number: int) -> WebRequest | None:
        if text.startswith("#"):
            if text.startswith("#fields "):
                self._say(text)
            return None
        cells = text.split(" ")
        if len(cells) != len(self._order):
            raise BadLine("fields")
        said = dict(zip(self._order, cells, strict=True))
        if not re.fullmatch(r"[0-9]{10,13}(\.[0-9]{1,3})?", said["at"], re.ASCII):
            raise BadLine("time")
        if text.isascii() and not re.fullmatch(" ".join(_PIECES[name] for name in self._order), text):
            raise BadLine("column")
        host, _, path = said["url"].partition("/")
        return WebRequest(
            file="",
            line=number,
            at=float(said["at"]),
            kind="tunnel" if said["method"] == "CONNECT" else "request",
            host=host.replace("%70", "p"),
            user=None if said["user"] == "-" else said["user"],
            address=said["address"],
            method=said["method"],
            path="/" + path,
        )


def columns(*, quick: bool = True, name: str = "columns") -> Format:
    """The format, with its fast way or without."""
    return Format(
        name=name,
        title="Columns",
        recognise=lambda head, _: 80 if any(line.startswith("#fields ") for line in head) else 0,
        open=lambda head, _: _Columns(head, quick),
        headed=True,
    )


FORMATS = (squid.FORMAT, columns())
HEADER = "#fields at address user method url"


def squid_line(at: float, host: str, user: str = "a.poe", address: str = "10.0.0.1", path: str = "/") -> str:
    """A request in Squid's native format, which took no time."""
    size, peer = 10, "HIER_DIRECT/1.2.3.4 text/html"
    return f"{START + at:.3f}      0 {address} TCP_MISS/200 {size} GET http://{host}{path} {user} {peer}"


def tunnel_line(at: float, host: str, user: str = "a.poe", address: str = "10.0.0.1") -> str:
    """A tunnel in Squid's native format."""
    return f"{START + at:.3f}      0 {address} TCP_TUNNEL/200 10 CONNECT {host}:443 {user} HIER_DIRECT/1.2.3.4 -"


def column_line(at: float, host: str, user: str = "poe", address: str = "10.0.0.1", method: str = "GET") -> str:
    """A line under `HEADER`."""
    return f"{START + at:.3f} {address} {user} {method} {host}/x"


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda data: data,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd.compress,
}


def lay(file: Path, lines: Sequence[str | bytes], how: str = "plain", end: bytes = b"\n") -> Path:
    """A file of these lines."""
    data = b"".join((line if isinstance(line, bytes) else line.encode()) + end for line in lines)
    file.write_bytes(PACKED[how](data))
    return file


def wanted(host: str) -> bool:
    """Whether a host is of interest."""
    return host in SITES or host.endswith(tuple("." + site for site in SITES))


def options(**more: Any) -> ScanOptions:
    """What to look for in these tests."""
    return ScanOptions(**{"wanted": wanted, "literals": SITES, "formats": FORMATS, "reading": Reading()} | more)


def found(files: Sequence[Path | str], work: Path, **more: Any) -> Scanned:
    """A scan; the caller closes it."""
    return scan([str(file) for file in files], options(**more), work)


def outcome(files: Sequence[Path | str], work: Path, **more: Any) -> dict[str, Any]:
    """All that a scan says."""
    with found(files, work, **more) as result:
        return {
            "files": result.files,
            "faults": result.faults,
            "reasons": result.reasons,
            "order": result.order,
            "requests": list(result.requests()),
            "rejected": [(one.file, one.line, one.reason) for one in result.rejected()],
            "coverage": result.coverage.as_json(),
        }


def placeless(requests: Sequence[WebRequest]) -> list[WebRequest]:
    """Requests without the file and line that they were found at."""
    return [replace(request, file="", line=0) for request in requests]
