"""Take out of a subject report that was just made whom a person finds to be somebody else.

The machine takes for the one who asks whom hardly any stranger would resemble as much, and is wrong now and then; a
report must not hand somebody else's life to whoever asks. So a person looks at it before it is written down. A kept
report tells no more of what was erased since, or of what nobody is shown because its erasure waits for a hold to end.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from countenance.domain.authority import Actor
from countenance.domain.errors import UnknownThing
from countenance.imaging.blur import unrecognisable
from countenance.services.lately import Kept
from countenance.services.record import Record
from countenance.services.shield import restricted
from countenance.store import pictures


@dataclass(frozen=True, slots=True)
class Corrections:
    """Subject reports that were just made, and what people found in them."""

    record: Record
    kept: Kept
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)
    """Held from a correction's entry until it is kept: what is kept is what the last entry says."""

    def correct(self, report: str, wrong: Iterable[str], actor: Actor) -> dict[str, Any]:
        """A report that was just made, without whom a person finds to be somebody else (`wrong`, ids of sightings: all
        of them, whatever was found before).

        Their pictures are blurred whole, and where they are is not told: it is somebody else's. Raises UnknownThing
        when the report is no longer kept, or holds no such sighting. One that was erased meanwhile is passed over.
        """
        with self._one_at_a_time:
            whole = self._made(report, actor)
            others = set(wrong)
            if strange := others - {one["id"] for one in whole["indexed"] or ()}:
                raise UnknownThing(f"the report holds no {min(strange)[:40]}", advice="choose from those that it shows")
            body = self._still(whole)
            others &= {one["id"] for one in body["indexed"] or ()}
            corrected = _corrected(report)
            if not others and self.kept.get(corrected, actor.user) is None:
                return body
            names = [f"sighting:{one.removeprefix('sighting-')}" for one in sorted(others)]
            receipt = self.record.enter("subject.corrected", actor, {"search": report, "wrong": names})
            indexed = [_somebody_else(one) if one["id"] in others else one for one in body["indexed"] or ()]
            told = body | {"indexed": indexed, "corrected": receipt.seq}
            self.kept.put(corrected, actor.user, told, copy_of=report)
            return told

    def latest(self, report: str, actor: Actor) -> dict[str, Any]:
        """A report that was just made, as it was last corrected. Raises UnknownThing when it is no longer kept."""
        return self._still(self.kept.get(_corrected(report), actor.user) or self._made(report, actor))

    def _still(self, body: dict[str, Any]) -> dict[str, Any]:
        """The report without sightings that are erased, or that nobody is shown any more."""
        if not body["indexed"]:
            return body
        with self.record.database.read() as c:
            found = pictures.sightings_by_id(c, [_number(one) for one in body["indexed"]])
        there = {one.id for one in found} - restricted(self.record)
        return body | {"indexed": [one for one in body["indexed"] if _number(one) in there]}

    def _made(self, report: str, actor: Actor) -> dict[str, Any]:
        body = self.kept.get(report, actor.user)
        if body is None:
            raise UnknownThing("this report is no longer kept", advice="make it again")
        return body


def _corrected(report: str) -> str:
    return f"{report}, corrected"


def _number(one: dict[str, Any]) -> int:
    return int(one["id"].removeprefix("sighting-"))


def _somebody_else(one: dict[str, Any]) -> dict[str, Any]:
    blurred = unrecognisable(base64.b64decode(one["picture"])) if one.get("picture") else None
    picture = {"picture": base64.b64encode(blurred).decode() if blurred else None} if "picture" in one else {}
    gone = dict.fromkeys(("page", "image", "title"))
    return one | gone | picture | {"somebody_else": True}
