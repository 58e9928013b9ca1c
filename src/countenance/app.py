"""The composition root, and the Python interface.

::

    from pathlib import Path
    from countenance.app import open_home

    with open_home(Path("home")) as countenance:
        ...

Every door (command, page, API, Python) goes through :class:`Countenance`, and everything it does goes through the same
services, the same permit and the same ledger.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from countenance.access.tokens import Token
from countenance.desks import Desks
from countenance.domain.authority import Actor, Authority
from countenance.domain.errors import BadInput, Busy, LedgerBroken, UnknownThing
from countenance.domain.people import Profile
from countenance.domain.results import SearchResult
from countenance.domain.sources import Source
from countenance.services import authorise, home, permit, register, summarise, tokens
from countenance.services.effective import effective
from countenance.services.erasure import Erased, Plan
from countenance.services.people import system_actor as system_actor
from countenance.services.register import NewSource
from countenance.settings import Settings, load_settings
from countenance.store import authorities as authority_rows
from countenance.store import pictures, runs
from countenance.store import sources as source_rows

if TYPE_CHECKING:
    from countenance.services.keys import KeyRing
    from countenance.services.probes import Choice, ProbeFaces
    from countenance.services.reveal import OpenedPicture
    from countenance.services.search import SearchRequest
    from countenance.services.subject import SubjectRequest
    from countenance.services.tally import IngestReport, Progress


def open_home(
    folder: Path | None = None, *, settings: Settings | None = None, making: Profile | None = None
) -> Countenance:
    """Open a home; the first opening of an empty folder makes it. Settings win over `folder`.

    `making` is the profile of a home that must not be there yet. Raises KeyTrouble, NewerHome, Unavailable, Broken.
    """
    return Countenance(settings or load_settings(folder), making)


class Countenance(Desks):
    """One open home. Safe for several threads."""

    def __init__(self, settings: Settings, making: Profile | None = None) -> None:
        opening = system_actor("opening")
        opened = home.open_home(home.Where.of(settings), opening, effective(settings), making)
        super().__init__(settings, opened)
        self._lock = threading.RLock()
        try:
            self.finished = self.eraser.finish(opening)
            permit.settle(self._home.record, opening)
            self.requests.enforce(opening)
            with suppress(LedgerBroken):  # `ledger verify`, for which the home has to open, says where
                self.holds.enforce(opening)
        except BaseException:
            self._home.close()
            raise

    def __enter__(self) -> Countenance:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the home."""
        engine = self.__dict__.get("engine")
        if engine is not None:
            engine.close()
        self._home.close()

    # What it stands on

    @property
    def home(self) -> Path:
        """The home's folder."""
        return self._home.folder

    @property
    def key_folder(self) -> Path:
        """The folder of this home's keys."""
        return self._home.keys

    @property
    def demo(self) -> bool:
        """Whether everything is marked as a demonstration."""
        return self.settings.demo

    # Sources

    def add_source(self, new: NewSource, actor: Actor) -> Source:
        """Register a source; what it does not say of its retention, the settings do. Raises BadInput, AlreadyThere."""
        from countenance.sources.opening import validate_location

        if new.retain_days is None:
            new = replace(new, retain_days=self.settings.retention.source_days)
        actor = self.people.admit(actor, "sources:write")
        return register.add_source(self._home.record, new, actor, validate=validate_location, home=self.home)

    def sources(self) -> list[Source]:
        """Every registered source."""
        with self.database.read() as c:
            return source_rows.every(c)

    def source(self, name: str) -> Source:
        """One source. Raises UnknownThing."""
        with self.database.read() as c:
            return source_rows.get(c, name)

    def source_summary(self, name: str) -> dict[str, Any]:
        """Counts of one source, what was skipped, and its last run. Raises UnknownThing."""
        return summarise.source(self.database, name)

    def skipped(self, name: str, *, after: int = 0, count: int = 1000) -> list[dict[str, Any]]:
        """What the newest run of a source did not read, and why; `after` is the last `n` had. Raises UnknownThing."""
        return summarise.skipped(self.database, name, after, count)

    def collections(self) -> list[dict[str, Any]]:
        """Every collection with its sources and how many faces are indexed in it."""
        return summarise.collections(self.database)

    def ingest(
        self,
        name: str,
        actor: Actor,
        *,
        on_progress: Callable[[Progress], None] | None = None,
        dry_run: bool = False,
        run_id: int | None = None,
    ) -> IngestReport:
        """Read a source, for the first time or again. Raises NotRegistered, UnknownThing, Busy, Unavailable."""
        from countenance.sources.opening import open_reader

        actor = self.people.admit(actor, "ingest")
        source = register.live_source(self._home.record, name)
        if dry_run:
            from countenance.services.rehearse import rehearse

            return rehearse(self._home, source, self.engine.limits(), self.engine.crawl_settings(), on_progress)
        ingester = self.engine.ingester()
        with self._home.source_lock(source.id), self._home.run_spool(source.id) as spool:
            if register.live_source(self._home.record, name) != source:
                raise Busy(f"the source {name} was registered anew meanwhile", advice="read it again")
            with self.database.read() as c:
                pages = pictures.pages_of(c, source.id) if source.kind == "website" else []
                kind = "ingest" if runs.last_total(c, source.id) is None else "refresh"
            reader = open_reader(source, spool=spool, crawl=self.engine.crawl_settings(), known_pages=pages)
            return ingester.run(source, reader, actor, kind=kind, on_progress=on_progress, run_id=run_id)

    def reserve_run(self) -> int:
        """The id of a run that is about to start, for a caller that must name it first."""
        return self.database.reserve("run", 1)[0]

    def runs(self, name: str | None = None) -> list[dict[str, Any]]:
        """Runs, newest first."""
        with self.database.read() as c:
            return runs.every(c, name)

    # Authorities

    def grant(self, new: authorise.NewAuthority, actor: Actor) -> Authority:
        """Grant an authority. Raises BadInput, UnknownThing."""
        return authorise.grant(self._home.record, new, self.people.admit(actor, "authorities:write"))

    def authorities(self) -> list[Authority]:
        """Every authority, newest first."""
        with self.database.read() as c:
            return authority_rows.every(c)

    def authority(self, id: str) -> Authority:
        """One authority. Raises UnknownThing."""
        with self.database.read() as c:
            return authority_rows.get(c, id)

    def revoke(self, id: str, actor: Actor, reason: str = "") -> Authority:
        """Revoke an authority at once."""
        return authorise.revoke(self._home.record, id, self.people.admit(actor, "authorities:write"), reason)

    # Searches

    def faces_in(self, photograph: bytes) -> ProbeFaces:
        """The faces of a photograph, numbered by size. Nothing is compared. Raises UnreadableImage."""
        from countenance.services.probes import faces_in

        with self._lock:
            return faces_in(photograph, self.engine.detect)

    def search(self, request: SearchRequest, actor: Actor) -> SearchResult:
        """Search under an authority. Raises NoAuthority, NoFace, SeveralFaces, UnreadableImage, LedgerUnavailable."""
        return self.engine.searcher().search(request, self.people.admit(actor, "search"))

    def subject_report(self, request: SubjectRequest, actor: Actor) -> dict[str, Any]:
        """What this home holds and has done about one person. Raises as `search` does, and BadInput."""
        return self.subjects.report(request, self.people.admit(self.people.admit(actor, "subject"), "search"))

    def correct_subject_report(self, report: str, wrong: Iterable[str], actor: Actor) -> dict[str, Any]:
        """A report that was just made, without whom a person finds to be somebody else. Raises UnknownThing."""
        return self.corrections.correct(report, wrong, self.people.admit(actor, "subject"))

    def latest_subject_report(self, report: str, actor: Actor) -> dict[str, Any]:
        """A report that was just made, as it was last corrected. Raises UnknownThing."""
        return self.corrections.latest(report, self.people.admit(actor, "subject"))

    def check_authority(self, id: str, collections: Iterable[str] | None, actor: Actor) -> Authority:
        """The live authority that covers these collections; a refusal is an entry. Raises NoAuthority."""
        return authorise.check(self._home.record, id, collections, self.people.admit(actor, "search"))[0]

    def shown(self, search: str, handle: str) -> SearchResult:
        """A search's result again, while its handle lives. Raises NoAuthority."""
        return self.revealer.shown(search, handle)

    def crop(self, search: str, handle: str, sighting: int) -> bytes:
        """A candidate's crop (JPEG). Raises NoAuthority, UnknownThing."""
        return self.revealer.crop(search, handle, sighting)

    def open_picture(self, search: str, handle: str, sighting: int, actor: Actor) -> OpenedPicture:
        """A candidate's whole picture, where it is kept or can be read; opening it is an entry."""
        return self.revealer.open_picture(search, handle, sighting, self.people.admit(actor, "search"))

    def export_search(self, search: str, handle: str, recipient: str, purpose: str, actor: Actor) -> bytes:
        """A search as a zip file for a named recipient; the disclosure is an entry. Raises BadInput."""
        return self.revealer.export(search, handle, recipient, purpose, self.people.admit(actor, "export"))

    # The ledger

    @property
    def vkey(self) -> str:
        """The key that verifies the ledger."""
        return self._home.record.ledger.vkey

    @property
    def ledger_size(self) -> int:
        """How many entries there are."""
        return self._home.record.ledger.size

    def checkpoint(self) -> str:
        """The newest signed checkpoint."""
        return self._home.record.ledger.checkpoint()

    def receipt(self, seq: int) -> dict[str, Any]:
        """The receipt of an entry. Raises UnknownThing."""
        if not 0 <= seq < self.ledger_size:
            raise UnknownThing(f"the ledger has no entry number {seq}", advice="`countenance status` says how many")
        return self._home.record.ledger.receipt(seq).as_json()

    def ledger_entries(self, start: int, stop: int, *, opened: bool = False) -> list[dict[str, Any]]:
        """Entries as JSON values, for the program itself; with `opened`, what is sealed is shown as far as it is not
        shredded. Whoever shows them to somebody takes `read_ledger` instead."""
        return list(self._home.record.entries(start, stop, opened=opened))

    def read_ledger(self, start: int, stop: int, actor: Actor) -> list[dict[str, Any]]:
        """Entries as JSON values, for somebody to read: that they were read is an entry first. No seal is opened."""
        return self.overseer.read(start, stop, self.people.admit(actor, "ledger:read"))

    def read_receipt(self, seq: int, actor: Actor) -> dict[str, Any]:
        """The receipt of an entry: of one's own without more, of another's as `read_ledger`. Raises UnknownThing."""
        if self.people.known(actor).names.isdisjoint(self.who_entered(seq)):
            self.read_ledger(seq, seq + 1, actor)
        return self.receipt(seq)

    def who_entered(self, seq: int) -> frozenset[str]:
        """The user of an entry; nobody where there is none."""
        there = 0 <= seq < self.ledger_size
        return (
            frozenset(e["actor"]["authenticated"] for e in self.ledger_entries(seq, seq + 1)) if there else frozenset()
        )

    def own_entries(self, actor: Actor, most: int = 6, among: int = 200) -> list[dict[str, Any]]:
        """What somebody did last, the newest first, as far as it stands among the newest entries."""
        names, size = self.people.known(actor).names, self.ledger_size
        found = [e for e in self.ledger_entries(max(0, size - among), size) if e["actor"]["authenticated"] in names]
        return found[::-1][:most]

    def ledger_verify(self) -> dict[str, Any]:
        """Check the whole ledger as it lies on the disk. Raises LedgerBroken with the entry at fault."""
        return self.overseer.verify()

    def ledger_bundle(self, actor: Actor) -> bytes:
        """The whole ledger as a bundle that `python -m countenance.ledger.verify` checks; exporting is an entry."""
        return self.overseer.bundle(self.people.admit(actor, "ledger:read"))

    def create_token(
        self, name: str, scopes: Iterable[str], expires: datetime | None, actor: Actor
    ) -> tuple[Token, str]:
        """A token for a program, and its secret, shown this once. Raises BadInput."""
        return tokens.create(self.people, name, scopes, expires, actor)

    def tokens(self, actor: Actor | None = None) -> list[Token]:
        """The tokens that are an actor's to see, never a secret; without one, those of whoever is at this machine."""
        return tokens.listed(self.people, actor or system_actor("python"))

    def revoke_token(self, id: str, actor: Actor) -> Token:
        """Revoke a token at once. Raises UnknownThing."""
        return tokens.revoke(self.people, id, actor)

    # Keeping house

    def examine(self) -> dict[str, Any]:
        """Facts and faults of this home: keys, ledger, profile, and whether rows and vectors agree."""
        from countenance.services.altered import altered
        from countenance.services.examine import examine_home

        self.ledger_verify()
        changed = altered(self._home.record, self.settings.retention.probe_days)
        return examine_home(self.key_ring, self.people, self.post.state(), self.clock.state(), changed)

    @property
    def key_ring(self) -> KeyRing:
        """The keys, to be described, exported or rotated."""
        from countenance.services.keys import KeyRing

        pack = self.database.meta(summarise.PACK)
        dimension = self.engine.pack.dimension if pack else 0
        return KeyRing(self._home, pack, dimension, lambda: self.engine.rotation, lambda: self.engine.index)

    def status(self) -> dict[str, Any]:
        """What there is, in numbers."""
        return {
            "home": str(self.home),
            **summarise.home(self.database),
            "ledger": {"entries": self.ledger_size, "key": self.vkey},
            "unfinished_erasures": list(self.finished.pending),
            "clock": self.clock.state(),
            "demo": self.demo,
            "profile": self.people.profile.as_json() | {"notices": self.people.notices()},
        }

    def self_approved_on_websites(self) -> int:
        """How many searches of websites were approved by the one who made them, of those that are kept."""
        return summarise.self_approved_on_websites(self.database)

    def erase(self, plan: Plan, actor: Actor) -> Erased:
        """Carry out a planned erasure."""
        return self.eraser.erase(plan, self.people.admit(actor, "erase"))

    def plan_face_erasure(
        self, photograph: bytes, choice: Choice, authority: str, actor: Actor, min_likeness: float | None
    ) -> Plan:
        """Every sighting at least this alike to a face; spends one use of the authority. Raises as `search` does."""
        if min_likeness is None:
            raise BadInput("say how alike a face must be to be erased", advice="for instance --min-likeness 0.5")
        actor = self.people.admit(self.people.admit(actor, "erase"), "search")
        return self.eraser.plan_face(
            photograph,
            choice,
            authority,
            actor,
            detect=self.engine.detect,
            protect=self.engine.protect,
            min_likeness=min_likeness,
            probe_days=self.settings.retention.probe_days,
        )

    def run_retention(self, actor: Actor) -> dict[str, Any]:
        """Destroy what is over its time; see `services.retention.Run.go`."""
        from countenance.services.retention import run_retention

        actor = self.people.admit(actor, "retention")
        self.keep_time(actor)
        done = run_retention(self.eraser, actor, self.settings)
        self.clock.done("retention")
        return done

    def keep_time(self, actor: Actor) -> None:
        """Do what is due at a moment: urgent searches that nobody approved are deleted, legal holds end."""
        self.requests.enforce(actor)
        self.holds.enforce(actor)
