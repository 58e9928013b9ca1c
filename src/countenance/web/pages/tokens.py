"""The page of tokens: what programs of one's own may do. A secret is shown once, on the page that made it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from countenance.access.scopes import SCOPES
from countenance.domain.errors import CountenanceError
from countenance.store.moments import now
from countenance.web.callers import Caller, House, check_own_page, page, visitor
from countenance.web.pages.routes import render, said

router = APIRouter(prefix="/tokens", include_in_schema=False, default_response_class=HTMLResponse)

HasTokens = Annotated[str, Depends(page("tokens"))]
Who = Annotated[Caller, Depends(visitor)]
Given = Annotated[str, Form(alias="csrf", max_length=200)]

DAYS = {7: "7 days", 30: "30 days", 90: "90 days", 365: "a year"}
"""How long a token may be good for, on this page. The command line takes any time."""


@router.get("")
def tokens(request: Request, house: House, csrf: HasTokens, who: Who) -> Response:
    """One's own tokens, to an administrator everybody's, never a secret; and the form that makes one."""
    return _page(request, house, csrf, who)


@router.post("")
def create(
    request: Request,
    house: House,
    csrf: HasTokens,
    who: Who,
    name: Annotated[str, Form(max_length=200)],
    days: Annotated[int, Form()],
    scopes: Annotated[list[str] | None, Form()] = None,
    given: Given = "",
) -> Response:
    """Make a token. This answer alone holds its secret."""
    check_own_page(request, csrf, given)
    expires = now() + timedelta(days=days if days in DAYS else 30)
    try:
        token, secret = house.create_token(name, scopes or [], expires, who.actor)
    except CountenanceError as error:
        words = said(error)
        return _page(request, house, csrf, who, error.http_status, wrong=words, name=name, chosen=scopes or [])
    return _page(request, house, csrf, who, made=token.name, secret=secret)


@router.post("/revoke")
def revoke(
    request: Request,
    house: House,
    csrf: HasTokens,
    who: Who,
    token: Annotated[str, Form(max_length=40)],
    given: Given = "",
) -> Response:
    """Revoke a token at once."""
    check_own_page(request, csrf, given)
    house.revoke_token(token, who.actor)
    return RedirectResponse("/tokens", 303)


def _page(
    request: Request,
    house: House,
    csrf: str,
    who: Caller,
    answer: int = 200,
    *,
    made: str = "",
    secret: str = "",
    wrong: str = "",
    name: str = "",
    chosen: list[str] | None = None,
) -> Response:
    at = now()
    rows = [token.as_json(at) for token in house.tokens(who.actor)]
    return render(
        request,
        "tokens.html",
        csrf,
        answer,
        tokens=sorted(rows, key=lambda row: (row["state"] != "live", row["name"].casefold())),
        scopes={scope: words for scope, words in SCOPES.items() if scope in who.acts},
        days=DAYS,
        made=made,
        secret=secret,
        wrong=wrong,
        name=name,
        chosen=chosen or [],
    )
