"""Play a year, read it as the product reads a ledger, and lay what the rules say beside what was true."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import countenance
from countenance.domain.acts import Acts, FaceLabels
from countenance.domain.alike import Sameness, label_faces
from countenance.domain.misuse.flag import SEVERITIES, Flag, Tunables
from countenance.domain.misuse.matters import matters_of
from countenance.domain.misuse.rules import RULES, look
from countenance.domain.strangers import Calibration
from countenance.ledger.entry import Entry, time_text
from countenance.services.acts import Reading
from countenance.services.tuning import shift_of
from tools.misusesim import dishonest, honest, organisation
from tools.misusesim.organisation import START, Organisation
from tools.misusesim.stage import END, Happening, Stage

PACK = Path(countenance.__file__).parent / "faces" / "shipped" / "open" / "calibration.json"


@dataclass(frozen=True, slots=True)
class Year:
    """A year as it was: everything that happened in order, with the organisation it happened in."""

    stage: Stage
    organisation: Organisation
    happenings: tuple[Happening, ...]


@dataclass(slots=True)
class Score:
    """Of one rule over years: flags on planted misuse of this kind, on planted misuse of another kind alone, on honest
    work alone; and planted instances of this kind that were found, and all of them."""

    right: int = 0
    other: int = 0
    honest: int = 0
    found: int = 0
    planted: int = 0

    @property
    def flags(self) -> int:
        """All flags."""
        return self.right + self.other + self.honest


def play(seed: int, *, misuse: bool = True) -> Year:
    """The year of this seed."""
    rng = Random(seed)
    calibration = Calibration.from_json(json.loads(PACK.read_text(encoding="utf-8")))
    stage = Stage(rng, calibration, seed, words=Random(f"words of {seed}"))
    people = organisation.make(rng)
    cases = honest.play(stage, people)
    if misuse:
        dishonest.plant(stage, people, cases)
    return Year(stage, people, tuple(sorted(stage.happenings, key=lambda one: one.at)))


def acts_of(year: Year) -> Acts:
    """The year as the product's own reader has it."""
    reading = Reading(START, END)
    for seq, one in enumerate(year.happenings):
        actor = {"authenticated": one.who, "stated": None}
        reading.take(Entry(seq, time_text(one.at), one.kind, actor, one.body, (), None, b""))
    acts = reading.acts()
    searches = tuple(replace(one, traits=year.stage.traits[one.search]) for one in acts.searches)
    grants = tuple(replace(one, reasons=year.stage.reasons[one.authority]) for one in acts.grants)
    return replace(acts, searches=searches, grants=grants, opened=True)


def labels_of(year: Year, acts: Acts) -> FaceLabels:
    """What comparing the kept probes says, by the product's own rule on templates as alike as the pack's are."""
    ids, templates = year.stage.templates()
    cases = {one.search: one.case for one in acts.searches}
    kept = [n for n, id in enumerate(ids) if id in cases]
    return label_faces([ids[n] for n in kept], templates[kept], cases, year.stage.calibration, Sameness())


def flags_of(year: Year) -> tuple[Flag, ...]:
    """Every flag that the rules raise, with the settings that the product comes with and the teams' own shifts."""
    acts = acts_of(year)
    shifts = {name: shift_of(text) for name, text in year.organisation.shifts.items()}
    return look(acts, labels_of(year, acts), replace(Tunables(), shifts=shifts)).flags


@dataclass(frozen=True, slots=True)
class Scores:
    """By rule: of `every` flag, and of those that are `wanting` a person. `matters` are the latter folded, every kind
    of misuse being right."""

    every: dict[str, Score]
    wanting: dict[str, Score]
    matters: Score


def scored(years: Iterable[Year]) -> Scores:
    """Scores over years. A flag is right when an entry of it belongs to planted misuse of its kind."""
    scores = Scores({rule: Score() for rule in RULES}, {rule: Score() for rule in RULES}, Score())
    for year in years:
        flags = flags_of(year)
        wanting = [flag for flag in flags if flag.severity != SEVERITIES[0]]
        _add(scores.every, year, flags)
        _add(scores.wanting, year, wanting)
        bad = [one.bad for one in year.happenings]
        tags = [{tag for seq in one.entries for tag in bad[seq]} for one in matters_of(wanting)]
        scores.matters.right += sum(map(bool, tags))
        scores.matters.honest += sum(not some for some in tags)
        scores.matters.found += len(set().union(*tags))
        scores.matters.planted += len(set().union(*bad))
    return scores


def _add(scores: dict[str, Score], year: Year, flags: Iterable[Flag]) -> None:
    planted: dict[str, set[str]] = defaultdict(set)
    for one in year.happenings:
        for tag in one.bad:
            planted[tag.partition("#")[0]].add(tag)
    found: dict[str, set[str]] = defaultdict(set)
    for flag in flags:
        tags = {tag for seq in flag.entries for tag in year.happenings[seq].bad}
        mine = {tag for tag in tags if tag.partition("#")[0] == flag.rule}
        score = scores[flag.rule]
        if mine:
            score.right += 1
        elif tags:
            score.other += 1
        else:
            score.honest += 1
        found[flag.rule] |= mine
    for rule, score in scores.items():
        score.planted += len(planted[rule])
        score.found += len(found[rule])
