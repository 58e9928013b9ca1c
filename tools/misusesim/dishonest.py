"""Planted misuse, of each kind some bold and some careful. A search may be part of more than one kind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from tools.misusesim.organisation import DAYS, START, Organisation, Person, sitting
from tools.misusesim.stage import Case, Stage
from tools.misusesim.writing import EMPTY, LAZY

EACH = 5
"""Instances of each kind in a year."""

Plant = Callable[[Stage, Organisation, list[Case], Person], None]


def plant(stage: Stage, organisation: Organisation, cases: list[Case]) -> None:
    """All kinds, `EACH` times, by people drawn anew for each kind."""
    for one in PLANTS.values():
        for person in stage.rng.sample(organisation.people, EACH):
            stage.instance += 1
            one(stage, organisation, cases, person)


def _day(rng: Random, last: int = 40) -> datetime:
    return START + timedelta(days=rng.randrange(15, DAYS - last))


def _own(stage: Stage, cases: list[Case], person: Person) -> list[Case]:
    """Real cases that this person works on."""
    own = [case for case in cases if person in case.people and case.number.startswith("C-") and len(case.faces) < 20]
    return own or [case for case in cases if case.people[0].team is person.team][:5]


def _when(stage: Stage, person: Person, case: Case, days: float, *, outside: bool = False) -> datetime:
    """A moment while the case is open: misuse hides under live ones."""
    when = sitting(stage.rng, person, case.opened + timedelta(days=stage.rng.uniform(0, days)), outside=outside)
    if case.closed is not None and when >= case.closed:
        when = case.closed - timedelta(hours=stage.rng.uniform(1, 20))
    return when


def _spell(stage: Stage, cases: list[Case], person: Person) -> list[Case]:
    """Own cases that were opened within a few weeks: a private matter has its time."""
    own = _own(stage, cases, person)
    middle = stage.rng.choice(own).opened
    return [case for case in own if abs(case.opened - middle) < timedelta(days=12)]


def _unlike(stage: Stage, organisation: Organisation, cases: list[Case], person: Person) -> None:
    case = stage.rng.choice(_own(stage, cases, person))
    for _ in range(stage.rng.randrange(3, 10)):
        face = stage.new("face")
        for _ in range(stage.rng.randrange(1, 3)):
            when = _when(stage, person, case, 25)
            stage.search(person, case, face, when, "case-over-unlike-faces")


def _hunt(stage: Stage, organisation: Organisation, cases: list[Case], person: Person) -> None:
    face, own = stage.new("face"), _own(stage, cases, person)
    for case in stage.rng.sample(own, min(len(own), stage.rng.randrange(3, 8))):
        when = _when(stage, person, case, 5)
        stage.search(person, case, face, when, "face-under-many-cases")


def _neighbour(stage: Stage, organisation: Organisation, cases: list[Case], person: Person) -> None:
    face = stage.new("face")
    others = [one for one in organisation.people if one is not person]
    day = _day(stage.rng)
    for one in [person, *stage.rng.sample(others, stage.rng.randrange(3, 7))]:
        when = sitting(stage.rng, one, day + timedelta(days=stage.rng.uniform(0, 30)))
        own = _own(stage, cases, one)
        live = [case for case in own if case.opened <= when and (case.closed is None or when < case.closed)]
        stage.search(one, stage.rng.choice(live or own), face, when, "face-by-many-people")


def _night(stage: Stage, organisation: Organisation, cases: list[Case], person: Person) -> None:
    for _ in range(stage.rng.randrange(1, 4)):
        case = stage.rng.choice(_own(stage, cases, person))
        when = _when(stage, person, case, 5, outside=True)
        for n in range(stage.rng.randrange(1, 4)):
            at = when + timedelta(minutes=6 * n)
            stage.search(person, case, stage.new("face"), at, "outside-shift")


def _closed(stage: Stage, organisation: Organisation, cases: list[Case], person: Person) -> None:
    over = [case for case in _own(stage, cases, person) if case.closed is not None]
    if not over:
        return
    case = stage.rng.choice(over)
    assert case.closed is not None
    for _ in range(stage.rng.randrange(1, 4)):
        when = sitting(stage.rng, person, case.closed + timedelta(days=stage.rng.uniform(1.5, 60)))
        stage.search(person, case, stage.new("face"), when, "after-closing")


def _trawl(stage: Stage, organisation: Organisation, cases: list[Case], person: Person) -> None:
    case = stage.rng.choice(_own(stage, cases, person))
    when = _when(stage, person, case, 3)
    for _ in range(stage.rng.randrange(10, 32)):
        stage.search(person, case, stage.new("face"), when, "burst")
        when += timedelta(minutes=stage.rng.uniform(0.4, 2.2))


def _pictures(rule: str, like: str) -> Plant:
    def play(stage: Stage, organisation: Organisation, cases: list[Case], person: Person) -> None:
        spell = _spell(stage, cases, person)
        for _ in range(stage.rng.randrange(3, 14)):
            case = stage.rng.choice(spell)
            when = _when(stage, person, case, 10)
            stage.search(person, case, stage.new("face"), when, rule, like=like)

    return play


def _copied(stage: Stage, organisation: Organisation, cases: list[Case], person: Person) -> None:
    favourite, said = stage.rng.choice(LAZY), stage.words.choice(EMPTY)
    for _ in range(stage.rng.randrange(3, 9)):
        day = _day(stage.rng)
        case = Case(f"C-{stage.new('case'):05d}", [person], [], day, None)
        when = sitting(stage.rng, person, day)
        text = favourite if stage.rng.random() < 0.75 else stage.rng.choice(LAZY)
        # Those who copy alter a word now and then.
        purpose = (
            text
            if stage.rng.random() < 0.6
            else stage.rng.choice((text + ".", f"{text} ref {case.number}", text.upper(), f"{text}, urgent"))
        )
        # The very same words are turned away, so that one is put before them now and then.
        again = f"{stage.words.choice(('', 'Again: ', 'Urgent: ', 'Please note: '))}{said}"
        if stage.words.random() < 0.2:
            again = stage.words.choice(EMPTY)
        stage.authority(case, person, when, purpose, "repeated-justification", said=(again, person.worth))
        stage.search(person, case, stage.new("face"), when, "repeated-justification")


def _vain(stage: Stage, organisation: Organisation, cases: list[Case], person: Person) -> None:
    spell = _spell(stage, cases, person)
    for _ in range(stage.rng.randrange(8, 30)):
        case = stage.rng.choice(spell)
        when = _when(stage, person, case, 10)
        stage.search(person, case, stage.new("face"), when, "no-results", found=False)


def _gaping(stage: Stage, organisation: Organisation, cases: list[Case], person: Person) -> None:
    spell = _spell(stage, cases, person)
    for _ in range(stage.rng.randrange(6, 20)):
        case = stage.rng.choice(spell)
        when = _when(stage, person, case, 10)
        stage.search(
            person, case, stage.new("face"), when, "never-adjudicated", found=True, judged=False, exported=False
        )


def _favour(stage: Stage, organisation: Organisation, cases: list[Case], person: Person) -> None:
    case = stage.rng.choice(_own(stage, cases, person))
    when = _when(stage, person, case, 10)
    stage.search(person, case, stage.new("face"), when, "idle-export", found=True, judged=False, exported=True)


PLANTS: dict[str, Plant] = {
    "case-over-unlike-faces": _unlike,
    "face-under-many-cases": _hunt,
    "face-by-many-people": _neighbour,
    "outside-shift": _night,
    "after-closing": _closed,
    "burst": _trawl,
    "screenshots": _pictures("screenshots", "screenshot"),
    "selfies": _pictures("selfies", "selfie"),
    "repeated-justification": _copied,
    "no-results": _vain,
    "never-adjudicated": _gaping,
    "idle-export": _favour,
}
