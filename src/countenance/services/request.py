"""Ask for an authority, and decide on what was asked: one person asks, another one approves.

Every step is an entry, and what the entries say is what counts (`paperwork`). An urgent request may be used at once;
what it found is deleted when nobody has approved it in time, or when it is declined, and the ledger keeps that it was.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from countenance.domain import justification
from countenance.domain.authority import Actor, Authority
from countenance.domain.errors import BadInput, Refused, UnknownThing
from countenance.domain.requests import DRAFTED, Reasons, Request, Wanted
from countenance.services import authorise
from countenance.services.cases import Cases, cases_of
from countenance.services.paperwork import Papers, declined_item, item_of
from countenance.services.permit import probe_item
from countenance.services.record import Record
from countenance.services.shield import shield_of
from countenance.settings import AuthoritySettings
from countenance.store import authorities, items, moments, searches

Admit = Callable[[Actor, str], Actor]
"""The actor, who may do this act; raises RoleMissing."""

_TEXTS = ("necessity", "proportionality")

_FAULTS = {
    "too-short": f"is too short: at least {justification.LEAST_WORDS} words",
    "too-long": f"is too long: at most {justification.LONGEST} characters",
    "empty-words": "repeats a few words",
    "repeated": "is word for word that of another request",
}


@dataclass(frozen=True, slots=True)
class RequestDesk:
    """Requests of one home, and what becomes of them. Safe for several threads."""

    record: Record
    admit: Admit
    settings: AuthoritySettings
    changing: Callable[[], AbstractContextManager[None]]
    """Held from looking at a request until what was decided is entered: two people cannot decide at once."""

    @property
    def cases(self) -> Cases:
        """How a case's number is checked."""
        return cases_of(self.settings)

    # Reading

    def papers(self) -> Papers:
        """What the ledger tells."""
        return self.record.papers.read(self.record)

    def every(self, actor: Actor) -> list[Request]:
        """Every request, the newest first; drafts only to whoever wrote them."""
        actor = self.admit(actor, "authorities:read")
        found = [r for r in self.papers().requests.values() if r.state != DRAFTED or r.holder in actor.names]
        return sorted(found, key=lambda one: -one.entry)

    def one(self, id: str, actor: Actor) -> Request:
        """One request. Raises UnknownThing."""
        found = next((one for one in self.every(actor) if one.id == id), None)
        if found is None:
            raise UnknownThing(f"there is no request {id[:64]}", advice="`countenance authority requests` shows them")
        return found

    def reasons(self, request: Request) -> Reasons | None:
        """Why it was asked for, in words; None once that was shredded. See `show_reasons` for showing them."""
        asked = [s for s in request.steps if s.what in ("drafted", "requested", "urgent")]
        opened = self.record.opened(self.record.ledger.entry(asked[-1].entry)).get(item_of(request.id))
        return Reasons(**opened | {"near": tuple(opened["near"])}) if opened else None

    def show_reasons(self, request: Request, actor: Actor) -> Reasons | None:
        """The same, to be shown to somebody: that another than the one who wrote them reads them is an entry first."""
        actor = self.admit(actor, "authorities:read")
        if request.holder not in actor.names:
            self.record.enter("request.shown", actor, {"request": request.id})
        return self.reasons(request)

    # Asking

    def draft(self, wanted: Wanted, reasons: Reasons, actor: Actor, id: str | None = None) -> Request:
        """Write a request down without asking yet, or write a draft anew. Raises BadInput, UnknownThing, Refused."""
        actor = self.admit(actor, "authorities:request")
        if id is not None:
            self._own(id, actor, DRAFTED)
        authorise.check_terms(self.record, wanted)
        id = id or _new_id()
        sealed = {item_of(id): reasons.as_json()}
        self.record.enter("authority.drafted", actor, _body(id, wanted, actor), sealed=sealed)
        return self.papers().requests[id]

    def ask(self, wanted: Wanted, reasons: Reasons, actor: Actor, id: str | None = None) -> Request:
        """Ask; `id` is that of a draft of one's own. An urgent request may be searched under when this returns.

        Raises BadInput for a justification that says nothing or a case that is not one, UnknownThing, Refused.
        """
        actor = self.admit(actor, "authorities:request")
        if id is not None:
            self._own(id, actor, DRAFTED)
        id = id or _new_id()
        authorise.check_terms(self.record, wanted)
        self._check_lists(wanted)
        self.cases.check(wanted.case, self.papers())
        reasons = replace(reasons, near=self._judged(reasons, id))
        sealed = {item_of(id): reasons.as_json()}
        if not wanted.urgent:
            self.record.enter("authority.requested", actor, _body(id, wanted, actor), sealed=sealed)
            return self.papers().requests[id]
        self.admit(actor, "search")
        due = moments.now() + timedelta(hours=self.settings.urgent_hours)
        authority = authorise.drawn_up(
            wanted, holder=actor.user, granted_by=actor.user, self_approved=True, request=id, due=due
        )
        receipt = self.record.enter("authority.urgent", actor, authority.terms(), sealed=sealed)
        authorise.put_in_force(self.record, authority, receipt.seq)
        return self.papers().requests[id]

    def withdraw(self, id: str, actor: Actor) -> Request:
        """Take back a request of one's own that nobody has decided on. Raises Refused, UnknownThing."""
        actor = self.admit(actor, "authorities:request")
        with self.changing():
            request = self.one(id, actor)
            if request.holder not in actor.names:
                raise Refused("this is somebody else's request", advice="whoever asked takes it back")
            if request.state not in ("drafted", "requested") or request.due is not None:
                raise Refused(
                    f"this request cannot be taken back: it is {request.state}",
                    advice="an urgent one was used already, and somebody has to judge it; an authority is revoked",
                )
            self.record.enter("authority.withdrawn", actor, {"request": id})
            return self.papers().requests[id]

    # Deciding

    def approve(self, id: str, actor: Actor) -> Authority:
        """Approve what somebody else asked for; their authority is in force when this returns.

        Where one person is alone they may approve their own, which is marked wherever it appears. Raises Refused,
        UnknownThing, BadInput when the time that was asked for is over.
        """
        actor = self.admit(actor, "authorities:write")
        with self.changing():
            request = self._to_decide(id, actor)
            own = request.holder in actor.names
            if request.due is not None and request.authority is not None:
                self.record.enter("authority.approved", actor, {"request": id, "authority": request.authority})
                with self.record.database.read() as c:
                    return authorities.get(c, request.authority)
            authorise.check_terms(self.record, request.wanted)
            self.cases.check(request.wanted.case, self.papers())
            authority = authorise.drawn_up(
                request.wanted, holder=request.holder, granted_by=actor.user, self_approved=own, request=id
            )
            receipt = self.record.enter("authority.granted", actor, authority.terms())
            return authorise.put_in_force(self.record, authority, receipt.seq)

    def decline(self, id: str, reason: str, actor: Actor) -> Request:
        """Say no, and why. What an urgent request has found is deleted. Raises Refused, UnknownThing, BadInput."""
        actor = self.admit(actor, "authorities:write")
        if not reason.strip():
            raise BadInput("a request is declined for a reason", advice="say it with --reason")
        with self.changing():
            request = self._to_decide(id, actor)
            body = {"request": id, "authority": request.authority}
            self.record.enter("authority.declined", actor, body, sealed={declined_item(id): {"reason": reason}})
            self._delete_results(request.authority)
            return self.papers().requests[id]

    def _to_decide(self, id: str, actor: Actor) -> Request:
        request = self.one(id, actor)
        if request.overdue(moments.now()):
            self._enforce(actor)
            request = self.one(id, actor)
        if not request.undecided:
            raise Refused(f"there is nothing to decide: this request is {request.state}", advice="ask for a new one")
        if request.holder in actor.names and self.record.profile.two_people:
            raise Refused(
                "nobody decides on what they asked for themselves", advice="somebody else who may approve does"
            )
        return request

    # Cases

    def close_case(self, case: str, actor: Actor) -> None:
        """Say that a case is closed: nothing new is asked for in it. What was granted stays until it is revoked."""
        actor = self.admit(actor, "authorities:write")
        if not case.strip():
            raise BadInput("say which case", advice="its number, as it stands in the authorities")
        with self.changing():
            if case not in self.papers().closed:
                self.record.enter("case.closed", actor, {"case": case})

    def reopen_case(self, case: str, actor: Actor) -> None:
        """Say that a case goes on. Raises UnknownThing when it was not closed."""
        actor = self.admit(actor, "authorities:write")
        with self.changing():
            if case not in self.papers().closed:
                advice = "`countenance authority list` shows the cases"
                raise UnknownThing(f"the case {case} is not closed", advice=advice)
            self.record.enter("case.reopened", actor, {"case": case})

    # Time

    def enforce(self, actor: Actor) -> list[str]:
        """Delete what urgent searches found that nobody approved in time; the entries that say it was found stay.

        Returns the requests that lapsed now. Also completes deletions that a crash cut off.
        """
        with self.record.database.read() as c:
            if not authorities.any_urgent(c):
                return []
        with self.changing():
            return self._enforce(actor)

    def _enforce(self, actor: Actor) -> list[str]:
        now = moments.now()
        over = [one for one in self.papers().requests.values() if one.overdue(now)]
        for request in over:
            assert request.authority is not None
            with self.record.database.read() as c:
                made = searches.under(c, request.authority)
            body = {"request": request.id, "authority": request.authority, "searches": made}
            self.record.enter("authority.lapsed", actor, body)
        for authority in self.papers().lapsed:
            self._delete_results(authority)
        return [request.id for request in over]

    def _delete_results(self, authority: str | None) -> None:
        if authority is None:
            return
        with self.record.database.write() as c:
            made = searches.with_results(c, authority)
            held = [search for search in made if search in shield_of(self.record, c).searches] if made else []
            gone = [search for search in made if search not in held]
            if gone:
                searches.delete_results(c, gone)
                items.destroy(c, [probe_item(search) for search in gone])
            if held:
                # A hold keeps them, and nobody opens them.
                searches.close(c, held)

    # Inside

    def _own(self, id: str, actor: Actor, state: str) -> Request:
        request = self.one(id, actor)
        if request.holder not in actor.names or request.state != state:
            raise Refused(f"this is no draft of yours: it is {request.state}", advice="ask for a new one")
        return request

    def _check_lists(self, wanted: Wanted) -> None:
        for value, allowed, option in (
            (wanted.purpose, self.settings.purposes, "--purpose"),
            (wanted.outcome, self.settings.outcomes, "--outcome"),
        ):
            if allowed and value not in allowed:
                raise BadInput(
                    f"{option} is none of those of this home: {value}", advice=f"one of: {'; '.join(allowed)}"
                )
        if not wanted.outcome.strip():
            raise BadInput("a request says what may be done with what is found", advice="say it with --outcome")

    def _judged(self, reasons: Reasons, id: str) -> tuple[dict[str, object], ...]:
        """Which earlier texts these are near. Raises BadInput for one that may not stand."""
        earlier = {
            one.id: said for one in self.papers().requests.values() if one.id != id and (said := self.reasons(one))
        }
        near: list[dict[str, object]] = []
        for text in _TEXTS:
            others = [(one, getattr(said, text)) for one, said in earlier.items()]
            fault = justification.judge(getattr(reasons, text), others)
            if fault is not None and fault.refused:
                which = f" ({fault.other})" if fault.other else ""
                raise BadInput(
                    f"the {text} {_FAULTS[fault.code]}{which}",
                    advice="say why this search is needed in this case, and why less would not do",
                    details={"text": text, "fault": fault.code, "request": fault.other},
                )
            if fault is not None:
                near.append({"text": text, "request": fault.other, "likeness": fault.likeness})
        if reasons.necessity.strip() and justification.likeness(reasons.necessity, reasons.proportionality) == 1.0:
            raise BadInput(
                "necessity and proportionality say the same",
                advice="necessity: why the aim needs it; proportionality: why the intrusion is worth it",
            )
        return tuple(near)


def notes_over(record: Record, *, before: datetime, keep: timedelta) -> list[tuple[str, str | None, datetime]]:
    """(item, authority, when) of what was written in requests, whose time ends up to a moment: `keep` after their own
    end."""
    every = record.papers.read(record).requests.values()
    old = [(one, one.wanted.expires + keep) for one in every]
    return [
        (item, one.authority, at)
        for one, at in old
        if at <= before
        for item in (item_of(one.id), declined_item(one.id))
    ]


def _body(id: str, wanted: Wanted, actor: Actor) -> dict[str, object]:
    return {"request": id, "holder": actor.user, **wanted.as_json()}


def _new_id() -> str:
    return "R-" + secrets.token_hex(6)
