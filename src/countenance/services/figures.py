"""What the overseer's pictures show: searches over time, by person, purpose and basis, by hour of the week, and how
many led anywhere. Plain counts as JSON values; `reports.oversight_plots` draws them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from countenance.domain.acts import Acts, Search
from countenance.services.transparency import outcome

CAME = {
    "reliable": "a reliable candidate",
    "unreliable": "only candidates no better than strangers",
    "none": "no candidate",
    "cut_off": "nothing was shown",
}
"""What came of a search, as far as pictures tell it apart."""

UNKNOWN = ""
"""What stands for a purpose or basis that is not known: that of an authority that is in no entry."""


def came_of(one: Search) -> str:
    """In which of :data:`CAME` a search is."""
    found = outcome(one)
    return found if found in CAME else "reliable"


def figures(acts: Acts, zone: ZoneInfo) -> dict[str, Any]:
    """Counts for every picture. `zone` is that of the hours; days, weeks and months are those of UTC."""
    bases = {grant.authority: grant.basis for grant in acts.grants}
    searches = acts.searches
    return {
        "zone": zone.key,
        "came": dict.fromkeys(CAME, 0) | Counter(came_of(one) for one in searches),
        "time": _time(searches),
        "people": _shares(searches, lambda one: one.who),
        "purposes": _shares(searches, lambda one: one.purpose),
        "bases": _shares(searches, lambda one: bases.get(one.authority, UNKNOWN)),
        "cases": _shares(searches, lambda one: one.case),
        "hours": _hours(searches, zone),
    }


def _shares(searches: Iterable[Search], key: Callable[[Search], str]) -> list[dict[str, Any]]:
    """Searches and those of them with a reliable candidate, by key, the most first."""
    every, led = Counter[str](), Counter[str]()
    for one in searches:
        every[key(one)] += 1
        led[key(one)] += came_of(one) == "reliable"
    return [
        {"key": name, "searches": count, "reliable": led[name]}
        for name, count in sorted(every.items(), key=lambda item: (-item[1], item[0]))
    ]


def _time(searches: tuple[Search, ...]) -> dict[str, Any]:
    """Each day, week or month from the first search to the last, with what came of its searches."""
    if not searches:
        return {"unit": "day", "spans": []}
    first, last = min(one.at for one in searches), max(one.at for one in searches)
    days = (last - first).days
    unit = "day" if days <= 60 else "week" if days <= 400 else "month"
    counts: dict[datetime, Counter[str]] = {}
    for one in searches:
        counts.setdefault(_begin(one.at, unit), Counter())[came_of(one)] += 1
    spans, at = [], _begin(first, unit)
    while at <= last:
        after = _begin(
            at + {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=32)}[unit], unit
        )
        came = dict.fromkeys(CAME, 0) | counts.get(at, Counter())
        spans.append({"from": at.isoformat(), "to": after.isoformat(), "came": came, "searches": sum(came.values())})
        at = after
    return {"unit": unit, "spans": spans}


def _begin(at: datetime, unit: str) -> datetime:
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if unit == "month" else day


def _hours(searches: Iterable[Search], zone: ZoneInfo) -> list[list[int]]:
    """Seven rows (Monday first) of twenty-four counts, in local time."""
    grid = [[0] * 24 for _ in range(7)]
    for one in searches:
        local = one.at.astimezone(zone)
        grid[local.weekday()][local.hour] += 1
    return grid
