"""/oversight: the ledger read as acts of people. Each reading has a lawful purpose, and is an entry."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import AwareDatetime, Field

from countenance.services.listing import Chosen
from countenance.services.oversight import Asked as Wanted
from countenance.web.api.shapes import Answer, Asked, BigInt, Moment, SearchInPath, file_answer
from countenance.web.callers import House, Overseer
from countenance.web.problems import responses

router = APIRouter(prefix="/oversight", tags=["oversight"])


class ReadingAsked(Asked):
    """For which of the four purposes of section 62(4) of the Data Protection Act 2018, and of what time."""

    purpose: Literal["lawfulness", "self-monitoring", "integrity", "criminal-proceedings"]
    since: AwareDatetime | None = Field(default=None, strict=False)
    until: AwareDatetime | None = Field(default=None, strict=False)


class ActsAsked(ReadingAsked):
    """What the acts are narrowed to; what is left out narrows nothing."""

    kind: Literal["", "search", "refused", "granted", "lapsed", "erased"] = ""
    user: str = Field(default="", max_length=200)
    case: str = Field(default="", max_length=200)
    purpose_of_search: str = Field(default="", max_length=200)
    basis: str = Field(default="", max_length=40)
    collection: str = Field(default="", max_length=64)
    sign: str = Field(default="", max_length=40)
    came: Literal["", "reliable", "unreliable", "none", "cut_off"] = ""
    led: Literal["", "opened", "verdict", "exported"] = ""
    approved: Literal["", "self"] = ""


class ActRead(Answer):
    """One act, and what the ledger says of it."""

    kind: str
    entry: int = Field(le=BigInt)
    at: Moment
    who: str
    case: str
    purpose: str
    basis: str
    signs: list[str]


class ActsRead(Answer):
    read: int = Field(le=BigInt)
    since: Moment | None
    until: Moment
    acts: list[ActRead]


class WholeAct(Answer):
    """Every entry that the ledger holds on one search."""

    read: int = Field(le=BigInt)
    search: str
    entry: int = Field(le=BigInt)
    at: Moment
    who: str
    authority: str
    entries: list[dict[str, Any]]


class FlagShown(Answer):
    """A sign: a reason to ask, never a finding. `entries` are those that it rests on."""

    rule: str
    severity: Literal["notice", "look", "urgent"]
    reason: str
    people: list[str]
    cases: list[str]
    entries: list[int]


class MatterShown(Answer):
    """Signs about the same people that rest on common entries, the gravest first: one thing to ask about."""

    severity: Literal["notice", "look", "urgent"]
    people: list[str]
    flags: list[FlagShown]


class Silent(Answer):
    """A rule that had nothing to go by."""

    rule: str
    what: str
    why: str


class Flags(Answer):
    read: int = Field(le=BigInt, description="The entry that says that this was read.")
    since: Moment | None
    until: Moment
    searches: int
    flags: list[FlagShown]
    matters: list[MatterShown]
    silent: list[Silent]


class Summary(Answer):
    """How many searches, by whom, for what, how many led anywhere, what is overdue, what looks wrong."""

    read: int = Field(le=BigInt)
    since: Moment | None
    until: Moment
    entries: int
    searches: int
    people: int
    cases: int
    by_person: dict[str, int]
    by_purpose: dict[str, int]
    led_anywhere: dict[str, int]
    overdue: list[dict[str, Any]]
    figures: dict[str, Any]
    inspections: dict[str, int]
    last_draw: Moment | None
    looks_wrong: dict[str, int]
    graded: dict[str, int]
    matters: list[MatterShown]
    gravest: list[FlagShown]
    silent: dict[str, str]


@router.post("/flags", response_model=Flags, responses=responses())
def flags(house: House, caller: Overseer, asked: ReadingAsked) -> dict[str, Any]:
    """What looks wrong, each sign with its reason. A POST, because reading is an entry. Scope: `oversight:read`."""
    return house.oversight.flags(Wanted(asked.purpose, asked.since, asked.until), caller.actor)


@router.post("/summary", response_model=Summary, responses=responses())
def summary(house: House, caller: Overseer, asked: ReadingAsked) -> dict[str, Any]:
    """The overseer's page in numbers. A POST, because reading is an entry. Scope: `oversight:read`."""
    return house.oversight.summary(Wanted(asked.purpose, asked.since, asked.until), caller.actor)


class BandShown(Answer):
    """Judged candidates whose expected strangers were at most so many. `share` is [share, low, high] of them that two
    people took for somebody else; `strangers_at_least` is what that proves, `strangers_expected` what was to be."""

    expected_strangers_at_most: float
    judged: int
    different: int
    share: list[float] | None
    strangers_expected: float
    strangers_at_least: float
    too_hopeful: bool


class VerdictsShown(Answer):
    """Verdicts beside expected strangers. `too_hopeful`: there surely are more strangers than were expected."""

    read: int = Field(le=BigInt)
    since: Moment | None
    until: Moment
    pack: str
    searches: int
    judged: int
    bands: list[BandShown]
    too_hopeful: bool


@router.post("/verdicts", response_model=VerdictsShown, responses=responses())
def verdicts(house: House, caller: Overseer, asked: ReadingAsked) -> dict[str, Any]:
    """Whether more candidates were judged to be somebody else than was to be expected. Scope: `oversight:read`."""
    return house.oversight.verdicts(Wanted(asked.purpose, asked.since, asked.until), caller.actor)[0]


@router.post("/acts", response_model=ActsRead, responses=responses())
def acts(house: House, caller: Overseer, asked: ActsAsked) -> dict[str, Any]:
    """The acts behind a figure, the newest first. A POST, because reading is an entry. Scope: `oversight:read`."""
    given = asked.model_dump(exclude={"purpose", "since", "until"})
    chosen = Chosen(**given | {"purpose": given.pop("purpose_of_search")})
    return house.oversight.acts(Wanted(asked.purpose, asked.since, asked.until), chosen, caller.actor)


@router.post("/acts/{search}", response_model=WholeAct, responses=responses())
def act(house: House, caller: Overseer, search: SearchInPath, asked: ReadingAsked) -> dict[str, Any]:
    """Everything on one search, from the asking for leave on. Scope: `oversight:read`."""
    return house.oversight.act(search, Wanted(asked.purpose), caller.actor)


@router.post(
    "/report",
    response_class=Response,
    responses={**responses(), 200: file_answer("application/pdf", "The report.")},
)
def report(house: House, caller: Overseer, asked: ReadingAsked) -> Response:
    """The overseer's page as a PDF; it names people and cases. Scope: `oversight:read`."""
    from countenance.reports.oversight import report_of

    seen = house.oversight.summary(Wanted(asked.purpose, asked.since, asked.until), caller.actor)
    content = report_of(seen, house.people.name_of, demo=house.demo)
    headers = {"Content-Disposition": 'attachment; filename="countenance-oversight.pdf"'}
    return Response(content, media_type="application/pdf", headers=headers)


@router.post("/transparency", responses=responses())
def transparency(house: House, caller: Overseer, asked: ReadingAsked) -> dict[str, Any]:
    """What may be told to the public, small counts suppressed. Scope: `oversight:read`."""
    return house.oversight.transparency(Wanted(asked.purpose, asked.since, asked.until), caller.actor)
