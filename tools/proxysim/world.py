"""A world: people, what they did over some days, and the truth of it."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from tools.proxysim.browsing import Browser
from tools.proxysim.traffic import Act, Exchange, Person

Play = Callable[[Browser], Act]
DAY = 86_400.0
APART = 3 * 3_600.0
"""Two acts of one desk on one site are never closer than this, so that what is one act is one session."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Hours that one proxy's files lack, because a rotation went wrong. Both in seconds since 1970, UTC."""

    proxy: str
    start: float
    end: float

    def hides(self, proxy: str, at: float) -> bool:
        """Whether a line of that proxy, written then, is lost."""
        return proxy == self.proxy and self.start <= at < self.end


@dataclass(frozen=True, slots=True)
class World:
    """People, acts, the rest of their work, and what is wrong with the logs.

    `skew` is added to every time that a proxy writes (its clock is off by so many seconds).
    """

    name: str
    seed: int
    start: float
    days: int
    people: tuple[Person, ...]
    acts: tuple[Act, ...]
    background: tuple[Exchange, ...]
    skew: dict[str, float] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()

    def exchanges(self) -> list[Exchange]:
        """Everything, by its start."""
        every = [one for act in self.acts for one in act.exchanges] + list(self.background)
        return sorted(every, key=lambda one: (one.at, one.person.address, one.act, one.host, one.path))


class Calendar:
    """Finds working hours at which a desk has not been on a site for a while."""

    def __init__(self, rng: random.Random, start: float, days: int) -> None:
        self.rng = rng
        self.start = start
        self.days = days
        self._taken: dict[tuple[str, str], list[float]] = {}

    def moment(self, person: Person, site: str) -> float:
        """Some moment of a working day, from eight to about seventeen."""
        taken = self._taken.setdefault((person.address, site), [])
        for _ in range(200):
            at = self.any_moment()
            place = bisect_left(taken, at)
            if all(abs(other - at) >= APART for other in taken[max(0, place - 1) : place + 1]):
                taken.insert(place, at)
                return at
        raise RuntimeError("too many acts for so few days and people")

    def any_moment(self) -> float:
        """The same, wherever others are."""
        return self.start + self.rng.randrange(self.days) * DAY + self.rng.uniform(8 * 3_600, 17 * 3_600)


def drawn(rng: random.Random, weights: dict[Play, int], count: int) -> list[Play]:
    """`count` plays, each at least once if there is room, the rest as often as they happen."""
    plays = list(weights)[:count]
    plays += rng.choices(list(weights), list(weights.values()), k=count - len(plays))
    rng.shuffle(plays)
    return plays


def played(
    rng: random.Random, calendar: Calendar, people: Sequence[Person], plays: Iterable[Play], first: int
) -> list[Act]:
    """Each play by one of the people at some time; the acts are numbered from `first`."""
    acts = []
    for number, play in enumerate(plays, first):
        person = rng.choice(people)
        acts.append(_placed(rng, calendar, person, play, number))
    return acts


def side_by_side(
    rng: random.Random, calendar: Calendar, pair: Sequence[Person], plays: Sequence[Play], first: int
) -> list[Act]:
    """Two people at one desk, one right after the other: the log cannot tell them apart."""
    here = calendar.moment(pair[0], "pimeyes.com")
    acts = []
    for number, (person, play) in enumerate(zip(pair, plays, strict=True), first):
        act = play(Browser(rng, number, person, here))
        acts.append(act)
        here = act.end + rng.uniform(120, 400)
    return acts


def _placed(rng: random.Random, calendar: Calendar, person: Person, play: Play, number: int) -> Act:
    trial = random.Random(rng.getrandbits(64))
    site = play(Browser(random.Random(0), number, person, 0.0)).site
    return play(Browser(trial, number, person, calendar.moment(person, site)))
