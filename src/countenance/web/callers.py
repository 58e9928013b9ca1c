"""Who sent a request, and what they may ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from countenance.access import scopes, sessions, tokens
from countenance.app import Countenance, system_actor
from countenance.domain.authority import Actor
from countenance.domain.errors import NotSignedIn, Refused, ScopeMissing
from countenance.store.moments import now
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
    """Who asks, as the ledger will have it, and their scopes."""

    actor: Actor
    scopes: frozenset[str]


def countenance(request: Request) -> Countenance:
    """The application of this server."""
    app: Countenance = request.app.state.countenance
    return app


def browser_sessions(request: Request) -> sessions.Sessions:
    """The sessions of this server."""
    found: sessions.Sessions = request.app.state.sessions
    return found


def caller(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    cookie: Annotated[str | None, Depends(_cookie)],
) -> Caller:
    """The caller of the API: a token if one was sent, else the browser's session.

    Raises NotSignedIn, and Refused for a request that one of our own pages did not make.
    """
    if "authorization" in request.headers:
        secret = bearer.credentials if bearer is not None else ""
        with countenance(request).database.read() as connection:
            token = tokens.check(connection, secret, now=now())
        return Caller(system_actor(f"token:{token.id}"), frozenset(token.scopes))
    if cookie is None:
        raise NotSignedIn(
            "a token or a browser session is needed",
            advice="send `Authorization: Bearer …`, or open the link that the server printed",
        )
    csrf = browser_sessions(request).check(cookie)
    if request.method not in SAFE_METHODS:
        check_own_page(request, csrf, request.headers.get(CSRF_HEADER, ""))
    return Caller(system_actor("page"), scopes.EVERY_SCOPE)


def check_own_page(request: Request, csrf: str, given: str) -> None:
    """Raises Refused unless one of our own pages, in this session, made the request."""
    if not same_origin(request.headers, request.url.scheme) or not sessions.same(given, csrf):
        raise Refused("this request does not come from a page of this server", advice="reload the page, then try again")


def allowed(scope: str) -> Callable[..., Caller]:
    """A dependency: the caller, who must have this scope. Raises ScopeMissing."""

    def check(caller: Annotated[Caller, Depends(caller)]) -> Caller:
        if scope not in caller.scopes:
            raise ScopeMissing(
                f"this token was not made for `{scope}`",
                advice="make a token with that scope",
                details={"scope": scope},
            )
        return caller

    if scope not in scopes.SCOPES:
        raise ValueError(f"no such scope: {scope}")
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
AuthoritiesWriter = Annotated[Caller, Depends(allowed("authorities:write"))]
LedgerReader = Annotated[Caller, Depends(allowed("ledger:read"))]
LogReader = Annotated[Caller, Depends(allowed("proxylog:read"))]
Unmasker = Annotated[Caller, Depends(allowed("proxylog:unmask"))]
"""Parameters of an endpoint: the caller, who must have that scope."""
