"""Adjudicate: two people look at a probe and a candidate side by side, before anything is acted on.

Nobody sees the score, nor what another said, before they have said what they see. What was shown to whom is an entry,
and so is each verdict. The probe's picture is kept for this alone and only when somebody asks for a review: sealed,
under the same key and for as long as the search's template.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from countenance.domain.authority import Actor
from countenance.domain.errors import BadInput, Refused, UnknownThing
from countenance.domain.results import SearchResult
from countenance.domain.reviews import DIFFERENT, SAME, VERDICTS, Review, Reviewer, reviewers
from countenance.ledger import seal
from countenance.services.permit import probe_item
from countenance.services.probes import Choice
from countenance.services.quality_words import warnings_of
from countenance.services.record import Record
from countenance.services.shield import restricted
from countenance.store import items, moments, reviews, searches
from countenance.store.blobs import Blobs
from countenance.store.pictures import sightings_by_id

Admit = Callable[[Actor, str], Actor]
"""The actor, who may do this act; raises RoleMissing."""

Shown = Callable[[str, str], SearchResult]
"""A search's result again, by its id and handle; raises NoAuthority."""

CropOf = Callable[[bytes, Choice], tuple[bytes, tuple[str, ...]]]
"""The chosen face of a photograph as a square JPEG, and its warnings; raises as `probes.prepare` does."""

SHARE = 0.1
"""How many of the pairs that a reviewer is given are controls, as long as there are some that they have not seen."""

PICTURE = b"review"
"""What a kept picture is sealed for: it opens as nothing else."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of two pictures, a square around a face; None when it has been erased."""

    content: bytes | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """What a reviewer is shown: two pictures and what is wrong with them. Neither score nor anybody's word."""

    review: str
    probe: Side
    candidate: Side

    def as_json(self) -> dict[str, Any]:
        """For output; the pictures are fetched apart."""
        return {
            "id": self.review,
            "probe": {"warnings": list(self.probe.warnings), "there": self.probe.content is not None},
            "candidate": {"warnings": list(self.candidate.warnings), "there": self.candidate.content is not None},
            "verdicts": VERDICTS,
        }


@dataclass(frozen=True, slots=True)
class ReviewDesk:
    """Reviews of one home. Safe for several threads."""

    record: Record
    blobs: Blobs
    admit: Admit
    shown: Shown
    crop_of: CropOf

    def every(self, actor: Actor) -> list[Review]:
        """Every review that is no control, the newest first."""
        self.admit(actor, "reviews:read")
        found = [one for one in self._docket().values() if not one.control]
        return sorted(found, key=lambda one: -one.entry)

    def reviewers(self, actor: Actor) -> list[Reviewer]:
        """How each reviewer judges."""
        self.admit(actor, "reviews:read")
        return reviewers(self._docket().values(), self._truths())

    # Asking for a review

    def open(self, search: str, handle: str, sighting: int, photograph: bytes, face: Choice, actor: Actor) -> Review:
        """Ask two others to judge a candidate of an open search. `photograph` is one that was searched with.

        Raises NoAuthority when the handle opens nothing, BadInput for another photograph, UnknownThing.
        """
        actor = self.admit(actor, "search")
        result = self.shown(search, handle)
        found = next(((g, s) for g in result.groups for s in g.sightings if s.id == sighting), None)
        if found is None:
            raise UnknownThing("this search did not show that sighting")
        group, one = found
        if any(r.search == search and r.sighting == sighting for r in self._docket().values()):
            raise Refused(
                "this candidate is under review already", advice="`countenance review list` shows how it stands"
            )
        with self.record.database.read() as c:
            row = searches.get(c, search)
            key = items.open_keys(c, [probe_item(search)]).get(probe_item(search))
        if key is None or not self._searched_with(row.started_seq, seal.ItemKey(probe_item(search), key), photograph):
            raise BadInput(
                "this is not a photograph that was searched with", advice="give the very file that the search was given"
            )
        content, warnings = self.crop_of(photograph, face)
        id = _new_id()
        item = seal.ItemKey(probe_item(search), key)
        with self.record.database.write() as c:
            reviews.keep(c, id, "probe", _sealed(item, content, warnings), keep_until=moments.from_row(row.keep_until))
        self.record.enter(
            "review.opened",
            actor,
            {"review": id, "search": search, "authority": result.authority, "sighting": f"sighting:{sighting}"},
            sealed={
                f"sighting:{sighting}": {
                    "likeness": round(one.likeness, 6),
                    "expected_strangers": group.expected_strangers.as_json(),
                }
            },
        )
        return self._docket()[id]

    def _searched_with(self, seq: int | None, key: seal.ItemKey, photograph: bytes) -> bool:
        if seq is None:
            return False
        said = self.record.ledger.entry(seq).body.get("photographs", [])
        digest = hashlib.sha256(photograph).digest()
        return any(seal.commits_to(key, digest, commitment) for commitment in said)

    # Judging

    def next(self, actor: Actor) -> Pair | None:
        """A pair for this reviewer, the same until it is judged; None when there is none. Showing it is an entry."""
        actor = self.admit(actor, "reviews:judge")
        alone = not self.record.profile.two_people
        open = [one for one in self._docket().values() if one.may_judge(actor.names, alone=alone)]
        mine = [one for one in open if dict(one.looking).keys() & actor.names]
        if not mine:
            controls, asked = [one for one in open if one.control], [one for one in open if not one.control]
            mine = controls if controls and (not asked or secrets.randbelow(1000) < 1000 * SHARE) else asked
        if not mine:
            return None
        chosen = secrets.choice(mine)
        self.record.enter("review.shown", actor, {"review": chosen.id})
        return self._pair(chosen)

    def judge(self, id: str, verdict: str, reason: str, actor: Actor) -> dict[str, Any]:
        """Say what one sees. Only now are the score and the others' words told.

        Raises BadInput without a reason, Refused for a pair that was not shown to this reviewer, UnknownThing.
        """
        actor = self.admit(actor, "reviews:judge")
        if verdict not in VERDICTS:
            raise BadInput(f"no such verdict: {verdict}", advice=f"one of {', '.join(VERDICTS)}")
        if not reason.strip():
            raise BadInput("a verdict has a reason", advice="say what in the two faces it rests on")
        review = self._docket().get(id)
        if review is None:
            raise UnknownThing("there is no such review", advice="`countenance review next` gives one")
        if not dict(review.looking).keys() & actor.names:
            raise Refused(
                "this pair was not shown to you, or you have judged it", advice="`countenance review next` gives one"
            )
        self.record.enter(
            "verdict.given",
            actor,
            {"review": id, "search": review.search or None, "verdict": verdict, "round": len(review.verdicts) + 1},
            sealed={f"note:{id}:{secrets.token_hex(4)}": {"reason": reason}},
        )
        return self._told(self._docket()[id])

    def _told(self, review: Review) -> dict[str, Any]:
        """What a reviewer is told after their verdict."""
        if review.control:
            return {"id": review.id, "control": True, "truth": self._truths().get(review.id), "outcome": None}
        opened = self.record.opened(self.record.ledger.entry(review.entry))
        score = opened.get(f"sighting:{review.sighting}", {})
        return {
            "id": review.id,
            "control": False,
            "likeness": score.get("likeness"),
            "expected_strangers": score.get("expected_strangers"),
            "outcome": review.outcome,
        }

    def picture(self, id: str, side: str, actor: Actor) -> bytes:
        """One of the two pictures (JPEG) of a pair that this reviewer was shown. Raises Refused, UnknownThing."""
        actor = self.admit(actor, "reviews:judge")
        review = self._docket().get(id)
        if review is None or not dict(review.looking).keys() & actor.names:
            raise Refused("this pair was not shown to you", advice="`countenance review next` gives one")
        content = getattr(self._pair(review), side).content
        if content is None:
            raise UnknownThing("this picture has been erased")
        return bytes(content)

    def _pair(self, review: Review) -> Pair:
        if review.control:
            return Pair(review.id, self._kept(review.id, "probe", None), self._kept(review.id, "candidate", None))
        with self.record.database.read() as c:
            # Somebody who waits to be erased is shown to nobody.
            found = sightings_by_id(c, {review.sighting} - restricted(self.record))
        crop = self.blobs.get(found[0].row.crop) if found and found[0].row.crop else None
        warnings = warnings_of(found[0].row.quality) if found else ()
        return Pair(review.id, self._kept(review.id, "probe", review.search), Side(crop, warnings))

    def _kept(self, id: str, side: str, search: str | None) -> Side:
        item = probe_item(search) if search is not None else control_item(id)
        with self.record.database.read() as c:
            kept = reviews.kept(c, id, side)
            key = items.open_keys(c, [item]).get(item)
        if kept is None or key is None:
            return Side(None, ())
        opened = seal.open_sealed(seal.ItemKey(item, key), PICTURE, kept)
        return Side(base64.b64decode(opened["jpeg"]), tuple(opened["warnings"]))

    # Controls

    def add_control(self, probe: bytes, candidate: bytes, truth: str, actor: Actor) -> str:
        """A pair whose answer is known, to be given to reviewers among the others. Returns its id.

        Raises BadInput, and as `probes.prepare` does for a photograph without one clear face.
        """
        actor = self.admit(actor, "reviews:controls")
        if truth not in (SAME, DIFFERENT):
            raise BadInput(f"a known pair is {SAME} or {DIFFERENT}", advice=f"--truth {SAME}")
        sides = [self.crop_of(photograph, "largest") for photograph in (probe, candidate)]
        id = _new_id()
        with self.record.database.write() as c:
            key = seal.ItemKey(control_item(id), items.new_key(c, control_item(id)))
            for side, (content, warnings) in zip(("probe", "candidate"), sides, strict=True):
                reviews.keep(c, id, side, _sealed(key, content, warnings), keep_until=None)
        self.record.enter("review.control-added", actor, {"review": id}, sealed={control_item(id): {"truth": truth}})
        return id

    def remove_control(self, id: str, actor: Actor) -> None:
        """Take a known pair away, with pictures and answer; verdicts on it count no more. Raises UnknownThing."""
        actor = self.admit(actor, "reviews:controls")
        known = self._docket().get(id)
        if known is None or not known.control:
            raise UnknownThing("there is no such known pair", advice="`countenance review controls` shows them")
        self.record.enter("review.control-removed", actor, {"review": id})
        with self.record.database.write() as c:
            reviews.drop(c, [id])
            items.destroy(c, [control_item(id)])

    def controls(self, actor: Actor) -> list[dict[str, Any]]:
        """The known pairs, the newest first."""
        self.admit(actor, "reviews:controls")
        truths = self._truths()
        found = sorted((one for one in self._docket().values() if one.control), key=lambda one: -one.entry)
        return [{"id": one.id, "truth": truths.get(one.id), "verdicts": len(one.verdicts)} for one in found]

    # What follows

    def outcomes(self, search: str) -> dict[int, str | None]:
        """Of each candidate of a search that was given to review: what it came to, None while it is undecided."""
        return {
            one.sighting: one.outcome for one in self._docket().values() if one.search == search and not one.control
        }

    # Inside

    def _docket(self) -> dict[str, Review]:
        return dict(self.record.docket.read(self.record))

    def _truths(self) -> dict[str, str]:
        found = {}
        for one in self._docket().values():
            if one.control:
                opened = self.record.opened(self.record.ledger.entry(one.entry)).get(control_item(one.id))
                if opened:
                    found[one.id] = str(opened["truth"])
        return found


def control_item(id: str) -> str:
    """The item under which a known pair is sealed."""
    return f"control:{id}"


def _sealed(key: seal.ItemKey, content: bytes, warnings: tuple[str, ...]) -> dict[str, str]:
    return seal.seal(key, PICTURE, {"jpeg": base64.b64encode(content).decode(), "warnings": list(warnings)})


def _new_id() -> str:
    return "J-" + secrets.token_hex(6)
