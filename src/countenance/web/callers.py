"""Who sent a request, and what they may ask for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from countenance.access import roles, scopes, sessions
from countenance.app import Countenance, system_actor
from countenance.domain.authority import Actor
from countenance.domain.errors import NotSignedIn, Refused, ScopeMissing
from countenance.domain.people import Account
from countenance.services import tokens
from countenance.services.sign_in import csrf_of
from countenance.web.security import same_origin

COOKIE = "countenance"
CSRF_HEADER = "Countenance-CSRF"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_bearer = HTTPBearer(scheme_name="token", description="A token from `countenance token create`.", auto_error=False)
_cookie = APIKeyCookie(
    name=COOKIE,
    scheme_name="session",
    description=f"The browser's session. Requests that change something also need `{CSRF_HEADER}` and our own Origin.",
    auto_error=False,
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as the ledger will have it, and what they may do: of a token its scopes, as far as its owner's roles
    reach. `csrf` is the token of the browser's session, `account` whose it is; through the one-time link (`by_link`)
    that of the system's user, if it has one."""

    actor: Actor
    acts: frozenset[str]
    scopes: frozenset[str] | None = None
    csrf: str = ""
    account: Account | None = None
    by_link: bool = False


def countenance(request: Request) -> Countenance:
    """The application of this server."""
    app: Countenance = request.app.state.countenance
    return app


def browser_sessions(request: Request) -> sessions.Sessions:
    """The sessions of this server."""
    found: sessions.Sessions = request.app.state.sessions
    return found


def links(request: Request) -> bool:
    """Whether the one-time link that the server prints opens a session: in a personal home, on loopback."""
    return bool(request.app.state.links) and not countenance(request).people.profile.two_people


def caller(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    cookie: Annotated[str | None, Depends(_cookie)],
) -> Caller:
    """The caller of the API: a token if one was sent, else the browser's session.

    Raises NotSignedIn, and Refused for a request that one of our own pages did not make.
    """
    if "authorization" in request.headers:
        token, actor = tokens.check(countenance(request).people, bearer.credentials if bearer is not None else "")
        return Caller(actor, roles.acts_of(actor.roles) & frozenset(token.scopes), frozenset(token.scopes))
    if cookie is None:
        raise NotSignedIn(
            "a token or a browser session is needed",
            advice="send `Authorization: Bearer …`, or sign in",
        )
    found = in_session(request, cookie)
    if request.method not in SAFE_METHODS:
        check_own_page(request, found.csrf, request.headers.get(CSRF_HEADER, ""))
    return found


def in_session(request: Request, secret: str) -> Caller:
    """Whose session this is: an account's, or in a personal home that of whoever followed the one-time link.

    Raises NotSignedIn.
    """
    people = countenance(request).people
    if not people.profile.two_people:
        with suppress(NotSignedIn):
            csrf = browser_sessions(request).check(secret)
            actor = people.known(system_actor("page"))
            linked = people.told().find(actor.user) if actor.user.startswith("user:") else None
            return Caller(actor, roles.acts_of(actor.roles), csrf=csrf, account=linked, by_link=True)
    account = people.door.session(secret)
    actor = people.known(Actor(account.user, "page"))
    return Caller(actor, roles.acts_of(actor.roles), csrf=csrf_of(secret), account=account)


def check_own_page(request: Request, csrf: str, given: str) -> None:
    """Raises Refused unless one of our own pages, in this session, made the request."""
    if not same_origin(request.headers, request.url.scheme) or not sessions.same(given, csrf):
        raise Refused("this request does not come from a page of this server", advice="reload the page, then try again")


def from_here(request: Request) -> bool:
    """Whether somebody at a page of ours, or at the browser itself, asked for this page: what another site's page asks
    for is not read under their name, nor what a browser fetches ahead. Without the headers it is an old browser, and
    the cookie is bound to our site."""
    ahead = "prefetch" in request.headers.get("sec-purpose", "")
    return not ahead and request.headers.get("sec-fetch-site", "none") in ("same-origin", "none")


def allowed(scope: str) -> Callable[..., Caller]:
    """A dependency: the caller, who may do this. Raises ScopeMissing of a token, RoleMissing of a person."""

    def check(request: Request, caller: Annotated[Caller, Depends(caller)]) -> Caller:
        check_scope(caller, scope)
        countenance(request).people.admit(caller.actor, scope)
        return caller

    if scope not in scopes.SCOPES:
        raise ValueError(f"no such scope: {scope}")
    return check


def check_scope(caller: Caller, scope: str) -> None:
    """Raises ScopeMissing for a token that was not made for this."""
    if caller.scopes is not None and scope not in caller.scopes:
        raise ScopeMissing(
            f"this token was not made for `{scope}`", advice="make a token with that scope", details={"scope": scope}
        )


def visitor(request: Request) -> Caller:
    """Whoever looks at a page. Raises NotSignedIn, which shows the door."""
    found = in_session(request, request.cookies.get(COOKIE, ""))
    request.state.caller = found
    return found


def page(act: str) -> Callable[..., str]:
    """A dependency of a page: the CSRF token of whoever looks at it, and may. Raises NotSignedIn, RoleMissing."""

    def check(request: Request, caller: Annotated[Caller, Depends(visitor)]) -> str:
        countenance(request).people.admit(caller.actor, act)
        return caller.csrf

    if act not in roles.ACTS:
        raise ValueError(f"no such act: {act}")
    return check


House = Annotated[Countenance, Depends(countenance)]
"""A parameter of an endpoint: the application."""

StatusReader = Annotated[Caller, Depends(allowed("status:read"))]
SourcesReader = Annotated[Caller, Depends(allowed("sources:read"))]
SourcesWriter = Annotated[Caller, Depends(allowed("sources:write"))]
Ingester = Annotated[Caller, Depends(allowed("ingest"))]
Searcher = Annotated[Caller, Depends(allowed("search"))]
Exporter = Annotated[Caller, Depends(allowed("export"))]
AuthoritiesReader = Annotated[Caller, Depends(allowed("authorities:read"))]
Overseer = Annotated[Caller, Depends(allowed("oversight:read"))]
InspectionsReader = Annotated[Caller, Depends(allowed("inspections:read"))]
InspectionsDrawer = Annotated[Caller, Depends(allowed("inspections:draw"))]
FollowUpOwner = Annotated[Caller, Depends(allowed("inspections:answer"))]
Inspector = Annotated[Caller, Depends(allowed("inspections:judge"))]
HoldsReader = Annotated[Caller, Depends(allowed("holds:read"))]
HoldsWriter = Annotated[Caller, Depends(allowed("holds:write"))]
SubjectAnswerer = Annotated[Caller, Depends(allowed("subject"))]
RetentionReader = Annotated[Caller, Depends(allowed("retention:read"))]
ReviewsReader = Annotated[Caller, Depends(allowed("reviews:read"))]
Judge = Annotated[Caller, Depends(allowed("reviews:judge"))]
AuthoritiesAsker = Annotated[Caller, Depends(allowed("authorities:request"))]
AuthoritiesWriter = Annotated[Caller, Depends(allowed("authorities:write"))]
LedgerReader = Annotated[Caller, Depends(allowed("ledger:read"))]
LogReader = Annotated[Caller, Depends(allowed("proxylog:read"))]
Unmasker = Annotated[Caller, Depends(allowed("proxylog:unmask"))]
AccountsReader = Annotated[Caller, Depends(allowed("accounts:read"))]
AccountsWriter = Annotated[Caller, Depends(allowed("accounts:write"))]
"""Parameters of an endpoint: the caller, who may do that."""
