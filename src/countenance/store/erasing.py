"""What an erasure takes with it, and taking it.

Erasing a sighting takes the face off that page; the face goes when no page is left, and the image when none of its
faces is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from countenance.domain.sources import Found
from countenance.store import analyses, items, searches, sources
from countenance.store import schema as s
from countenance.store.blobs import Blobs
from countenance.store.moments import now, to_row
from countenance.store.pictures import chunks


@dataclass(frozen=True, slots=True)
class Work:
    """Everything one erasure removes, by id; blobs by their keyed names."""

    sightings: tuple[int, ...]
    faces: tuple[int, ...]
    vectors: tuple[int, ...]
    appearances: tuple[int, ...]
    images: tuple[int, ...]
    blobs: tuple[str, ...]
    items: tuple[str, ...]
    sources: tuple[int, ...] = ()
    addresses: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    """Keyed marks, in hex, of images that must not come back."""
    stripped: tuple[int, ...] = ()
    """Images that stay, but whose kept original would still show an erased face."""
    left: tuple[int, ...] = ()
    """Faces that stay, on fewer pages than before."""
    analyses: tuple[str, ...] = ()
    """Analyses of proxy logs."""
    probes: tuple[str, ...] = ()
    """Searches whose sealed probe goes."""

    @property
    def anything(self) -> bool:
        """Whether there is anything to remove."""
        return any((self.sightings, self.appearances, self.images, self.sources, self.analyses, self.items))

    def as_json(self) -> dict[str, Any]:
        """For the row that lets a killed erasure be finished."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Work:
        """The way back."""
        return cls(**{name: tuple(part) for name, part in value.items()})


def of_sightings(connection: Connection, ids: Iterable[int]) -> Work:
    """These faces on these pages; a face that is left on no page goes altogether."""
    wanted = set(ids)
    gone = _some(connection, s.sightings.c.id, s.sightings.c.id, wanted)
    touched = _some(connection, s.sightings.c.face_id, s.sightings.c.id, gone)
    left_on_a_page: set[int] = set()
    for chunk in chunks(touched):
        rows = connection.execute(
            select(s.sightings.c.face_id, s.sightings.c.id).where(s.sightings.c.face_id.in_(chunk))
        )
        left_on_a_page |= {face for face, sighting in rows if sighting not in gone}
    faces = touched - left_on_a_page
    images = _images_left_empty(connection, faces)
    pages = _pages_left_empty(connection, gone) if gone else set()
    # An image goes with its last face. While another face of it stays, the kept original would still show the erased
    # one: it is dropped too, and the crop of the erased face with it.
    partly = _some(connection, s.faces.c.image_id, s.faces.c.id, faces) - images
    return _complete(connection, gone, faces, images, appearances=pages, strip=partly, left=left_on_a_page)


def of_images(connection: Connection, ids: Iterable[int]) -> Work:
    """These images with every face and every page."""
    images = _some(connection, s.images.c.id, s.images.c.id, ids)
    faces = _some(connection, s.faces.c.id, s.faces.c.image_id, images)
    sightings = _some(connection, s.sightings.c.id, s.sightings.c.face_id, faces)
    return _complete(connection, sightings, faces, images)


def of_sources(connection: Connection, ids: Iterable[int], spared: Iterable[int] = ()) -> Work:
    """These sources with everything that appears nowhere else; but for the pages of `spared` sightings, whose source
    then stays."""
    wanted = set(ids)
    kept = _some(connection, s.sightings.c.appearance_id, s.sightings.c.id, spared)
    here = _some(connection, s.appearances.c.id, s.appearances.c.source_id, wanted) - kept
    touched = _some(connection, s.appearances.c.image_id, s.appearances.c.id, here)
    left: set[int] = _some(connection, s.appearances.c.image_id, s.appearances.c.id, kept)
    for chunk in chunks(touched):
        rows = connection.execute(
            select(s.appearances.c.image_id).where(
                s.appearances.c.image_id.in_(chunk), s.appearances.c.source_id.not_in(wanted)
            )
        )
        left |= set(rows.scalars())
    images = touched - left
    faces = _some(connection, s.faces.c.id, s.faces.c.image_id, images)
    sightings = _some(connection, s.sightings.c.id, s.sightings.c.appearance_id, here)
    stay = _some(connection, s.faces.c.id, s.faces.c.image_id, left & touched)
    gone = wanted - _some(connection, s.appearances.c.source_id, s.appearances.c.id, kept)
    return _complete(connection, sightings, faces, images, appearances=here, sources_gone=gone, left=stay)


def on_pages_of(connection: Connection, work: Work, source_ids: Iterable[int]) -> dict[int, int]:
    """Those of this work's sightings that are on pages of these sources, each with its source."""
    wanted = set(source_ids)
    found: dict[int, int] = {}
    for chunk in chunks(work.sightings if wanted else ()):
        rows = connection.execute(
            select(s.sightings.c.id, s.appearances.c.source_id)
            .join(s.appearances, s.appearances.c.id == s.sightings.c.appearance_id)
            .where(s.sightings.c.id.in_(chunk))
        )
        found |= {sighting: source for sighting, source in rows if source in wanted}
    return found


def pages_of(connection: Connection, work: Work, source_ids: Iterable[int]) -> set[int]:
    """Those of these sources of which this work takes a page."""
    wanted = set(source_ids)
    return _some(connection, s.appearances.c.source_id, s.appearances.c.id, work.appearances if wanted else ()) & wanted


def of_analyses(connection: Connection, ids: Iterable[str]) -> Work:
    """These analyses of proxy logs, with their sessions and all that was noted of them."""
    wanted = sorted(set(ids))
    notes = [item for id in wanted for item in analyses.notes_of(connection, id)]
    return Work((), (), (), (), (), (), tuple(sorted(notes)), analyses=tuple(wanted))


def places_of(
    connection: Connection, appearances: Iterable[int], images: Iterable[int]
) -> list[tuple[bytes, str, str]]:
    """(digest, address, page) of these appearances, but for those of these images."""
    gone = set(images)
    found: list[tuple[bytes, str, str]] = []
    for chunk in chunks(appearances):
        rows = connection.execute(
            select(s.images.c.digest, s.appearances.c.address, s.appearances.c.page, s.images.c.id)
            .join(s.images, s.images.c.id == s.appearances.c.image_id)
            .where(s.appearances.c.id.in_(chunk))
        )
        found.extend((digest, address, page) for digest, address, page, image in rows if image not in gone)
    return sorted(found)


def sources_left(connection: Connection, work: Work) -> dict[int, set[int]]:
    """Of each face that stays, the sources in which it will still be seen once this work is done."""
    gone = set(work.sightings)
    found: dict[int, set[int]] = {face: set() for face in work.left}
    for chunk in chunks(work.left):
        rows = connection.execute(
            select(s.sightings.c.face_id, s.sightings.c.id, s.appearances.c.source_id)
            .join(s.appearances, s.appearances.c.id == s.sightings.c.appearance_id)
            .where(s.sightings.c.face_id.in_(chunk))
        )
        for face, sighting, source in rows:
            if sighting not in gone:
                found[face].add(source)
    return found


def digests_of(connection: Connection, images: Iterable[int]) -> list[bytes]:
    """The SHA-256 of these images' bytes."""
    return sorted(_some(connection, s.images.c.digest, s.images.c.id, images))


def were_erased(connection: Connection, blobs: Blobs, places: Sequence[tuple[bytes, Found]]) -> list[bool]:
    """Of each (digest, place): whether this image, or this image at this place, was erased by itself and must not come
    back."""
    if not places or connection.execute(select(s.suppressed.c.mark).limit(1)).first() is None:
        return [False] * len(places)  # as nearly always
    marks = [(blobs.mark(digest), blobs.mark(digest, found.address, found.page)) for digest, found in places]
    gone = _suppressed(connection, {mark for both in marks for mark in both})
    return [not gone.isdisjoint(both) for both in marks]


def _suppressed(connection: Connection, marks: Iterable[bytes]) -> set[bytes]:
    return _some(connection, s.suppressed.c.mark, s.suppressed.c.mark, marks)


def images_by_address(connection: Connection, address: str) -> list[int]:
    """The images that were seen at an address."""
    return sorted(_some(connection, s.appearances.c.image_id, s.appearances.c.address, [address]))


def begin(connection: Connection, work: Work, scope: dict[str, Any]) -> int:
    """Write down what is about to be erased. Returns the erasure's id."""
    erasure = connection.execute(select(func.coalesce(func.max(s.erasures.c.id), 0))).scalar_one() + 1
    connection.execute(
        insert(s.erasures).values(id=erasure, scope=scope, work=work.as_json(), state="begun", begun_at=to_row(now()))
    )
    return int(erasure)


def under_way(connection: Connection) -> list[tuple[int, dict[str, Any], Work, str]]:
    """Erasures that were begun and not finished: (id, scope, work, state)."""
    rows = connection.execute(select(s.erasures).order_by(s.erasures.c.id))
    return [(row.id, row.scope, Work.from_json(row.work), row.state) for row in rows]


def recorded(connection: Connection, erasure: int) -> None:
    """The ledger has the entry: finishing must not write it twice."""
    connection.execute(s.erasures.update().where(s.erasures.c.id == erasure).values(state="recorded"))


def remove(connection: Connection, erasure: int, work: Work) -> None:
    """Delete every row, the keys of what is sealed, and the note of the erasure itself."""
    for chunk in chunks(work.stripped):
        connection.execute(s.images.update().where(s.images.c.id.in_(chunk)).values(original=None))
    for column, values in (
        (s.candidates.c.sighting_id, work.sightings),
        (s.sightings.c.id, work.sightings),
        (s.faces.c.id, work.faces),
        (s.appearances.c.id, work.appearances),
        (s.images.c.id, work.images),
        (s.skips.c.address, work.addresses),
    ):
        for chunk in chunks(values):
            connection.execute(delete(column.table).where(column.in_(chunk)))
    marks = set(map(bytes.fromhex, work.marks))
    for mark in sorted(marks - _suppressed(connection, marks)):
        connection.execute(insert(s.suppressed).values(mark=mark))
    if work.sources:
        sources.remove(connection, work.sources)
    for analysis in work.analyses:
        analyses.remove(connection, analysis)
    searches.forget_probes(connection, work.probes)
    items.destroy(connection, work.items)
    connection.execute(delete(s.erasures).where(s.erasures.c.id == erasure))


def _complete(
    connection: Connection,
    sightings: set[int],
    faces: set[int],
    images: set[int],
    *,
    appearances: set[int] | None = None,
    sources_gone: set[int] | None = None,
    strip: set[int] | None = None,
    left: set[int] | None = None,
) -> Work:
    """Add what hangs on it: vectors, pages, crops, originals, skipped addresses, keys."""
    pages = (appearances or set()) | _some(connection, s.appearances.c.id, s.appearances.c.image_id, images)
    sightings = sightings | _some(connection, s.sightings.c.id, s.sightings.c.face_id, faces)
    addresses = _some(connection, s.appearances.c.address, s.appearances.c.id, pages)
    crops = _some(connection, s.faces.c.crop, s.faces.c.id, faces) - {None}
    stays = _crops_of_others(connection, crops, faces)
    originals = _some(connection, s.images.c.original, s.images.c.id, images | (strip or set())) - {None}
    gone_items = [f"sighting:{id}" for id in sorted(sightings)] + [f"source:{id}" for id in sorted(sources_gone or ())]
    return Work(
        sightings=tuple(sorted(sightings)),
        faces=tuple(sorted(faces)),
        vectors=tuple(sorted(_some(connection, s.vectors.c.id, s.vectors.c.id, faces))),
        appearances=tuple(sorted(pages)),
        images=tuple(sorted(images)),
        blobs=tuple(sorted((crops - stays) | originals)),
        items=tuple(gone_items),
        sources=tuple(sorted(sources_gone or ())),
        addresses=tuple(sorted(addresses)),
        stripped=tuple(sorted(strip or ())),
        left=tuple(sorted(left or ())),
    )


def _crops_of_others(connection: Connection, crops: set[Any], faces: set[int]) -> set[Any]:
    """Crops that another, remaining face shares byte for byte."""
    rows: set[Any] = set()
    for chunk in chunks(crops):
        found = connection.execute(select(s.faces.c.crop, s.faces.c.id).where(s.faces.c.crop.in_(chunk)))
        rows |= {crop for crop, face in found if face not in faces}
    return rows


def _pages_left_empty(connection: Connection, gone: set[int]) -> set[int]:
    """The appearances that these sightings were the last of: their address goes with them."""
    touched = _some(connection, s.sightings.c.appearance_id, s.sightings.c.id, gone)
    left: set[int] = set()
    for chunk in chunks(touched):
        rows = connection.execute(
            select(s.sightings.c.appearance_id, s.sightings.c.id).where(s.sightings.c.appearance_id.in_(chunk))
        )
        left |= {appearance for appearance, sighting in rows if sighting not in gone}
    return touched - left


def _images_left_empty(connection: Connection, faces: set[int]) -> set[int]:
    touched = _some(connection, s.faces.c.image_id, s.faces.c.id, faces)
    left: set[int] = set()
    for chunk in chunks(touched):
        rows = connection.execute(select(s.faces.c.image_id, s.faces.c.id).where(s.faces.c.image_id.in_(chunk)))
        left |= {image for image, face in rows if face not in faces}
    return touched - left


def _some(connection: Connection, wanted: Any, column: Any, values: Iterable[Any]) -> set[Any]:
    found: set[Any] = set()
    for chunk in chunks(values):
        found |= set(connection.execute(select(wanted).where(column.in_(chunk))).scalars())
    return found
