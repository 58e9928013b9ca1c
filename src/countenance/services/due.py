"""What is due by the retention schedule up to a moment: the job destroys it, the page shows it.

One function a rule of :mod:`countenance.services.schedule`; each reads, none changes anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import Connection

from countenance.access import tokens
from countenance.domain.holds import Shield
from countenance.services.altered import end_of
from countenance.services.holding import reason_item, released_item
from countenance.services.record import Record
from countenance.services.request import notes_over
from countenance.services.review import control_item
from countenance.services.shield import shield_of
from countenance.settings import Settings
from countenance.store import analyses, items, reviews, searches, signing, sources


@dataclass(frozen=True, slots=True)
class Due:
    """Something whose time is over `at`. `id` names it for the job alone; `item` is what is sealed of it, `holds` keep
    it for now."""

    rule: str
    id: str
    at: datetime
    item: str | None = None
    holds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Looking:
    """What the rules look at: everything due before, or at, this moment."""

    record: Record
    c: Connection
    settings: Settings
    before: datetime
    shield: Shield

    @property
    def probe_time(self) -> timedelta:
        """How long probes and notes are kept."""
        return timedelta(days=self.settings.retention.probe_days)


def due(record: Record, settings: Settings, before: datetime) -> list[Due]:
    """Everything that is due up to a moment, by rule, the oldest first. Raises LedgerBroken."""
    with record.database.read() as c:
        looking = Looking(record, c, settings, before, shield_of(record, c))
        found = [one for rule in FINDERS.values() for one in rule(looking)]
        there = items.open_keys(c, [one.item for one in found if one.rule in _SEALED_ALONE and one.item])
    # What was shredded before, by an erasure or by a run that was cut off, is not due again.
    left = [one for one in found if one.rule not in _SEALED_ALONE or one.item in there]
    return sorted(left, key=lambda one: (_ORDER.index(one.rule), one.at, one.id))


def _sources(of: Looking) -> Iterable[Due]:
    for source in sources.every(of.c):
        # A row that somebody edited neither keeps a source past its time nor ends it early. One that nobody
        # registered was never to be kept.
        at = end_of(of.record, source, sources.registered_seq(of.c, source.id))
        at = at or min(source.registered_at, of.before)
        if at <= of.before:
            yield Due("sources", source.name, at, holds=of.shield.sources.get(source.id, ()))


def _analyses(of: Looking) -> Iterable[Due]:
    for id, at in analyses.over(of.c, before=of.before):
        yield Due("analyses", id, at, holds=of.shield.analyses.get(id, ()))


def _probes(of: Looking) -> Iterable[Due]:
    for id, at in searches.probes_over(of.c, before=of.before):
        yield Due("probes", id, at, f"probe:{id}", of.shield.searches.get(id, ()))


def _results(of: Looking) -> Iterable[Due]:
    for id, at in searches.results_over(of.c, before=of.before):
        yield Due("results", id, at, holds=of.shield.searches.get(id, ()))


def _notes(of: Looking) -> Iterable[Due]:
    shield = of.shield
    for item, of_what, at in items.notes_over(of.c, before=of.before, keep=of.probe_time):
        yield Due("notes", item, at, item, shield.searches.get(of_what, shield.items.get(item, ())))
    for item, _, at in notes_over(of.record, before=of.before, keep=of.probe_time):
        yield Due("notes", item, at, item, shield.items.get(item, ()))
    for hold in of.record.holding.read(of.record).holds.values():
        over = (hold.ended.at if hold.ended else hold.until) + of.probe_time
        if over <= of.before:
            yield from (Due("notes", item, over, item) for item in (reason_item(hold.id), released_item(hold.id)))
    yield from _verdicts(of)


def _verdicts(of: Looking) -> Iterable[Due]:
    """Why reviewers judged as they did: for as long as the probe that they judged, or as the known pair."""
    docket = of.record.docket.read(of.record)
    noted = items.beginning(of.c, "note:J-")
    until = searches.keep_until(of.c, {one.search for one in docket.values() if one.search})
    for item in noted:
        review = docket.get(item.split(":")[1])
        if review is None or review.control:
            # Of a pair that was taken away; verdicts on one that is there go with it.
            over = of.before if review is None else review.opened_at + _pairs(of)
        else:
            over = until.get(review.search, review.opened_at + of.probe_time)
        if over <= of.before:
            yield Due("notes", item, over, item, of.shield.searches.get(review.search, ()) if review else ())


def _review_pictures(of: Looking) -> Iterable[Due]:
    docket = of.record.docket.read(of.record)
    for id, at in reviews.over(of.c, before=of.before):
        search = docket[id].search if id in docket else ""
        yield Due("review-pictures", id, at, holds=of.shield.searches.get(search, ()))


def _known_pairs(of: Looking) -> Iterable[Due]:
    for one in of.record.docket.read(of.record).values():
        if one.control and one.opened_at + _pairs(of) <= of.before:
            yield Due("known-pairs", one.id, one.opened_at + _pairs(of), control_item(one.id))


def _pairs(of: Looking) -> timedelta:
    return timedelta(days=of.settings.retention.known_pair_days)


def _tokens(of: Looking) -> Iterable[Due]:
    keep = timedelta(days=of.settings.retention.token_days)
    for id, at in tokens.ended(of.c, before=of.before - keep):
        yield Due("tokens", id, at + keep)


def _closed_accounts(of: Looking) -> Iterable[Due]:
    keep = timedelta(days=of.settings.retention.closed_account_days)
    disabled = [one for one in of.record.people.read(of.record).accounts.values() if one.disabled]
    # By the keys that are there, not by what is remembered: of a run that was cut off after its receipt the ledger says
    # that the name went, and it is there still.
    named = items.open_keys(of.c, [f"account:{one.id}" for one in disabled])
    for account in disabled:
        if f"account:{account.id}" not in named and not signing.has_credentials(of.c, account.id):
            continue
        closed = datetime.fromisoformat(of.record.ledger.entry(account.since).at)
        if closed + keep <= of.before:
            yield Due("closed-accounts", account.id, closed + keep, f"account:{account.id}")


def _sessions(of: Looking) -> Iterable[Due]:
    yield from _daily(of, "sessions", ((key.hex(), at) for key, at in signing.sessions_over(of.c, before=of.before)))


def _devices(of: Looking) -> Iterable[Due]:
    yield from _daily(of, "devices", ((key.hex(), at) for key, at in signing.devices_over(of.c, before=of.before)))


def _attempts(of: Looking) -> Iterable[Due]:
    yield from _daily(of, "attempts", signing.attempts_over(of.c, before=of.before))


def _daily(of: Looking, rule: str, over: Iterable[tuple[str, datetime]]) -> Iterable[Due]:
    """What opens nothing any more is cleared once a day, so that the ledger is not full of it."""
    midnight = datetime.combine(of.before.astimezone(UTC).date(), time(), UTC)
    yield from (Due(rule, key, at) for key, at in over if at < midnight)


FINDERS: dict[str, Callable[[Looking], Iterable[Due]]] = {
    "sources": _sources,
    "analyses": _analyses,
    "probes": _probes,
    "notes": _notes,
    "review-pictures": _review_pictures,
    "results": _results,
    "known-pairs": _known_pairs,
    "sessions": _sessions,
    "devices": _devices,
    "attempts": _attempts,
    "tokens": _tokens,
    "closed-accounts": _closed_accounts,
}
"""By rule: every one that the job applies."""

_ORDER = tuple(FINDERS)
_SEALED_ALONE = frozenset({"notes"})
"""What is nothing but its key."""
