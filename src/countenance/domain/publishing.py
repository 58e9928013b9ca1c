"""Counts fit to be published: nobody's small number can be read off, nor be had by subtracting; and rates with their
uncertainty."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

SMALL = 5
"""A count from 1 to one less than this is not published."""


@dataclass(frozen=True, slots=True)
class Published:
    """A table whose cells add up to its total. A cell that is None is not published, nor is a total that is None."""

    total: int | None
    cells: dict[str, int | None]

    @property
    def hidden(self) -> int:
        """How many cells are not published."""
        return sum(value is None for value in self.cells.values())


def publish(counts: Mapping[str, int], *, small: int = SMALL) -> Published:
    """The table as it may be published: `counts` are disjoint and add up to the total.

    Small cells are hidden, and as many others with them, the smallest first, as it takes for the total to leave each
    hidden cell at least `small` possible values (that none of them is zero is known, because zeros are told). Where
    that cannot be had no total is told either, and no cell but those that are zero.
    """
    hidden = {name for name, count in counts.items() if 0 < count < small}
    rest = sorted((count, name) for name, count in counts.items() if count >= small)
    while hidden and not _enough(counts, hidden, small):
        if not rest:
            return Published(None, {name: None if count else 0 for name, count in counts.items()})
        hidden.add(rest.pop(0)[1])
    cells = {name: None if name in hidden else count for name, count in counts.items()}
    return Published(sum(counts.values()), cells)


def _enough(counts: Mapping[str, int], hidden: set[str], small: int) -> bool:
    """Of m hidden cells that add up to s, none of them zero, each can be anything from 1 to s − m + 1."""
    return len(hidden) > 1 and sum(counts[name] for name in hidden) - len(hidden) + 1 >= small


@dataclass(frozen=True, slots=True)
class Rate:
    """`errors` of `trials`, with the exact 95 % interval."""

    errors: int
    trials: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share itself."""
        return self.errors / self.trials


def rate(errors: int, trials: int) -> Rate:
    """A share with its interval after Clopper and Pearson (Biometrika 26, 1934), which never promises too much.

    `trials` is at least 1. No error in n trials gives an upper end of about 3.7/n, not zero.
    """
    low = 0.0 if errors == 0 else _solve(lambda p: 1 - _at_most(errors - 1, trials, p), 0.025)
    high = 1.0 if errors == trials else _solve(lambda p: 1 - _at_most(errors, trials, p), 0.975)
    return Rate(errors, trials, low, high)


def _solve(rising: Callable[[float], float], wanted: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(100):
        middle = (low + high) / 2
        if rising(middle) < wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _at_most(k: int, n: int, p: float) -> float:
    """The chance of k or fewer of n."""
    if p <= 0:
        return 1.0
    if p >= 1:
        return 1.0 if k >= n else 0.0
    if 2 * k > n:
        return 1 - _at_most(n - k - 1, n, 1 - p)
    logs = math.log(p), math.log1p(-p)
    start = math.lgamma(n + 1)

    def term(i: int) -> float:
        return start - math.lgamma(i + 1) - math.lgamma(n - i + 1) + i * logs[0] + (n - i) * logs[1]

    return min(1.0, sum(math.exp(term(i)) for i in range(k + 1)))
