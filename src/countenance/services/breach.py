"""When something got into the wrong hands: what was exposed, to whom, since when.

Given a time and accounts, tokens or files, it reads the ledger and counts the rows, and says what a notice to the
supervisory authority asks for (GDPR articles 33 and 34; UK Data Protection Act 2018 sections 67 and 68). It is a
reading of the log, with one of the four lawful purposes, and is an entry before anything is read.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from countenance.domain.authority import Actor
from countenance.domain.errors import BadInput, UnknownThing
from countenance.domain.lawful import check_lawful
from countenance.ledger.extract import Extract
from countenance.services import breach_words as words
from countenance.services.breach_acts import Suspect, people_shown, suspect_account, suspect_token
from countenance.services.breach_files import look_at
from countenance.services.home import Home
from countenance.services.lately import Kept
from countenance.services.people import People
from countenance.store import moments

DEADLINE = timedelta(hours=72)
"""From becoming aware until the supervisory authority has to be told (GDPR art. 33(1); UK DPA 2018 s.67)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What may have been exposed: a time, accounts (names, ids or ``os:NAME``), tokens (ids) and files. `aware` is when
    somebody became aware of it."""

    since: datetime
    until: datetime | None = None
    users: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    aware: datetime | None = None
    purpose: str = "integrity"


@dataclass(frozen=True, slots=True)
class BreachDesk:
    """What one home says when something was exposed."""

    home: Home
    people: People
    admit: Callable[[Actor, str], Actor]
    export: Callable[[Actor, Extract], bytes]
    """The ledger's bundle of what an extract picks; an entry."""
    kept: Kept

    def pack(self, asked: Asked, actor: Actor) -> dict[str, Any]:
        """Everything that a notice needs, as JSON values. Raises BadInput, UnknownThing, LedgerUnavailable,
        LedgerBroken."""
        clock = time.perf_counter()
        actor = self.admit(actor, "oversight:read")
        check_lawful(asked.purpose)
        now = moments.now()
        until, aware = asked.until or now, asked.aware or now
        if not (asked.users or asked.tokens or asked.files):
            raise BadInput("say what was exposed", advice="--user, --token or --file; or several")
        if asked.since >= until:
            raise BadInput("this time ends before it begins", advice="give --from a time before --to")
        if aware > now:
            raise BadInput("nobody is aware of what is to come", advice="give --aware a time that has been")
        accounts = [suspect_account(self.people, one) for one in asked.users]
        tokens = [suspect_token(self.home.record, one) for one in asked.tokens]
        files = [look_at(self.home, one) for one in asked.files]
        receipt = self.home.record.enter(
            "oversight.read",
            actor,
            {
                "what": "breach",
                "purpose": asked.purpose,
                "since": asked.since.isoformat(),
                "until": until.isoformat(),
                "users": [one.who for one in accounts],
                "tokens": [one.who for one in tokens],
                "files": [one.kind for one in files],
                "opened": False,
            },
        )
        suspects = [one.read(self.home.record, asked.since, until) for one in (*accounts, *tokens)]
        affected = people_shown(self.home.record, suspects)
        body: dict[str, Any] = {
            "read": receipt.seq,
            "made": now.isoformat(),
            "purpose": asked.purpose,
            "period": {"from": asked.since.isoformat(), "to": until.isoformat()},
            "aware": aware.isoformat(),
            "deadline": (aware + DEADLINE).isoformat(),
            "hours_left": round((aware + DEADLINE - now) / timedelta(hours=1), 1),
            "accounts": [self._named(one) for one in suspects if not one.token],
            "tokens": [self._named(one) for one in suspects if one.token],
            "files": [one.as_json() for one in files],
            "affected": affected,
        }
        body["notice"] = words.notice(body)
        body["listed"] = sorted({receipt.seq}.union(*(one.listed for one in suspects)))
        body["seconds"] = round(time.perf_counter() - clock, 2)
        self.kept.put(str(receipt.seq), actor.user, body)
        return body

    def made(self, read: int, actor: Actor) -> dict[str, Any]:
        """A pack that was just made, by the entry of its reading, for whoever made it. Raises UnknownThing."""
        actor = self.admit(actor, "oversight:read")
        body = self.kept.get(str(read), actor.user)
        if body is None:
            raise UnknownThing("this pack is no longer kept", advice="make it again")
        return body

    def extract(self, body: dict[str, Any], actor: Actor) -> bytes:
        """The entries that a pack lists, as a bundle that `python -m countenance.ledger.verify` checks, with the proofs
        of all. It leaves the house, which is an entry. Raises LedgerUnavailable, LedgerBroken."""
        chosen = Extract(entries=frozenset(body["listed"]), listed_by=f"reading {body['read']}")
        return self.export(self.admit(actor, "oversight:read"), chosen)

    def _named(self, one: Suspect) -> dict[str, Any]:
        return one.as_json() | {"name": self.people.name_of(one.user)}
