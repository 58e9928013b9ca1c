"""What the logs cover, and what they cannot show.

Everything here is of all files together and depends on their lines alone: not on how they are split, named, packed or
ordered. Users and addresses are counted, never named. Counts of tunnels, of lines without a user and of shared
addresses are over all lines of the logs; duplicates and hosts are over the lines that concern a site of interest.
QUIC is seen where a format shows flows and a line names it, or names UDP and port 443.

A gap is an hour or more without any line. `usual_lines` is how many lines the same hours of other days hold on average
(of the same day of the week when the logs run for three weeks or more), so that a quiet night differs from a missing
day.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from countenance.proxylog.piece import is_quic
from countenance.proxylog.shelf import Shelf
from countenance.proxylog.sift import Hour, Tally

LISTED_HOURS = 20_000
"""Hours that are listed: more than two years."""
LISTED_GAPS = 1_000
LISTED_HOSTS = 1_000
HOUR = 3600
DAY, WEEK = 24, 168
UNUSUAL = 0.5
EXPECTED = 20
"""A gap is unusual when hours that hold lines on more than half of the other days would have brought it 20 lines."""


@dataclass(frozen=True, slots=True)
class FileOrder:
    """A file in which the clock went back: how often by more than a minute, and by how many seconds at most."""

    file: str
    backwards: int
    furthest: float

    def as_json(self) -> dict[str, Any]:
        """{"file", "backwards", "furthest_seconds"}."""
        return {"file": self.file, "backwards": self.backwards, "furthest_seconds": round(self.furthest, 3)}


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch without lines, in seconds since 1970; `usual` is how many lines such hours hold otherwise."""

    start: float
    end: float
    usual: int
    unusual: bool

    def as_json(self) -> dict[str, Any]:
        """{"from", "to", "seconds", "usual_lines", "unusual"}."""
        return {
            "from": moment(self.start),
            "to": moment(self.end),
            "seconds": round(self.end - self.start),
            "usual_lines": self.usual,
            "unusual": self.unusual,
        }


@dataclass(slots=True)
class Relevant:
    """Counts of the lines that concern a site of interest, each exact line once."""

    lines: int = 0
    duplicates: int = 0
    tunnels: int = 0
    hosts_only: int = 0
    without_user: int = 0
    shared_address: int = 0
    quic: int = 0

    def as_json(self) -> dict[str, int]:
        """Name → count."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the logs cover. Times are seconds since 1970, UTC; None when no line has one."""

    first: float | None
    last: float | None
    lines: int
    rejected: int
    tally: Tally
    addresses: int
    shared: int
    hours: tuple[Hour, ...]
    hours_left_out: int
    gaps: tuple[Gap, ...]
    gaps_left_out: int
    relevant: Relevant
    hosts: tuple[tuple[str, int, int], ...]
    hosts_left_out: int

    @property
    def read(self) -> int:
        """Lines that say something and were read."""
        return self.lines - self.rejected - self.tally.skipped

    @property
    def uninspected(self) -> float | None:
        """The share of lines that show a host at most: tunnels, flows, look-ups of names. None without lines."""
        return (self.tally.tunnels + self.tally.hosts_only) / self.read if self.read else None

    def sentences(self) -> list[str]:
        """What the logs cover and cannot show, for people; the most important first."""
        from countenance.proxylog.coverage_words import sentences

        return sentences(self)

    def remedies(self) -> list[str]:
        """What extra logging would settle what these logs cannot show."""
        from countenance.proxylog.coverage_words import remedies

        return remedies(self)

    def as_json(self) -> dict[str, Any]:
        """The shape that reports and pages render.

        {"first", "last": ISO 8601 or null,
         "lines": {"all", "read", "skipped", "rejected"},
         "shown": {"requests", "tunnels", "hosts_only"}, "uninspected_share": 0 to 1 or null,
         "without_user", "quic_lines", "addresses": {"with_user", "shared"},
         "hours": [[ISO 8601, lines]] without empty hours, "hours_left_out",
         "gaps": [{"from", "to", "seconds", "usual_lines", "unusual"}], "gaps_left_out",
         "relevant": {"lines", "duplicates", "tunnels", "hosts_only", "without_user", "shared_address", "quic",
                      "hosts": [{"host", "lines", "uninspected"}], "hosts_left_out"},
         "sentences": [text], "remedies": [text]}
        """
        share = self.uninspected
        return {
            "first": None if self.first is None else moment(self.first),
            "last": None if self.last is None else moment(self.last),
            "lines": {
                "all": self.lines,
                "read": self.read,
                "skipped": self.tally.skipped,
                "rejected": self.rejected,
            },
            "shown": {
                "requests": self.tally.requests,
                "tunnels": self.tally.tunnels,
                "hosts_only": self.tally.hosts_only,
            },
            "uninspected_share": None if share is None else round(share, 6),
            "without_user": self.tally.without_user,
            "quic_lines": self.tally.quic,
            "addresses": {"with_user": self.addresses, "shared": self.shared},
            "hours": [[moment(hour * HOUR), lines] for hour, lines, _, _ in self.hours],
            "hours_left_out": self.hours_left_out,
            "gaps": [gap.as_json() for gap in self.gaps],
            "gaps_left_out": self.gaps_left_out,
            "relevant": {
                **self.relevant.as_json(),
                "hosts": [{"host": host, "lines": n, "uninspected": blind} for host, n, blind in self.hosts],
                "hosts_left_out": self.hosts_left_out,
            },
            "sentences": self.sentences(),
            "remedies": self.remedies(),
        }


def moment(at: float) -> str:
    """Seconds since 1970 as ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def covered(shelf: Shelf, tally: Tally, lines: int, rejected: int) -> Coverage:
    """Put together what was counted. Memory does not grow with the logs."""
    usual = _Usual(shelf.hours())
    hours: list[Hour] = []
    gaps: list[Gap] = []
    left_hours = left_gaps = 0
    previous: float | None = None
    for hour in shelf.hours():
        if len(hours) < LISTED_HOURS:
            hours.append(hour)
        else:
            left_hours += 1
        if previous is not None and hour[2] - previous >= HOUR:
            if len(gaps) < LISTED_GAPS:
                gaps.append(usual.gap(previous, hour[2]))
            else:
                left_gaps += 1
        previous = hour[3]
    relevant, hosts, left_hosts = _relevant(shelf)
    addresses, shared = shelf.addresses()
    return Coverage(
        hours[0][2] if hours else None,
        previous,
        lines,
        rejected,
        tally,
        addresses,
        shared,
        tuple(hours),
        left_hours,
        tuple(gaps),
        left_gaps,
        relevant,
        tuple(hosts),
        left_hosts,
    )


class _Usual:
    """How many lines an hour of the day, or of the week, usually holds."""

    def __init__(self, hours: Iterable[Hour]) -> None:
        # Both are summed in one pass; which is used depends on how long the logs run.
        lines, present = [0] * WEEK, [0] * WEEK
        first = last = None
        for hour, count, _, _ in hours:
            first = hour if first is None else first
            last = hour
            lines[hour % WEEK] += count
            present[hour % WEEK] += 1
        self._first, self._last = first or 0, last or 0
        self._period = WEEK if self._last - self._first >= 3 * WEEK else DAY
        fold = range(0, WEEK, self._period)
        self._lines = [sum(lines[slot + by] for by in fold) for slot in range(self._period)]
        self._present = [sum(present[slot + by] for by in fold) for slot in range(self._period)]

    def gap(self, start: float, end: float) -> Gap:
        """What is missing between two times."""
        begin, finish = int(start // HOUR), int(end // HOUR)
        whole, rest = divmod(max(finish - begin - 1, 0), self._period)
        times = [whole + (((slot - begin - 1) % self._period) < rest) for slot in range(self._period)]
        inside = sum(n * self._mean(slot) for slot, n in enumerate(times))
        held = sum(n * self._mean(slot) for slot, n in enumerate(times) if self._share(slot) > UNUSUAL)
        edges = (begin + 1 - start / HOUR) * self._mean(begin) + (end / HOUR - finish) * self._mean(finish)
        return Gap(start, end, round(inside + edges), (held if any(times) else edges) >= EXPECTED)

    def _others(self, slot: int) -> int:
        """On how many other days such an hour lies within the logs."""
        span = (self._last - slot) // self._period - (self._first - 1 - slot) // self._period
        return max(span - 1, 1)

    def _mean(self, hour: int) -> float:
        slot = hour % self._period
        return self._lines[slot] / self._others(slot)

    def _share(self, slot: int) -> float:
        return self._present[slot] / self._others(slot)


def _relevant(shelf: Shelf) -> tuple[Relevant, list[tuple[str, int, int]], int]:
    found, left = Relevant(), 0
    hosts: list[tuple[str, int, int]] = []
    crowded: dict[str, bool] = {}
    for host, group in groupby(shelf.requests(), key=lambda each: each[0].host):
        lines, blind = found.lines, found.tunnels + found.hosts_only
        for request, times in group:
            found.lines += 1
            found.duplicates += times - 1
            found.tunnels += request.kind == "tunnel"
            found.hosts_only += request.kind in ("flow", "dns")
            found.without_user += request.user is None
            found.quic += is_quic(request)
            if request.address is not None:
                if request.address not in crowded:
                    if len(crowded) >= 10_000:
                        crowded.clear()
                    crowded[request.address] = shelf.users_at(request.address) > 1
                found.shared_address += crowded[request.address]
        if len(hosts) < LISTED_HOSTS:
            hosts.append((host, found.lines - lines, found.tunnels + found.hosts_only - blind))
        else:
            left += 1
    return found, hosts, left
