"""The honest year: cases with one face and with many, offenders whom all meet, nights, urgent weeks, training."""

from __future__ import annotations

from datetime import datetime, timedelta

from tools.misusesim.organisation import DAYS, START, Organisation, Person, sitting
from tools.misusesim.stage import END, Case, Stage

KNOWN = 25
"""Offenders who turn up in case after case."""

UNKNOWN = 8
"""And those whom nobody knows yet: the same face in several officers' cases, and in no collection."""


def play(stage: Stage, organisation: Organisation) -> list[Case]:
    """A year of cases. Returns them all."""
    known = [stage.new("face") for _ in range(KNOWN)]
    stage.known = frozenset(known)
    unknown = [stage.new("face") for _ in range(UNKNOWN)]
    stage.unknown = frozenset(unknown)
    cases = [case for person in organisation.people for case in _cases(stage, organisation, person, known, unknown)]
    for day in organisation.urgent:
        cases.append(_urgent(stage, organisation, day))
    for team, days in organisation.training.items():
        for day in days:
            cases.append(_training(stage, organisation, team, day))
    return cases


def _cases(stage: Stage, organisation: Organisation, lead: Person, known: list[int], unknown: list[int]) -> list[Case]:
    rng = stage.rng
    found = []
    at = START + timedelta(days=rng.expovariate(lead.pace / 30))
    while at < END - timedelta(days=2):
        size = rng.choices((1, 2, rng.randrange(3, 6), rng.randrange(6, 13)), (60, 22, 15, 3))[0]
        faces = []
        for _ in range(size):
            drawn = rng.random()
            again = known if drawn < 0.12 else unknown if drawn < 0.14 else None
            faces.append(rng.choice(again) if again else stage.new("face"))
        mates = [one for one in organisation.people if one.team is lead.team and one is not lead]
        people = [lead, *rng.sample(mates, rng.choices((0, 1, 2), (60, 30, 10))[0])]
        length = timedelta(days=rng.uniform(3, 70))
        closed = at + length if rng.random() < 0.75 else None
        case = Case(f"C-{stage.new('case'):05d}", people, faces, at, closed)
        _work(stage, case, length)
        found.append(case)
        at += timedelta(days=rng.expovariate(lead.pace / 30))
    return found


def _work(stage: Stage, case: Case, length: timedelta) -> None:
    rng = stage.rng
    for face in case.faces:
        # A still is tried, then a better one: now and then weeks later.
        for _ in range(rng.choices((1, 2, 3, 4), (45, 30, 17, 8))[0]):
            person = rng.choices(case.people, [3] + [1] * (len(case.people) - 1))[0]
            day = case.opened + length * rng.betavariate(1, 3) * 0.9
            when = sitting(rng, person, day, outside=rng.random() < person.overtime)
            if case.closed is not None and when > case.closed:
                when = case.closed - timedelta(minutes=rng.randrange(5, 300))
            stage.search(person, case, face, when)
    if case.closed is not None:
        stage.enter(case.closed, "case.closed", f"os:chief-{case.people[0].team.name}", {"case": case.number})
        if rng.random() < 0.012:
            # The court asks once more, and nobody opens the case again for that.
            late = sitting(rng, case.people[0], case.closed + timedelta(days=rng.uniform(1.5, 25)))
            stage.search(case.people[0], case, case.faces[0], late)


def _urgent(stage: Stage, organisation: Organisation, day: datetime) -> Case:
    """A week in which two teams work round the clock on one case with very many faces."""
    rng = stage.rng
    people = rng.sample([one for one in organisation.people if one.team.name in ("major", "response")], 9)
    case = Case(f"C-{stage.new('case'):05d}", people, [stage.new("face") for _ in range(40)], day, None)
    for night in range(6):
        for person in people:
            if rng.random() < 0.55:
                start = day + timedelta(days=night, hours=rng.uniform(20, 27))
                gap = rng.choice((1.5, 4, 9))
                for n in range(rng.randrange(1, 18)):
                    stage.search(person, case, rng.choice(case.faces), start + timedelta(minutes=gap * n))
    return case


def _training(stage: Stage, organisation: Organisation, team: str, day: datetime) -> Case:
    """An afternoon on which a team tries the product on five volunteers."""
    rng = stage.rng
    day = min(day - timedelta(days=max(0, day.weekday() - 4)), START + timedelta(days=DAYS - 2))
    people = [one for one in organisation.people if one.team.name == team]
    case = Case(f"TRAINING-{team}", people, [stage.new("face") for _ in range(5)], day, None)
    hour = 20 if people[0].team.night else 14
    for person in people:
        start = day + timedelta(hours=hour, minutes=rng.randrange(20))
        for n in range(rng.randrange(4, 16)):
            stage.search(person, case, rng.choice(case.faces), start + timedelta(minutes=2.5 * n), found=True)
    return case
