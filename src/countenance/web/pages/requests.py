"""The pages of requests: what waits for a decision, one request with its reasons, and the form that asks."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from countenance.domain.basis import BASES
from countenance.store.moments import now
from countenance.web.callers import Caller, House, page, visitor
from countenance.web.pages.routes import render

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

SeesRequests = Annotated[str, Depends(page("authorities:read"))]


@router.get("/requests")
def requests(request: Request, house: House, csrf: SeesRequests, who: Annotated[Caller, Depends(visitor)]) -> Response:
    """Every request, those that wait first, and the form that asks."""
    found = house.requests.every(who.actor)
    profile = house.people.profile
    return render(
        request,
        "requests.html",
        csrf,
        waiting=[one for one in found if one.undecided],
        others=[one for one in found if not one.undecided],
        collections=house.collections(),
        bases=[basis for basis in BASES.values() if profile.allows(basis.code)],
        rules=house.settings.authority,
        now=now(),
    )


@router.get("/requests/{id}")
def one_request(
    request: Request, house: House, csrf: SeesRequests, id: str, who: Annotated[Caller, Depends(visitor)]
) -> Response:
    """One request: its terms, its reasons, every step, and what can be done with it by whoever looks."""
    found = house.requests.one(id, who.actor)
    own = found.holder in house.people.known(who.actor).names
    return render(
        request,
        "request.html",
        csrf,
        one=found,
        reasons=house.requests.show_reasons(found, who.actor),
        own=own,
        decides=found.undecided and not (own and house.people.profile.two_people),
        now=now(),
    )
