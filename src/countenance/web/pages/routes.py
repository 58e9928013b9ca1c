"""The pages: start, search, sources, authorities, ledger, and the door."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import jinja2
from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

import countenance as package
from countenance.domain.basis import BASES
from countenance.domain.errors import CountenanceError, NotSignedIn, Refused
from countenance.ledger.receipt import verify_receipt
from countenance.store.moments import now
from countenance.web.callers import COOKIE, House, browser_sessions, check_own_page, countenance
from countenance.web.pages.words import FILTERS, KINDS
from countenance.web.security import same_origin

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

_templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent.parent / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters.update(FILTERS)

ENTRIES = 25


def signed_in(request: Request) -> str:
    """The CSRF token of the browser's session. Raises NotSignedIn, which shows the door."""
    return browser_sessions(request).check(request.cookies.get(COOKIE, ""))


SignedIn = Annotated[str, Depends(signed_in)]


@router.get("/")
def start(request: Request, house: House, csrf: SignedIn) -> Response:
    """What the home holds and what to do next."""
    at = now()
    return render(
        request,
        "start.html",
        csrf,
        status=house.status(),
        sources=house.sources(),
        live=[a for a in house.authorities() if a.state(at) == "live"],
        entries=list(reversed(house.ledger_entries(max(0, house.ledger_size - 6), house.ledger_size))),
    )


@router.get("/search")
def search(request: Request, house: House, csrf: SignedIn) -> Response:
    """Photograph → face → authority → candidates."""
    at = now()
    live = [a.as_json(at) for a in house.authorities() if a.state(at) == "live"]
    return render(request, "search.html", csrf, authorities=live, key=house.vkey)


@router.get("/sources")
def sources(request: Request, house: House, csrf: SignedIn) -> Response:
    """Every source, with what was found in it."""
    running = request.app.state.ingests.running()
    rows = [(s, house.source_summary(s.name), running.get(s.name)) for s in house.sources()]
    days = house.settings.sources.retain_days
    return render(
        request, "sources.html", csrf, rows=rows, bases=BASES.values(), kinds=KINDS, now=now(), retain_days=days
    )


@router.get("/sources/{name}")
def source(request: Request, house: House, csrf: SignedIn, name: str) -> Response:
    """One source: its registration, what was found, what was not read and why, its runs."""
    found = house.source(name)
    return render(
        request,
        "source.html",
        csrf,
        source=found,
        summary=house.source_summary(name),
        runs=house.runs(name),
        running=request.app.state.ingests.running().get(name),
        basis=BASES[found.basis],
        kinds=KINDS,
        now=now(),
    )


@router.get("/authorities")
def authorities(request: Request, house: House, csrf: SignedIn) -> Response:
    """Every authority, and the form that grants one."""
    at = now()
    shown = [a.as_json(at) for a in house.authorities()]
    return render(
        request, "authorities.html", csrf, authorities=shown, collections=house.collections(), bases=BASES.values()
    )


@router.get("/ledger")
def ledger(
    request: Request, house: House, csrf: SignedIn, before: Annotated[int | None, Query(ge=0, le=2**53)] = None
) -> Response:
    """The newest entries first; `before` pages back."""
    size = house.ledger_size
    stop = size if before is None else min(before, size)
    first = max(0, stop - ENTRIES)
    entries = list(reversed(house.ledger_entries(first, stop)))
    return render(
        request,
        "ledger.html",
        csrf,
        size=size,
        entries=[(e, json.dumps(e, indent=2, ensure_ascii=False)) for e in entries],
        first=first,
        stop=stop,
        checkpoint=house.checkpoint(),
        key=house.vkey,
        page_size=ENTRIES,
    )


@router.get("/ledger/receipts/{seq}")
def receipt(request: Request, house: House, csrf: SignedIn, seq: int) -> Response:
    """One receipt, to read, print and check."""
    found = house.receipt(seq)
    proven = verify_receipt(found, house.vkey)
    return render(
        request,
        "receipt.html",
        csrf,
        receipt=found,
        text=json.dumps(found, indent=2, ensure_ascii=False),
        entry=proven,
        body=json.dumps(dict(proven.body), indent=2, ensure_ascii=False),
        key=house.vkey,
    )


class Code(BaseModel):
    """What the one-time link carries behind its #, which no server's log sees."""

    code: str = Field(max_length=200)


@router.get("/enter")
def door(request: Request) -> Response:
    """Where the one-time link leads: a script hands the code over and goes on."""
    return render(request, "enter.html", None)


@router.post("/enter")
def enter(request: Request, given: Code) -> Response:
    """Turn the one-time code into a session."""
    if not same_origin(request.headers, request.url.scheme):
        raise Refused("this request does not come from a page of this server")
    sessions = browser_sessions(request)
    opened = sessions.redeem(given.code)
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


@router.post("/leave")
def leave(request: Request, csrf: SignedIn, given: Annotated[str, Form(alias="csrf", max_length=200)]) -> Response:
    """End the session."""
    check_own_page(request, csrf, given)
    browser_sessions(request).close(request.cookies.get(COOKIE, ""))
    answer = RedirectResponse("/enter", 303)
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return answer


def error_page(request: Request, error: CountenanceError) -> Response:
    """One of the program's own errors, for a person. Who is not signed in is shown the door."""
    if isinstance(error, NotSignedIn):
        return RedirectResponse("/enter", 303)
    return render(
        request, "error.html", None, error.http_status, code=error.http_status, what=error.message, advice=error.advice
    )


def http_error_page(request: Request, error: HTTPException) -> Response:
    """A page that is not there, for a person."""
    what = "There is nothing at this address." if error.status_code == 404 else str(error.detail)
    page = render(request, "error.html", None, error.status_code, code=error.status_code, what=what, advice="")
    page.headers.update(error.headers or {})
    return page


def render(request: Request, template: str, csrf: str | None, answer: int = 200, **values: Any) -> HTMLResponse:
    app = countenance(request)
    context = {"csrf": csrf, "demo": app.demo, "version": package.__version__, "path": request.url.path}
    return HTMLResponse(_templates.get_template(template).render(context | values), answer)
