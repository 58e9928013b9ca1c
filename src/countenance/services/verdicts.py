"""What two people said of a pair, used again: a candidate they took for somebody else is marked when it comes up again,
and the calibration is held against their verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from countenance.domain.alike import Sameness
from countenance.domain.authority import Actor, Authority
from countenance.domain.errors import BadInput, UnknownThing
from countenance.domain.faces import Vectors
from countenance.domain.results import Group
from countenance.domain.reviews import DIFFERENT, SAME, Review
from countenance.domain.strangers import Calibration
from countenance.domain.verdicts import JudgedPair, Sample, z_of
from countenance.ledger.entry import parse_time
from countenance.services.compare_probes import again
from countenance.services.record import Record
from countenance.store import authorities

FORMAT = "countenance-verdicts/1"


def marked(
    record: Record,
    groups: tuple[Group, ...],
    template: Vectors,
    search: str,
    under: Authority,
    rule: tuple[Calibration, Sameness],
    actor: Actor,
) -> tuple[Group, ...]:
    """These candidates, those marked that two people judged to be somebody else than this very person before.

    Looked at are the reviews of these sightings whose search was in the same case or by the same holder: that somebody
    else looked for this face in another matter is nobody's business. Whether it was the same person is told by the kept
    probes of those searches alone; comparing them is an entry first. `template` is (1, dimension) float32, rotated.
    """
    there = {one.id for group in groups for one in group.sightings}
    reviews = record.docket.read(record).values()
    before = [
        one for one in reviews if one.sighting in there and one.outcome == DIFFERENT and _near(record, one, under)
    ]
    if not before:
        return groups
    calibration, limits = rule
    searches = sorted({one.search for one in before})
    same = again(record, template, searches, calibration, limits, search, actor)
    days = {one.sighting: one.verdicts[-1].at for one in before if one.search in same}
    return tuple(
        replace(group, sightings=tuple(replace(s, judged_different=days.get(s.id)) for s in group.sightings))
        for group in groups
    )


def _near(record: Record, review: Review, under: Authority) -> bool:
    try:
        with record.database.read() as c:
            other = authorities.get(c, review.authority)
    except UnknownThing:
        return False
    return other.holder == under.holder or other.case == under.case


def sample(record: Record, calibration: Calibration, since: datetime, until: datetime) -> Sample:
    """Pairs of this time on which two people agreed, as far as what they saw was not erased since. A picture that was
    judged several times in one case counts once. Only searches with the calibration's own pack count."""
    shown: dict[str, Mapping[str, Any]] = {}
    for entry in record.ledger.mentioning('"type":"search.shown"', 0, record.ledger.size):
        inside = since <= parse_time(entry.at) < until
        if entry.kind == "search.shown" and inside and entry.body.get("pack") == calibration.pack:
            shown[str(entry.body["search"])] = entry.body
    pairs: dict[tuple[str, int], JudgedPair] = {}
    for review in record.docket.read(record).values():
        body = shown.get(review.search)
        if body is None or review.outcome not in (SAME, DIFFERENT):
            continue
        opened = record.opened(record.ledger.entry(review.entry)).get(f"sighting:{review.sighting}")
        people = int(body.get("people", 0))
        if opened is None or people < 1:
            continue  # erased since
        expected = opened["expected_strangers"]
        rate = None if expected["value"] is None else expected["value"] / people
        pair = JudgedPair(
            review.outcome == DIFFERENT, float(opened["likeness"]), float(expected["high"]), z_of(calibration, rate)
        )
        pairs[review.authority, review.sighting] = pair
    comparisons = sum(int(body.get("people", 0)) for body in shown.values())
    return Sample(calibration.pack, len(shown), comparisons, tuple(pairs.values()))


def hard_impostors(found: Sample) -> dict[str, Any]:
    """Scores of pairs that two people took for two, for `countenance calibrate --verdicts`: the pack, how many
    comparisons they come from, and scores in order of size. Nothing says of whom, in which search or when."""
    scores = sorted(round(pair.z, 2) for pair in found.pairs if pair.different)
    return {"format": FORMAT, "pack": found.pack, "comparisons": found.comparisons, "z": scores}


def read_hard_impostors(body: Any, pack: str) -> tuple[list[float], int]:
    """The scores of such a file, and out of how many comparisons. Raises BadInput for another pack, or no such file."""
    try:
        if body["format"] != FORMAT:
            raise ValueError
        scores, comparisons = [float(z) for z in body["z"]], int(body["comparisons"])
        of = str(body["pack"])
    except (KeyError, TypeError, ValueError):
        raise BadInput(
            "these are no verdicts", advice="countenance oversee calibration --out FILE writes them"
        ) from None
    if of != pack:
        raise BadInput(f"these verdicts are on scores of the pack {of}", advice="scores of two packs are never mixed")
    return scores, comparisons
