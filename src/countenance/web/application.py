"""Everything that this server answers, put together."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

import countenance
from countenance.access.sessions import Sessions
from countenance.app import Countenance
from countenance.domain.errors import CountenanceError
from countenance.web import problems
from countenance.web.api import (
    accounts,
    authorities,
    breaches,
    holds,
    home,
    inspections,
    ledger,
    oversight,
    proxylog,
    requests,
    retention,
    reviews,
    searches,
    sources,
    subjects,
)
from countenance.web.api.photographs import MOST
from countenance.web.ingests import Ingests
from countenance.web.pages import account, breach, door, routes
from countenance.web.pages import inspections as inspection_pages
from countenance.web.pages import oversight as oversight_pages
from countenance.web.pages import proxylog as proxylog_pages
from countenance.web.pages import requests as request_pages
from countenance.web.pages import retention as retention_pages
from countenance.web.pages import review as review_pages
from countenance.web.pages import subject as subject_pages
from countenance.web.pages import tokens as token_pages
from countenance.web.security import HEADERS, BehindProxy, BodyLimit, KnownHosts, SecureAnswers

API = "/api/v1"
_STATIC = Path(__file__).parent / "static"


def build(
    app: Countenance, sessions: Sessions, *, hosts: Iterable[str] = (), links: bool = True, proxy: str | None = None
) -> FastAPI:
    """The ASGI application of one home. `hosts` are further names that it answers under, beside those of loopback;
    `links` is whether the one-time link opens a session; `proxy` is the address of the one that stands before it."""
    largest = app.settings.images.max_bytes * 3 // 2 + 2**20
    web = FastAPI(
        title="Countenance",
        version=countenance.__version__,
        description="A face search engine that answers for itself: no authority, no search; no receipt, no result.",
        openapi_url=f"{API}/openapi.json",
        # The framework's own pages for these load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[
            *([Middleware(BehindProxy, proxy=proxy)] if proxy else []),
            Middleware(SecureAnswers),
            Middleware(KnownHosts, names=tuple(hosts)),
            Middleware(BodyLimit, largest=largest),
        ],
    )
    web.state.countenance = app
    web.state.sessions = sessions
    web.state.links = links
    web.state.ingests = Ingests(app)
    api = APIRouter(prefix=API)
    for module in (
        home,
        sources,
        authorities,
        requests,
        searches,
        reviews,
        inspections,
        oversight,
        breaches,
        retention,
        holds,
        subjects,
        ledger,
        proxylog,
        accounts,
    ):
        api.include_router(module.router)
    web.include_router(api)
    web.include_router(routes.router)
    web.include_router(request_pages.router)
    web.include_router(review_pages.router)
    web.include_router(inspection_pages.router)
    web.include_router(oversight_pages.router)
    web.include_router(retention_pages.router)
    web.include_router(breach.router)
    web.include_router(door.router)
    web.include_router(account.router)
    web.include_router(proxylog_pages.router)
    web.include_router(subject_pages.router)
    web.include_router(token_pages.router)
    web.mount("/static", StaticFiles(directory=_STATIC), name="static")
    _answer_errors(web)
    web.openapi = lambda: _described(web)  # type: ignore[method-assign]
    return web


def _answer_errors(web: FastAPI) -> None:
    """Problem details for programs, pages for people."""

    async def own(request: Request, error: Exception) -> Response:
        assert isinstance(error, CountenanceError)
        return problems.of_error(error) if _for_programs(request) else routes.error_page(request, error)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 405:
            error.headers = dict(error.headers or {}) | {"Allow": ", ".join(_methods(web, request))}
        return problems.of_http(error) if _for_programs(request) else routes.http_error_page(request, error)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return problems.of_validation(error)

    async def bug(request: Request, error: Exception) -> Response:
        # This one answer is made outside of the middleware, which therefore cannot add to it.
        answer = problems.unexpected(request, error)
        answer.headers.update(HEADERS | {"Cache-Control": "no-store"})
        return answer

    web.add_exception_handler(CountenanceError, own)
    web.add_exception_handler(HTTPException, http)
    web.add_exception_handler(RequestValidationError, invalid)
    web.add_exception_handler(Exception, bug)


def _for_programs(request: Request) -> bool:
    return request.url.path.startswith("/api/") or "text/html" not in request.headers.get("accept", "")


def _methods(web: FastAPI, request: Request) -> list[str]:
    """Every method that this path takes: the framework names those of one route only."""
    found: set[str] = set()
    for path, operations in web.openapi()["paths"].items():
        parts, asked = path.split("/"), request.url.path.split("/")
        if len(parts) == len(asked) and all(p == a or p.startswith("{") for p, a in zip(parts, asked, strict=True)):
            found |= {name.upper() for name in operations}
    return sorted(found) or ["GET", "POST"]


def _described(web: FastAPI) -> dict[str, Any]:
    """OpenAPI, with the shape of problems, and without the framework's own shape of errors."""
    if web.openapi_schema is None:
        schema = get_openapi(
            title=web.title, version=web.version, description=web.description, routes=web.routes, tags=_TAGS
        )
        shapes = schema["components"]["schemas"]
        shapes.pop("HTTPValidationError", None)
        shapes.pop("ValidationError", None)
        problem = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        shapes.update(problem.pop("$defs"))
        shapes["Problem"] = problem
        web.openapi_schema = schema
    return web.openapi_schema


_TAGS = [
    {"name": "home", "description": "What this home holds."},
    {"name": "sources", "description": "Where pictures come from."},
    {"name": "authorities", "description": "Who may search, why, where, until when and how often."},
    {"name": "searches", "description": f"At most {MOST} photographs of one person; candidates, never identities."},
    {"name": "reviews", "description": "Two people look at a probe and a candidate, before anything is acted on."},
    {"name": "inspections", "description": "Somebody with no part in a search looks at it afterwards."},
    {"name": "oversight", "description": "The ledger read as acts of people, for a lawful purpose."},
    {"name": "retention", "description": "How long what is kept, what is due, what was destroyed."},
    {"name": "holds", "description": "What may not be destroyed for now, and for which reason."},
    {"name": "subjects", "description": "Somebody asks what is held and was done about them."},
    {"name": "ledger", "description": "What was done, provably."},
    {"name": "accounts", "description": "Who there is, and what they may do."},
    {"name": "proxylog", "description": "What was done on other people's face-search sites, from proxy logs."},
]
