"""The overseer's console: one page that says how the house was used, and what looks wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, Response

from countenance.domain.lawful import LAWFUL
from countenance.services.oversight import Asked
from countenance.store.moments import now
from countenance.web.callers import Caller, House, check_own_page, page, visitor
from countenance.web.pages.routes import render

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

Oversees = Annotated[str, Depends(page("oversight:read"))]
SPANS = {"7": "the last 7 days", "30": "the last 30 days", "90": "the last 90 days", "365": "the last year", "": "ever"}


@router.get("/oversight")
def oversight(request: Request, csrf: Oversees) -> Response:
    """The form that asks what the reading is for: nothing is read before that is said."""
    return render(request, "oversight.html", csrf, lawful=LAWFUL, spans=SPANS, chosen=("", "30"), seen=None)


@router.post("/oversight")
def read(
    request: Request,
    house: House,
    csrf: Oversees,
    who: Annotated[Caller, Depends(visitor)],
    purpose: Annotated[str, Form(max_length=40)],
    span: Annotated[str, Form(max_length=4)] = "30",
    given: Annotated[str, Form(alias="csrf", max_length=200)] = "",
) -> Response:
    """The console. Reading it is an entry, durable before anything is shown."""
    check_own_page(request, csrf, given)
    since = now() - timedelta(days=int(span)) if span in SPANS and span else None
    seen = house.oversight.summary(Asked(purpose, since, None), who.actor)
    asked = [one for one in house.requests.every(who.actor) if one.undecided]
    return render(
        request,
        "oversight.html",
        csrf,
        lawful=LAWFUL,
        spans=SPANS,
        chosen=(purpose, span),
        seen=seen,
        waiting=len(asked),
        overdue=[one for one in asked if one.overdue(now())],
        reviewers=house.reviews.reviewers(who.actor),
    )
