"""Read a source: source → decode → detect → align → quality → embed → index.

How rows and vectors stay of one mind: ids are reserved first and never given twice; the vectors of a batch are durable
in the index before the one transaction that writes its rows. Killed in between, the index holds templates that no row
names; they can match nothing that is shown, and the next run erases them. Killed anywhere else, nothing of the batch
exists and the next run reads it again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from countenance.domain.authority import Actor
from countenance.domain.errors import CountenanceError, UnreadableImage
from countenance.domain.sources import Finding, Found, PageSeen, Reader, Skipped, Source
from countenance.imaging.limits import Limits
from countenance.imaging.reading import read_file
from countenance.services.batch import Batch, Writer
from countenance.services.expecting import Expected
from countenance.services.record import Record
from countenance.services.tally import IngestReport, Progress, Tally, bump, rate, silent
from countenance.services.workers import BATCH_BYTES, Seen, Workers, size_of
from countenance.store import entering, moments, pictures, runs

COMMIT_IMAGES = 256
COMMIT_SECONDS = 2.0

LEAST_SHARE = 16
"""Pictures that are handed out at once near the end, when batches grow smaller so that all workers end together."""

RESERVE = 4
"""Batches of small pictures that are kept back, so that there is something left to share out by then."""

COMMIT_BYTES = 64 << 20
"""Originals that are kept wait in memory until they are written: so many bytes of them."""

LOOK_UP = 128
"""How many arrivals are looked up at once: a statement costs about as much for one as for all of them."""

READ_BYTES = 8 << 20
"""Of these, so many bytes are read before they are handed out."""

TURN_SECONDS = 0.5
"""What has arrived is looked up when it is enough, or after so long: a website gives a picture now and then."""

REPORT_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Ingester:
    """Everything a run needs, handed over."""

    record: Record
    writer: Writer
    limits: Limits
    workers: Callable[[], Workers]
    batch: int

    def run(
        self,
        source: Source,
        reader: Reader,
        actor: Actor,
        *,
        kind: str,
        on_progress: Callable[[Progress], None] | None = None,
        run_id: int | None = None,
    ) -> IngestReport:
        """Read everything once. The caller holds the source's lock. Raises what the reader and the store raise."""
        database = self.record.database
        started = time.monotonic()
        run = run_id if run_id is not None else database.reserve("run", 1)[0]
        with database.write() as c:
            runs.begin(c, run, source_id=source.id, kind=kind, at=moments.now())
        self.record.enter(f"{kind}.started", actor, {"source": source.id, "name": source.name, "run": run})
        work = _Work(self, source, run, on_progress or silent)
        state = "failed"
        try:
            work.go(reader)
            state = "done"
        except KeyboardInterrupt:
            state = "interrupted"
            raise
        finally:
            counts = work.tally.as_json()
            try:
                with database.write() as c:
                    runs.end(c, run, state=state, counts=counts, at=moments.now())
                self.record.enter(
                    f"{kind}.ended",
                    actor,
                    {"source": source.id, "name": source.name, "run": run, "state": state, "counts": counts},
                )
            except CountenanceError:
                # Whatever stopped the run (a full disk, say) stops this too; the first error is the one to report.
                if state == "done":
                    raise
        return IngestReport(source.name, run, False, work.tally, time.monotonic() - started, work.complete)


class _Work:
    """One run under way."""

    def __init__(self, parts: Ingester, source: Source, run: int, notify: Callable[[Progress], None]) -> None:
        self._parts = parts
        self._source = source
        self._run = run
        self._notify = notify
        self._database = parts.record.database
        self._started = time.monotonic()
        self._committed = time.monotonic()
        self._turned = time.monotonic()
        self._reported = 0.0
        self._pages: set[str] = set()
        self._arrived: list[Found] = []
        self._out: dict[int, tuple[Found, bytes, bytes]] = {}
        self._twins: dict[bytes, list[Found]] = {}
        self._next = 0
        self._pending: list[tuple[int, bytes]] = []
        self._batch = Batch()
        self._expected: Expected | None = None
        self._broken_off: Exception | None = None
        self.tally = Tally()
        self.complete = True

    def go(self, reader: Reader) -> None:
        """Read, hand out, collect, commit, until nothing is left; only then raise what the reader raised."""
        self._parts.writer.recover()
        with self._database.read() as c:
            self._expected = Expected(reader, runs.last_total(c, self._source.id))
        with self._parts.workers() as workers:
            for finding in self._findings(reader):
                self._take(finding)
                if len(self._arrived) >= LOOK_UP or time.monotonic() - self._turned > TURN_SECONDS:
                    self._turn(workers)
            self._turn(workers)
            while self._pending or workers.busy:
                self._share_out(workers)
                self._gather(workers, 0.5)
                if workers.idle and not self._pending and len(self._batch):
                    self._commit()  # a core is free: what comes last need not wait for this
            workers.dismiss()
            self._commit()
        self.complete = getattr(reader, "complete", True)
        if self._broken_off is not None:
            raise self._broken_off
        self._say_what_vanished()
        self._report("done")

    def _findings(self, reader: Reader) -> Iterator[Finding]:
        """What is read until the end, or until it breaks off."""
        try:
            yield from reader.read()
        except Exception as error:
            self._broken_off = error

    def _take(self, finding: Found | Skipped | PageSeen) -> None:
        if isinstance(finding, PageSeen):
            self._pages.add(finding.page)
            self.tally.pages += 1
        elif isinstance(finding, Skipped):
            self._skip(finding)
        else:
            self._arrived.append(finding)

    def _turn(self, workers: Workers) -> None:
        """Look up what has arrived, hand out what is to be seen, collect what has been."""
        self._turned = time.monotonic()
        arrived, self._arrived = self._arrived, []
        for read in self._read(self._changed(arrived)):
            self._hold(read)
            while (size := size_of(self._pending)) >= BATCH_BYTES or len(self._pending) >= self._parts.batch:
                if workers.room:
                    self._hand_out(workers, self._parts.batch)
                elif size < BATCH_BYTES and len(self._pending) < RESERVE * self._parts.batch:
                    break
                else:
                    self._gather(workers, 0.5)
        if not workers.busy:  # a website gives too few to fill a batch soon
            self._share_out(workers)
        self._gather(workers, 0)

    def _changed(self, arrived: list[Found]) -> list[Found]:
        """Those that are not recorded already just as they are."""
        if not arrived:
            return []
        writer = self._parts.writer
        with self._database.read() as c:
            known = entering.unchanged(c, self._source.id, arrived, pack=writer.pack, pipeline=writer.pipeline)
        for n in known:
            self._batch.again.append(known[n])
            self._count_known()
            self._discard(arrived[n])
        return [found for n, found in enumerate(arrived) if n not in known]

    def _read(self, founds: list[Found]) -> Iterator[list[tuple[Found, bytes, bytes]]]:
        """Their bytes and digests, a portion at a time."""
        read = []
        size = 0
        for found in founds:
            try:
                data = read_file(found.path, self._parts.limits)
            except UnreadableImage as error:
                self._skip(Skipped(found.address, error.reason, str(error)), found)
            else:
                read.append((found, data, hashlib.sha256(data).digest()))
                size += len(data)
            if size >= READ_BYTES:
                yield read
                read, size = [], 0
        if read:
            yield read

    def _hold(self, read: list[tuple[Found, bytes, bytes]]) -> None:
        """What is new waits for a worker; of what is known only the page is recorded."""
        with self._database.read() as c:
            known = pictures.images_by_digest(c, [digest for _, _, digest in read])
            erased = self._parts.writer.erased(c, [(digest, found) for found, _, digest in read])
        for (found, data, digest), gone in zip(read, erased, strict=True):
            if gone:
                # Counted, but its address is not written down: it was erased.
                bump(self.tally.skipped, "erased")
                self._discard(found)
            elif digest in self._twins:
                # The same bytes are being looked at: only the new page is recorded, once they are done.
                self._twins[digest].append(found)
            elif digest in known:
                self._batch.known.append((known[digest], found))
                self._count_known()
            else:
                self._twins[digest] = []
                self._out[self._next] = (found, data if self._source.keep_originals else b"", digest)
                self._pending.append((self._next, data))
                self._next += 1

    def _share_out(self, workers: Workers) -> None:
        """What waits, to each worker that has little to do: the same of little, ever less of much."""
        while self._pending and workers.hungry:
            even = -(-len(self._pending) // len(workers))
            share = even if even <= LEAST_SHARE else max(LEAST_SHARE, even // 2)
            self._hand_out(workers, min(self._parts.batch, share))

    def _hand_out(self, workers: Workers, most: int) -> None:
        count = held = 0
        while count < min(most, len(self._pending)) and held < BATCH_BYTES:
            held += len(self._pending[count][1])
            count += 1
        workers.submit(self._pending[:count])
        del self._pending[:count]

    def _gather(self, workers: Workers, timeout: float) -> None:
        for number, outcome in list(workers.collect(timeout)):  # what is written meanwhile must not make others late
            found, original, digest = self._out.pop(number)
            twins = self._twins.pop(digest)
            if isinstance(outcome, Seen):
                self._count_new(outcome, len(twins))
                self._batch.see(digest, outcome, original, [found, *twins])
            else:
                for one in (found, *twins):
                    self._skip(Skipped(one.address, outcome.reason, outcome.detail), one)
            self._commit_in_time()
            self._report("reading")
        self._commit_in_time()
        self._report("reading")

    def _commit_in_time(self) -> None:
        age = time.monotonic() - self._committed
        full = len(self._batch) >= COMMIT_IMAGES or self._batch.size >= COMMIT_BYTES
        if full or (len(self._batch) and age > COMMIT_SECONDS):
            self._commit()

    def _commit(self) -> None:
        batch, self._batch = self._batch, Batch()
        self._parts.writer.write(batch, source=self._source, run=self._run, counts=self.tally.as_json())
        self._committed = time.monotonic()

    def _say_what_vanished(self) -> None:
        with self._database.write() as c:
            self.tally.vanished = entering.vanish(
                c,
                self._source.id,
                run_id=self._run,
                pages=None if self.complete else self._pages,
                at=moments.now(),
            )

    def _skip(self, skipped: Skipped, found: Found | None = None) -> None:
        bump(self.tally.skipped, skipped.reason)
        self._batch.skipped.append(skipped)
        if found is not None:
            self._discard(found)

    def _discard(self, found: Found) -> None:
        if found.spooled:
            found.path.unlink(missing_ok=True)

    def _count_known(self) -> None:
        self.tally.images += 1
        self.tally.unchanged += 1

    def _count_new(self, seen: Seen, twins: int) -> None:
        self.tally.images += 1 + twins
        self.tally.unchanged += twins
        self.tally.new += 1
        self.tally.faces += len(seen.faces)
        for face in seen.faces:
            if face.template is not None:
                self.tally.indexed += 1
            else:
                bump(self.tally.below_floor, face.quality.floor or "unknown")
        if not seen.faces:
            self.tally.no_face += 1

    def _report(self, phase: str) -> None:
        now = time.monotonic()
        if phase != "done" and now - self._reported < REPORT_SECONDS:
            return
        self._reported = now
        skipped = sum(self.tally.skipped.values())
        done = self.tally.images + skipped
        total = done if phase == "done" else self._expected.total(done) if self._expected else None
        self._notify(Progress(done, total, self.tally.faces, skipped, rate(done, self._started), phase))
