"""/holds: legal holds, what may not be destroyed for now."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, Field, StringConstraints

from countenance.services.hold import NewHold
from countenance.web.api.shapes import Answer, Asked, BigInt, Moment, Name, Word
from countenance.web.callers import HoldsReader, HoldsWriter, House
from countenance.web.problems import responses

router = APIRouter(prefix="/holds", tags=["holds"])

HoldInPath = Annotated[str, Path(pattern=r"^H-[0-9a-f]{12}$", description="A hold's id.")]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"\S")]
Ids = Annotated[list[Word], Field(max_length=100)]
Names = Annotated[list[Name], Field(max_length=100)]


class Waits(Answer):
    """An erasure that waits for holds to end."""

    id: str
    at: Moment
    sightings: int
    holds: list[str]
    entry: int = Field(le=BigInt)


class HoldListed(Answer):
    """One hold. `of` has what is held, sources by number; `names` are the names of those that are there."""

    id: str
    state: Literal["in force", "released", "lapsed"]
    of: dict[str, list[Any]]
    names: list[str]
    case: str | None
    placed: Moment
    by: str
    until: Moment
    ended: Moment | None
    entry: int = Field(le=BigInt)


class HoldShown(HoldListed):
    """The same with its reasons, as far as they are kept, and the erasures that wait for it."""

    reason: str | None
    released_because: str | None
    waiting: list[Waits]


class Holds(Answer):
    holds: list[HoldListed]
    waiting: list[Waits]


class HoldAsked(Asked):
    """What is to be held, why and until when; a search by its id, or by the number of an entry about it."""

    reason: Reason
    until: AwareDatetime = Field(strict=False)
    sources: Names = Field(default=[])
    collections: Names = Field(default=[])
    authorities: Ids = Field(default=[])
    searches: Ids = Field(default=[])
    analyses: Ids = Field(default=[])
    case: str = Field(default="", max_length=200, description="Stays in the ledger: a number, never a name.")


class ReleaseAsked(Asked):
    reason: Reason


@router.get("", response_model=Holds, responses=responses())
def holds(
    house: House,
    caller: HoldsReader,
    ended: Annotated[Literal["no", "yes"], Query(description="Also those that have ended.")] = "no",
) -> dict[str, Any]:
    """The holds in force, the newest first, and the erasures that wait. Scope: `holds:read`."""
    return house.holds.listed(caller.actor, ended=ended == "yes")


@router.post("", response_model=HoldShown, status_code=201, responses=responses(404))
def place(house: House, caller: HoldsWriter, asked: HoldAsked) -> dict[str, Any]:
    """Keep something from being destroyed until a date. Scope: `holds:write`."""
    new = NewHold(
        reason=asked.reason,
        until=asked.until,
        sources=tuple(asked.sources),
        collections=tuple(asked.collections),
        authorities=tuple(asked.authorities),
        searches=tuple(asked.searches),
        analyses=tuple(asked.analyses),
        case=asked.case,
    )
    return house.holds.in_full(house.holds.place(new, caller.actor))


@router.get("/{hold}", response_model=HoldShown, responses=responses(404))
def hold(house: House, caller: HoldsReader, hold: HoldInPath) -> dict[str, Any]:
    """One hold with its reason. Scope: `holds:read`."""
    return house.holds.in_full(house.holds.one(hold, caller.actor))


@router.post("/{hold}/release", response_model=HoldShown, responses=responses(404))
def release(house: House, caller: HoldsWriter, hold: HoldInPath, asked: ReleaseAsked) -> dict[str, Any]:
    """End a hold before its date; in an organisation somebody else than who placed it. Scope: `holds:write`."""
    return house.holds.in_full(house.holds.release(hold, asked.reason, caller.actor))
