"""Whole worlds by name."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from tools.proxysim import face_sites as sites
from tools.proxysim.browsing import SEARCH_ENGINE, Browser
from tools.proxysim.other_sites import OTHERS, a_day_s_work
from tools.proxysim.people import at_desks, organisation
from tools.proxysim.traffic import Act, Exchange, Person
from tools.proxysim.views import seen
from tools.proxysim.world import DAY, Calendar, Gap, Play, World, drawn, played, side_by_side

MONDAY = 1_788_134_400.0
"""2026-08-31T00:00:00Z."""
SPRING = 1_775_001_600.0
"""2026-04-01T00:00:00Z."""
HITS = 2_337


def small(seed: int) -> World:
    """A fortnight of thirty people with every kind of act in it, a shared desk, a skewed clock, and a gap."""
    return _everything("small", seed, days=14, count=30, acts=60, pages=60)


def year(seed: int) -> World:
    """The same over a year of four hundred people."""
    return _everything("year", seed, days=365, count=400, acts=2_400, pages=6_000)


def hits(seed: int) -> World:
    """2,337 lines of PimEyes' hosts in three months, in the Squid log of an organisation that inspects most desks.

    Fourteen searches were truly made, by nine people; four more submissions came to nothing. The count of lines is
    exact for the view `mixed` in the format `squid`, where each tunnel and each request is one line.
    """
    rng = random.Random(f"{seed}/hits")
    people = organisation(rng, 64, inspected=0.9)
    calendar = Calendar(rng, SPRING, 91)
    inside = [person for person in people if person.inspected]
    outside = [person for person in people if not person.inspected]
    searchers, hidden = rng.sample(inside, 7), rng.sample(outside, 2)
    told = _times({sites.searches_old: 4, sites.searches_new: 3, sites.searches_twice: 1})
    told += _times({sites.searches_and_leaves: 2, sites.search_fails: 4})
    acts: list[Act] = []
    for place, play in enumerate(told):
        acts += played(rng, calendar, [searchers[place % len(searchers)]], [play], len(acts) + 1)
    for person, play in zip(hidden * 2, (sites.searches_old, sites.searches_new, sites.searches_old), strict=False):
        acts += played(rng, calendar, [person], [play], len(acts) + 1)
    harmless = _times({sites.opts_out: 3, sites.uploads_only: 2, sites.signs_in: 3, sites.refused: 8})
    harmless += _times({sites.scanned: 6, sites.prefetched: 8, sites.embedded: 8, sites.asked_to_sign_in_first: 5})
    acts += played(rng, calendar, people, harmless, len(acts) + 1)
    background = _work(rng, calendar, people, 1_500)
    world = World("hits-2337", seed, SPRING, 91, people, tuple(acts), background)
    return _filled(rng, calendar, world)


def _filled(rng: random.Random, calendar: Calendar, world: World) -> World:
    """Casual visits until the log has exactly so many lines of the site; the last of them are as long as it takes."""
    plays = _times({sites.from_the_press: 6, sites.reads: 1})
    acts = list(world.acts)
    left = HITS - hits_in(world)
    inside = [person for person in world.people if person.inspected]
    never = [person for person in world.people if person not in {act.person for act in acts}]
    while left > 50 or never:
        person = never.pop() if never else rng.choice(world.people)
        act = played(rng, calendar, [person], [rng.choice(plays)], len(acts) + 1)[0]
        acts.append(act)
        left -= hits_in(replace(world, acts=(act,), background=()))
    while left > 0:
        lines = min(left, 14) if left != 15 else 13
        desk = rng.choice(inside if left > 1 else [person for person in world.people if not person.inspected])
        acts += played(rng, calendar, [desk], [partial(_looks, lines=lines)], len(acts) + 1)
        left -= lines
    return replace(world, acts=tuple(acts))


def hits_in(world: World) -> int:
    """Lines of PimEyes' hosts in the mixed view."""
    return sum(row.host == sites.PIMEYES or row.host.endswith("." + sites.PIMEYES) for row in seen(world, "mixed"))


def _times(counts: dict[Play, int]) -> list[Play]:
    return [play for play, count in counts.items() for _ in range(count)]


def _looks(browser: Browser, lines: int) -> Act:
    """A visit of so many lines, of which the tunnel and the page are two."""
    browser.page(sites.PIMEYES, "/en", referrer=SEARCH_ENGINE, assets=lines - 2)
    return browser.done("looks at the front page", sites.PIMEYES, "VISIT")


def _everything(name: str, seed: int, *, days: int, count: int, acts: int, pages: int) -> World:
    rng = random.Random(f"{seed}/{name}")
    people = organisation(rng, count, inspected=0.6, terminals=2)
    calendar = Calendar(rng, MONDAY, days)
    desks = at_desks(people)
    done = played(rng, calendar, desks, drawn(rng, {**sites.COMMON, **OTHERS}, acts), 1)
    pairs = [people[place : place + 2] for place in range(len(desks), len(people), 2)]
    for pair in pairs:
        plays: list[Play] = [sites.from_the_press, sites.searches_old]
        done += side_by_side(rng, calendar, pair, plays, len(done) + 1)
    night = MONDAY + rng.randrange(1, days) * DAY
    gap = Gap("a", night + 9 * 3_600, night + 11 * 3_600)
    done = [act for act in done if not _half_in(act, gap)]
    work = _work(rng, calendar, desks, pages)
    return World(name, seed, MONDAY, days, people, tuple(done), work, skew={"b": -171.0}, gaps=(gap,))


def _half_in(act: Act, gap: Gap) -> bool:
    """Whether the gap cuts an act in two: what is left would be another act, so there are none of these."""
    begin, end = act.start - 60, act.end + 60
    return (
        act.person.proxy == gap.proxy
        and begin < gap.end
        and end > gap.start
        and not (gap.start <= begin and end <= gap.end)
    )


def _work(rng: random.Random, calendar: Calendar, people: tuple[Person, ...], pages: int) -> tuple[Exchange, ...]:
    exchanges: list[Exchange] = []
    for _ in range(pages // 10):
        browser = Browser(rng, 0, rng.choice(people), calendar.any_moment())
        exchanges += a_day_s_work(browser, 10)
    return tuple(exchanges)


SCENARIOS: dict[str, Callable[[int], World]] = {"small": small, "year": year, "hits-2337": hits}
