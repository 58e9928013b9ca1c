"""From hits to what a person sees: groups of pictures with every page under them, never an identity."""

from __future__ import annotations

from collections.abc import Iterable

from countenance.domain.index import Hits
from countenance.domain.results import Group, SightingShown
from countenance.domain.strangers import Calibration
from countenance.services.quality_words import warnings_of
from countenance.store import moments
from countenance.store.pictures import SightingRow


def groups_of(
    hits: Hits, sightings: Iterable[SightingRow], calibration: Calibration, *, people: int, limit: int
) -> tuple[tuple[Group, ...], bool]:
    """At most `limit` groups, best first, and whether there were more.

    A picture is one group however often it was copied; of each image the most alike face counts. `people` is how many
    others the expected strangers are reckoned against.
    """
    scores = {hit.id: hit.score for hit in hits.hits}
    best: dict[int, int] = {}
    rows = [s for s in sightings if s.face_id in scores]
    for s in rows:
        image = s.row.image_id
        if image not in best or scores[s.face_id] > scores[best[image]]:
            best[image] = s.face_id
    by_picture: dict[int, list[SightingRow]] = {}
    for s in rows:
        if best[s.row.image_id] == s.face_id:
            by_picture.setdefault(s.picture_id, []).append(s)
    ranked = sorted(by_picture.items(), key=lambda item: (-max(scores[s.face_id] for s in item[1]), item[0]))
    groups = []
    for rank, (_, members) in enumerate(ranked[:limit], start=1):
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
    return tuple(groups), len(ranked) > limit


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
        warnings=warnings_of(row.quality),
        width=row.width,
        height=row.height,
        has_crop=row.crop is not None,
    )
