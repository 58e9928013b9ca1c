"""Write what a run found: vectors first, durable, then one transaction with all their rows."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import Connection

from countenance.domain.faces import Vectors
from countenance.domain.index import Entry, VectorIndex
from countenance.domain.sources import Found, Skipped, Source
from countenance.services.copies import Copies
from countenance.services.leftovers import stray_crops, stray_templates
from countenance.services.workers import Seen
from countenance.store import entering, erasing, moments, pictures, runs
from countenance.store.blobs import Blobs
from countenance.store.database import Database

IDS = 512
"""How many ids are reserved at once: reserving is a write to the disk. Those left over when a run ends are nobody's."""


@dataclass(slots=True)
class Batch:
    """What is written together."""

    new: list[tuple[bytes, Seen, bytes, list[Found]]] = field(default_factory=list)
    """(digest, what was seen, the original bytes when they are kept, every page it was found on)."""
    known: list[tuple[int, Found]] = field(default_factory=list)
    again: list[int] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    size: int = 0
    """Bytes of the originals that it holds."""

    def see(self, digest: bytes, seen: Seen, original: bytes, founds: list[Found]) -> None:
        """One more that is new."""
        self.new.append((digest, seen, original, founds))
        self.size += len(original)

    def __len__(self) -> int:
        return len(self.new) + len(self.known) + len(self.again) + len(self.skipped)


class Writer:
    """Writes batches of one pack. `protect` rotates templates before they are stored; `alone` is the home's lock."""

    def __init__(
        self,
        database: Database,
        index: VectorIndex,
        blobs: Blobs,
        alone: Callable[[], AbstractContextManager[None]],
        *,
        pack: str,
        pipeline: int,
        protect: Callable[[Vectors], Vectors],
    ) -> None:
        self.pack = pack
        self.pipeline = pipeline
        self._database = database
        self._index = index
        self._blobs = blobs
        self._alone = alone
        self._protect = protect
        self._copies: Copies | None = None
        self._copied_to = 0
        self._picture_ids: Iterator[int] = iter(())
        self._face_ids: deque[int] = deque()

    def erased(self, c: Connection, places: Sequence[tuple[bytes, Found]]) -> list[bool]:
        """Of each (digest, place): whether this image, or this image at this place, was erased by itself and must not
        come back."""
        return erasing.were_erased(c, self._blobs, places)

    def recover(self) -> None:
        """Erase what a killed run left."""
        with self._alone():
            if stray_templates(self._database, self._index):
                stray_crops(self._database, self._blobs)

    def write(self, batch: Batch, *, source: Source, run: int, counts: dict[str, Any]) -> None:
        """Durable when it returns. Raises Unavailable and changes nothing when the disk is full."""
        if not len(batch):
            return
        try:
            self._write(batch, source=source, run=run, counts=counts)
        except BaseException:
            # What was numbered but not written must not be matched by what comes later.
            self._copies = None
            raise
        for found in self._spooled(batch):
            found.path.unlink(missing_ok=True)

    def _write(self, batch: Batch, *, source: Source, run: int, counts: dict[str, Any]) -> None:
        with self._alone():
            fresh = self._not_there_yet(batch)
            self._catch_up()
            ids = self._reserve(fresh)
            crops = [[self._blobs.put(c) if c else None for c in seen.crops] for _, seen, _, _ in fresh]
            originals = [self._blobs.put(original) if original else None for _, _, original, _ in fresh]
            self._blobs.settle()
            picture_ids = [self._picture_of(seen) for _, seen, _, _ in fresh]
            self._add_vectors(fresh, ids, source)
            self._tag(batch.known, source)
            now = moments.now()
            with self._database.write() as c:
                images = entering.add_images(
                    c,
                    [
                        entering.Placed(_new_image(digest, seen, names, original), picture_id, face_ids)
                        for (digest, seen, _, _), picture_id, face_ids, names, original in zip(
                            fresh, picture_ids, ids, crops, originals, strict=True
                        )
                    ],
                    pack=self.pack,
                    pipeline=self.pipeline,
                )
                new = [
                    (image, found) for image, (_, _, _, founds) in zip(images, fresh, strict=True) for found in founds
                ]
                entering.see(c, [*new, *batch.known], source_id=source.id, run_id=run, at=now)
                entering.seen_again(c, batch.again, run_id=run, at=now)
                runs.skip(c, batch.skipped, source_id=source.id, run_id=run)
                runs.progress(c, run, counts, at=now)
            if self._copies is not None and images:
                self._copied_to = max(self._copied_to, *images)

    def _not_there_yet(self, batch: Batch) -> list[tuple[bytes, Seen, bytes, list[Found]]]:
        """The new images that no other run has written in the meantime; those become known ones.

        What was erased since it was handed out is dropped.
        """
        fresh = []
        with self._database.read() as c:
            known = pictures.images_by_digest(c, [digest for digest, _, _, _ in batch.new])
            places = [(digest, found) for digest, _, _, founds in batch.new for found in founds]
            erased = iter(self.erased(c, places))
            for digest, seen, original, founds in batch.new:
                there = [found for found in founds if not next(erased)]
                if digest in known:
                    batch.known.extend((known[digest], found) for found in there)
                elif there:
                    fresh.append((digest, seen, original, there))
            left = pictures.digests_by_id(c, {image for image, _ in batch.known})
            still = [(image, found) for image, found in batch.known if image in left]
            gone = self.erased(c, [(left[image], found) for image, found in still])
            batch.known = [one for one, was in zip(still, gone, strict=True) if not was]
        return fresh

    def _reserve(self, fresh: list[tuple[bytes, Seen, bytes, list[Found]]]) -> list[list[int]]:
        short = sum(len(seen.faces) for _, seen, _, _ in fresh) - len(self._face_ids)
        if short > 0:
            self._face_ids.extend(self._database.reserve("face", max(IDS, short)))
        return [[self._face_ids.popleft() for _ in seen.faces] for _, seen, _, _ in fresh]

    def _add_vectors(
        self, fresh: list[tuple[bytes, Seen, bytes, list[Found]]], ids: list[list[int]], source: Source
    ) -> None:
        entries: list[Entry] = []
        templates: list[Any] = []
        for (_, seen, _, _), face_ids in zip(fresh, ids, strict=True):
            for face, face_id in zip(seen.faces, face_ids, strict=True):
                if face.template is not None:
                    entries.append(Entry(face_id, (("source", source.id),)))
                    templates.append(face.template)
        if entries:
            self._index.add(entries, self._protect(np.stack(templates)))

    def _tag(self, known: Sequence[tuple[int, Found]], source: Source) -> None:
        """Let known faces be found in this source too. Before their rows: one too many shows nothing, one too few would
        never be found."""
        with self._database.read() as c:
            faces = pictures.indexed_faces_of(c, {image for image, _ in known})
            places = pictures.sources_of_faces(c, faces)
        for face in faces:
            self._index.tag(face, "source", places.get(face, set()) | {source.id})

    def _picture_of(self, seen: Seen) -> int:
        """The picture that this image is a copy of (mirrored copies too), or a new one."""
        if self._copies is None:
            self._copies, self._copied_to = Copies(), 0
            self._catch_up()
        known = self._copies.find(seen.pdq, seen.mirrored)
        if known is None:
            known = self._new_picture()
        self._copies.add(known, seen.pdq)
        return known

    def _catch_up(self) -> None:
        """Learn the pictures that other runs have written."""
        if self._copies is None:
            return
        with self._database.read() as c:
            rows = pictures.hashes(c, after=self._copied_to)
        if rows:
            self._copies.extend(row[1:] for row in rows)
            self._copied_to = rows[-1][0]

    def _new_picture(self) -> int:
        """The next id of those reserved; reserving one by one would cost a write to the disk for each."""
        for id in self._picture_ids:
            return id
        self._picture_ids = iter(self._database.reserve("picture", IDS))
        return next(self._picture_ids)

    def _spooled(self, batch: Batch) -> Iterator[Found]:
        for _, _, _, founds in batch.new:
            yield from (found for found in founds if found.spooled)
        yield from (found for _, found in batch.known if found.spooled)


def _new_image(digest: bytes, seen: Seen, crops: Sequence[str | None], original: str | None) -> entering.NewImage:
    return entering.NewImage(
        digest=digest,
        pdq=seen.pdq.bits,
        pdq_quality=seen.pdq.quality,
        width=seen.width,
        height=seen.height,
        format=seen.format,
        taken=seen.taken,
        faces=seen.faces,
        crops=tuple(crops),
        original=original,
    )
