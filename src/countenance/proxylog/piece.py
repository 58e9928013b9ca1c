"""One file, line by line: sifted lines in, requests of interest, rejected lines and counts out, to the shelf.

A layout may keep state, which only a line for which it returns nothing can change (a header, a directive). Such lines
are read in their order, so the state is right at each line; what was sifted with an older expression is sifted again.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

from countenance.domain.proxy import WebRequest
from countenance.proxylog.blocks import Block, Point
from countenance.proxylog.formats.kind import LONGEST, BadLine, Fast, Layout, Reading
from countenance.proxylog.recognise import Recognised
from countenance.proxylog.shelf import Shelf
from countenance.proxylog.sift import LATEST, Sieve, Sifted, Tally, hours_of, sift

MARGIN = 60.0
"""Seconds by which neighbouring lines may be out of order before the clock is said to have gone back."""
JOURNAL = 10_000
JOURNAL_SIZE = 2**20
"""Headers and directives that a layout's state may rest on, so many and so many characters, for a run that was broken
off to go on in the file. With more, the file begins anew."""
TURNS = 1_000
"""After so many changes of its expression, a file is read line by line."""
FIRST_STRETCH = 256

_QUIC = re.compile(r"\bquic\b|\budp\b", re.IGNORECASE)
_TEXTS = tuple(f.name for f in fields(WebRequest) if "str" in str(f.type) or f.name in ("kind", "outcome"))


@dataclass(slots=True)
class Piece:
    """What is known of one file so far. Everything but `file`, `name` and how it is read is kept in the shelf."""

    file: int
    name: str
    literals: tuple[str, ...]
    wanted: Callable[[str], bool]
    shift: float
    reading: Reading
    kind: Recognised | None
    layout: Layout | None = None
    point: Point = field(default_factory=Point)
    rejected: Counter[str] = field(default_factory=Counter)
    tally: Tally = field(default_factory=Tally)
    last: float = math.nan
    backwards: int = 0
    furthest: float = 0.0
    journal: list[tuple[int, str]] | None = field(default_factory=list)
    noted: int = 0
    turns: int = 0
    digest: str = ""
    fault: str = ""

    def __post_init__(self) -> None:
        if self.kind:
            self.layout = self.kind.open(self.reading)

    @property
    def sieve(self) -> Sieve:
        """What the next block is sifted with."""
        return Sieve(self._fast, self.literals, self.shift, self.reading.zone)

    @property
    def _fast(self) -> Fast | None:
        return self.layout.fast if self.layout and self.turns < TURNS else None

    def take(self, block: Block, sifted: Sifted | None, shelf: Shelf) -> None:
        """Take the lines of the next block: `sifted`, or None where the block or the format cannot be read."""
        if sifted is None:
            reason = block.flaw or "unknown-format"
            shelf.add_rejected(self.file, [(block.first, block.first + block.lines - 1, reason)])
            self.rejected[reason] += block.lines
        else:
            rejects: list[tuple[int, int, str]] = []
            self._lines(sifted, block.first, shelf, rejects)
            shelf.add_rejected(self.file, _runs(rejects))
        self.point = block.end

    def _lines(self, sifted: Sifted, first: int, shelf: Shelf, rejects: list[tuple[int, int, str]]) -> None:
        """As many lines at a time as were sifted with the expression that they should be sifted with."""
        lines, done, stretch = sifted.lines, 0, len(sifted.lines)
        while done < len(lines):
            if sifted.sieve != self.sieve:
                stretch = min(stretch, FIRST_STRETCH)
                sifted = sift(lines.slice(done, stretch), self.sieve)
            count, fresh = self._read(sifted, first + done, shelf, rejects)
            if count < len(sifted.lines):
                # The rules changed at the last line that was read: only what came before was counted by the old ones.
                self.turns += 1
                counted = sift(sifted.lines.slice(0, count), sifted.sieve)
                stretch = FIRST_STRETCH
            else:
                counted = sifted
                stretch *= 2
            self._count(counted, fresh, shelf)
            done += count
            if done < len(lines):
                sifted = sift(lines.slice(done, stretch), self.sieve)

    def _read(
        self, sifted: Sifted, first: int, shelf: Shelf, rejects: list[tuple[int, int, str]]
    ) -> tuple[int, dict[int, float]]:
        """Read exactly what has to be. How many lines that goes for, and the times of those that were not matched."""
        fresh: dict[int, float] = {}
        texts = sifted.lines.gather(sifted.to_read).to_list()
        for place, text in zip(sifted.to_read.tolist(), texts, strict=True):
            number, matched = first + place, bool(sifted.matched[place])
            try:
                request = self._one(text, number)
            except BadLine as bad:
                reason = bad.reason[:40]
                self.rejected[reason] += 1
                rejects.append((number, number, reason))
                continue
            if request is None:
                self._skipped(text, number)
                if self._fast != sifted.sieve.fast:
                    return place + 1, fresh
                continue
            if not matched:
                fresh[place] = request.at
                self._told(request, shelf)
            # Where a line can hide its host, it is read whatever the words say; else both ways have to agree.
            may = sifted.asked[place] or not text.isascii() or "\\" in text or getattr(self.layout, "hides", False)
            if may and self.wanted(request.host):
                shelf.add_request(self.file, request)
        return len(sifted.lines), fresh

    def _one(self, text: str, number: int) -> WebRequest | None:
        """A line as a request in UTC, with its place and its text. Raises BadLine."""
        if len(text) > LONGEST:
            raise BadLine("too-long")
        assert self.layout is not None
        try:
            request = self.layout.read(text, number)
        except BadLine:
            raise
        except Exception:
            # Lines come from strangers, and a format may meet what its writer did not think of.
            raise BadLine("unreadable") from None
        if request is None:
            return None
        at = request.at + self.shift
        if not (math.isfinite(at) and 0 <= at < LATEST):
            raise BadLine("time")
        return _sound(replace(request, at=at, file=self.name, line=number, text=text))

    def _skipped(self, text: str, number: int) -> None:
        self.tally.skipped += 1
        if self.journal is not None:
            self.journal.append((number, text))
            self.noted += len(text)
            if len(self.journal) > JOURNAL or self.noted > JOURNAL_SIZE:
                self.journal = None

    def _told(self, request: WebRequest, shelf: Shelf) -> None:
        """Count a line that was read without having been counted in bulk."""
        self.tally.requests += request.kind == "request"
        self.tally.tunnels += request.kind == "tunnel"
        self.tally.hosts_only += request.kind not in ("request", "tunnel")
        self.tally.without_user += request.user is None
        self.tally.quic += is_quic(request)
        if request.user is not None and request.address is not None:
            shelf.add_pairs(self.file, [(request.address, request.user)])

    def _count(self, sifted: Sifted, fresh: dict[int, float], shelf: Shelf) -> None:
        import numpy as np

        self.tally.add(sifted.tally)
        self.tally.skipped += int((sifted.lines == "").sum())
        times, hours = sifted.times, list(sifted.hours)
        if fresh:
            extra = np.fromiter(fresh.values(), float, len(fresh))
            hours += hours_of(extra)
            times = times.copy()
            times[np.fromiter(fresh.keys(), np.int64, len(fresh))] = extra
        shelf.add_hours(self.file, hours)
        shelf.add_pairs(self.file, sifted.pairs)
        known = times[~np.isnan(times)]
        if len(known):
            steps = np.diff(known, prepend=self.last if not math.isnan(self.last) else known[0])
            self.backwards += int((steps < -MARGIN).sum())
            self.furthest = max(self.furthest, -float(steps.min()))
            self.last = float(known[-1])

    def state(self) -> dict[str, Any]:
        """What has to be known to go on after `point`."""
        return {
            "kind": fingerprint(self.kind),
            "point": self.point.as_json(),
            "rejected": dict(self.rejected),
            "tally": self.tally.as_json(),
            "last": None if math.isnan(self.last) else self.last,
            "backwards": self.backwards,
            "furthest": self.furthest,
            "journal": [] if self.digest else self.journal,
            "noted": self.noted,
            "turns": self.turns,
            "digest": self.digest,
            "fault": self.fault,
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Take up where a run was broken off."""
        self.point = Point(**state["point"])
        self.rejected = Counter(state["rejected"])
        self.tally = Tally(**state["tally"])
        self.last = math.nan if state["last"] is None else state["last"]
        self.backwards, self.furthest = state["backwards"], state["furthest"]
        self.noted, self.turns = state["noted"], state["turns"]
        self.journal = [(number, text) for number, text in state["journal"]]
        self.digest, self.fault = state["digest"], state["fault"]
        for number, text in self.journal:
            if self.layout:
                self.layout.read(text, number)


def fingerprint(kind: Recognised | None) -> str:
    """What tells whether a file would be read in the same way again."""
    return hashlib.sha256(repr(kind and (kind.format.name, kind.head)).encode("utf-8", "replace")).hexdigest()


def is_quic(request: WebRequest) -> bool:
    """Whether a line tells of a connection over QUIC: to port 443, and the line names QUIC or UDP."""
    return request.kind == "flow" and request.port in (443, None) and _QUIC.search(request.text) is not None


def _runs(rejects: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Neighbouring lines with one reason as one run."""
    runs: list[tuple[int, int, str]] = []
    for first, last, reason in rejects:
        if runs and runs[-1][1] + 1 == first and runs[-1][2] == reason:
            runs[-1] = (runs[-1][0], last, reason)
        else:
            runs.append((first, last, reason))
    return runs


def _sound(request: WebRequest) -> WebRequest:
    """The request with half surrogate pairs replaced: JSON can spell them, and nothing can store them."""
    changed: dict[str, Any] = {}
    for name in _TEXTS:
        value = getattr(request, name)
        if isinstance(value, str) and not value.isascii():
            fixed = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            if fixed != value:
                changed[name] = fixed
    return replace(request, **changed) if changed else request
