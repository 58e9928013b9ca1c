"""The people: teams with their own hours, habits of writing, sources of pictures and luck."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from countenance.domain.misuse.flag import Shift
from tools.misusesim.writing import worth

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 365
NIGHT = "mon-sun 19:00-07:00"


@dataclass(frozen=True, slots=True)
class Team:
    """`luck` is the share of searches that find somebody reliably; `screens` and `selfies` the shares of such probes;
    `pace` how many cases a person leads in a month."""

    name: str
    people: int
    pace: float
    luck: float
    screens: float
    selfies: float
    night: bool = False


TEAMS = (
    Team("response", 10, 1.6, 0.45, 0.05, 0.03),
    Team("nights", 8, 1.4, 0.40, 0.05, 0.03, night=True),
    Team("volume", 10, 2.0, 0.30, 0.04, 0.02),
    Team("fraud", 8, 1.6, 0.50, 0.30, 0.12),
    Team("missing", 6, 1.2, 0.55, 0.10, 0.25),
    Team("major", 8, 1.0, 0.50, 0.08, 0.04),
    Team("analysts", 6, 2.4, 0.50, 0.12, 0.04),
)
"""Some live on screenshots, some on poor stills: what is odd in one team is the daily bread of another."""

_STYLES = ("full", "full", "plain", "plain", "terse", "form", "stock")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody: `care` is the chance to adjudicate what was opened, `luck` a factor on the team's."""

    name: str
    team: Team
    style: str
    pace: float
    luck: float
    care: float
    overtime: float
    """The chance that a sitting lies outside the shift, for no bad reason."""
    worth: str = ""
    """What they always write on proportionality."""


@dataclass(slots=True)
class Organisation:
    """People, and when the urgent weeks and the training days are."""

    people: list[Person]
    urgent: list[datetime]
    training: dict[str, list[datetime]] = field(default_factory=dict)

    @property
    def shifts(self) -> dict[str, str]:
        """What the setting `oversee.shifts` would say."""
        return {one.name: NIGHT for one in self.people if one.team.night}


def make(rng: Random) -> Organisation:
    """One organisation."""
    people = [
        Person(
            name=f"os:{team.name}-{n}",
            team=team,
            style=rng.choice(_STYLES),
            pace=team.pace * rng.gammavariate(4, 0.25),
            luck=rng.uniform(0.75, 1.25),
            care=1 - rng.betavariate(1.2, 18),
            overtime=rng.betavariate(1, 60),
            worth=worth(Random(f"{team.name}-{n}")),
        )
        for team in TEAMS
        for n in range(team.people)
    ]
    urgent = [START + timedelta(days=rng.randrange(10, DAYS - 10)) for _ in range(3)]
    training = {team.name: [START + timedelta(days=rng.randrange(5, DAYS - 5)) for _ in range(2)] for team in TEAMS}
    return Organisation(people, urgent, training)


def sitting(rng: Random, person: Person, day: datetime, *, outside: bool = False) -> datetime:
    """A moment at work on or soon after a day; with `outside`, one at which this person should be at home."""
    shift = Shift() if not person.team.night else None
    while True:
        moment = day + timedelta(days=rng.randrange(3), minutes=rng.randrange(1440), seconds=rng.randrange(60))
        hour = moment.hour
        within = (hour >= 19 or hour < 7) if shift is None else (7 <= hour < 19 and moment.weekday() < 5)
        far = (
            (9 <= hour < 17)
            if shift is None
            else (hour >= 21 or hour < 5 or (moment.weekday() >= 5 and 9 <= hour < 22))
        )
        if within if not outside else far:
            return moment
