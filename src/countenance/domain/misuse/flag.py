"""A flag, the tunables of all rules, and the little statistics that rules share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from countenance.domain.acts import Search

LEAST_SPREAD, MOST_SPREAD = 30.0, 200.0
ENOUGH_SEEN = 40
"""Fewer shares say nothing of how much they differ by themselves."""

SEVERITIES = ("notice", "look", "urgent")
"""A flag is a reason to ask, never a finding: "notice" can wait for a sample, "look" wants a person, "urgent" wants one
today."""

STEADY = 15
"""With little of their own to go by, a person counts as having made so many more at the colleagues' rate."""

MATTER = timedelta(days=28)
"""What one person did within so long, and one rule tells of, is one matter."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One sign: the rule, its reason in words, whom and which case it is about, and the entries it rests on."""

    rule: str
    severity: str
    reason: str
    entries: tuple[int, ...]
    people: tuple[str, ...]
    cases: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "reason": self.reason,
            "people": list(self.people),
            "cases": list(self.cases),
            "entries": list(self.entries),
        }


@dataclass(frozen=True, slots=True)
class Shift:
    """When somebody works: from `start` up to `end`, over midnight when that is earlier, on `days` (0 is Monday) on
    which the shift begins."""

    start: time = time(7)
    end: time = time(19)
    days: frozenset[int] = frozenset(range(5))

    def minutes_outside(self, local: datetime) -> int:
        """How many minutes a local time lies from the nearest minute of this shift; 0 within."""
        now = local.weekday() * 1440 + local.hour * 60 + local.minute
        length = (_minutes(self.end) - _minutes(self.start)) % 1440 or 1440
        week, least = 7 * 1440, 7 * 1440
        for day in self.days:
            since = (now - day * 1440 - _minutes(self.start)) % week
            if since < length:
                return 0
            least = min(least, since - length + 1, week - since)
        return least


def _minutes(moment: time) -> int:
    return moment.hour * 60 + moment.minute


@dataclass(frozen=True, slots=True)
class Tunables:
    """Everything that can be set, with what each bears on. `false_flags` is how many honest
    people a rule that compares shares may name by chance alone."""

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    shift: Shift = Shift()
    shifts: Mapping[str, Shift] = field(default_factory=dict)
    grace_minutes: int = 90
    company: int = 2
    night_faces: int = 2
    closed_grace_hours: int = 24
    burst_minutes: int = 30
    burst_least: int = 12
    unlike_faces: int = 6
    vain_faces: int = 4
    face_cases: int = 3
    face_people: int = 4
    face_days: int = 60
    probe_least: int = 3
    alike_words: float = 0.8
    words_least: int = 3
    false_flags: float = 1.0
    small: int = 8
    due_days: int = 14
    left_least: int = 4


def found_reliably(one: Search) -> bool:
    """Whether a search was answered with somebody who is a reliable candidate."""
    return one.shown is not None and one.shown.groups > 0 and one.shown.reliable


def joined(names: Iterable[str], most: int = 4) -> str:
    """Names in a sentence, the first few of them."""
    every = list(dict.fromkeys(names))
    shown = ", ".join(every[:most])
    return shown + (f" and {len(every) - most} more" if len(every) > most else "")


def spread_of(seen: Iterable[tuple[int, int, float]]) -> float:
    """On how many trials a rate lies about its mean as if it had been seen on them, as `tail` takes it: from (k, n, the
    share that was usual) of each. The fewer, the more they differ by themselves.

    Moments of the beta-binomial: the squared residual of each, over its binomial variance, is in the mean
    1 + (n - 1) / (spread + 1). The fiftieth part with the largest residuals is left out, so that what is looked for
    does not hide itself. Between LEAST_SPREAD and MOST_SPREAD; the former where there is too little to tell.
    """
    squares = sorted(((k - n * p) ** 2 / (n * p * (1 - p)), n) for k, n, p in seen if n > 1 and 0 < p < 1)
    kept = squares[: len(squares) - max(1, len(squares) // 50)]
    if len(kept) < ENOUGH_SEEN:
        return LEAST_SPREAD
    share = sum(square - 1 for square, _ in kept) / sum(n - 1 for _, n in kept)
    return min(MOST_SPREAD, max(LEAST_SPREAD, 1 / share - 1)) if share > 0 else MOST_SPREAD


def tail(k: int, n: int, others_k: float, others_n: int, *, spread: float = 30.0) -> float:
    """The chance that somebody like the others has k or more of n, when the others have `others_k` of `others_n`.

    The upper tail of a beta-binomial: people differ, so a rate is not one number but lies about the others' mean as if
    it had been seen on `spread` trials (Jeffreys' half a success and half a failure added). Small n comes out
    unsurprising by itself. Returns 1 when k is 0.
    """
    if k <= 0 or n <= 0:
        return 1.0
    mean = (others_k + 0.5) / (others_n + 1.0)
    weight = min(spread, others_n + 1.0)
    a, b = mean * weight, (1 - mean) * weight
    return min(1.0, sum(math.exp(_log_beta_binomial(i, n, a, b)) for i in range(k, n + 1)))


def _log_beta_binomial(k: int, n: int, a: float, b: float) -> float:
    choose = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return choose + _log_beta(k + a, n - k + b) - _log_beta(a, b)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def poisson_tail(k: int, mean: float) -> float:
    """The chance of k or more events where `mean` are expected."""
    if k <= 0:
        return 1.0
    if mean <= 0:
        return 0.0
    return max(0.0, 1.0 - sum(math.exp(i * math.log(mean) - mean - math.lgamma(i + 1)) for i in range(k)))
