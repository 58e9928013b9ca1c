"""The pages about proxy logs: analyses, one of them with its sessions, and one session with its lines."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from countenance.reports import proxylog_plots as plots
from countenance.reports.plain import visible
from countenance.reports.proxylog_words import CEILINGS, CLASSES, FITS, bounds
from countenance.web.callers import House, page
from countenance.web.pages.routes import render

router = APIRouter(prefix="/proxylog", include_in_schema=False, default_response_class=HTMLResponse)

SeesLogs = Annotated[str, Depends(page("proxylog:read"))]

PAGE = 50
PICTURES: tuple[plots.Picture, ...] = ("bounds", "timeline")
SHAPES: tuple[plots.Shape, ...] = ("wide", "narrow")
LINES = 30
"""Lines shown under a session; its own page has all."""


@router.get("")
def analyses(request: Request, house: House, csrf: SeesLogs) -> Response:
    """Every analysis, and how one is made."""
    return render(request, "proxylogs.html", csrf, analyses=house.logs.analyses(), bounds=bounds)


@router.get("/{analysis}")
def analysis(
    request: Request,
    house: House,
    csrf: SeesLogs,
    analysis: str,
    kind: Annotated[str, Query(alias="class", max_length=40)] = "",
    site: Annotated[str, Query(max_length=100)] = "",
    user: Annotated[str, Query(max_length=40)] = "",
    ceiling: Annotated[str, Query(max_length=4)] = "",
    text: Annotated[str, Query(max_length=200)] = "",
    first: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> Response:
    """The answer, what the logs do not cover, the sessions."""
    found = house.logs.analysis(analysis)
    body = found["body"]
    asked = {"class": kind, "site": site, "user": user, "ceiling": ceiling, "text": text}
    every = sorted([*body["sessions"], *body["reverse_image"]["sessions"]], key=_first_what_matters)
    chosen = [session for session in every if _fits(session, asked)]
    return render(
        request,
        "proxylog.html",
        csrf,
        found=found,
        body=body,
        asked=asked,
        classes=CLASSES,
        fits=FITS,
        bounds=bounds,
        shows=CEILINGS,
        sites=_titles(body["profiles"], every),
        ceilings=sorted({session["ceiling"] for session in every}),
        sessions=chosen[first : first + PAGE],
        first=first,
        count=len(chosen),
        every=len(every),
        filtered=any(asked.values()),
        listed=LINES,
        page_size=PAGE,
        alt={picture: plots.words(body, picture) for picture in PICTURES},
        size={(picture, shape): plots.size(body, picture, shape) for picture in PICTURES for shape in SHAPES},
    )


@router.get("/{analysis}/sessions/{session}")
def session(request: Request, house: House, csrf: SeesLogs, analysis: str, session: str) -> Response:
    """Why one session is what it is, and who it was, once two people ask."""
    found = house.logs.session(session, analysis)
    profiles = house.logs.analysis(found["analysis"])["body"]["profiles"]
    return render(
        request,
        "proxylog_session.html",
        csrf,
        analysis=analysis,
        s=found["session"],
        site=_titles(profiles, [found["session"]])[found["session"]["site"]],
        shows=CEILINGS,
        classes=CLASSES,
        fits=FITS,
        bounds=bounds,
    )


def _titles(profiles: list[dict[str, Any]], sessions: list[dict[str, Any]]) -> dict[str, str]:
    """The sites of these sessions, by name, as people know them."""
    titles = {profile["name"]: profile["title"] for profile in profiles}
    return {site: visible(titles.get(site, site), 60) for site in sorted({session["site"] for session in sessions})}


def _first_what_matters(session: dict[str, Any]) -> tuple[int, int, str, str]:
    searches = session["searches"]
    return -searches["at_least"], -searches["at_most"], session["start"], session["id"]


def _fits(session: dict[str, Any], asked: dict[str, str]) -> bool:
    if any(asked[name] and session[name] != asked[name] for name in ("class", "site", "user", "ceiling")):
        return False
    wanted = asked["text"].strip().lower()
    if not wanted:
        return True
    texts = [session["id"], session["user"], *session["reasons"], *(line["shown"] for line in session["evidence"])]
    return any(wanted in one.lower() for one in texts)
