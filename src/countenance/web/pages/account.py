"""The page of one's own account, and what it changes; and the administrator's page of all accounts.

Whatever makes it easier to get in asks for the password again, where there is one.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import Field
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from countenance.access.passkeys import site_of
from countenance.access.roles import ROLES
from countenance.domain.authority import Actor
from countenance.domain.errors import Refused
from countenance.domain.people import Account
from countenance.services.sign_in import key_of
from countenance.web.callers import COOKIE, CSRF_HEADER, Caller, House, check_own_page, page, visitor
from countenance.web.cookies import signed_in, visitor_of, wait, waiting
from countenance.web.pages.door import Given, site
from countenance.web.pages.routes import render

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

PASSKEY = b"new passkey"


class Confirmed(Given):
    """The password, once more."""

    password: str = Field(default="", max_length=1000)


class NewPassword(Confirmed):
    """And the one that takes its place."""

    new: str = Field(max_length=1000)


class Code(Given):
    """What the authenticator shows."""

    code: str = Field(max_length=64)


class NewPasskey(Given):
    """What the browser made, and a name for it."""

    answer: dict[str, Any]
    label: str = Field(default="", max_length=60)


class OldPasskey(Confirmed):
    """Which passkey goes."""

    id: str = Field(max_length=2000)


def own(request: Request, caller: Annotated[Caller, Depends(visitor)]) -> Account:
    """The account of whoever is signed in. Raises Refused in a session of the one-time link."""
    if request.method != "GET":
        check_own_page(request, caller.csrf, request.headers.get(CSRF_HEADER, ""))
    if caller.account is None:
        raise Refused(
            "you came in through the one-time link, without an account",
            advice="make one on this machine: countenance user add NAME",
        )
    return caller.account


Own = Annotated[Account, Depends(own)]


def _as(account: Account) -> Actor:
    return Actor(account.user, "page")


def _sure(request: Request, house: House, account: Account, password: str) -> None:
    if account.password is not None:
        house.people.door.right_password(account, password, visitor_of(request))


@router.get("/account")
def account_page(request: Request, house: House, account: Own) -> Response:
    """Who one is here, and how one signs in."""
    people, here = house.people, key_of(request.cookies.get(COOKIE, ""))
    return render(
        request,
        "account.html",
        request.state.caller.csrf,
        me=account,
        roles=ROLES,
        sessions=[one | {"here": one["key"] == here} for one in people.door.sessions(account)],
        passkeys=people.own.passkeys(account),
        offered=site_of(f"{request.url.scheme}://{request.headers.get('host', '')}") is not None,
    )


@router.get("/account/authenticator.svg")
def picture(house: House, account: Own) -> Response:
    """The QR code of the authenticator that waits to be confirmed."""
    return Response(house.people.own.authenticator_picture(account), media_type="image/svg+xml")


@router.post("/account/password")
def change_password(request: Request, house: House, account: Own, given: NewPassword) -> Response:
    """A new password: every session ends, and this browser gets a new one."""
    _sure(request, house, account, given.password)
    house.people.door.put_password(account, given.new, _as(account))
    fresh = house.people.account(account.id)
    return signed_in(
        request, Response(status_code=204), house.people.door.begin(fresh, "password", visitor_of(request))
    )


@router.post("/account/authenticator")
def begin_authenticator(request: Request, house: House, account: Own, given: Confirmed) -> Response:
    """A new secret for an authenticator, to be confirmed."""
    _sure(request, house, account, given.password)
    house.people.own.begin_authenticator(account)
    return JSONResponse({"secret": house.people.own.waiting_secret(account)})


@router.post("/account/authenticator/confirm")
def confirm_authenticator(house: House, account: Own, given: Code) -> Response:
    """Take it into use. The recovery codes are shown this once."""
    return JSONResponse({"codes": house.people.own.confirm_authenticator(account, given.code, _as(account))})


@router.post("/account/authenticator/remove")
def remove_authenticator(request: Request, house: House, account: Own, given: Confirmed) -> Response:
    """Go on without."""
    _sure(request, house, account, given.password)
    house.people.own.remove_authenticator(account, _as(account))
    return Response(status_code=204)


@router.post("/account/codes")
def new_codes(request: Request, house: House, account: Own, given: Confirmed) -> Response:
    """New recovery codes, shown this once; those before are void."""
    _sure(request, house, account, given.password)
    return JSONResponse({"codes": house.people.own.new_codes(account, _as(account))})


@router.post("/account/passkeys/begin")
def begin_passkey(request: Request, house: House, account: Own, given: Confirmed) -> Response:
    """What the browser is asked for."""
    _sure(request, house, account, given.password)
    options, challenge = house.people.own.passkey_wanted(account, site(request))
    kept = {"challenge": bytes_to_base64url(challenge), "account": account.id}
    return wait(request, JSONResponse(options), house.people.door.mac, PASSKEY, kept, lax=False)


@router.post("/account/passkeys")
def add_passkey(request: Request, house: House, account: Own, given: NewPasskey) -> Response:
    """Keep what it made."""
    kept = waiting(request, house.people.door.mac, PASSKEY)
    if kept["account"] != account.id:
        raise Refused("this passkey was begun by somebody else")
    challenge = base64url_to_bytes(kept["challenge"])
    house.people.own.add_passkey(account, site(request), challenge, given.answer, given.label, _as(account))
    return Response(status_code=204)


@router.post("/account/passkeys/remove")
def remove_passkey(request: Request, house: House, account: Own, given: OldPasskey) -> Response:
    """Forget one."""
    _sure(request, house, account, given.password)
    house.people.own.remove_passkey(account, given.id, _as(account))
    return Response(status_code=204)


@router.post("/account/sessions/end")
def end_sessions(request: Request, house: House, account: Own) -> Response:
    """End every session but this one, which is begun anew."""
    house.people.door.end_all(account, _as(account))
    fresh = house.people.account(account.id)
    opened = house.people.door.begin(fresh, "after ending all others", visitor_of(request))
    return signed_in(request, Response(status_code=204), opened)


@router.get("/accounts")
def accounts(request: Request, house: House, csrf: Annotated[str, Depends(page("accounts:read"))]) -> Response:
    """Every account, and for an administrator what can be done about it."""
    profile = house.people.profile
    return render(
        request,
        "accounts.html",
        csrf,
        accounts=[account.as_json() for account in house.people.accounts()],
        roles=ROLES,
        profile=profile,
        mine=request.state.caller.actor.user,
    )
