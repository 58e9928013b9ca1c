"""Findings beside the truth: which acts a session is made of, what it was taken for, and whether its bounds hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from countenance.domain.proxy import Grade, Session
from tools.proxysim.traffic import Act
from tools.proxysim.views import View
from tools.proxysim.world import World
from tools.proxysim.writers import written
from tools.proxysim.writers.product import Ceiling, Product

SITES = {
    "pimeyes.com": "pimeyes",
    "facecheck.id": "facecheck",
    "search4faces.com": "search4faces",
    "lenso.ai": "lenso",
    "tineye.com": "tineye",
    "lens.google.com": "google-lens",
}
"""The name of the profile of each site."""

CLAIMS = frozenset({Grade.SEARCH_SUBMITTED, Grade.RESULTS_VIEWED})
NEAR = 300.0
"""Seconds by which a log's times may be off: a skewed clock, and tunnels that outlive what was in them."""
NOT_SEEN = "(no session)"
ORDER = (
    Grade.RESULTS_VIEWED,
    Grade.SEARCH_SUBMITTED,
    Grade.UPLOAD,
    Grade.OPT_OUT,
    Grade.INDETERMINATE,
    Grade.VISIT,
    Grade.BACKGROUND,
    Grade.BLOCKED,
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Acts that no log could hold apart, and the sessions that were made of them."""

    acts: tuple[Act, ...]
    sessions: tuple[Session, ...]

    @property
    def truth(self) -> str:
        """The class of what went furthest."""
        return min((act.truth for act in self.acts), key=lambda name: ORDER.index(Grade(name)), default="(no act)")

    @property
    def found(self) -> str:
        """The class of the session that goes furthest."""
        return min((one.grade for one in self.sessions), key=ORDER.index, default=NOT_SEEN)

    @property
    def searches(self) -> int:
        """How many there truly were."""
        return sum(act.searches for act in self.acts)

    @property
    def inside(self) -> bool:
        """Whether the truth lies within the bounds."""
        low, high = bounds(self.sessions)
        return low <= self.searches <= high

    @property
    def told(self) -> bool:
        """Whether method, path and status settle all of it."""
        return all(act.told_by == "url" for act in self.acts)


@dataclass(slots=True)
class Score:
    """Of one world in one format and view. `outside` are desks, or the total, whose bounds miss the truth."""

    pairs: list[Pair] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    bounds: tuple[int, int] = (0, 0)
    searches: int = 0

    @property
    def claimed(self) -> int:
        """Sessions that are called searches or that are said to hold at least one."""
        every = [one for pair in self.pairs for one in pair.sessions]
        return sum(one.grade in CLAIMS or one.searches.at_least > 0 for one in every)

    def confusion(self) -> Counter[tuple[str, str]]:
        """(true class, class found) → how often."""
        return Counter((pair.truth, str(pair.found)) for pair in self.pairs)


def scored(world: World, product: Product, view: View, sessions: Iterable[Session]) -> Score:
    """Lay sessions beside what truly happened on face-search sites, as far as the log has a line of it.

    Sessions of reverse-image sites are no part of it, except that none of them may have been called a face search.
    """
    there = {row.act for row in written(world, product, view)}
    acts = [act for act in world.acts if act.category == "face" and act.number in there]
    faces = [one for one in sessions if one.category == "face"]
    score = Score(pairs=_paired(acts, faces))
    for desk in sorted({act.person.address for act in acts} | {address(one) for one in faces}):
        truth = sum(act.searches for act in acts if act.person.address == desk)
        low, high = bounds([one for one in faces if address(one) == desk])
        if not low <= truth <= high:
            score.outside.append(f"{desk}: {truth} not within {low} and {high}")
    score.searches = sum(act.searches for act in acts)
    score.bounds = bounds(faces)
    if not score.bounds[0] <= score.searches <= score.bounds[1]:
        score.outside.append(f"in total: {score.searches} not within {score.bounds[0]} and {score.bounds[1]}")
    return score


def ceiling_of(pair: Pair, product: Product, view: View) -> Ceiling:
    """How much the lines of a pair can show: in the mixed view it depends on the desk."""
    if view != "mixed":
        return product.shows[view]
    inside = all(act.person.inspected for act in pair.acts)
    return product.shows["inspected"] if inside else product.shows.get("bytes", "V1")


def bounds(sessions: Sequence[Session]) -> tuple[int, int]:
    """The sums of what sessions say at least and at most."""
    return sum(one.searches.at_least for one in sessions), sum(one.searches.at_most for one in sessions)


def address(session: Session) -> str:
    """The desk of a session; nobody roams in these worlds."""
    return session.addresses[0] if session.addresses else session.who


def _paired(acts: Sequence[Act], sessions: Sequence[Session]) -> list[Pair]:
    """Groups of acts and sessions that belong to one desk and site and touch in time, one after another."""
    items: list[tuple[str, str, float, float, Act | Session]] = [
        (act.person.address, SITES[act.site], act.start, act.end, act) for act in acts
    ]
    items += [(address(one), one.site, one.start, one.end, one) for one in sessions]
    items.sort(key=lambda item: (item[0], item[1], item[2], isinstance(item[4], Session)))
    groups: list[list[Act | Session]] = []
    here, until = ("", ""), 0.0
    for desk, site, start, end, item in items:
        if (desk, site) != here or start > until:
            groups.append([])
            here, until = (desk, site), 0.0
        groups[-1].append(item)
        until = max(until, end + NEAR)
    return [
        Pair(
            tuple(one for one in group if isinstance(one, Act)), tuple(one for one in group if isinstance(one, Session))
        )
        for group in groups
    ]
