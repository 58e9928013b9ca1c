"""The page that says what was exposed when an account, a token or a file got into the wrong hands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, Response

from countenance.domain.errors import BadInput
from countenance.domain.lawful import LAWFUL
from countenance.services.breach import Asked
from countenance.services.breach_files import KINDS
from countenance.store.moments import now
from countenance.web.callers import Caller, House, check_own_page, page, visitor
from countenance.web.pages.routes import render

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

Oversees = Annotated[str, Depends(page("oversight:read"))]
Visitor = Annotated[Caller, Depends(visitor)]
Moment = Annotated[str, Form(max_length=30)]
Several = Annotated[list[str], Form()]


@router.get("/breach")
def breach(request: Request, house: House, csrf: Oversees) -> Response:
    """The form that asks what may have been exposed: nothing is read before that is said."""
    week = now() - timedelta(days=7)
    return _page(request, house, csrf, None, {"since": f"{week:%Y-%m-%dT%H:%M}"})


@router.post("/breach")
def read(
    request: Request,
    house: House,
    csrf: Oversees,
    who: Visitor,
    since: Moment,
    purpose: Annotated[str, Form(max_length=40)] = "integrity",
    until: Moment = "",
    aware: Moment = "",
    user: Several = [],  # noqa: B006  (the framework copies it)
    system_user: Annotated[str, Form(max_length=2000)] = "",
    token: Annotated[str, Form(max_length=2000)] = "",
    kind: Several = [],  # noqa: B006
    form: Annotated[str, Form(max_length=10)] = "page",
    given: Annotated[str, Form(alias="csrf", max_length=200)] = "",
) -> Response:
    """What was exposed, as a page or as a pack to keep. Of files only kinds are asked: the home's own are counted."""
    check_own_page(request, csrf, given)
    if not set(kind) <= set(KINDS):
        raise BadInput("there is no such kind of file", advice=f"one of {', '.join(KINDS)}")
    asked = Asked(
        since=_moment(since),
        until=_moment(until) if until else None,
        users=(*user, *(f"os:{name}" for name in system_user.split())),
        tokens=tuple(token.split()),
        files=tuple(kind),
        aware=_moment(aware) if aware else None,
        purpose=purpose,
    )
    seen = house.breaches.pack(asked, who.actor)
    if form == "zip":
        from countenance.reports.breach import as_zip

        extract = house.breaches.extract(seen, who.actor)
        content = as_zip(seen, house.receipt(seen["read"]), extract, demo=house.demo)
        name = f"breach-{seen['read']}.zip"
        return Response(content, 200, {"Content-Disposition": f'attachment; filename="{name}"'}, "application/zip")
    chosen = {"since": since, "until": until, "aware": aware, "token": token, "kinds": kind}
    chosen |= {"users": user, "system_users": system_user}
    return _page(request, house, csrf, seen, chosen)


def _page(request: Request, house: House, csrf: str, seen: dict[str, Any] | None, chosen: dict[str, Any]) -> Response:
    return render(
        request,
        "breach.html",
        csrf,
        seen=seen,
        lawful=LAWFUL,
        kinds=KINDS,
        accounts=house.people.accounts(),
        alone=not house.people.profile.two_people,
        chosen={"until": "", "aware": "", "token": "", "users": [], "system_users": "", "kinds": []} | chosen,
    )


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise BadInput("that is no time", advice="choose a day and an hour; they are in UTC") from None
