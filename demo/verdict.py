"""What a search brought, held against what is on the demo web."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from demo.web import Expected


@dataclass(frozen=True, slots=True)
class Sighting:
    """One line of a search's answer. `vanished` is when its page was found to be gone, or None."""

    likeness: float
    page: str
    image: str
    last_seen: str
    vanished: str | None = None


@dataclass(slots=True)
class Verdict:
    """The account of a run. `missed` and `unexpected` are what must be empty."""

    expected: int = 0
    found: int = 0
    missed: list[dict[str, Any]] = field(default_factory=list)
    unexpected: list[dict[str, Any]] = field(default_factory=list)

    @property
    def well(self) -> bool:
        """Whether everything was found and nothing else."""
        return self.expected > 0 and not self.missed and not self.unexpected


def sightings(answer: Mapping[str, Any]) -> Iterator[Sighting]:
    """Every sighting of a search's JSON answer."""
    for group in answer["groups"]:
        for one in group["sightings"]:
            likeness = float(one.get("likeness", group["likeness"]))
            yield Sighting(likeness, one["page"] or "", one["image"], one["last_seen"], one.get("vanished"))


def judge(
    verdict: Verdict,
    person: str,
    expected: Iterable[Expected],
    seen: Iterable[Sighting],
    forbidden: Mapping[str, str],
    least: float,
) -> None:
    """Add one person's search to the account.

    Expected is every (page, image) that shows the person, at `least` or more. Unexpected is any other sighting at
    `least` or more, and any sighting at all, however unlike, from a page or picture that asked not to be indexed.
    """
    seen = list(seen)
    alike = {(one.page, one.image): one for one in seen if one.likeness >= least}
    allowed: set[tuple[str, str]] = set()
    for one in expected:
        verdict.expected += 1
        offers = {(one.page, image) for image in one.images}
        allowed |= offers
        if offers & alike.keys():
            verdict.found += 1
        else:
            verdict.missed.append({"person": person, "site": one.site, "page": one.page, "images": list(one.images)})
    for found in seen:
        wish = forbidden.get(found.image) or forbidden.get(found.page)
        if wish is None and (found.likeness < least or (found.page, found.image) in allowed):
            continue
        verdict.unexpected.append(
            {
                "person": person,
                "page": found.page,
                "image": found.image,
                "likeness": found.likeness,
                "why": f"asked not to be indexed: {wish}" if wish else "not this person, or not on this page",
            }
        )


def judge_vanished(
    verdict: Verdict, person: str, vanished: Iterable[str], before: Iterable[Sighting], after: Iterable[Sighting]
) -> list[Sighting]:
    """After a page went and its site was read again: its sightings are still there, with the old last-seen date and
    marked as vanished. Returns those sightings."""
    gone = frozenset(vanished)
    dates = {(one.page, one.image): one.last_seen for one in before}
    now = {(one.page, one.image): one for one in after}
    kept: list[Sighting] = []
    for key, last_seen in dates.items():
        if key[0] not in gone:
            continue
        verdict.expected += 1
        found = now.get(key)
        if found is None:
            verdict.missed.append(
                {"person": person, "page": key[0], "images": [key[1]], "site": "", "after": "vanishing"}
            )
            continue
        verdict.found += 1
        kept.append(found)
        if found.last_seen != last_seen or found.vanished is None:
            verdict.unexpected.append(
                {
                    "person": person,
                    "page": found.page,
                    "image": found.image,
                    "likeness": found.likeness,
                    "why": "the page had vanished, and nothing says so",
                }
            )
    return kept
