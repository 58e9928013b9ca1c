"""The pages of retention: the schedule, what is due, what was destroyed, and legal holds for whoever may see them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from countenance.domain.errors import BadInput
from countenance.reports.retention import destroyed
from countenance.services.hold import NewHold
from countenance.store.moments import now
from countenance.web.callers import Caller, House, check_own_page, page, visitor
from countenance.web.pages.routes import render

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

SeesRetention = Annotated[str, Depends(page("retention:read"))]
PlacesHolds = Annotated[str, Depends(page("holds:write"))]
Visitor = Annotated[Caller, Depends(visitor)]
Csrf = Annotated[str, Form(alias="csrf", max_length=200)]
Line = Annotated[str, Form(max_length=2000)]


@router.get("/retention")
def retention(request: Request, house: House, csrf: SeesRetention, who: Visitor) -> Response:
    """How long what is kept, what is due next, what was destroyed lately, what is held."""
    keeping, at = house.keeping, now()
    holds = []
    if "holds:read" in who.acts:
        for hold in house.holds.every(who.actor):
            said = house.holds.reasons(hold)
            of: dict[str, list[Any]] = hold.scope.as_json()
            of |= {"sources": house.holds.sources(hold) or of["sources"]}
            holds.append((hold, hold.state(at), of, said, house.holds.waiting(hold)))
    return render(
        request,
        "retention.html",
        csrf,
        policy=keeping.policy(),
        coming=keeping.coming(),
        receipts=keeping.receipts(),
        held=keeping.held(),
        job=next(one for one in house.clock.state() if one["duty"] == "retention"),
        holds=holds,
        two_people=house.people.profile.two_people,
        me=house.people.known(who.actor).names,
        sources=house.sources(),
        collections=house.collections(),
    )


@router.get("/retention/receipts/{seq}")
def receipt(request: Request, house: House, csrf: SeesRetention, seq: int) -> Response:
    """One receipt of destruction, to read, print and keep."""
    found = house.keeping.receipt(seq)
    rows = [(one["title"], destroyed(one)) for one in found["destroyed"]]
    text = json.dumps(found["proof"], indent=2, ensure_ascii=False)
    return render(request, "destroyed.html", csrf, receipt=found, rows=rows, text=text)


@router.post("/retention/holds")
def place(
    request: Request,
    house: House,
    csrf: PlacesHolds,
    who: Visitor,
    reason: Line,
    until: Annotated[date, Form()],
    case: Annotated[str, Form(max_length=200)] = "",
    source: Annotated[list[str], Form()] = [],  # noqa: B006  (the framework copies it)
    collection: Annotated[list[str], Form()] = [],  # noqa: B006
    authority: Line = "",
    search: Line = "",
    analysis: Line = "",
    given: Csrf = "",
) -> Response:
    """Place a hold; authorities, searches and analyses are ids with spaces between."""
    check_own_page(request, csrf, given)
    if until <= date.today():  # noqa: DTZ011  (days are the reader's)
        raise BadInput("a hold ends on a day to come", advice="choose a later one")
    new = NewHold(
        reason=reason,
        until=datetime(until.year, until.month, until.day, tzinfo=UTC),
        sources=tuple(source),
        collections=tuple(collection),
        authorities=tuple(authority.split()),
        searches=tuple(search.split()),
        analyses=tuple(analysis.split()),
        case=case,
    )
    house.holds.place(new, who.actor)
    return RedirectResponse("/retention#holds", 303)


@router.post("/retention/holds/{id}/release")
def release(
    request: Request, house: House, csrf: PlacesHolds, who: Visitor, id: str, reason: Line, given: Csrf = ""
) -> Response:
    """Release a hold before its date."""
    check_own_page(request, csrf, given)
    house.holds.release(id, reason, who.actor)
    return RedirectResponse("/retention#holds", 303)
