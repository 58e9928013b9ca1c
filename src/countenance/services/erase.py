"""Erase: rows, vector bytes, codes, crops, journals and keys, and be able to finish after a power cut.

A plan says what was asked, never which rows that is: what is read between the question and the answer goes too. In
order, under the locks: what will go is written down; it becomes invisible; the entry is in the ledger, naming the
shredded items and nothing of what they said; the bytes go; the rows go; the file is rewritten and the journal cut.
Whatever step a crash stops at, opening the home goes on from there.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from countenance.domain.authority import Actor
from countenance.domain.errors import BadInput, Busy, UnknownThing
from countenance.domain.faces import Vectors
from countenance.domain.holds import Shield, Waiting
from countenance.domain.index import VectorIndex
from countenance.services import authorise, permit
from countenance.services.erasure import EXPIRED, REAPPLIED, WHOLE, Asked, Erased, Finished, Plan, on_hold
from countenance.services.erasure_list import Gone, note
from countenance.services.home import Home
from countenance.services.leftovers import stray_crops, stray_templates
from countenance.services.present import shown
from countenance.services.probes import Choice, Detect, prepare
from countenance.services.record import Record
from countenance.services.shield import Kept, kept_of, shield_of
from countenance.store import analyses, erasing, searches, sources
from countenance.store.database import put_meta
from countenance.store.pictures import SightingRow, sightings_by_id, sightings_of
from countenance.store.vacuum import LOG

PURGE = "purge_needed"
LOG_LEFT = "the database server's write-ahead log holds it until the server's next checkpoints"

Unfinished = tuple[int, dict[str, Any], erasing.Work, str]


MOST_FACES = 1_000_000
"""Most faces that are taken from the index at once."""

AN_ENTRY = 5000
"""Most sightings that one entry names with their sealed parts."""


@dataclass(frozen=True, slots=True)
class Eraser:
    """Everything an erasure needs, handed over. `index` opens the index when it is first needed."""

    home: Home
    index: Callable[[], VectorIndex | None]

    @property
    def record(self) -> Record:
        """The ledger and the keys of what it seals."""
        return self.home.record

    def plan_sightings(self, ids: Iterable[int], kind: str = "sighting") -> Plan:
        """These sightings. Raises UnknownThing for one that is not there."""
        wanted = tuple(dict.fromkeys(ids))
        with self.record.database.read() as c:
            known = {s.id for s in sightings_by_id(c, wanted)}
        for id in wanted:
            if id not in known:
                raise UnknownThing(f"there is no sighting {id}", advice="a search shows the ids of its sightings")
        return self._plan(Asked(kind, sightings=wanted))

    def plan_image(self, address: str) -> Plan:
        """The images seen at an address, on every page. Raises UnknownThing."""
        return self._plan(Asked("image", image=address))

    def plan_waiting(self, waiting: Waiting) -> Plan:
        """What is left of an erasure that waited for legal holds to end."""
        return self._plan(Asked("sighting", sightings=waiting.sightings, pending=waiting.id))

    def plan_sources(self, names: Iterable[str], kind: str = "source") -> Plan:
        """Whole sources. Raises UnknownThing, OnHold."""
        with self.record.database.read() as c:
            ids = tuple(sources.get(c, name).id for name in names)
        return self._plan(Asked(kind, sources=ids))

    def plan_analyses(self, ids: Iterable[str], kind: str = "analysis") -> Plan:
        """Analyses of proxy logs with all their sessions. Raises UnknownThing, OnHold."""
        return self._plan(Asked(kind, analyses=tuple(dict.fromkeys(ids))))

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
        """Every sighting at least this alike to a face. A look-up like any other: it spends one use, and what it tells
        is in the ledger before it is told. Raises what a search raises."""
        # Asked before the photograph is looked at, so that a refusal is an entry whatever the photograph shows.
        authorise.check(self.record, authority, None, actor)
        index = self.index()
        if index is None:
            raise BadInput("nothing is indexed yet", advice="there is nothing to erase")
        probe = prepare([photograph], [choice], detect)
        template = protect(probe.template)
        leave = permit.mint(
            self.record, authority, None, template, permit.Purpose("erase", probe.digests, 1, probe_days), actor
        )
        with self.home.showing():
            hits = permit.look_up(index, leave, template, min_score=min_likeness, limit=MOST_FACES)
            likeness = {hit.id: hit.score for hit in hits.hits}
            asked = Asked(
                "face",
                faces=tuple(likeness),
                sources=leave.source_ids,
                search=leave.search,
                authority=leave.authority.id,
            )
            with self.record.database.write() as c:
                searches.started(c, leave.search, seq=leave.started_seq)
                found = sightings_of(c, asked.faces, asked.sources)
            plan = self._plan(asked)
            told = {
                "search": leave.search,
                "authority": leave.authority.id,
                "self_approved": leave.authority.self_approved,
                "started": leave.started_seq,
                "faces": hits.searched,
                "min_likeness": round(min_likeness, 6),
                "truncated": hits.truncated,
                "counts": plan.counts,
            }
            # The rare look-up that finds very many is told in several entries: a line of the ledger has its bounds.
            for start in range(0, max(len(found), 1), AN_ENTRY):
                part = found[start : start + AN_ENTRY]
                body = told | {"sightings": [f"sighting:{s.id}" for s in part]}
                sealed = {f"sighting:{s.id}": _sealed(s, likeness[s.face_id]) for s in part}
                self.record.enter("erase.shown", actor, body, sealed=sealed)
        return plan

    def erase(self, plan: Plan, actor: Actor) -> Erased:
        """Do it: what was asked, as it is once nobody else can read or write. Raises LedgerUnavailable before anything
        is gone, Unavailable with the rest left to `finish`, Busy when one of the sources is being read, UnknownThing
        when somebody else has erased it meanwhile.

        Raises OnHold where a legal hold keeps some of it: a person's erasure is then carried out as far as it may be,
        and the rest waits for the hold to end.
        """
        # Opened first: with a wrong key nothing is begun.
        index = self.index()
        with contextlib.ExitStack() as held:
            for source in plan.asked.whole:
                held.enter_context(self.home.source_lock(source))
            held.enter_context(self.home.writing())
            held.enter_context(self.home.unseen())
            with self.record.database.read() as c:
                scope, work, kept = self._work(c, plan.asked)
            waits = bool(kept) and plan.asked.kind not in WHOLE
            waiting = self._wait(plan.asked, kept, actor) if waits else None
            erased = None
            if work.anything or not kept:
                with self.record.database.write() as c:
                    erasure = erasing.begin(c, work, scope)
                if index is not None:
                    index.delete(work.vectors)
                receipt, unnoted = self._enter(erasure, scope, work, actor)
                pending = unnoted + self._remove(erasure, work)
                erased = Erased(scope, _counts(work), receipt, pending)
        self.home.sweep_spool()
        if erased is None or waits:
            raise on_hold(kept, waiting, erased)
        return erased

    def _wait(self, asked: Asked, kept: Kept, actor: Actor) -> str | None:
        """Enter that an erasure waits for holds to end, unless it does already. Returns its id."""
        known = [one for one in self.record.holding.read(self.record).waiting.values() if one.done is None]
        fresh = sorted(set(kept.sightings) - {s for one in known for s in one.sightings})
        if not fresh:
            return next((one.id for one in known if set(one.sightings) & set(kept.sightings)), None)
        id = "E-" + secrets.token_hex(6)
        body = {"pending": id, "kind": asked.kind, "holds": list(kept.holds)}
        self.record.enter("erasure.pending", actor, body | {"sightings": [f"sighting:{s}" for s in fresh]})
        return id

    def finish(self, actor: Actor) -> Finished:
        """Complete what a crash cut off. Called whenever a home is opened; free when there is nothing to do."""
        if not self._unfinished() and not self._purge_due():
            return Finished()
        pending: list[str] = []
        # Somebody may be erasing at this moment: then it is finished once the lock is ours, and nothing is left.
        with self.home.writing(), self.home.unseen():
            left = self._unfinished()
            purging = not left and self._purge_due() == "yes"
            for erasure, scope, work, state in left:
                if state == "begun":
                    pending.extend(self._enter(erasure, scope, work, actor)[1])
                pending.extend(self._remove(erasure, work))
            if purging:
                pending.extend(self.purge())
            elif not left:
                pending.extend(self._log_left())
        self.home.sweep_spool()
        return Finished(len(left) or int(purging), tuple(pending))

    def _plan(self, asked: Asked) -> Plan:
        with self.record.database.read() as c:
            scope, work, kept = self._work(c, asked)
        return Plan(asked, scope, _counts(work), kept)

    def _work(self, c: Connection, asked: Asked) -> tuple[dict[str, Any], erasing.Work, Kept]:
        """What was asked, as the rows are now, without what legal holds keep, and that. Raises UnknownThing when
        nothing of it is there, OnHold for a source or an analysis that somebody wants gone and that is held."""
        scope, work = self._found(c, asked)
        shield = Shield() if asked.kind == REAPPLIED else shield_of(self.record, c)
        if asked.search is not None and asked.search not in shield.searches:
            # Whoever has themselves erased has not left their template behind in asking for it.
            probe = permit.probe_item(asked.search)
            work = replace(work, items=(*work.items, probe), probes=(asked.search,))
        kept = kept_of(shield, c, work)
        if not kept:
            return scope, work, kept
        if asked.kind == EXPIRED and asked.sources and not shield.sources.keys() & set(work.sources):
            # A hold on a search keeps what it showed, and not the whole source.
            return scope, erasing.of_sources(c, work.sources, kept.sightings), kept
        if asked.kind in WHOLE:
            raise on_hold(kept, None, None)
        free = [s for s in work.sightings if s not in set(kept.sightings)]
        rest = self._for_good(c, erasing.of_sightings(c, free))
        if asked.search is not None:
            rest = replace(rest, items=(*rest.items, *(i for i in work.items if i.startswith("probe:"))))
            rest = replace(rest, probes=work.probes)
        return scope | {"count": len(free), "held": len(kept.sightings)}, rest, kept

    def _found(self, c: Connection, asked: Asked) -> tuple[dict[str, Any], erasing.Work]:
        """What was asked, whether it is held or not. Raises UnknownThing when nothing of it is there."""
        if asked.search is not None:
            found = [s.id for s in sightings_of(c, asked.faces, asked.sources)]
            scope = {"kind": asked.kind, "search": asked.search, "authority": asked.authority, "count": len(found)}
            return scope, self._for_good(c, erasing.of_sightings(c, found))
        if asked.image is not None:
            images = erasing.images_by_address(c, asked.image)
            if not images:
                raise UnknownThing("no image was seen at this address", advice="give it exactly as a search shows it")
            return {"kind": asked.kind, "count": len(images)}, self._for_good(c, erasing.of_images(c, images))
        if asked.analyses:
            for id in asked.analyses:
                analyses.get(c, id)
            return {"kind": asked.kind, "analyses": list(asked.analyses)}, erasing.of_analyses(c, asked.analyses)
        if asked.sources:
            there = sources.there(c, asked.sources)
            if not there:
                raise UnknownThing("these sources are erased already", advice="`countenance source list` shows them")
            return {"kind": asked.kind, "sources": there}, erasing.of_sources(c, there)
        left = [s.id for s in sightings_by_id(c, asked.sightings)]
        if not left and asked.pending is None:
            raise UnknownThing("these sightings are erased already", advice="a search shows the ids of its sightings")
        scope = {"kind": asked.kind, "count": len(left)}
        if asked.pending is not None:
            scope["pending"] = asked.pending
        return scope, self._for_good(c, erasing.of_sightings(c, left))

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

    def _enter(
        self, erasure: int, scope: dict[str, Any], work: erasing.Work, actor: Actor
    ) -> tuple[dict[str, Any], tuple[str, ...]]:
        """The entry, then the line in the list that a restored backup is held against. Returns the receipt, and why
        that line could not be written."""
        counts = _counts(work)
        named = {name: counts[name] for name in ("sightings", "faces", "images", "sources", "analyses")}
        body = {"scope": scope} | named | {"items": list(work.items)}
        receipt = self.record.enter("erasure", actor, body)
        why = note(self.home.keys, Gone(receipt.seq, work.items, work.marks, work.analyses))
        with self.record.database.write() as c:
            erasing.recorded(c, erasure)
        return receipt.as_json(), (why,) if why else ()

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
        pending.extend(self.purge())
        return tuple(pending)

    def _purge_due(self) -> str | None:
        """ "yes", or the place in a database server's log that has to be passed; None when nothing is due."""
        value = self.record.database.meta(PURGE)
        return None if value == "no" else value

    def shred(self) -> list[str]:
        """Leave no byte of rows that were just deleted without an erasure. Returns where some are still."""
        return self.purge(self.record.database.shred)

    def purge(self, purge: Callable[[], tuple[str, ...]] | None = None) -> list[str]:
        """Write the database anew and cut its journal, so that no deleted byte stays in either."""
        database = self.record.database
        try:
            left = (purge or database.purge)()
            mark = next((place for place in left if place.startswith(LOG)), "no")
            if self._purge_due() or mark != "no":
                database.set_meta(PURGE, mark)
                database.truncate_journal()
        except Busy as error:
            if self._purge_due() != "yes":
                database.set_meta(PURGE, "yes")
            return [f"{error.message}; the next command completes the erasure"]
        return [LOG_LEFT if place == mark else place for place in left]

    def _log_left(self) -> list[str]:
        """Whether a database server's log still holds what was erased; it goes by itself."""
        database, due = self.record.database, self._purge_due()
        if due is None or not due.startswith(LOG):
            return []
        if database.log_left(due):
            return [LOG_LEFT]
        database.set_meta(PURGE, "no")
        return []


def _counts(work: erasing.Work) -> dict[str, int]:
    return {
        "sightings": len(work.sightings),
        "faces": len(work.faces),
        "templates": len(work.vectors),
        "images": len(work.images),
        "files": len(work.blobs),
        "sources": len(work.sources),
        "analyses": len(work.analyses),
    }


def _sealed(sighting: SightingRow, likeness: float) -> dict[str, Any]:
    s = shown(sighting, likeness)
    return {"likeness": round(s.likeness, 6), "source": s.source, "page": s.page, "image": s.image, "box": list(s.box)}
