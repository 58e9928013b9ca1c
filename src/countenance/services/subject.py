"""Answer somebody who asks: am I indexed here, was I searched for, who was shown me, to whom was I disclosed?

It is a way to likeness, so it goes through the one permit, under an authority, and what it tells is in the ledger
before it is told. What it takes for that person is only what hardly any stranger would resemble as much
(`search.reliable_strangers`): a report must not hand somebody else's life to whoever asks. It holds no picture unless
pictures are asked for, and then each with all but the one face unrecognisable. Whom a person finds to be somebody else,
taken for the one who asks, is blurred whole and told without a place. What the law lets an operator keep back, a person
keeps back, with a reason in the ledger (UK DPA 2018 s.45(4); GDPR art. 15(4)).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from countenance.domain.alike import Sameness
from countenance.domain.authority import Actor
from countenance.domain.errors import BadInput
from countenance.domain.faces import Box, Vectors
from countenance.domain.index import VectorIndex
from countenance.domain.strangers import Calibration
from countenance.imaging.blur import face_alone
from countenance.services import authorise, permit
from countenance.services.compare_probes import sought
from countenance.services.lately import Kept
from countenance.services.present import shown
from countenance.services.probes import Choice, Detect, prepare
from countenance.services.record import Record
from countenance.store import moments, searches
from countenance.store.blobs import Blobs
from countenance.store.pictures import SightingRow, sightings_of
from countenance.store.sources import every

PARTS = {
    "indexed": "where pictures of you are indexed",
    "shown": "searches that showed a picture of you",
    "opened": "pictures of you that were opened whole",
    "disclosed": "disclosures that held a picture of you",
    "sought": "searches that looked for your face",
}
"""What a report tells, and what may be kept back."""

MOST = 5000
"""Most templates that are looked through."""


@dataclass(frozen=True, slots=True)
class SubjectRequest:
    """Photographs of the one person who asks, the authority, and what is kept back for which reason."""

    photographs: tuple[bytes, ...]
    authority: str
    face: Choice = None
    withheld: Mapping[str, str] | None = None
    pictures: bool = False


@dataclass(frozen=True, slots=True)
class SubjectDesk:
    """Everything that a report needs, handed over."""

    record: Record
    index: VectorIndex
    detect: Detect
    protect: Callable[[Vectors], Vectors]
    calibration: Calibration
    people: Callable[[Iterable[int]], int]
    showing: Callable[[], AbstractContextManager[None]]
    min_likeness: float
    reliable_strangers: float
    probe_days: int
    limits: Sameness
    blobs: Blobs
    kept: Kept

    def report(self, asked: SubjectRequest, actor: Actor) -> dict[str, Any]:
        """What this home holds and has done about one person, as JSON values. Spends one use of the authority.

        Raises NoAuthority, NoFace, SeveralFaces, UnreadableImage, BadInput for an unknown part or a part that is kept
        back without a reason, LedgerUnavailable.
        """
        withheld = dict(asked.withheld or {})
        for part, reason in withheld.items():
            if part not in PARTS:
                raise BadInput(f"there is no part called {part}", advice=f"one of {', '.join(PARTS)}")
            if not reason.strip():
                raise BadInput(f"{part} is kept back for a reason", advice="name the exemption with --reason")
        authorise.check(self.record, asked.authority, None, actor)
        probe = prepare(asked.photographs, (asked.face,) * len(asked.photographs), self.detect)
        template = self.protect(probe.template)
        purpose = permit.Purpose("subject", probe.digests, probe.faces, self.probe_days)
        leave = permit.mint(self.record, asked.authority, None, template, purpose, actor)
        with self.showing():
            hits = permit.look_up(self.index, leave, template, min_score=self.min_likeness, limit=MOST)
            people = self.people(leave.source_ids)
            surely = {
                hit.id: hit.score
                for hit in hits.hits
                if self.calibration.expected(hit.score, people, hits.background).high <= self.reliable_strangers
            }
            with self.record.database.write() as c:
                searches.started(c, leave.search, seq=leave.started_seq)
                found = sightings_of(c, list(surely), leave.source_ids)
                covered = [source.name for source in every(c) if source.id in set(leave.source_ids)]
            searched = sought(self.record, template, self.calibration, self.limits, leave.search, actor)
            told = self._acts({one.id for one in found}, searched)
            told["indexed"] = [
                _seen(one, surely[one.face_id]) | ({"picture": self._picture(one)} if asked.pictures else {})
                for one in found
            ]
            for part in withheld:
                told[part] = None
            receipt = self.record.enter(
                "subject.shown",
                actor,
                {
                    "search": leave.search,
                    "authority": leave.authority.id,
                    "self_approved": leave.authority.self_approved,
                    "started": leave.started_seq,
                    "faces": hits.searched,
                    "truncated": hits.truncated,
                    "sightings": [f"sighting:{one.id}" for one in found] if told["indexed"] is not None else [],
                    "counts": {part: len(value) for part, value in told.items() if value is not None},
                    "withheld": sorted(withheld),
                },
                sealed={permit.probe_item(leave.search): {"withheld": withheld}} if withheld else None,
            )
        body = {
            "report": leave.search,
            "made": moments.now().isoformat(),
            "sources": covered,
            "faces": hits.searched,
            "complete": not hits.truncated,
            **{part: told.get(part) for part in PARTS},
            "receipt": receipt.as_json(),
        }
        self.kept.put(leave.search, actor.user, body)
        return body

    def _picture(self, one: SightingRow) -> str | None:
        """The sighting's crop with all but the face unrecognisable, in base64; None where none is kept."""
        row = one.row
        content = self.blobs.get(row.crop) if row.crop else None
        alone = face_alone(content, Box(row.x, row.y, row.w, row.h), (row.width, row.height)) if content else None
        return base64.b64encode(alone).decode() if alone else None

    def _acts(self, mine: set[int], searched: set[str] | None) -> dict[str, list[dict[str, Any]] | None]:
        """What the ledger says was done with these sightings, and which searches looked for this face."""
        names = {f"sighting:{one}" for one in mine}
        terms: dict[str, dict[str, Any]] = {}
        of_search: dict[str, str] = {}
        shown_in: list[dict[str, Any]] = []
        opened: list[dict[str, Any]] = []
        disclosed: list[dict[str, Any]] = []
        looked: list[dict[str, Any]] = []

        def why(search: str) -> dict[str, Any]:
            said = terms.get(of_search.get(search, ""), {})
            return {"purpose": said.get("purpose"), "basis": said.get("basis")}

        for kind in ('"type":"authority.', '"type":"search.', '"type":"picture.'):
            for entry in self.record.ledger.mentioning(kind):
                body, search = entry.body, str(entry.body.get("search", ""))
                if entry.kind in (authorise.GRANTED, authorise.URGENT):
                    terms[str(body["authority"])] = dict(body)
                elif entry.kind == "search.started":
                    of_search[search] = str(body["authority"])
                    if searched is not None and search in searched:
                        looked.append({"at": entry.at, **why(search)})
                elif entry.kind == "search.shown" and any(names.intersection(group) for group in body["groups"]):
                    shown_in.append({"at": entry.at, **why(search)})
                elif entry.kind == "picture.opened" and body["sighting"] in names:
                    opened.append({"at": entry.at, **why(search)})
                elif entry.kind == "search.disclosed" and names.intersection(body["sightings"]):
                    disclosed.append({"at": entry.at, "recipient": body["recipient"], **why(search)})
        parts: dict[str, list[dict[str, Any]] | None] = {"shown": shown_in, "opened": opened, "disclosed": disclosed}
        parts["sought"] = looked if searched is not None else None
        return parts


def _seen(one: SightingRow, likeness: float) -> dict[str, Any]:
    body = shown(one, likeness).as_json()
    return {
        name: body[name] for name in ("id", "source", "page", "image", "title", "first_seen", "last_seen", "vanished")
    }
