"""From hits to what a person sees: groups of pictures with every page under them, never an identity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

from sqlalchemy import Connection

from countenance.domain.index import Hit, Hits
from countenance.domain.results import Group, SightingShown
from countenance.domain.strangers import Calibration
from countenance.services.quality_words import warnings_of
from countenance.store import moments, pictures
from countenance.store.pictures import SightingRow


def first_pictures(
    connection: Connection,
    hits: Sequence[Hit],
    source_ids: Sequence[int],
    limit: int,
    hidden: Set[int] = frozenset(),
) -> tuple[list[list[SightingRow]], bool]:
    """The `limit` most alike pictures, best first, each with its sightings, the most alike first; and whether there are
    more.

    `hits` are sorted, the best first; `hidden` are sightings that nobody is shown. Rows are read from the top and only
    until enough pictures are known.
    """
    scores = dict(hits)
    best: dict[int, float] = {}
    step = max(2 * limit, 32)
    for start in range(0, len(hits), step):
        part = [hit.id for hit in hits[start : start + step]]
        for face, picture in pictures.pictures_of_faces(connection, part, source_ids, hidden):
            best[picture] = max(best.get(picture, -2.0), scores[face])
        # Another picture as alike as the last one shown would have to be ordered beside it: go on past such ties.
        rest = hits[start + step].score if start + step < len(hits) else -2.0
        if len(best) > limit and sorted(best.values(), reverse=True)[limit] > rest:
            break
    first = sorted(best, key=lambda picture: (-best[picture], picture))[:limit]
    found = pictures.sightings_of_pictures(connection, first, source_ids)
    return _ranked(scores, [one for one in found if one.id not in hidden]), len(best) > limit


def _ranked(scores: Mapping[int, float], sightings: Iterable[SightingRow]) -> list[list[SightingRow]]:
    """The pictures among these sightings, best first, each with its sightings.

    A picture is one however often it was copied; of each image the most alike face counts.
    """
    seen = [sighting for sighting in sightings if sighting.face_id in scores]
    best: dict[int, int] = {}
    for one in seen:
        if one.image_id not in best or scores[one.face_id] > scores[best[one.image_id]]:
            best[one.image_id] = one.face_id
    by_picture: dict[int, list[SightingRow]] = {}
    for one in seen:
        if best[one.image_id] == one.face_id:
            by_picture.setdefault(one.picture_id, []).append(one)
    for members in by_picture.values():
        members.sort(key=lambda one: (-scores[one.face_id], one.row.first_seen, one.id))
    order = sorted(by_picture.items(), key=lambda item: (-scores[item[1][0].face_id], item[0]))
    return [members for _, members in order]


def groups_of(
    hits: Hits, chosen: Sequence[Sequence[SightingRow]], calibration: Calibration, *, people: int
) -> tuple[Group, ...]:
    """A group of every picture that `first_pictures` chose. `people` is how many others the expected strangers are
    reckoned against."""
    scores = dict(hits.hits)
    groups = []
    for rank, members in enumerate(chosen, start=1):
        likeness = scores[members[0].face_id]
        groups.append(
            Group(
                rank=rank,
                likeness=likeness,
                expected_strangers=calibration.expected(likeness, people, hits.background),
                sightings=tuple(shown(one, scores[one.face_id]) for one in members),
            )
        )
    return tuple(groups)


def shown(sighting: SightingRow, likeness: float) -> SightingShown:
    """One sighting as a search shows it."""
    row = sighting.row
    return SightingShown(
        id=sighting.id,
        source=row.source,
        page=row.page,
        image=row.address,
        box=(round(row.x), round(row.y), round(row.w), round(row.h)),
        likeness=likeness,
        title=row.title,
        alt=row.alt,
        caption=row.caption,
        first_seen=moments.from_row(row.first_seen),
        last_seen=moments.from_row(row.last_seen),
        vanished=moments.maybe(row.vanished_at),
        dated=moments.maybe(row.taken_at if row.dated is None else row.dated),
        warnings=warnings_of(row.quality),
        width=row.width,
        height=row.height,
        has_crop=row.crop is not None,
    )
