"""From hits to what a person sees: groups of pictures with every page under them, never an identity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection

from countenance.domain.index import Hit, Hits
from countenance.domain.results import Group, SightingShown
from countenance.domain.strangers import Calibration
from countenance.services.quality_words import warnings_of
from countenance.store import moments, pictures
from countenance.store.pictures import Place, SightingRow


def first_pictures(
    connection: Connection, hits: Sequence[Hit], source_ids: Sequence[int], limit: int
) -> tuple[list[list[Place]], bool]:
    """The `limit` most alike pictures, best first, each with its sightings; and whether there are more.

    `hits` are sorted, the best first. Rows are read from the top and only until enough pictures are known.
    """
    scores = {hit.id: hit.score for hit in hits}
    best: dict[int, float] = {}
    step = max(2 * limit, 32)
    for start in range(0, len(hits), step):
        part = [hit.id for hit in hits[start : start + step]]
        for place in pictures.places_of(connection, part, source_ids):
            best[place.picture] = max(best.get(place.picture, -2.0), scores[place.face])
        # Another picture as alike as the last one shown would have to be ordered beside it: go on past such ties.
        rest = hits[start + step].score if start + step < len(hits) else -2.0
        if len(best) > limit and sorted(best.values(), reverse=True)[limit] > rest:
            break
    first = sorted(best, key=lambda picture: (-best[picture], picture))[:limit]
    return _ranked(scores, pictures.places_of_pictures(connection, first, source_ids)), len(best) > limit


def _ranked(scores: Mapping[int, float], places: Iterable[Place]) -> list[list[Place]]:
    """The pictures among these sightings, best first, each with its sightings.

    A picture is one however often it was copied; of each image the most alike face counts.
    """
    seen = [place for place in places if place.face in scores]
    best: dict[int, int] = {}
    for place in seen:
        if place.image not in best or scores[place.face] > scores[best[place.image]]:
            best[place.image] = place.face
    by_picture: dict[int, list[Place]] = {}
    for place in seen:
        if best[place.image] == place.face:
            by_picture.setdefault(place.picture, []).append(place)
    order = sorted(by_picture.items(), key=lambda item: (-max(scores[p.face] for p in item[1]), item[0]))
    return [members for _, members in order]


def groups_of(
    hits: Hits,
    chosen: Sequence[Sequence[Place]],
    sightings: Iterable[SightingRow],
    calibration: Calibration,
    *,
    people: int,
) -> tuple[Group, ...]:
    """A group of every picture that `first_pictures` chose, from the rows of its sightings. `people` is how many others
    the expected strangers are reckoned against."""
    scores = {hit.id: hit.score for hit in hits.hits}
    rows = {s.id: s for s in sightings}
    groups = []
    for rank, places in enumerate(chosen, start=1):
        members = [rows[p.sighting] for p in places]
        likeness = max(scores[s.face_id] for s in members)
        members.sort(key=lambda s: (-scores[s.face_id], s.row.first_seen, s.id))
        groups.append(
            Group(
                rank=rank,
                likeness=likeness,
                expected_strangers=calibration.expected(likeness, people, hits.background),
                sightings=tuple(shown(s, scores[s.face_id]) for s in members),
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
