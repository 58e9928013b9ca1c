"""A search: probe → authority → index → candidates → receipt → person.

The order is the promise. The use is spent and the beginning is in the ledger before anything is compared; what will be
shown is in the ledger, durable, before anybody sees it. A failure at any step shows nothing.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from countenance.domain.alike import Sameness
from countenance.domain.authority import Actor
from countenance.domain.faces import Vectors
from countenance.domain.index import VectorIndex
from countenance.domain.results import Group, SearchResult
from countenance.domain.strangers import Calibration
from countenance.ledger.receipt import Receipt
from countenance.services import authorise, permit
from countenance.services.present import first_pictures, groups_of
from countenance.services.probes import Choice, Detect, Probe, prepare
from countenance.services.record import Record
from countenance.services.shield import restricted
from countenance.services.verdicts import marked
from countenance.store import moments, searches

MAX_HITS = 5000
"""Most templates that one search takes from the index; beyond it the result says that it was truncated."""


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What is asked. One choice of face for all photographs (`face`) or one for each (`faces`)."""

    photographs: tuple[bytes, ...]
    authority: str
    collections: tuple[str, ...] | None = None
    face: Choice = None
    faces: tuple[Choice, ...] | None = None
    limit: int | None = None
    min_likeness: float | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that a search rests on."""

    limit: int
    min_likeness: float
    reliable_strangers: float
    handle_minutes: int
    probe_days: int
    demo: bool


@dataclass(frozen=True, slots=True)
class Searcher:
    """Everything a search needs, handed over."""

    record: Record
    index: VectorIndex
    detect: Detect
    protect: Callable[[Vectors], Vectors]
    calibration: Calibration
    pack: str
    policy: Policy
    people: Callable[[Iterable[int]], int]
    """How many other people these sources are reckoned to hold: distinct indexed pictures."""
    sameness: Sameness
    """From when on an earlier probe is of the same person."""
    showing: Callable[[], AbstractContextManager[None]]
    """Held from looking until what is shown has been entered."""

    def search(self, request: SearchRequest, actor: Actor) -> SearchResult:
        """Search, and release the candidates once their receipt is durable.

        Raises NoAuthority, NoFace, SeveralFaces, UnreadableImage, UnknownThing, LedgerUnavailable.
        """
        clock = time.perf_counter()
        # A use is not spent on a photograph without a face, so the probe is made first; the authority is asked before
        # that all the same, so that a person without one learns it at once and the refusal is recorded.
        authorise.check(self.record, request.authority, request.collections, actor)
        choices = request.faces if request.faces is not None else (request.face,) * len(request.photographs)
        probe = prepare(request.photographs, choices, self.detect)
        template = self.protect(probe.template)
        embedded = time.perf_counter()
        leave = permit.mint(
            self.record,
            request.authority,
            request.collections,
            template,
            permit.Purpose("search", probe.digests, probe.faces, self.policy.probe_days, probe.traits),
            actor,
        )
        limit = request.limit or self.policy.limit
        least = self.policy.min_likeness if request.min_likeness is None else request.min_likeness
        with self.showing():
            hits = permit.look_up(self.index, leave, template, min_score=least, limit=MAX_HITS)
            hidden = restricted(self.record)
            with self.record.database.read() as c:
                chosen, more = first_pictures(c, hits.hits, leave.source_ids, limit, hidden)
            people = self.people(leave.source_ids)
            groups = groups_of(hits, chosen, self.calibration, people=people)
            rule = (self.calibration, self.sameness)
            groups = marked(self.record, groups, template, leave.search, leave.authority, rule, actor)
            reliable = bool(groups) and groups[0].expected_strangers.high <= self.policy.reliable_strangers
            truncated = hits.truncated or more
            summary = {
                "search": leave.search,
                "authority": leave.authority.id,
                "self_approved": leave.authority.self_approved,
                "demo": self.policy.demo,
                "started": leave.started_seq,
                "pack": self.pack,
                "faces": hits.searched,
                "people": people,
                "min_likeness": round(least, 6),
                "reliable": reliable,
                "truncated": truncated,
                "groups": [[f"sighting:{s.id}" for s in g.sightings] for g in groups],
            }
            receipt = self.record.enter("search.shown", actor, summary, sealed=_sealed(groups))
            handle = secrets.token_urlsafe(32)
            until = moments.now() + timedelta(minutes=self.policy.handle_minutes)
            result = self._result(leave, probe, hits.searched, groups, reliable, truncated, receipt, handle, until)
            with self.record.database.write() as c:
                searches.shown(
                    c,
                    leave.search,
                    started_seq=leave.started_seq,
                    seq=receipt.seq,
                    result=_without_names(result),
                    handle=handle,
                    handle_until=until,
                    rows=[
                        {"sighting_id": s.id, "rank": g.rank, "likeness": s.likeness}
                        for g in groups
                        for s in g.sightings
                    ],
                )
        done = time.perf_counter()
        result.seconds.update(embedding=round(embedded - clock, 4), search=round(done - embedded, 4))
        return result

    def _result(
        self,
        leave: permit.Leave,
        probe: Probe,
        searched: int,
        groups: tuple[Group, ...],
        reliable: bool,
        truncated: bool,
        receipt: Receipt,
        handle: str,
        until: Any,
    ) -> SearchResult:
        return SearchResult(
            search=leave.search,
            authority=leave.authority.id,
            self_approved=leave.authority.self_approved,
            photographs=probe.photographs,
            probe_faces=probe.faces,
            probe_warnings=probe.warnings,
            collections=leave.collections,
            index_faces=searched,
            pack=self.pack,
            reliable=reliable,
            groups=groups,
            truncated=truncated,
            receipt=receipt.as_json(),
            handle=handle,
            handle_until=until,
            demo=self.policy.demo,
        )


def _sealed(groups: tuple[Group, ...]) -> dict[str, dict[str, Any]]:
    return {
        f"sighting:{s.id}": {
            "rank": g.rank,
            "likeness": round(s.likeness, 6),
            "expected_strangers": g.expected_strangers.as_json(),
            "source": s.source,
            "page": s.page,
            "image": s.image,
            "box": list(s.box),
            **({"judged_different": s.judged_different.isoformat()} if s.judged_different else {}),
        }
        for g in groups
        for s in g.sightings
    }


def _without_names(result: SearchResult) -> dict[str, Any]:
    """What a row keeps of a result: everything but what names a page or a picture, which stays with the sighting."""
    return {
        "probe": {"photographs": result.photographs, "faces": result.probe_faces, "warnings": result.probe_warnings},
        "index": {"collections": result.collections, "faces": result.index_faces, "pack": result.pack},
        "self_approved": result.self_approved,
        "reliable": result.reliable,
        "truncated": result.truncated,
        "judged_different": {
            str(s.id): s.judged_different.isoformat() for g in result.groups for s in g.sightings if s.judged_different
        },
        "groups": [
            {"rank": g.rank, "likeness": g.likeness, "expected_strangers": g.expected_strangers.as_json()}
            for g in result.groups
        ],
    }
