"""Erase: rows, vector bytes, codes, crops, journals and keys, and be able to finish after a power cut.

In order: what will go is written down; it becomes invisible; the entry is in the ledger, naming the shredded items and
nothing of what they said; the bytes go; the rows go; the file is rewritten and the journal cut. Whatever step a crash
stops at, opening the home goes on from there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from countenance.domain.authority import Actor
from countenance.domain.errors import BadInput, Busy, UnknownThing
from countenance.domain.faces import Vectors
from countenance.domain.index import VectorIndex
from countenance.services import permit
from countenance.services.home import Home
from countenance.services.leftovers import stray_crops, stray_templates
from countenance.services.probes import Choice, Detect, prepare
from countenance.services.record import Record
from countenance.store import analyses, erasing, sources
from countenance.store.database import put_meta
from countenance.store.pictures import sightings_by_id, sightings_of

PURGE = "purge_needed"

Unfinished = tuple[int, dict[str, Any], erasing.Work, str]


@dataclass(frozen=True, slots=True)
class Plan:
    """What an erasure would take."""

    scope: dict[str, Any]
    work: erasing.Work

    def as_json(self) -> dict[str, Any]:
        """Counts, for a question before or an answer after."""
        w = self.work
        return {
            "scope": self.scope,
            "sightings": len(w.sightings),
            "faces": len(w.faces),
            "templates": len(w.vectors),
            "images": len(w.images),
            "files": len(w.blobs),
            "sources": len(w.sources),
            "analyses": len(w.analyses),
        }


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased. `pending` says where bytes still lie and why; empty when there are none."""

    plan: Plan
    receipt: dict[str, Any]
    pending: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return self.plan.as_json() | {"pending": list(self.pending), "receipt": self.receipt}


@dataclass(frozen=True, slots=True)
class Eraser:
    """Everything an erasure needs, handed over. `index` opens the index when it is first needed."""

    home: Home
    index: Callable[[], VectorIndex | None]

    @property
    def record(self) -> Record:
        """The ledger and the keys of what it seals."""
        return self.home.record

    def plan_sightings(self, ids: Iterable[int]) -> Plan:
        """These sightings. Raises UnknownThing for one that is not there."""
        wanted = list(dict.fromkeys(ids))
        with self.record.database.read() as c:
            known = {s.id for s in sightings_by_id(c, wanted)}
            for id in wanted:
                if id not in known:
                    raise UnknownThing(f"there is no sighting {id}", advice="a search shows the ids of its sightings")
            work = self._for_good(c, erasing.of_sightings(c, wanted))
            return Plan({"kind": "sighting", "count": len(wanted)}, work)

    def plan_image(self, address: str) -> Plan:
        """The images seen at an address, on every page. Raises UnknownThing."""
        with self.record.database.read() as c:
            images = erasing.images_by_address(c, address)
            if not images:
                raise UnknownThing("no image was seen at this address", advice="give it exactly as a search shows it")
            return Plan({"kind": "image", "count": len(images)}, self._for_good(c, erasing.of_images(c, images)))

    def plan_sources(self, names: Iterable[str], kind: str = "source") -> Plan:
        """Whole sources. Raises UnknownThing."""
        with self.record.database.read() as c:
            ids = [sources.get(c, name).id for name in names]
            return Plan({"kind": kind, "sources": ids}, erasing.of_sources(c, ids))

    def plan_analyses(self, ids: Iterable[str], kind: str = "analysis") -> Plan:
        """Analyses of proxy logs with all their sessions. Raises UnknownThing."""
        wanted = list(dict.fromkeys(ids))
        with self.record.database.read() as c:
            for id in wanted:
                analyses.get(c, id)
            return Plan({"kind": kind, "analyses": wanted}, erasing.of_analyses(c, wanted))

    def plan_face(
        self,
        photograph: bytes,
        choice: Choice,
        authority: str,
        actor: Actor,
        *,
        detect: Detect,
        protect: Callable[[Vectors], Vectors],
        min_likeness: float,
        probe_days: int,
    ) -> Plan:
        """Every sighting at least this alike to a face. A look-up like any other: it spends one use."""
        index = self.index()
        if index is None:
            raise BadInput("nothing is indexed yet", advice="there is nothing to erase")
        probe = prepare([photograph], [choice], detect)
        template = protect(probe.template)
        leave = permit.mint(
            self.record, authority, None, template, permit.Purpose("erase", probe.digests, 1, probe_days), actor
        )
        hits = permit.look_up(index, leave, template, min_score=min_likeness, limit=1_000_000)
        with self.record.database.read() as c:
            found = [s.id for s in sightings_of(c, [hit.id for hit in hits.hits], leave.source_ids)]
            scope = {"kind": "face", "search": leave.search, "authority": leave.authority.id, "count": len(found)}
            return Plan(scope, self._for_good(c, erasing.of_sightings(c, found)))

    def erase(self, plan: Plan, actor: Actor) -> Erased:
        """Do it. Raises LedgerUnavailable before anything is gone, Unavailable with the rest left to `finish`, Busy
        when one of the sources is being read."""
        # Opened first: with a wrong key nothing is begun.
        index = self.index()
        with contextlib.ExitStack() as held:
            for source in plan.work.sources:
                held.enter_context(self.home.source_lock(source))
            held.enter_context(self.home.writing())
            held.enter_context(self.home.unseen())
            with self.record.database.write() as c:
                erasure = erasing.begin(c, plan.work, plan.scope)
            if index is not None:
                index.delete(plan.work.vectors)
            receipt = self._enter(erasure, plan.scope, plan.work, actor)
            pending = self._remove(erasure, plan.work)
        self.home.sweep_spool()
        return Erased(plan, receipt, pending)

    def finish(self, actor: Actor) -> list[str]:
        """Complete what a crash cut off. Called whenever a home is opened; free when there is nothing to do."""
        if not self._unfinished() and self.record.database.meta(PURGE) != "yes":
            return []
        pending: list[str] = []
        # Somebody may be erasing at this moment: then it is finished once the lock is ours, and nothing is left.
        with self.home.writing(), self.home.unseen():
            left = self._unfinished()
            for erasure, scope, work, state in left:
                if state == "begun":
                    self._enter(erasure, scope, work, actor)
                pending.extend(self._remove(erasure, work))
            if not left and self.record.database.meta(PURGE) == "yes":
                pending.extend(self._purge())
        self.home.sweep_spool()
        return pending

    def _unfinished(self) -> list[Unfinished]:
        with self.record.database.read() as c:
            return erasing.under_way(c)

    def _for_good(self, c: Connection, work: erasing.Work) -> erasing.Work:
        """What goes altogether leaves a keyed mark, so that reading its source again does not bring it back: images,
        and images at one place that stay at another."""
        mark = self.home.blobs.mark
        marks = [mark(digest) for digest in erasing.digests_of(c, work.images)]
        marks += [mark(*place) for place in erasing.places_of(c, work.appearances, work.images)]
        return replace(work, marks=tuple(mark.hex() for mark in marks))

    def _enter(self, erasure: int, scope: dict[str, Any], work: erasing.Work, actor: Actor) -> dict[str, Any]:
        body = {
            "scope": scope,
            "sightings": len(work.sightings),
            "faces": len(work.faces),
            "images": len(work.images),
            "sources": len(work.sources),
            "analyses": len(work.analyses),
            "items": list(work.items),
        }
        receipt = self.record.enter("erasure", actor, body)
        with self.record.database.write() as c:
            erasing.recorded(c, erasure)
        return receipt.as_json()

    def _remove(self, erasure: int, work: erasing.Work) -> tuple[str, ...]:
        index = self.index()
        database, blobs = self.record.database, self.home.blobs
        pending: list[str] = []
        if index is not None:
            pending.extend(index.erase(work.vectors).pending)
        for name in work.blobs:
            blobs.erase(name)
        if index is not None:
            # Where the faces that stay will still be found, once the rows are gone.
            with database.read() as c:
                places = erasing.sources_left(c, work)
            for face, where in places.items():
                index.tag(face, "source", where)
        with database.write() as c:
            erasing.remove(c, erasure, work)
            put_meta(c, PURGE, "yes")
        # A run that was killed may have left some of it where no row says so.
        if index is not None:
            stray_templates(database, index)
        stray_crops(database, blobs)
        pending.extend(self._purge())
        return tuple(pending)

    def _purge(self) -> list[str]:
        """Rewrite the database and cut its journal, so that no deleted byte stays in either."""
        database = self.record.database
        try:
            database.purge()
            database.set_meta(PURGE, "no")
            database.truncate_journal()
        except Busy:
            return ["the database's journal is in use by another process; the next command completes the erasure"]
        return []
