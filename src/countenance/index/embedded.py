"""The embedded index: rows in the database, templates in one file, codes that can be thrown away.

Durable and never in disagreement, because of one order. Adding: free slots are claimed in a row each (`dirty`), the
templates are written and synced, then one transaction gives the slots to their ids. Erasing: one transaction takes the
rows away and leaves dirty slots, these are overwritten and synced, the codes go, then the slots are clean. After a
crash every dirty slot belongs to nobody, and opening overwrites it.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from sqlalchemy import Connection

from countenance.domain.errors import BadInput, Busy, IndexBroken, KeyTrouble, Unavailable, UnknownThing
from countenance.domain.faces import Vectors
from countenance.domain.index import And, Capabilities, Entry, Erasure, Filter, Hit, Hits, In
from countenance.domain.permits import Permit
from countenance.domain.strangers import NO_BACKGROUND
from countenance.index import arguments, check, opening, vectors
from countenance.index.background import Backgrounds
from countenance.index.codes import Codes, Engine, installed
from countenance.index.live import Live
from countenance.index.locking import WriterLock
from countenance.index.rows import Head, Rows
from countenance.index.scan import Found, scan
from countenance.index.sidecar import Sidecar
from countenance.index.turbo import TurboCodes
from countenance.index.vectors import Header, Slots, VectorFile
from countenance.store.database import Database

FEW = 20_000
"""Up to so many templates, float32 in memory is quick enough and codes are not made."""

SOURCE = "source"
"""The attribute that names the registered sources that a template was seen in; a search never leaves its permit's."""

TRIES = 20
"""How often a search begins again because what it found was erased or replaced in the meantime."""


class EmbeddedIndex:
    """See `countenance.domain.index.VectorIndex`. Make one with `open`; do not use it across a fork."""

    def __init__(self, database: Database, file: VectorFile, lock: WriterLock, *, engine: Engine, few: int) -> None:
        self._database = database
        self._file = file
        self._lock = lock
        self._engine: Engine = engine
        self._few = few
        self._rows = Rows(file.header.pack)
        self._sidecar = Sidecar(file.path.with_suffix(".codes"))
        self._live = Live(self._rows, file, self._sidecar, engine, few)
        # Taken after the writer's lock where both are needed, never before it.
        self._memory = threading.RLock()
        self._wrote = False
        self._backgrounds = Backgrounds()

    @classmethod
    def open(
        cls,
        database: Database,
        folder: Path,
        *,
        pack: str,
        pipeline: int,
        dimension: int,
        key_id: str,
        engine: Engine | None = None,
        few: int = FEW,
        wait_s: float = 30.0,
    ) -> EmbeddedIndex:
        """Open or create the index of one pack in `folder`, and complete what a crash cut off.

        `key_id` names the rotation key that templates and probes went through. `engine` overrides the best one that is
        installed. Raises KeyTrouble when the file was made with another key, IndexBroken when it is of another pack,
        pipeline or home, or damaged: both before anything is written. Busy, Unavailable.
        """
        path = opening.path_of(folder, pack)
        rows = Rows(pack)
        wanted = Header(vectors.VERSION, pack, pipeline, dimension, key_id, secrets.token_hex(8))
        with database.read() as c:
            head = rows.head(c)
        header = vectors.header_of(path)
        opening.agree(path, header, wanted, head)
        with vectors.clear_errors():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = WriterLock(path.with_suffix(".lock"), wait_s=wait_s)
        if header is None or head is None or header.key_id != head.key_id:
            with lock.held():
                opening.found(database, rows, path, wanted)
        index = cls(
            database,
            VectorFile.open(path),
            lock,
            engine=engine or installed(dimension),
            few=few,
        )
        index._recover()
        return index

    @property
    def key_id(self) -> str:
        """The rotation key that the stored templates went through."""
        return self._file.header.key_id

    @property
    def capabilities(self) -> Capabilities:
        """The engine is the one used beyond a few thousand templates."""
        return Capabilities(engine=self._engine, exact=True, erase_is_immediate=True, filters=True)

    # Writing.

    def add(self, entries: Sequence[Entry], vectors: Vectors) -> None:
        """Add or replace; see the Protocol. Raises BadInput, AlreadyThere, Busy, Unavailable, KeyTrouble."""
        arguments.templates(entries, vectors, self._file.header.dimension)
        if not entries:
            return
        with self._writing():
            with self._database.write() as c:
                slots = self._rows.claim(c, len(entries))
            try:
                self._file.grow(int(slots.max()) + 1)
                self._file.write(slots, [entry.id for entry in entries], vectors)
                with self._database.write() as c:
                    replaced = self._rows.place(c, entries, slots)
            except BaseException:
                # What cannot be cleaned now, on a full disk say, is when the index is next opened.
                with contextlib.suppress(Exception):
                    self._purge()
                raise
            if replaced:
                self._purge()

    def tag(self, id: int, name: str, values: Iterable[int]) -> None:
        """Replace an attribute's values; nothing is written when they are these already."""
        wanted = frozenset(map(int, values))
        with self._database.read() as c:
            if self._rows.values(c, id, name) == wanted:
                return
        with self._database.write() as c:
            self._rows.tag(c, id, name, wanted)

    def delete(self, ids: Iterable[int]) -> int:
        """Invisible in every process when this returns."""
        wanted = list(dict.fromkeys(ids))
        with self._database.write() as c:
            return self._rows.hide(c, wanted)

    def erase(self, ids: Iterable[int]) -> Erasure:
        """Delete, and overwrite the bytes; `pending` names the files where that did not succeed."""
        wanted = list(dict.fromkeys(ids))
        if not wanted:
            return Erasure(0)
        with self._writing():
            again = self._sidecar.path.exists()
            if again:
                with contextlib.suppress(Unavailable), self._memory, self._database.read() as c:
                    self._catch_up(c)
            with self._database.write() as c:
                erased = self._rows.free(c, wanted)
            try:
                self._purge()
            except Unavailable as error:
                return Erasure(erased, (f"{self._file.path.name}: {error.message}",))
            if again:
                self._save()
            return Erasure(erased)

    def rekey(self, transform: Callable[[Vectors], Vectors], new_key_id: str) -> None:
        """Every stored template through `transform` ((n, dimension) float32 unit rows, the same back), under a new key.

        The new file takes the old one's place in one rename: after a crash the file is wholly of one key, and
        `opening.key_of` says which. Other processes get KeyTrouble until they reopen. Raises Unavailable, and
        nothing changed.
        """
        with self._writing(), self._memory:
            self._sidecar.remove()
            self._backgrounds.forget()
            self._file.rewrite(transform, new_key_id)
            path = self._file.path
            self._file.close()
            self._file = VectorFile.open(path)
            self._live = Live(self._rows, self._file, self._sidecar, self._engine, self._few)
            opening.adopt_key(self._database, self._rows, new_key_id)

    # Reading.

    def search(
        self, permit: Permit, probes: Vectors, *, min_score: float, limit: int, where: Filter | None = None
    ) -> Hits:
        """Every template whose exact cosine reaches `min_score`; see the Protocol.

        The filter is narrowed to the permit's sources. Raises PermitMisused, BadInput, KeyTrouble, IndexBroken.
        """
        permit.spend(probes)
        probe = arguments.probe(probes, self._file.header.dimension)
        if limit < 1:
            raise BadInput("the limit must be at least 1")
        within: Filter = In(SOURCE, permit.sources)
        if where is not None and where != within:
            within = And((within, where))
        with self._memory:
            for _ in range(TRIES):
                with self._database.read() as c:
                    codes = self._catch_up(c)
                    allowed, total = self._live.allowed(c, within)
                found, background = Found(np.zeros(0, np.int64), np.zeros(0)), NO_BACKGROUND
                if total:
                    background = self._backgrounds.of(
                        probe,
                        within,
                        self._live.generation,
                        lambda: codes.slots() if allowed is None else np.flatnonzero(allowed),  # noqa: B023
                        self._file.read,
                    )
                    found = scan(
                        codes, self._file, probe, min_score=min_score, limit=limit, allowed=allowed, total=total
                    )
                hits = self._confirmed(found, limit)
                if hits is not None:
                    break
            else:
                raise IndexBroken("rows and codes do not come to agree", advice="run `countenance doctor`")
        self._save_if_due()
        return Hits(hits[:limit], truncated=len(hits) > limit, searched=total, background=background)

    def vectors(self, ids: Sequence[int]) -> Vectors:
        """The stored templates in the order asked. Raises UnknownThing. Never for likeness."""
        with self._memory:
            with self._database.read() as c:
                self._head(c)
                slots = self._rows.slots_of(c, ids)
            if any(id not in slots for id in ids):
                raise UnknownThing("there is no such template")
            return self._file.read(np.array([slots[id] for id in ids], np.int64))

    def count(self, where: Filter | None = None) -> int:
        """Visible templates."""
        with self._database.read() as c:
            return self._rows.count(c, where)

    def generation(self) -> int:
        """Grows with every write."""
        with self._database.read() as c:
            return self._rows.known_head(c).generation

    def ids(self) -> list[int]:
        """Visible ids, ascending."""
        with self._database.read() as c:
            return self._rows.ids(c)

    def verify(self) -> list[str]:
        """Read everything and hold it against everything else. Faults in words."""
        with self._writing(), self._memory, self._database.read() as c:
            faults = check.rows_and_file(c, self._rows, self._file)
            if not faults:
                faults = check.codes(c, self._rows, self._file, self._catch_up(c), self._live.generation)
            return faults

    def snapshot(self, folder: Path) -> None:
        """Copy the vector file into `folder`. Copy the database before it: opening the copy drops what is newer."""
        with self._writing():
            with vectors.clear_errors():
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file.copy_to(folder / self._file.path.name)

    def prepare(self) -> None:
        """Make the codes and write them down, so that the next process need not. For the end of a long ingest."""
        with self._writing(), self._memory:
            with self._database.read() as c:
                self._catch_up(c)
            self._save()

    def close(self) -> None:
        """Let go of files. Writes the sidecar when it is well behind, which is only a matter of speed."""
        if self._file.closed:
            return
        with contextlib.suppress(Busy, Unavailable, KeyTrouble):
            self._save_if_due(behind=self._wrote)
        with self._memory:
            self._file.close()

    # Inside.

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock.held():
            self._file.check_current()
            with self._database.read() as c:
                self._head(c)
            self._wrote = True
            yield

    def _head(self, c: Connection) -> Head:
        head = self._rows.known_head(c)
        if head.key_id != self._file.header.key_id:
            raise vectors.rotated()
        return head

    def _catch_up(self, c: Connection) -> Codes:
        head = self._head(c)
        if head.generation != self._live.generation:
            self._file.check_current()
        return self._live.catch_up(c, head)

    def _confirmed(self, found: Found, limit: int) -> tuple[Hit, ...] | None:
        """Hold what was found against the rows once more, as they are now; None when they changed in between.

        Ties are ordered by id. Returns one more than `limit` when there are more.
        """
        if len(found.slots) == 0:
            return ()
        records = self._file.records(found.slots)
        order = np.lexsort((records["id"], -found.scores))[: limit + 1]
        slots, scores, records = found.slots[order], found.scores[order], records[order]
        sound = vectors.checksums(records, slots) == records["crc"]
        with self._database.read() as c:
            owners = self._rows.owners(c, slots)
            there = len(owners) == len(slots)
            if not there or (owners[:, 2] > self._live.generation).any():
                if self._head(c).generation == self._live.generation:
                    # Rows that went without a word: believe the rows.
                    self._live.forget()
                return None
        ids = owners[np.searchsorted(owners[:, 0], slots), 1]
        if not sound.all() or (ids != records["id"]).any():
            raise IndexBroken(
                "a stored template does not fit its row", advice="run `countenance doctor`; restore from a backup"
            )
        return tuple(map(Hit, ids.tolist(), scores.tolist()))

    def _purge(self) -> None:
        """Overwrite every slot that may hold bytes and belongs to nobody. Only under the writer's lock."""
        with self._database.read() as c:
            dirty = self._rows.dirty(c)
        if not dirty:
            return
        slots: Slots = np.array([slot for slot, _ in dirty], np.int64)
        self._file.zero(slots)
        stamp = self._sidecar.stamp()
        if stamp is None or stamp.generation < max(changed for _, changed in dirty):
            self._sidecar.remove()
        with self._database.write() as c:
            self._rows.clean(c, slots)

    def _recover(self) -> None:
        """Complete additions and erasures that were cut off."""
        with self._database.read() as c:
            unfinished = bool(self._rows.dirty(c) or self._rows.hidden(c))
        if not (unfinished or self._file.header.copy or opening.half_written(self._file.path)):
            return
        with self._lock.held():
            if self._file.header.copy:
                self._scrub()
            with self._database.write() as c:
                if hidden := self._rows.hidden(c):
                    self._rows.free(c, hidden)
            for part in opening.half_written(self._file.path):
                vectors.remove(part)
            self._purge()

    def _scrub(self) -> None:
        """A copy of the file may be newer than the rows beside it: empty every slot that no row owns."""
        self._sidecar.remove()
        with self._database.read() as c:
            owned = {slot for _, slot, _ in self._rows.everything(c)}
        for slots, records in self._file.chunks():
            full = records["vector"].any(axis=1) | (records["crc"] != 0)
            self._file.zero(np.array([slot for slot in slots[full].tolist() if slot not in owned], np.int64))
        self._file.settle()

    def _save(self) -> None:
        """Write the sidecar. Only under the writer's lock. Failing to is no fault: it is made again when needed."""
        with contextlib.suppress(Unavailable), self._memory:
            with self._database.read() as c:
                codes = self._catch_up(c)
            if isinstance(codes, TurboCodes):
                self._sidecar.save(codes, self._live.stamp())
            else:
                self._sidecar.remove()
            self._live.unsaved = False

    def _save_if_due(self, *, behind: bool = False) -> None:
        if behind and self._engine == "turbovec":
            stamp = self._sidecar.stamp()
            with self._database.read() as c:
                many = self._rows.count(c) > self._few
                late = many and (stamp is None or len(self._rows.changed(c, stamp.generation)) >= 1_000)
        else:
            late = self._live.unsaved
        if late:
            with contextlib.suppress(Busy), self._lock.held(wait_s=0):
                self._file.check_current()
                self._save()
