"""The door: the one-time link, signing in with a password, a passkey or a provider, setting up, and leaving."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from countenance.access import passkeys
from countenance.access.passkeys import Site, site_of
from countenance.domain.errors import NotSignedIn, Refused, UnknownThing
from countenance.services.people import subject_digest
from countenance.web.callers import (
    COOKIE,
    Caller,
    House,
    browser_sessions,
    check_own_page,
    countenance,
    links,
    visitor,
)
from countenance.web.cookies import signed_in, signed_out, visitor_of, wait, waiting
from countenance.web.pages.routes import render
from countenance.web.security import same_origin

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

PASSKEY = b"passkey sign-in"
PROVIDER = b"provider sign-in"


class Given(BaseModel):
    """What a page of ours sends."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Code(Given):
    """What the one-time link carries behind its #, which no server's log sees."""

    code: str = Field(max_length=200)


class Password(Given):
    """A name and a password; and a code, once it was asked for."""

    name: str = Field(max_length=200)
    password: str = Field(max_length=1000)
    code: str | None = Field(default=None, max_length=64)


class SetUp(Given):
    """A set-up code and the password that is chosen with it."""

    code: str = Field(max_length=200)
    password: str = Field(max_length=1000)


class Passkey(Given):
    """What the browser's passkey answered."""

    answer: dict[str, Any]


def own_page(request: Request) -> None:
    """Raises Refused unless a page of this server sent this."""
    if not same_origin(request.headers, request.url.scheme):
        raise Refused("this request does not come from a page of this server")


OwnPage = Depends(own_page)


def site(request: Request) -> Site:
    """For whom passkeys are made here. Raises Refused where browsers make none."""
    found = site_of(f"{request.url.scheme}://{request.headers.get('host', '')}")
    if found is None:
        raise Refused("there are no passkeys at this address", advice="they need a name, and TLS or localhost")
    return found


@router.get("/enter")
def door(request: Request) -> Response:
    """Where the one-time link leads: a script hands the code over and goes on."""
    return render(request, "enter.html", None) if links(request) else RedirectResponse("/sign-in", 303)


@router.post("/enter", dependencies=[OwnPage])
def enter(request: Request, house: House, given: Code) -> Response:
    """Turn the one-time code into a session, once the entry that says so is durable."""
    sessions = browser_sessions(request)
    try:
        opened = sessions.redeem(given.code)
    except NotSignedIn:
        house.people.door.refused_by_link()
        raise
    try:
        house.people.door.by_link()
    except BaseException:
        sessions.close(opened.secret)
        raise
    answer = Response(status_code=204)
    answer.set_cookie(
        COOKIE,
        opened.secret,
        max_age=int(sessions.life_seconds),
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


@router.get("/sign-in")
def sign_in_page(request: Request, house: House) -> Response:
    """The form, and whatever else opens this home."""
    offered = site_of(f"{request.url.scheme}://{request.headers.get('host', '')}") is not None
    provider = house.settings.oidc.title if house.settings.oidc.issuer else None
    return render(
        request, "sign_in.html", None, passkeys=offered, provider=provider, nobody=not house.people.accounts()
    )


@router.post("/sign-in", dependencies=[OwnPage])
def sign_in(request: Request, house: House, given: Password) -> Response:
    """Sign in with a password, and a code where the account has an authenticator."""
    opened = house.people.door.by_password(given.name, given.password, given.code, visitor_of(request))
    return signed_in(request, Response(status_code=204), opened)


@router.post("/sign-in/passkey/begin", dependencies=[OwnPage])
def begin_passkey(request: Request, house: House) -> Response:
    """What the browser is asked for; the challenge goes into a cookie under our mark."""
    options, challenge = passkeys.to_sign_in(site(request))
    kept = {"challenge": bytes_to_base64url(challenge)}
    return wait(request, JSONResponse(options), house.people.door.mac, PASSKEY, kept, lax=False)


@router.post("/sign-in/passkey", dependencies=[OwnPage])
def with_passkey(request: Request, house: House, given: Passkey) -> Response:
    """Sign in with what the passkey answered."""
    door = house.people.door
    challenge = base64url_to_bytes(waiting(request, door.mac, PASSKEY)["challenge"])
    opened = door.by_passkey(site(request), challenge, given.answer, visitor_of(request))
    return signed_in(request, Response(status_code=204), opened)


@router.get("/sign-in/provider")
def to_provider(request: Request, house: House) -> Response:
    """On to the identity provider."""
    from countenance.access.oidc import begin

    address, pending = begin(house.settings.oidc, _back(request))
    return wait(request, RedirectResponse(address, 303), house.people.door.mac, PROVIDER, pending, lax=True)


@router.get("/sign-in/provider/back")
def from_provider(request: Request, house: House) -> Response:
    """Back from the provider: an account that is linked to whoever came, or the reason why there is none.

    The page goes on by a script: a redirect from another site's address would come without our strict cookie.
    """
    from countenance.access.oidc import finish

    door, settings = house.people.door, house.settings.oidc
    back = _back(request)
    pending = waiting(request, door.mac, PROVIDER)

    def subject() -> str:
        found = finish(settings, back, str(request.url.query), pending)
        return subject_digest(str(settings.issuer), found)

    try:
        opened = door.by_provider(subject, visitor_of(request))
    except NotSignedIn as error:
        return render(request, "error.html", None, 403, code=403, what=error.message, advice=error.advice)
    return signed_in(request, render(request, "go_on.html", None), opened)


def _back(request: Request) -> str:
    if not countenance(request).settings.oidc.issuer:
        raise UnknownThing("no identity provider is configured here")
    return f"{request.url.scheme}://{request.headers.get('host', '')}/sign-in/provider/back"


@router.get("/set-up")
def set_up_page(request: Request) -> Response:
    """Where an account gets its first password; the code stands behind the #."""
    return render(request, "set_up.html", None)


@router.post("/set-up", dependencies=[OwnPage])
def set_up(request: Request, house: House, given: SetUp) -> Response:
    """Choose the first password, and be signed in."""
    opened = house.people.door.set_up(given.code, given.password, visitor_of(request))
    return signed_in(request, Response(status_code=204), opened)


@router.post("/leave")
def leave(
    request: Request,
    caller: Annotated[Caller, Depends(visitor)],
    given: Annotated[str, Form(alias="csrf", max_length=200)],
) -> Response:
    """End the session."""
    check_own_page(request, caller.csrf, given)
    secret = request.cookies.get(COOKIE, "")
    if caller.by_link:
        browser_sessions(request).close(secret)
        countenance(request).people.door.left_by_link()
    else:
        countenance(request).people.door.sign_out(secret)
    return signed_out(RedirectResponse("/enter" if links(request) else "/sign-in", 303))
