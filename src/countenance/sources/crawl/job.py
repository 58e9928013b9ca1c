"""What the two processes say to each other: one job, one line of JSON; then findings, one line each."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from countenance.domain.sources import Finding, Found, PageSeen, Skipped
from countenance.sources.limits import CrawlSettings

MAX_LINE = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Job:
    """One crawl. `kind` is website (`starts` are addresses) or urls (`starts` holds the list's path).

    `hosts` are the HOST:PORTs that may be visited, `allow_private` those of them that need not be public. Pictures
    are put into `folder`, which belongs to this crawl alone. `parent` is the process to die with.
    """

    kind: str
    starts: tuple[str, ...]
    hosts: tuple[str, ...]
    allow_private: tuple[str, ...]
    folder: str
    parent: int
    known_pages: tuple[str, ...] = ()
    limits: CrawlSettings = field(default_factory=CrawlSettings)

    def line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Job:
        """Raises ValueError, TypeError or KeyError for what `line` did not write."""
        values: dict[str, Any] = json.loads(line)
        limits: dict[str, Any] = values.pop("limits")
        limits["resolve"] = tuple((name, tuple(addresses)) for name, addresses in limits["resolve"])
        for name in ("starts", "hosts", "allow_private", "known_pages"):
            values[name] = tuple(values[name])
        return cls(**values, limits=CrawlSettings(**limits))


_TIMES = ("fetched_at", "dated")
_KINDS: dict[str, type[Finding]] = {"found": Found, "skipped": Skipped, "page": PageSeen}
END = {"kind": "end"}
"""The last line of a crawl that came to its end. Without it, the crawl broke off."""


def write_finding(finding: Finding) -> bytes:
    """One line. A picture's path is shortened to its name in the crawl's folder."""
    kind = next(name for name, cls in _KINDS.items() if isinstance(finding, cls))
    values = {each.name: getattr(finding, each.name) for each in fields(finding)}
    for name in _TIMES:
        if isinstance(values.get(name), datetime):
            values[name] = values[name].isoformat()
    if "path" in values:
        values["path"] = values["path"].name
    return json.dumps({"kind": kind} | values).encode() + b"\n"


def read_finding(line: bytes, folder: Path) -> Finding | None:
    """The finding, or None for `END`. Raises ValueError for anything else: that process reads strangers' bytes,
    so what it says is checked like a stranger's."""
    try:
        values: dict[str, Any] = json.loads(line)
        kind = values.pop("kind")
        if kind == END["kind"]:
            return None
        for name in _TIMES:
            if isinstance(values.get(name), str):
                values[name] = datetime.fromisoformat(values[name])
        if kind == "found":
            name = values["path"]
            if not isinstance(name, str) or not name.isdigit():
                raise ValueError("a picture outside the crawl's folder")
            values["path"] = folder / name
        return _KINDS[kind](**values)
    except (KeyError, TypeError, AttributeError):
        raise ValueError("not a finding") from None
