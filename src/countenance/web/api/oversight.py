"""/oversight: the ledger read as acts of people. Each reading has a lawful purpose, and is an entry."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import AwareDatetime, Field

from countenance.services.oversight import Asked as Wanted
from countenance.web.api.shapes import Answer, Asked, BigInt, Moment
from countenance.web.callers import House, Overseer
from countenance.web.problems import responses

router = APIRouter(prefix="/oversight", tags=["oversight"])


class ReadingAsked(Asked):
    """For which of the four purposes of section 62(4) of the Data Protection Act 2018, and of what time."""

    purpose: Literal["lawfulness", "self-monitoring", "integrity", "criminal-proceedings"]
    since: AwareDatetime | None = Field(default=None, strict=False)
    until: AwareDatetime | None = Field(default=None, strict=False)


class FlagShown(Answer):
    """A sign: a reason to ask, never a finding. `entries` are those that it rests on."""

    rule: str
    severity: Literal["notice", "look", "urgent"]
    reason: str
    people: list[str]
    cases: list[str]
    entries: list[int]


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
    looks_wrong: dict[str, int]
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


@router.post("/transparency", responses=responses())
def transparency(house: House, caller: Overseer, asked: ReadingAsked) -> dict[str, Any]:
    """What may be told to the public, small counts suppressed. Scope: `oversight:read`."""
    return house.oversight.transparency(Wanted(asked.purpose, asked.since, asked.until), caller.actor)
