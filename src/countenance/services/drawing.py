"""Draw searches for inspection: which ones, and who looks at each who had no part in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from countenance.domain.acts import Acts, Search
from countenance.domain.inspections import WEIGHTS, Draw, Inspection, drawn, seed_of
from countenance.domain.misuse.flag import Flag
from countenance.domain.people import Account
from countenance.ledger.entry import parse_time
from countenance.ledger.log import Ledger
from countenance.services.acts import STARTED
from countenance.services.recall import first_at
from countenance.services.record import Record

ROLES = ("reviewer", "auditor")
"""Who is asked to look: reviewers, and overseers where no reviewer is free."""

MONDAY = datetime(1970, 1, 5, tzinfo=UTC)


def period_of(moment: datetime, days: int) -> datetime:
    """When the period of so many days began in which a moment is: periods are counted from a Monday, in UTC."""
    return MONDAY + (moment - MONDAY) // timedelta(days=days) * timedelta(days=days)


def population(ledger: Ledger, since: datetime, until: datetime, size: int, before: Iterable[str]) -> list[str]:
    """The ids that a draw chooses from: every search that began from `since` up to `until`, among the first `size`
    entries, and was in no earlier draw (`before`)."""
    gone = set(before)
    return [
        str(entry.body["search"])
        for entry in ledger.mentioning(f'"type":"{STARTED}"', 0, size)
        if since <= parse_time(entry.at) < until and entry.body["search"] not in gone
    ]


def waits(ledger: Ledger, since: datetime, until: datetime, before: Iterable[str]) -> bool:
    """Whether there is anything that a draw could choose from, read from about `since` on alone."""
    size, gone = ledger.size, set(before)
    return any(
        since <= parse_time(entry.at) < until and entry.body["search"] not in gone
        for entry in ledger.mentioning(f'"type":"{STARTED}"', first_at(ledger, since, size), size)
    )


def drawn_again(draw: Draw, ledger: Ledger, before: Iterable[str]) -> list[str]:
    """The random ones of a draw, drawn again from the ledger alone."""
    ids = population(ledger, draw.since, draw.until, draw.size, before)
    return drawn(seed_of(bytes.fromhex(draw.root), draw.word), ids, draw.random)


def weighed(acts: Acts, flags: Iterable[Flag]) -> dict[str, tuple[int, tuple[str, ...]]]:
    """The weight of each search on which a sign rests, and the signs: also those that rest on its authority."""
    grants = {grant.authority: grant.seq for grant in acts.grants}
    signs = list(flags)
    found = {}
    for one in acts.searches:
        entries = {one.seq, grants.get(one.authority, -1), *(deed.seq for deed in one.deeds)}
        entries |= {one.shown.seq} if one.shown else set()
        mine = [flag for flag in signs if entries.intersection(flag.entries)]
        if mine:
            rules = tuple(sorted({flag.rule for flag in mine}))
            found[one.search] = (sum(WEIGHTS[flag.severity] for flag in mine), rules)
    return found


def by_risk(
    weights: dict[str, tuple[int, tuple[str, ...]]], among: Iterable[str], seed: bytes, count: int
) -> list[str]:
    """The heaviest, and of equally heavy ones those that the seed puts first."""
    return sorted(
        (search for search in among if search in weights),
        key=lambda search: (-weights[search][0], sha256(seed + search.encode()).digest()),
    )[:count]


def parties(record: Record, one: Search, acts: Acts) -> frozenset[str]:
    """Everybody who had a part in a search: who made it, asked for leave, granted it, judged, opened or exported."""
    grant = next((grant for grant in acts.grants if grant.authority == one.authority), None)
    request = record.papers.read(record).of_authority(one.authority)
    reviews = [review for review in record.docket.read(record).values() if review.search == one.search]
    names = {one.who, *(deed.who for deed in one.deeds)}
    names |= {grant.by, grant.holder} if grant else set()
    names |= {request.holder, *(step.by for step in request.steps)} if request else set()
    for review in reviews:
        names |= {review.opened_by, *(verdict.by for verdict in review.verdicts), *(who for who, _ in review.looking)}
    return frozenset(names)


def names_of(account: Account) -> frozenset[str]:
    """Every name under which an account acts."""
    return frozenset({account.user, *(f"os:{user}" for user in account.system_users)})


def eligible(accounts: Iterable[Account], apart: frozenset[str]) -> list[Account]:
    """Who may look at a search in which these had a part: reviewers, or overseers where there is none."""
    free = [one for one in accounts if not one.disabled and not names_of(one) & apart]
    for role in ROLES:
        if found := [one for one in free if role in one.roles]:
            return found
    return []


def assign(
    searches: Iterable[str],
    apart: dict[str, frozenset[str]],
    accounts: Iterable[Account],
    open_now: Iterable[Inspection],
    seed: bytes,
) -> dict[str, str | None]:
    """Who looks at each search: of those who may, whoever has the fewest open, ties by the seed; else None."""
    load = Counter(one.assigned for one in open_now if one.finding is None)
    people, found = list(accounts), dict[str, str | None]()
    for search in searches:
        free = eligible(people, apart[search])
        chosen = min(
            free,
            key=lambda one: (load[one.user], sha256(seed + f"{search}{one.user}".encode()).digest()),
            default=None,
        )
        found[search] = chosen.user if chosen else None
        load[found[search]] += 1
    return found
