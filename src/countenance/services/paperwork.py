"""What the ledger tells of requests for authorities, and of cases that were closed.

Nothing of this stands in a row: a request, its approval, its refusal is what the entries say, so that nobody approves
anything by editing the database. Reading goes on where the last reading ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from countenance.domain.requests import (
    APPROVED,
    DECLINED,
    DRAFTED,
    LAPSED,
    REQUESTED,
    WITHDRAWN,
    Request,
    Step,
    Wanted,
)
from countenance.services.telling import Telling

if TYPE_CHECKING:
    from countenance.ledger.entry import Entry
    from countenance.services.record import Record

_STATES = {
    "authority.drafted": DRAFTED,
    "authority.requested": REQUESTED,
    "authority.urgent": REQUESTED,
    "authority.granted": APPROVED,
    "authority.approved": APPROVED,
    "authority.declined": DECLINED,
    "authority.withdrawn": WITHDRAWN,
    "authority.lapsed": LAPSED,
}
"""What a request is after an entry of each type."""

_ASKING = ("authority.drafted", "authority.requested", "authority.urgent")


@dataclass(frozen=True, slots=True)
class Papers:
    """Every request by its id, and when each closed case was closed."""

    requests: Mapping[str, Request] = field(default_factory=dict)
    closed: Mapping[str, datetime] = field(default_factory=dict)
    lapsed: frozenset[str] = frozenset()
    """Authorities whose results have to be gone: urgent ones that were declined, or not approved in time."""

    def of_authority(self, authority: str) -> Request | None:
        """The request that led to this authority."""
        return next((one for one in self.requests.values() if one.authority == authority), None)


class Paperwork(Telling[Papers]):
    """What was read of requests and cases so far."""

    needles = ('"request":"R-', '"type":"case.')

    def __init__(self) -> None:
        super().__init__(Papers())

    def after(self, told: Papers, entries: Iterable[Entry], record: Record) -> Papers:
        requests, closed, lapsed = dict(told.requests), dict(told.closed), set(told.lapsed)
        for entry in entries:
            apply(requests, closed, lapsed, entry)
        return Papers(requests, closed, frozenset(lapsed))


def item_of(request: str) -> str:
    """The item under which a request's reasons are sealed."""
    return f"note:{request}:asked"


def declined_item(request: str) -> str:
    """The item under which it is sealed why a request was declined."""
    return f"note:{request}:declined"


def apply(requests: dict[str, Request], closed: dict[str, datetime], lapsed: set[str], entry: Entry) -> None:
    """What one more entry tells. Entries of other kinds change nothing."""
    body = entry.body
    at = datetime.fromisoformat(entry.at)
    if entry.kind in ("case.closed", "case.reopened"):
        closed.pop(body["case"], None)
        if entry.kind == "case.closed":
            closed[body["case"]] = at
        return
    state = _STATES.get(entry.kind)
    if state is None:
        return
    step = Step(entry.kind.removeprefix("authority."), at, str(entry.actor["authenticated"]), entry.seq)
    known = requests.get(body["request"])
    if entry.kind in _ASKING:
        request = _asked(body, state, (*(known.steps if known else ()), step))
    elif known is None:
        return
    else:
        authority = body.get("authority", known.authority)
        request = replace(known, state=state, authority=authority, steps=(*known.steps, step))
    requests[request.id] = request
    if request.authority is not None and state in (DECLINED, LAPSED):
        lapsed.add(request.authority)


def _asked(body: Mapping[str, Any], state: str, steps: tuple[Step, ...]) -> Request:
    due = body.get("due")
    return Request(
        id=body["request"],
        wanted=Wanted.from_json(dict(body)),
        holder=body["holder"],
        state=state,
        steps=steps,
        authority=body.get("authority"),
        due=datetime.fromisoformat(due) if due else None,
    )
