"""Rows of images, their faces, the pages they appear on, and the sightings that join the two."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, bindparam, distinct, exists, func, select

from countenance.store.schema import appearances, faces, images, sightings, sources

CHUNK = 500
"""How many values one statement takes; SQLite's own limit is far higher, its planner is happiest below."""


def images_by_digest(connection: Connection, digests: Iterable[bytes]) -> dict[bytes, int]:
    """The known images among those with these bytes."""
    found: dict[bytes, int] = {}
    for chunk in chunks(digests):
        rows = connection.execute(select(images.c.digest, images.c.id).where(images.c.digest.in_(chunk)))
        found.update((digest, image) for digest, image in rows)
    return found


def digests_by_id(connection: Connection, ids: Iterable[int]) -> dict[int, bytes]:
    """The SHA-256 of these images' bytes; erased ones are missing."""
    found: dict[int, bytes] = {}
    for chunk in chunks(ids):
        rows = connection.execute(select(images.c.id, images.c.digest).where(images.c.id.in_(chunk)))
        found.update((row.id, row.digest) for row in rows)
    return found


def sources_of_faces(connection: Connection, face_ids: Iterable[int]) -> dict[int, set[int]]:
    """The sources in which each face appears."""
    found: dict[int, set[int]] = {}
    for chunk in chunks(face_ids):
        rows = connection.execute(
            select(sightings.c.face_id, appearances.c.source_id)
            .join(appearances, appearances.c.id == sightings.c.appearance_id)
            .where(sightings.c.face_id.in_(chunk))
            .distinct()
        )
        for face_id, source_id in rows:
            found.setdefault(face_id, set()).add(source_id)
    return found


def indexed_faces_of(connection: Connection, image_ids: Iterable[int]) -> list[int]:
    """The faces of these images that have a template."""
    found: list[int] = []
    for chunk in chunks(image_ids):
        found.extend(
            connection.execute(select(faces.c.id).where(faces.c.image_id.in_(chunk), faces.c.floor.is_(None))).scalars()
        )
    return found


def hashes(connection: Connection, *, after: int) -> list[tuple[int, int, bytes, int]]:
    """(image, picture, PDQ, quality) of every image whose id is above `after`, ascending."""
    query = select(images.c.id, images.c.picture_id, images.c.pdq, images.c.pdq_quality).where(images.c.id > after)
    return [
        (row.id, row.picture_id, row.pdq, row.pdq_quality) for row in connection.execute(query.order_by(images.c.id))
    ]


def blob_names(connection: Connection) -> set[str]:
    """Every crop and kept original that a row names."""
    crops = connection.execute(select(faces.c.crop).where(faces.c.crop.is_not(None))).scalars()
    originals = connection.execute(select(images.c.original).where(images.c.original.is_not(None))).scalars()
    return set(crops) | set(originals)


def vectors_without_face(connection: Connection, vector_ids: set[int]) -> list[int]:
    """Ids that an index holds and no row names: what a killed run left behind."""
    known = set(connection.execute(select(faces.c.id)).scalars())
    return sorted(vector_ids - known)


def pages_of(connection: Connection, source_id: int) -> list[str]:
    """The pages on which pictures of a source were last seen."""
    rows = connection.execute(
        select(appearances.c.page)
        .where(appearances.c.source_id == source_id, appearances.c.vanished_at.is_(None))
        .distinct()
    )
    return sorted(rows.scalars())


def count_pictures(connection: Connection, source_ids: Iterable[int]) -> int:
    """Distinct pictures with an indexed face in these sources."""
    here = exists().where(appearances.c.image_id == images.c.id, appearances.c.source_id.in_(list(source_ids)))
    indexed = exists().where(faces.c.image_id == images.c.id, faces.c.floor.is_(None))
    return int(connection.execute(select(func.count(distinct(images.c.picture_id))).where(here, indexed)).scalar_one())


def count(connection: Connection, source_ids: Iterable[int]) -> dict[str, int]:
    """pages, images, pictures, faces, indexed, sightings and vanished appearances of these sources."""
    wanted = list(source_ids)
    here = appearances.c.source_id.in_(wanted)
    on = connection.execute(
        select(
            func.count(distinct(appearances.c.page)),
            func.count(distinct(appearances.c.image_id)),
            func.count(appearances.c.vanished_at),
        ).where(here)
    ).one()
    # Counting faces by `exists` keeps an image on a thousand pages from being counted a thousand times.
    present = exists().where(appearances.c.image_id == images.c.id, here)
    shown = connection.execute(
        select(
            func.count(faces.c.id),
            func.count(faces.c.id).filter(faces.c.floor.is_(None)),
            func.count(distinct(images.c.picture_id)).filter(faces.c.floor.is_(None)),
        )
        .join(images, images.c.id == faces.c.image_id)
        .where(present)
    ).one()
    seen = connection.execute(
        select(func.count(sightings.c.id)).join(appearances, appearances.c.id == sightings.c.appearance_id).where(here)
    ).scalar_one()
    return {
        "pages": on[0],
        "images": on[1],
        "vanished": on[2],
        "faces": shown[0],
        "indexed": shown[1],
        "pictures": shown[2],
        "sightings": seen,
    }


# Numbers are written into the statement: binding each costs more than looking it up.
_NUMBERS: BindParameter[Any] = bindparam("numbers", expanding=True, literal_execute=True)

# Made once: to put a statement together takes longer than SQLite takes to answer it. The source is not looked at in
# them, where it leads SQLite to read the source's every page.
_PICTURES = (
    select(sightings.c.id, sightings.c.face_id, images.c.picture_id, appearances.c.source_id)
    .join(faces, faces.c.id == sightings.c.face_id)
    .join(images, images.c.id == faces.c.image_id)
    .join(appearances, appearances.c.id == sightings.c.appearance_id)
    .where(sightings.c.face_id.in_(_NUMBERS))
)

_SIGHTINGS = (
    select(
        sightings.c.id.label("sighting_id"),
        sightings.c.face_id,
        images.c.id.label("image_id"),
        images.c.picture_id,
        images.c.width,
        images.c.height,
        images.c.taken_at,
        images.c.original,
        images.c.digest,
        faces.c.x,
        faces.c.y,
        faces.c.w,
        faces.c.h,
        faces.c.quality,
        faces.c.crop,
        appearances.c.address,
        appearances.c.page,
        appearances.c.title,
        appearances.c.alt,
        appearances.c.caption,
        appearances.c.dated,
        appearances.c.first_seen,
        appearances.c.last_seen,
        appearances.c.vanished_at,
        appearances.c.source_id,
        sources.c.name.label("source"),
        sources.c.kind.label("source_kind"),
    )
    .join(faces, faces.c.id == sightings.c.face_id)
    .join(images, images.c.id == faces.c.image_id)
    .join(appearances, appearances.c.id == sightings.c.appearance_id)
    .join(sources, sources.c.id == appearances.c.source_id)
    .order_by(appearances.c.first_seen, sightings.c.id)
)
_OF_PICTURES = _SIGHTINGS.where(images.c.picture_id.in_(_NUMBERS), faces.c.floor.is_(None))
_OF_FACES = _SIGHTINGS.where(sightings.c.face_id.in_(_NUMBERS))
_BY_ID = _SIGHTINGS.where(sightings.c.id.in_(_NUMBERS))


@dataclass(frozen=True, slots=True)
class SightingRow:
    """A sighting with everything that a search shows of it."""

    id: int
    face_id: int
    picture_id: int
    image_id: int
    row: Any


def pictures_of_faces(
    connection: Connection, face_ids: Iterable[int], source_ids: Iterable[int], hidden: Set[int] = frozenset()
) -> list[tuple[int, int]]:
    """(face, picture) of every sighting of these faces in these sources, but for hidden ones."""
    wanted = set(source_ids)
    found: list[tuple[int, int]] = []
    for chunk in chunks(face_ids):
        rows = connection.execute(_PICTURES, {"numbers": chunk})
        found.extend((face, picture) for id, face, picture, source in rows if source in wanted and id not in hidden)
    return found


def sightings_of_pictures(
    connection: Connection, picture_ids: Iterable[int], source_ids: Iterable[int]
) -> list[SightingRow]:
    """Every sighting in these sources of every indexed face of these pictures, oldest first."""
    wanted = set(source_ids)
    found = _sightings(connection, _OF_PICTURES, picture_ids)
    return [one for one in found if one.row.source_id in wanted]


def sightings_of(connection: Connection, face_ids: Iterable[int], source_ids: Iterable[int]) -> list[SightingRow]:
    """Every sighting of these faces in these sources, oldest first."""
    return _sightings(connection, _OF_FACES.where(appearances.c.source_id.in_(list(source_ids))), face_ids)


def sightings_by_id(connection: Connection, ids: Iterable[int]) -> list[SightingRow]:
    """These sightings; erased ones are missing."""
    return _sightings(connection, _BY_ID, ids)


def sightings_of_image(connection: Connection, image_id: int, face_id: int) -> list[SightingRow]:
    """Every page on which this face of this image was seen."""
    return _sightings(connection, _OF_FACES.where(images.c.id == image_id), [face_id])


def _sightings(connection: Connection, statement: Select[Any], values: Iterable[int]) -> list[SightingRow]:
    found: list[SightingRow] = []
    for chunk in chunks(values):
        rows = connection.execute(statement, {"numbers": chunk})
        found.extend(SightingRow(r.sighting_id, r.face_id, r.picture_id, r.image_id, r) for r in rows)
    return found


def chunks(values: Iterable[Any]) -> Iterable[list[Any]]:
    """Lists of at most CHUNK."""
    everything = list(values)
    return (everything[start : start + CHUNK] for start in range(0, len(everything), CHUNK))
