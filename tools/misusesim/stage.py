"""What happened, as entries of a ledger would say it; and beside it what no entry says: faces, traits, truth."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countenance.domain.strangers import Calibration
from countenance.domain.traits import ProbeTraits
from tools.misusesim.organisation import DAYS, START, Person
from tools.misusesim.writing import justification, reasons

END = START + timedelta(days=DAYS)


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry to be: `bad` names the planted misuse that it is part of, as "kind#instance"."""

    at: datetime
    kind: str
    who: str
    body: dict[str, Any]
    bad: frozenset[str] = frozenset()


@dataclass(slots=True)
class Case:
    """A case with the faces that belong to it."""

    number: str
    people: list[Person]
    faces: list[int]
    opened: datetime
    closed: datetime | None
    authorities: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Stage:
    """Where the year is played. `rng` decides everything; the same seed plays the same year."""

    rng: Random
    calibration: Calibration
    seed: int = 0
    """In every number of a search or an authority, so that years put together do not share them."""
    happenings: list[Happening] = field(default_factory=list)
    traits: dict[str, tuple[ProbeTraits, ...]] = field(default_factory=dict)
    known: frozenset[int] = frozenset()
    """Faces that the collection holds, in many pictures."""
    reasons: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Authority → necessity and proportionality, as they were sealed with its request."""
    unknown: frozenset[int] = frozenset()
    """Faces that turn up in many cases and are in no collection."""
    faces: dict[str, int] = field(default_factory=dict)
    """Search → the face looked for."""
    words: Random = field(default_factory=Random)
    """What decides the reasons: apart, so that the rest of a year does not hang on how much people write."""
    instance: int = 0
    """Which planted misuse is being played."""
    numbers: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def new(self, name: str) -> int:
        """The next number of something."""
        self.numbers[name] += 1
        return self.numbers[name]

    def enter(self, at: datetime, kind: str, who: str, body: dict[str, Any], *bad: str) -> None:
        """One more entry; what would lie after the year is left out."""
        if at < END:
            tags = frozenset(f"{rule}#{self.instance}" for rule in bad)
            self.happenings.append(Happening(at, kind, who, body, tags))

    def authority(
        self,
        case: Case,
        person: Person,
        at: datetime,
        purpose: str | None = None,
        *bad: str,
        said: tuple[str, str] | None = None,
    ) -> str:
        """The authority that this person has for a case: their own for the case, granted at first need."""
        if purpose is None and person.name in case.authorities:
            return case.authorities[person.name]
        id = f"A-{self.seed:02x}{self.new('authority'):06x}"
        case.authorities[person.name] = id
        self.reasons[id] = said or reasons(self.words, person.style, person.worth)
        body: dict[str, Any] = {
            "authority": id, "case": case.number, "purpose": purpose or justification(self.rng, person.style),
            "basis": "law_enforcement", "collections": ["custody"], "granted_by": f"os:chief-{person.team.name}",
            "holder": person.name, "self_approved": False, "searches": 50, "basis_document": "policy 4",
            "expires": (at + timedelta(days=90)).isoformat(), "stated_by": person.name,
        }  # fmt: skip
        self.enter(
            min(at, case.opened) - timedelta(minutes=self.rng.randrange(5, 600)),
            "authority.granted",
            body["granted_by"],
            body,
            *bad,
        )
        return id

    def search(
        self,
        person: Person,
        case: Case,
        face: int,
        at: datetime,
        *bad: str,
        found: bool | None = None,
        like: str | None = None,
        judged: bool | None = None,
        exported: bool | None = None,
    ) -> str:
        """A search with what follows from it; what is None is left to habit and luck."""
        rng, team = self.rng, person.team
        authority = self.authority(case, person, at)
        search = f"S-{self.seed:02x}{self.new('search'):08x}"
        self.faces[search] = face
        self.traits[search] = (_traits(rng, team.screens, team.selfies, like),)
        base = {"search": search, "authority": authority, "self_approved": False}
        begun = base | {"use": 1, "collections": ["custody"], "photographs": ["0" * 64], "faces": 1}
        self.enter(at, "search.started", person.name, begun | {"item": f"probe:{search}"}, *bad)
        luck = 0.9 if face in self.known else 0.12 if bad else min(0.95, team.luck * person.luck)
        luck = 0.05 if face in self.unknown else luck
        reliable = found if found is not None else rng.random() < luck
        groups = rng.randrange(1, 5) if reliable else rng.choice((0, 0, 1, 2, 5))
        sightings = [[f"sighting:{rng.randrange(10**6)}" for _ in range(rng.randrange(1, 3))] for _ in range(groups)]
        shown = at + timedelta(seconds=1)
        self.enter(shown, "search.shown", person.name, base | {"reliable": reliable, "groups": sightings}, *bad)
        if judged is None and (not groups or rng.random() > (0.8 if reliable else 0.35)):
            return search
        at += timedelta(minutes=rng.randrange(1, 9))
        self.enter(at, "picture.opened", person.name, {"search": search, "sighting": sightings[0][0]}, *bad)
        if judged if judged is not None else rng.random() < person.care:
            when = at + timedelta(hours=rng.expovariate(1 / 40))
            verdict = "same" if reliable and rng.random() < 0.7 else rng.choice(("different", "cannot tell"))
            self.enter(when, "verdict.given", person.name, {"search": search, "verdict": verdict})
        if exported if exported is not None else (reliable and rng.random() < 0.1):
            when = at + timedelta(minutes=rng.randrange(5, 2000))
            to = "a friend" if exported else rng.choice(("the court", "the prosecutor", "a neighbouring force"))
            body = {"search": search, "recipient": to, "sightings": sightings[0]}
            self.enter(when, "search.disclosed", person.name, body, *bad)
        return search

    def templates(self) -> tuple[list[str], NDArray[np.float32]]:
        """What the kept probes would be: strangers as alike as the pack measured, photographs of one person as alike as
        photographs of very different quality are (cosines from 0.3 to 0.85)."""
        rng = np.random.default_rng(self.rng.randrange(2**32))
        dimension = round(1 / self.calibration.deviation**2)
        people = rng.standard_normal((self.numbers["face"] + 1, dimension)) / np.sqrt(dimension)
        common = np.zeros(dimension)
        common[0] = np.sqrt(max(self.calibration.mean, 0.0))
        ids = list(self.faces)
        noise = rng.standard_normal((len(ids), dimension)) / np.sqrt(dimension)
        strength = np.clip(rng.lognormal(-0.35, 0.35, len(ids)), 0.35, 1.5)
        raw = people[[self.faces[id] for id in ids]] + noise * strength[:, None] + common
        return ids, (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32)


def _traits(rng: Random, screens: float, selfies: float, like: str | None) -> ProbeTraits:
    kind = like
    if kind is None:
        drawn = rng.random()
        kind = "screenshot" if drawn < screens else "selfie" if drawn < screens + selfies else "plain"
    if kind == "screenshot":
        return ProbeTraits("png", 2.16, "medium", True, False, False, 1, round(rng.uniform(0.03, 0.3), 2))
    if kind == "selfie":
        return ProbeTraits("jpg", 1.33, "large", False, True, rng.random() < 0.7, 1, round(rng.uniform(0.22, 0.5), 2))
    return ProbeTraits("jpg", 0.56, "medium", False, rng.random() < 0.4, False, rng.randrange(1, 4), 0.05)
