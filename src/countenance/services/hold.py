"""Place and release legal holds, and do what becomes due when one ends.

An authoriser places a hold: it keeps other people's data longer than was promised, which is a decision about them and
none of running the house. Where two people are needed, whoever placed a hold is not the one who releases it. A hold
ends by itself at its date. Every step is an entry, and what the entries say is what counts (`holding`).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.exc import NoResultFound

from countenance.domain.authority import Actor
from countenance.domain.errors import BadInput, Busy, OnHold, Refused, UnknownThing
from countenance.domain.holds import Hold, Scope, Waiting
from countenance.services.erase import Eraser
from countenance.services.holding import Held, reason_item, released_item
from countenance.services.record import Record
from countenance.services.shield import shield_of
from countenance.settings import RetentionSettings
from countenance.store import analyses, authorities, moments, searches, sources

Admit = Callable[[Actor, str], Actor]
"""The actor, who may do this act; raises RoleMissing."""


@dataclass(frozen=True, slots=True)
class NewHold:
    """What is to be held, why and until when. `entries` are entries of the ledger, each of a search."""

    reason: str
    until: datetime
    sources: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    authorities: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    analyses: tuple[str, ...] = ()
    case: str = ""


@dataclass(frozen=True, slots=True)
class HoldDesk:
    """The holds of one home. Safe for several threads."""

    eraser: Eraser
    admit: Admit
    settings: RetentionSettings
    changing: Callable[[], AbstractContextManager[None]]
    """Held from looking at a hold until what was decided is entered."""

    @property
    def record(self) -> Record:
        """The ledger."""
        return self.eraser.record

    # Reading

    def held(self) -> Held:
        """What the ledger tells."""
        return self.record.holding.read(self.record)

    def every(self, actor: Actor) -> list[Hold]:
        """Every hold, the newest first."""
        self.admit(actor, "holds:read")
        return sorted(self.held().holds.values(), key=lambda one: -one.entry)

    def one(self, id: str, actor: Actor) -> Hold:
        """One hold. Raises UnknownThing."""
        self.admit(actor, "holds:read")
        found = self.held().holds.get(id)
        if found is None:
            raise UnknownThing(f"there is no hold {id[:64]}", advice="`countenance hold list` shows them")
        return found

    def reasons(self, hold: Hold) -> dict[str, str | None]:
        """Why it was placed, and why released; None once that was shredded. To be shown to who reads holds."""
        placed = self.record.opened(self.record.ledger.entry(hold.entry)).get(reason_item(hold.id))
        released = None
        if hold.ended is not None and hold.ended.how == "released":
            released = self.record.opened(self.record.ledger.entry(hold.ended.entry)).get(released_item(hold.id))
        return {
            "reason": placed["reason"] if placed else None,
            "released_because": released["reason"] if released else None,
        }

    def sources(self, hold: Hold) -> list[str]:
        """The names of the sources that a hold names, as far as they are there."""
        with self.record.database.read() as c:
            return [one.name for one in sources.every(c) if one.id in hold.scope.sources]

    def waiting(self, hold: Hold | None = None) -> list[Waiting]:
        """Erasures that wait for holds to end; of one hold, or all."""
        every = [one for one in self.held().waiting.values() if one.done is None]
        return [one for one in every if hold is None or hold.id in one.holds]

    def in_full(self, hold: Hold) -> dict[str, Any]:
        """One hold with its reasons, the names of its sources and the erasures that wait for it, as JSON values."""
        body = hold.as_json(moments.now()) | {"names": self.sources(hold)} | self.reasons(hold)
        return body | {"waiting": [one.as_json() for one in self.waiting(hold)]}

    def listed(self, actor: Actor, *, ended: bool) -> dict[str, Any]:
        """The holds in force, the newest first, with those that `ended` if so asked; and every erasure that waits."""
        at = moments.now()
        found = [hold for hold in self.every(actor) if ended or hold.state(at) == "in force"]
        holds = [hold.as_json(at) | {"names": self.sources(hold)} for hold in found]
        return {"holds": holds, "waiting": [one.as_json() for one in self.waiting()]}

    # Deciding

    def place(self, new: NewHold, actor: Actor) -> Hold:
        """Hold this from now on. Nothing that is being erased is held any more: it waits for that to be done.

        Raises BadInput without a reason, an end or anything to hold; UnknownThing for what is not there.
        """
        actor = self.admit(actor, "holds:write")
        now, longest = moments.now(), timedelta(days=self.settings.hold_days)
        if not new.reason.strip():
            raise BadInput("a hold has a reason", advice="say it with --reason")
        if not now < new.until <= now + longest:
            raise BadInput(
                f"a hold ends, in time to come and at most {longest.days} days from now",
                advice="say when with --until; place another when it has to go on",
            )
        id = "H-" + secrets.token_hex(6)
        with self.changing(), self.eraser.home.writing():
            scope = self._scope(new)
            if not scope:
                raise BadInput(
                    "say what to hold", advice="--source, --collection, --authority, --search or --analysis; or several"
                )
            until = new.until.astimezone(UTC).isoformat()
            body = {"hold": id, "of": scope.as_json(), "until": until, "case": new.case.strip() or None}
            self.record.enter("hold.placed", actor, body, sealed={reason_item(id): {"reason": new.reason}})
        return self.held().holds[id]

    def release(self, id: str, reason: str, actor: Actor) -> Hold:
        """End a hold before its date. What is over its time goes with the next run; erasures that waited for it are
        carried out now. Raises Refused, UnknownThing, BadInput."""
        actor = self.admit(actor, "holds:write")
        if not reason.strip():
            raise BadInput("a hold is released for a reason", advice="say it with --reason")
        with self.changing():
            hold = self.held().holds.get(id)
            if hold is None:
                raise UnknownThing(f"there is no hold {id[:64]}", advice="`countenance hold list` shows them")
            if (state := hold.state(moments.now())) != "in force":
                raise Refused(f"this hold is {state} already", advice="there is nothing to release")
            if self.record.profile.two_people and hold.by in actor.names:
                raise Refused(
                    "whoever placed a hold does not release it",
                    advice="another authoriser does, or it ends at its date",
                )
            self.record.enter("hold.released", actor, {"hold": id}, sealed={released_item(id): {"reason": reason}})
        self.enforce(actor)
        return self.held().holds[id]

    # Time

    def enforce(self, actor: Actor) -> dict[str, list[str]]:
        """Enter which holds have ended at their date, and carry out the erasures that waited for them.

        Free while there is neither. Returns the holds that lapsed and the erasures that were carried out.
        """
        now = moments.now()
        lapsed = self._over(now)
        if lapsed:
            with self.changing():
                lapsed = self._over(now)
                for hold in lapsed:
                    self.record.enter("hold.lapsed", actor, {"hold": hold.id, "until": hold.until.isoformat()})
        done = [one.id for one in self.waiting() if self._carry_out(one, actor)]
        return {"lapsed": [hold.id for hold in lapsed], "carried_out": done}

    def _over(self, now: datetime) -> list[Hold]:
        return [one for one in self.held().holds.values() if one.ended is None and now >= one.until]

    def _carry_out(self, waiting: Waiting, actor: Actor) -> bool:
        planned = self.eraser.plan_waiting(waiting)
        if planned.kept:
            return False
        try:
            self.eraser.erase(planned, actor)
        except (Busy, OnHold):
            return False
        return True

    # Inside

    def _scope(self, new: NewHold) -> Scope:
        with self.record.database.read() as c:
            held = [sources.get(c, name).id for name in new.sources]
            for name in new.collections:
                if not sources.those_there(c, [name]):
                    raise UnknownThing(
                        f"there is no collection called {name}", advice="`countenance source list` shows them"
                    )
            for id in new.authorities:
                authorities.get(c, id)
            found = [self._search(text) for text in new.searches]
            for id in found:
                try:
                    searches.get(c, id)
                except NoResultFound:
                    raise UnknownThing(f"there is no search {id[:64]}", advice="the ledger names them") from None
            for id in new.analyses:
                analyses.get(c, id)
        return Scope(_once(held), _once(new.collections), _once(new.authorities), _once(found), _once(new.analyses))

    def _search(self, text: str) -> str:
        """A search's id, from it or from the number of an entry about it."""
        if not text.isdecimal():
            return text
        seq = int(text)
        said = self.record.ledger.entry(seq).body.get("search") if seq < self.record.ledger.size else None
        if said is None:
            raise UnknownThing(f"entry {seq} is not about a search", advice="`countenance ledger show` shows them")
        return str(said)


def held_numbers(record: Record) -> dict[str, Any]:
    """How much is held now, without saying what: for everybody who may see the schedule."""
    with record.database.read() as c:
        shield = shield_of(record, c)
    held = record.holding.read(record)
    return {
        "holds": len(held.in_force(moments.now())),
        "sources": len(shield.sources),
        "searches": len(shield.searches),
        "analyses": len(shield.analyses),
        "erasures_waiting": sum(one.done is None for one in held.waiting.values()),
    }


def _once(values: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(values))
