"""The pages of inspections: what was drawn and how it stands, and one of them with the file of its search."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from countenance.domain.inspections import FINDINGS
from countenance.domain.lawful import LAWFUL
from countenance.domain.misuse.rules import RULES
from countenance.services.drawing import ROLES, names_of
from countenance.store.moments import now
from countenance.web.callers import Caller, House, from_here, page, visitor
from countenance.web.pages.routes import render

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

SeesInspections = Annotated[str, Depends(page("inspections:read"))]
AnswersFollowUps = Annotated[str, Depends(page("inspections:answer"))]
Who = Annotated[Caller, Depends(visitor)]


@router.get("/inspections")
def inspections(request: Request, house: House, csrf: SeesInspections, who: Who) -> Response:
    """Every inspection, those that wait first; and the form that draws."""
    at = now()
    found = house.inspections.every(who.actor)
    return render(
        request,
        "inspections.html",
        csrf,
        waiting=sorted((one for one in found if one.finding is None), key=lambda one: one.due),
        done=[one for one in found if one.finding is not None],
        draws=house.inspections.draws(who.actor),
        counts=house.inspections.counts(who.actor),
        lawful=LAWFUL,
        rules=RULES,
        policy=house.settings.oversee,
        now=at,
        mine=house.people.known(who.actor).names,
    )


@router.get("/follow-ups")
def follow_ups(request: Request, house: House, csrf: AnswersFollowUps, who: Who) -> Response:
    """What inspections ask of whoever looks at this page, and a form for each to say that it was done."""
    desk = house.inspections
    found = [(one, desk.asked(one)) for one in desk.follow_ups(who.actor)]
    return render(request, "follow_ups.html", csrf, found=found, findings=FINDINGS, now=now())


@router.get("/inspections/{inspection}")
def one(
    request: Request,
    house: House,
    csrf: SeesInspections,
    who: Who,
    inspection: str,
    file: Annotated[str, Query(max_length=4)] = "",
) -> Response:
    """One inspection. Its search's file is opened when it is asked for, and that is an entry."""
    found = house.inspections.one(inspection, who.actor)
    seen = house.inspections.file(inspection, who.actor) if file and from_here(request) else None
    reasons = None
    if seen is not None:
        for entry in seen["entries"]:
            entry["text"] = json.dumps(entry["body"], indent=2, ensure_ascii=False)
        asked = house.requests.papers().of_authority(seen["authority"])
        reasons = house.requests.reasons(asked) if asked is not None else None
    mine = house.people.known(who.actor).names
    accounts = [one for one in house.people.told().accounts.values() if not one.disabled]
    return render(
        request,
        "inspection.html",
        csrf,
        one=found,
        written=house.inspections.written(found),
        seen=seen,
        reasons=reasons,
        findings=FINDINGS,
        rules=RULES,
        now=now(),
        judges=found.finding is None and found.assigned in mine,
        owners=accounts,
        others=[one for one in accounts if set(ROLES) & set(one.roles) and found.assigned not in names_of(one)],
        case_link=None,
        key=house.vkey,
    )
