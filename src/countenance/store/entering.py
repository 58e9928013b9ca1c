"""Rows of what a run found: images, their faces, the pages they are on, and the sightings that join the two.

Many at once: a statement for each picture would cost about as much of the processor as the models do.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, insert, select, update

from countenance.domain.faces import Face
from countenance.domain.sources import Found
from countenance.store.many import insert_many
from countenance.store.moments import to_row
from countenance.store.pictures import chunks, images_by_digest
from countenance.store.schema import appearances, faces, images, sightings

_IMAGE = (
    "digest",
    "pdq",
    "pdq_quality",
    "picture_id",
    "width",
    "height",
    "format",
    "taken_at",
    "pack",
    "pipeline",
    "original",
)
_FACE = ("id", "image_id", "n", "x", "y", "w", "h", "landmarks", "quality", "floor", "crop", "pack", "pipeline")
_APPEARANCE = tuple(one.name for one in appearances.columns if one.name != "id")


@dataclass(frozen=True, slots=True)
class NewImage:
    """A decoded image with its faces, ready to be written. `crops` names a blob for each face, or None."""

    digest: bytes
    pdq: bytes
    pdq_quality: int
    width: int
    height: int
    format: str
    taken: datetime | None
    faces: tuple[Face, ...]
    crops: tuple[str | None, ...]
    original: str | None


@dataclass(frozen=True, slots=True)
class Placed:
    """A new image with the picture that it is one of, and reserved ids, one a face."""

    image: NewImage
    picture_id: int
    face_ids: Sequence[int]


def add_images(connection: Connection, placed: Sequence[Placed], *, pack: str, pipeline: int) -> list[int]:
    """Write images and their faces. Returns the images' ids, in order."""
    if not placed:
        return []
    insert_many(connection, images, _IMAGE, [_image_row(one, pack, pipeline) for one in placed])
    known = images_by_digest(connection, [one.image.digest for one in placed])
    ids = [known[one.image.digest] for one in placed]
    rows = [row for one, image_id in zip(placed, ids, strict=True) for row in _face_rows(one, image_id, pack, pipeline)]
    insert_many(connection, faces, _FACE, rows)
    return ids


def _image_row(placed: Placed, pack: str, pipeline: int) -> tuple[Any, ...]:
    """In the order of `_IMAGE`."""
    image = placed.image
    return (
        image.digest,
        image.pdq,
        image.pdq_quality,
        placed.picture_id,
        image.width,
        image.height,
        image.format,
        to_row(image.taken) if image.taken else None,
        pack,
        pipeline,
        image.original,
    )


def _face_rows(placed: Placed, image_id: int, pack: str, pipeline: int) -> Iterator[tuple[Any, ...]]:
    """In the order of `_FACE`."""
    image = placed.image
    for n, (face, face_id, crop) in enumerate(zip(image.faces, placed.face_ids, image.crops, strict=True), start=1):
        box, quality = face.box, face.quality
        landmarks = [[round(x, 2), round(y, 2)] for x, y in face.landmarks.tolist()]
        measured = {
            "inter_eye": round(quality.inter_eye, 2),
            "sharpness": round(quality.sharpness, 2),
            "exposure": round(quality.exposure, 4),
            "yaw": round(quality.yaw, 1),
            "roll": round(quality.roll, 1),
            "detector": round(quality.detector, 4),
        }
        yield (
            face_id,
            image_id,
            n,
            box.x,
            box.y,
            box.w,
            box.h,
            json.dumps(landmarks),
            json.dumps(measured),
            quality.floor,
            crop,
            pack,
            pipeline,
        )


def see(
    connection: Connection, seen: Sequence[tuple[int, Found]], *, source_id: int, run_id: int, at: datetime
) -> None:
    """Record that images (ids) are on pages now, with a sighting for each of their faces."""
    often = Counter((found.address, found.page) for _, found in seen)
    used: set[tuple[str, str]] = set()
    for chunk in chunks({found.address for _, found in seen}):
        mine = and_(appearances.c.source_id == source_id, appearances.c.address.in_(chunk))
        rows = connection.execute(select(appearances.c.address, appearances.c.page).where(mine))
        used.update((address, page) for address, page in rows)
    new: list[tuple[int, Found]] = []
    for image_id, found in seen:
        place = (found.address, found.page)
        if place in used or often[place] > 1:
            _see_again(connection, found, source_id=source_id, image_id=image_id, run_id=run_id, at=at)
        else:
            new.append((image_id, found))
    _see_first(connection, new, source_id=source_id, run_id=run_id, at=at)


def _see_first(
    connection: Connection, new: Sequence[tuple[int, Found]], *, source_id: int, run_id: int, at: datetime
) -> None:
    """At places where nothing was seen before: all at once."""
    if not new:
        return
    rows = []
    for image_id, found in new:
        values = _as_seen(found, run_id, at)
        values |= {
            "image_id": image_id,
            "source_id": source_id,
            "address": found.address,
            "page": found.page,
            "first_seen": values["last_seen"],
        }
        rows.append(tuple(values[name] for name in _APPEARANCE))
    insert_many(connection, appearances, _APPEARANCE, rows)
    for chunk in chunks({image_id for image_id, _ in new}):
        _sight(connection, appearances.c.image_id.in_(chunk))


def _sight(connection: Connection, where: ColumnElement[bool]) -> None:
    """A sighting for each face of an image on a page that has none yet."""
    done = exists().where(sightings.c.appearance_id == appearances.c.id)
    pairs = (
        select(faces.c.id, appearances.c.id)
        .join(appearances, appearances.c.image_id == faces.c.image_id)
        .where(where, ~done)
        .order_by(appearances.c.id, faces.c.n)
    )
    connection.execute(insert(sightings).from_select(["face_id", "appearance_id"], pairs))


def _as_seen(found: Found, run_id: int, at: datetime) -> dict[str, Any]:
    return {
        "title": found.title,
        "alt": found.alt,
        "caption": found.caption,
        "dated": to_row(found.dated) if found.dated else None,
        "last_seen": to_row(found.fetched_at or at),
        "vanished_at": None,
        "unchanged_key": found.unchanged_key,
        "run_id": run_id,
    }


def _see_again(
    connection: Connection, found: Found, *, source_id: int, image_id: int, run_id: int, at: datetime
) -> None:
    """At a place where this or another picture was seen before."""
    here = and_(
        appearances.c.source_id == source_id,
        appearances.c.address == found.address,
        appearances.c.page == found.page,
    )
    values = _as_seen(found, run_id, at)
    known = connection.execute(select(appearances.c.id).where(here, appearances.c.image_id == image_id)).scalar()
    # The same address may have carried another picture before: that one is no longer there.
    connection.execute(
        update(appearances)
        .where(here, appearances.c.image_id != image_id, appearances.c.vanished_at.is_(None))
        .values(vanished_at=values["last_seen"])
    )
    if known is not None:
        connection.execute(update(appearances).where(appearances.c.id == known).values(**values))
        return
    values |= {"image_id": image_id, "source_id": source_id, "address": found.address, "page": found.page}
    connection.execute(insert(appearances).values(**values, first_seen=values["last_seen"]))
    _sight(connection, and_(here, appearances.c.image_id == image_id))


def unchanged(
    connection: Connection, source_id: int, founds: Sequence[Found], *, pack: str, pipeline: int
) -> dict[int, int]:
    """Those recorded already with the same cheap fingerprint, under the same pack: position → appearance."""
    asked = {(f.address, f.page, f.unchanged_key): n for n, f in enumerate(founds) if f.unchanged_key is not None}
    known: dict[int, int] = {}
    for chunk in chunks({address for address, _, _ in asked}):
        rows = connection.execute(
            select(appearances.c.id, appearances.c.address, appearances.c.page, appearances.c.unchanged_key)
            .join(images, images.c.id == appearances.c.image_id)
            .where(
                appearances.c.source_id == source_id,
                appearances.c.address.in_(chunk),
                appearances.c.vanished_at.is_(None),
                images.c.pack == pack,
                images.c.pipeline == pipeline,
            )
        )
        for id, address, page, key in rows:
            if (n := asked.get((address, page, key))) is not None:
                known[n] = id
    return known


def seen_again(connection: Connection, ids: Iterable[int], *, run_id: int, at: datetime) -> None:
    """Move last seen of these appearances."""
    for chunk in chunks(ids):
        connection.execute(
            update(appearances).where(appearances.c.id.in_(chunk)).values(last_seen=to_row(at), run_id=run_id)
        )


def vanish(connection: Connection, source_id: int, *, run_id: int, pages: Iterable[str] | None, at: datetime) -> int:
    """Whatever this run did not see again has vanished: on these pages, or everywhere when `pages` is None."""
    gone = and_(
        appearances.c.source_id == source_id, appearances.c.run_id != run_id, appearances.c.vanished_at.is_(None)
    )
    stamp = update(appearances).values(vanished_at=to_row(at))
    if pages is None:
        return connection.execute(stamp.where(gone)).rowcount
    return sum(connection.execute(stamp.where(gone, appearances.c.page.in_(chunk))).rowcount for chunk in chunks(pages))
