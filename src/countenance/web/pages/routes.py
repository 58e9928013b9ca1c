"""The pages: start, search, sources, authorities, ledger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import jinja2
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

import countenance as package
from countenance.domain.basis import BASES
from countenance.domain.errors import CountenanceError, NotSignedIn
from countenance.ledger.receipt import verify_receipt
from countenance.services.clock import troubles
from countenance.services.recovery import used_lately
from countenance.store.moments import now
from countenance.web.callers import Caller, House, countenance, links, page, visitor
from countenance.web.pages.menu import menu
from countenance.web.pages.words import FILTERS, KINDS

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


SeesStart = Annotated[str, Depends(page("status:read"))]
SeesSearch = Annotated[str, Depends(page("search"))]
SeesSources = Annotated[str, Depends(page("sources:read"))]
SeesAuthorities = Annotated[str, Depends(page("authorities:read"))]
SeesLedger = Annotated[str, Depends(page("ledger:read"))]
"""Parameters of a page: the CSRF token of whoever may see it."""


@router.get("/")
def start(request: Request, house: House, csrf: SeesStart) -> Response:
    """What the home holds and what to do next."""
    at, profile, who, status = now(), house.people.profile, request.state.caller, house.status()
    owed = [one for one in house.inspections.follow_ups(who.actor) if one.follow_up and one.follow_up.done is None]
    return render(
        request,
        "start.html",
        csrf,
        status=status,
        clock=troubles(status["clock"]),
        sources=house.sources(),
        live=[a for a in house.authorities() if a.state(at) == "live"],
        entries=house.own_entries(who.actor),
        profile=profile,
        resets=house.resets.lately(mine.id) if (mine := request.state.caller.account) and profile.two_people else [],
        notices=house.people.notices(),
        recovered=used_lately(house.people),
        owed=len(owed),
        owed_late=sum(one.late(at) for one in owed),
        waiting=house.inspections.counts(who.actor) if "inspections:draw" in who.acts else None,
        own_searches=0 if profile.two_people else house.self_approved_on_websites(),
    )


@router.get("/search")
def search(request: Request, house: House, csrf: SeesSearch) -> Response:
    """Photograph → face → authority → candidates."""
    at = now()
    live = [a.as_json(at) for a in house.authorities() if a.state(at) == "live"]
    return render(request, "search.html", csrf, authorities=live, key=house.vkey)


@router.get("/sources")
def sources(request: Request, house: House, csrf: SeesSources) -> Response:
    """Every source, with what was found in it."""
    running = request.app.state.ingests.running()
    rows = [(s, house.source_summary(s.name), running.get(s.name)) for s in house.sources()]
    days, profile = house.settings.retention.source_days, house.people.profile
    bases = [basis for basis in BASES.values() if profile.allows(basis.code)]
    return render(request, "sources.html", csrf, rows=rows, bases=bases, kinds=KINDS, now=now(), retain_days=days)


@router.get("/sources/{name}")
def source(request: Request, house: House, csrf: SeesSources, name: str) -> Response:
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
def authorities(request: Request, house: House, csrf: SeesAuthorities) -> Response:
    """Every authority, and the form that grants one."""
    at = now()
    shown = [a.as_json(at) for a in house.authorities()]
    profile = house.people.profile
    return render(
        request,
        "authorities.html",
        csrf,
        authorities=shown,
        collections=house.collections(),
        bases=[basis for basis in BASES.values() if profile.allows(basis.code)],
        two_people=profile.two_people,
    )


@router.get("/ledger")
def ledger(
    request: Request, house: House, csrf: SeesLedger, before: Annotated[int | None, Query(ge=0, le=2**53)] = None
) -> Response:
    """The newest entries first; `before` pages back. That they were read is an entry."""
    size = house.ledger_size
    stop = size if before is None else min(before, size)
    first = max(0, stop - ENTRIES)
    entries = list(reversed(house.read_ledger(first, stop, request.state.caller.actor)))
    return render(
        request,
        "ledger.html",
        csrf,
        size=size,
        entries=[(e, json.dumps(e, indent=2, ensure_ascii=False)) for e in entries],
        first=first,
        stop=stop,
        kept=house.post.kept(),
        mail=house.post.state(),
        key=house.vkey,
        page_size=ENTRIES,
    )


@router.get("/ledger/checkpoint")
def checkpoint(house: House, csrf: SeesLedger) -> Response:
    """The latest signed checkpoint as a file, for an overseer to keep where the operator cannot reach it."""
    kept = house.post.kept()
    headers = {"Content-Disposition": f'attachment; filename="{kept.name}"'}
    return Response(kept.text, media_type="text/plain; charset=utf-8", headers=headers)


@router.get("/ledger/receipts/{seq}")
def receipt(request: Request, house: House, caller: Annotated[Caller, Depends(visitor)], seq: int) -> Response:
    """One receipt, to read, print and check: an auditor's to see, or that of whoever did what it proves."""
    csrf = caller.csrf
    if caller.actor.names.isdisjoint(house.who_entered(seq)):
        house.people.admit(caller.actor, "ledger:read")
    found = house.read_receipt(seq, caller.actor)
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


def error_page(request: Request, error: CountenanceError) -> Response:
    """One of the program's own errors, for a person. Who is not signed in is shown the door."""
    if isinstance(error, NotSignedIn):
        return RedirectResponse("/enter" if links(request) else "/sign-in", 303)
    return render(
        request, "error.html", None, error.http_status, code=error.http_status, what=error.message, advice=error.advice
    )


def http_error_page(request: Request, error: HTTPException) -> Response:
    """A page that is not there, for a person."""
    what = "There is nothing at this address." if error.status_code == 404 else str(error.detail)
    page = render(request, "error.html", None, error.status_code, code=error.status_code, what=what, advice="")
    page.headers.update(error.headers or {})
    return page


def said(error: CountenanceError) -> str:
    """One of the program's own errors in sentences, for a form that is shown again."""
    advice = f" {error.advice[:1].upper()}{error.advice[1:]}." if error.advice else ""
    return f"{error.message[:1].upper()}{error.message[1:]}.{advice}"


def render(request: Request, template: str, csrf: str | None, answer: int = 200, **values: Any) -> HTMLResponse:
    """A page. The navigation shows what whoever is signed in may see."""
    app = countenance(request)
    caller: Caller | None = getattr(request.state, "caller", None)
    context = {
        "csrf": csrf,
        "demo": app.demo,
        "version": package.__version__,
        "path": request.url.path,
        "can": caller.acts if caller is not None else frozenset(),
        "menu": menu(caller.acts) if caller is not None else [],
        "account": caller.account if caller is not None else None,
        "links": links(request),
        "name_of": app.people.name_of,
    }
    return HTMLResponse(_templates.get_template(template).render(context | values), answer)
