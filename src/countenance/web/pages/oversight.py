"""The overseer's console: how the house was used, what looks wrong, and from every figure the acts behind it.

An address says what a reading is for, of what time and of what; each reading is an entry. What another site's page asks
for is not read: the form is shown, and nothing is entered under somebody's name that they did not ask for.
"""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup

from countenance.domain.basis import BASES
from countenance.domain.errors import BadInput, Unavailable
from countenance.domain.lawful import LAWFUL
from countenance.domain.misuse.rules import RULES
from countenance.reports import oversight_plots as plots
from countenance.reports.oversight import named, report_of, titled
from countenance.services.clock import troubles
from countenance.services.figures import CAME
from countenance.services.listing import KINDS, Chosen
from countenance.services.oversight import Asked
from countenance.store.moments import now
from countenance.web.callers import Caller, House, from_here, page, visitor
from countenance.web.pages.routes import render

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

Oversees = Annotated[str, Depends(page("oversight:read"))]
Who = Annotated[Caller, Depends(visitor)]
SPANS = {
    "7": "the last 7 days",
    "30": "the last 30 days",
    "90": "the last 90 days",
    "365": "the last year",
    "ever": "ever",
}
PAGE = 50
PICTURES: dict[plots.Picture, tuple[plots.Shape, ...]] = {
    "time": ("wide", "narrow"),
    "hours": ("wide", "narrow"),
    "people": ("narrow",),
    "purposes": ("narrow",),
    "bases": ("narrow",),
}
LED = {"opened": "a picture was opened", "verdict": "a candidate was judged", "exported": "it was exported"}


class Wanted:
    """What an address asks for: what the reading is for, and of what time. `span` is in days before now."""

    def __init__(
        self,
        request: Request,
        reading: Annotated[str, Query(max_length=40)] = "",
        span: Annotated[str, Query(max_length=4)] = "30",
        since: Annotated[str, Query(alias="from", max_length=40)] = "",
        until: Annotated[str, Query(alias="to", max_length=40)] = "",
    ) -> None:
        self.reading, self.span = reading, span if span in SPANS else "30"
        self.since, self.until = moment(since), moment(until)
        if self.since is None and self.until is None and self.span != "ever":
            midnight = now().replace(hour=0, minute=0, second=0, microsecond=0)
            self.since = midnight - timedelta(days=int(self.span))
        elif self.since is not None or self.until is not None:
            self.span = "-"
        self.ours = from_here(request)

    @property
    def asked(self) -> Asked | None:
        """What is to be read; None while it is not said what for, or another site's page asks."""
        return Asked(self.reading, self.since, self.until) if self.reading and self.ours else None

    def link(self, path: str, **more: Any) -> str:
        """An address with the same purpose and time, and what else is given."""
        times = {"from": _plain(self.since), "to": _plain(self.until)}
        times |= {} if any(times.values()) else {"span": "ever"}
        values = {"reading": self.reading, **times, **{name.rstrip("_"): value for name, value in more.items()}}
        return f"{path}?{urlencode({k: v for k, v in values.items() if v not in ('', None)})}"


def moment(text: str) -> datetime | None:
    """A day (UTC) or a time; None for nothing. Raises BadInput."""
    if not text.strip():
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadInput(f"not a time: {text}", advice="write it as 2026-01-31") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _plain(at: datetime | None) -> str:
    if at is None:
        return ""
    return f"{at:%Y-%m-%d}" if at.astimezone(UTC).time() == datetime.min.time() else at.isoformat()


Asks = Annotated[Wanted, Depends()]


@router.get("/oversight")
def oversight(request: Request, house: House, csrf: Oversees, who: Who, wanted: Asks) -> Response:
    """The console, once it was said what the reading is for. Reading it is an entry before anything is shown."""
    shown: dict[str, Any] = {"seen": None}
    if wanted.asked is not None:
        seen = house.oversight.summary(wanted.asked, who.actor)
        asked = [one for one in house.requests.every(who.actor) if one.undecided]
        figures = titled(seen["figures"], house.people.name_of)
        shown = {
            "seen": seen,
            "figures": figures,
            "matters": [
                one | {"flags": [named(flag, house.people.name_of) for flag in one["flags"]]} for one in seen["matters"]
            ],
            "plots": pictures(figures),
            "alt": {name: plots.words(figures, name) for name in PICTURES},
            "waiting": len(asked),
            "overdue": [one for one in asked if one.overdue(now())],
            "mail": house.post.state(),
            "resets": house.resets.lately() if house.people.profile.two_people else [],
            "clock": troubles(house.clock.state(), mail_told=True),
            "reviewers": house.reviews.reviewers(who.actor),
        }
    return _render(request, "oversight.html", csrf, wanted, **shown)


@router.get("/oversight/acts")
def acts(
    request: Request,
    house: House,
    csrf: Oversees,
    who: Who,
    wanted: Asks,
    first: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> Response:
    """The acts behind a figure, narrowed by what the address says."""
    names = [one.name for one in fields(Chosen)]
    chosen = Chosen(**{name: request.query_params.get(name, "")[:200] for name in names})
    part = slice(first, first + PAGE)
    seen = house.oversight.acts(wanted.asked, chosen, who.actor, part) if wanted.asked is not None else None
    return _render(
        request,
        "oversight_acts.html",
        csrf,
        wanted,
        seen=seen,
        chosen=chosen,
        first=first,
        page_size=PAGE,
        people=house.people.accounts(),
    )


@router.get("/oversight/acts/{search}")
def act(request: Request, house: House, csrf: Oversees, who: Who, wanted: Asks, search: str) -> Response:
    """One search: the leave, what was shown, opened, exported and judged, and the proof of each entry."""
    seen = house.oversight.act(search, wanted.asked, who.actor) if wanted.asked is not None else None
    reasons = None
    if seen is not None and seen["request"] is not None:
        reasons = house.requests.reasons(house.requests.one(seen["request"]["id"], who.actor))
    for entry in seen["entries"] if seen is not None else ():
        entry["text"] = json.dumps(entry["body"], indent=2, ensure_ascii=False)
    case = seen["terms"].get("case") if seen is not None else None
    return _render(
        request,
        "oversight_act.html",
        csrf,
        wanted,
        search=search,
        seen=seen,
        reasons=reasons,
        case_link=wanted.link("/oversight/acts", case=case) if case else None,
        key=house.vkey,
    )


@router.get("/oversight/report")
def report(house: House, csrf: Oversees, who: Who, wanted: Asks) -> Response:
    """The console as a PDF; a reading like any other."""
    if wanted.asked is None:
        raise BadInput("say what the reading is for", advice="the page Oversight asks, and has a button for the report")
    seen = house.oversight.summary(wanted.asked, who.actor)
    content = report_of(seen, house.people.name_of, demo=house.demo)
    headers = {"Content-Disposition": 'attachment; filename="countenance-oversight.pdf"'}
    return Response(content, media_type="application/pdf", headers=headers)


def _render(request: Request, template: str, csrf: str, wanted: Wanted, **values: Any) -> Response:
    lists: dict[str, Any] = {
        "lawful": LAWFUL,
        "spans": SPANS,
        "rules": RULES,
        "bases": BASES,
        "came": CAME,
        "kinds": KINDS,
        "led": LED,
    }
    return render(request, template, csrf, wanted=wanted, days=plots.DAYS, titles=plots.TITLES, **lists, **values)


def pictures(figures: dict[str, Any]) -> dict[str, Markup]:
    """Every picture as it stands in the page; none without the extra `reports`: the tables say it too."""
    try:
        return {
            name: Markup("").join(
                Markup(plots.inline(plots.svg(figures, name, theme="page", shape=shape), shape))  # noqa: S704
                for shape in shapes
            )
            for name, shapes in PICTURES.items()
        }
    except Unavailable:
        return {}
