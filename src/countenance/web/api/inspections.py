"""/inspections: searches that somebody with no part in them looks at afterwards."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import AwareDatetime, Field

from countenance.domain.inspections import Inspection
from countenance.services.inspections import LONGEST, MOST
from countenance.services.inspections import Wanted as DrawWanted
from countenance.store.moments import now
from countenance.web.api.shapes import Answer, Asked, BigInt, Moment, Word
from countenance.web.callers import FollowUpOwner, House, InspectionsDrawer, InspectionsReader, Inspector
from countenance.web.problems import responses

router = APIRouter(prefix="/inspections", tags=["inspections"])

InspectionInPath = Annotated[str, Path(pattern=r"^I-[0-9a-f]{12}$", description="An inspection's id.")]
DrawInPath = Annotated[str, Path(pattern=r"^D-[0-9a-f]{12}$", description="A draw's id.")]
Words = Annotated[str, Field(min_length=1, max_length=LONGEST)]


class InspectionShown(Answer):
    """One search to be looked at. `state` is open, overdue, or what was found."""

    id: str
    draw: str
    search: str
    kind: Literal["random", "risk"]
    weight: int
    rules: list[str]
    drawn_at: Moment
    due: Moment
    assigned: str | None
    state: Literal["open", "overdue", "in-order", "query", "improper"]
    finding: dict[str, Any] | None
    follow_up: dict[str, Any] | None
    entry: int = Field(le=BigInt)


class DrawShown(Answer):
    """One drawing: the random ones follow from `root`, the ledger's root hash at `size` entries, and `word`."""

    id: str
    entry: int = Field(le=BigInt)
    at: Moment
    by: str
    since: Moment
    until: Moment
    size: int = Field(le=BigInt)
    root: str
    word: str
    random: int
    risk: int
    population: int


class Owed(Answer):
    """A follow-up as its owner sees it: what was found, what has to come of it and by when, what was done."""

    inspection: str
    search: str
    finding: Literal["query", "improper"]
    owner: str
    due: date
    late: bool
    entry: int = Field(le=BigInt)
    done: Moment | None
    done_entry: int | None
    words: dict[str, str]


class FollowUps(Answer):
    follow_ups: list[Owed]


class Inspections(Answer):
    inspections: list[InspectionShown]
    draws: list[DrawShown]


class DrawChecked(DrawShown):
    """The random ones as they were drawn, and drawn again from the ledger."""

    drawn: list[str]
    drawn_again: list[str]
    root_holds: bool
    agrees: bool


class DrawAsked(Asked):
    """What is left out is what the settings say, and the time since the last draw."""

    purpose: Literal["lawfulness", "self-monitoring", "integrity", "criminal-proceedings"]
    since: AwareDatetime | None = Field(default=None, strict=False)
    until: AwareDatetime | None = Field(default=None, strict=False)
    random: int | None = Field(default=None, ge=0, le=MOST)
    risk: int | None = Field(default=None, ge=0, le=MOST)
    word: str = Field(default="", max_length=200)


class AssignAsked(Asked):
    to: Word


class FindingAsked(Asked):
    finding: Literal["in-order", "query", "improper"]
    words: Words


class FollowUpAsked(Asked):
    owner: Word
    due: date = Field(strict=False)
    words: Words


class DoneAsked(Asked):
    words: Words


@router.get("", response_model=Inspections, responses=responses())
def list_inspections(house: House, caller: InspectionsReader) -> dict[str, Any]:
    """Every inspection, to a reviewer their own; and every draw. Scope: `inspections:read`."""
    at = now()
    return {
        "inspections": [one.as_json(at) for one in house.inspections.every(caller.actor)],
        "draws": [one.as_json() for one in house.inspections.draws(caller.actor)],
    }


@router.post("/draws", response_model=DrawShown, status_code=201, responses=responses())
def draw(house: House, caller: InspectionsDrawer, asked: DrawAsked) -> dict[str, Any]:
    """Draw searches and assign each to somebody with no part in it. Scope: `inspections:draw`."""
    wanted = DrawWanted(asked.purpose, asked.since, asked.until, asked.random, asked.risk, asked.word)
    return house.inspections.draw(wanted, caller.actor).as_json()


@router.get("/draws/{draw}/check", response_model=DrawChecked, responses=responses())
def check(house: House, caller: InspectionsReader, draw: DrawInPath) -> dict[str, Any]:
    """Draw the random ones again, and say whether they agree. Scope: `inspections:read`."""
    return house.inspections.check(draw, caller.actor)


@router.post("/{inspection}/file", responses=responses())
def file(house: House, caller: Inspector, inspection: InspectionInPath) -> dict[str, Any]:
    """Everything that the ledger holds on the search; reading it is an entry. Scope: `inspections:judge`."""
    return house.inspections.file(inspection, caller.actor)


@router.post("/{inspection}/assign", response_model=InspectionShown, responses=responses())
def assign(house: House, caller: InspectionsDrawer, inspection: InspectionInPath, asked: AssignAsked) -> dict[str, Any]:
    """Give it to somebody else. Scope: `inspections:draw`."""
    return house.inspections.assign(inspection, asked.to, caller.actor).as_json(now())


@router.post("/{inspection}/finding", response_model=InspectionShown, responses=responses())
def find(house: House, caller: Inspector, inspection: InspectionInPath, asked: FindingAsked) -> dict[str, Any]:
    """Say what was found. Scope: `inspections:judge`."""
    return house.inspections.find(inspection, asked.finding, asked.words, caller.actor).as_json(now())


@router.post("/{inspection}/follow-up", response_model=InspectionShown, responses=responses())
def follow_up(house: House, caller: Inspector, inspection: InspectionInPath, asked: FollowUpAsked) -> dict[str, Any]:
    """Say what has to come of it, who sees to it and by when. Scope: `inspections:judge`."""
    desk = house.inspections
    return desk.follow_up(inspection, asked.owner, asked.due, asked.words, caller.actor).as_json(now())


@router.get("/follow-ups", response_model=FollowUps, responses=responses())
def follow_ups(house: House, caller: FollowUpOwner) -> dict[str, Any]:
    """The follow-ups that are one's own, what is still to be done first. Scope: `inspections:answer`."""
    return {"follow_ups": [_owed(house, one) for one in house.inspections.follow_ups(caller.actor)]}


@router.post("/{inspection}/done", response_model=Owed, responses=responses())
def done(house: House, caller: FollowUpOwner, inspection: InspectionInPath, asked: DoneAsked) -> dict[str, Any]:
    """Record what was done of a follow-up of one's own; of another's with `inspections:judge` too.

    Scope: `inspections:answer`.
    """
    return _owed(house, house.inspections.followed_up(inspection, asked.words, caller.actor, caller.acts))


def _owed(house: House, one: Inspection) -> dict[str, Any]:
    return one.owed(now()) | {"words": house.inspections.asked(one)}
