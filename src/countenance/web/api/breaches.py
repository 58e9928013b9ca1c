"""/breaches: what was exposed, when an account, a token or a file got into the wrong hands."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import AwareDatetime, Field

from countenance.services.breach import Asked as Exposed
from countenance.web.api.shapes import Answer, Asked, BigInt, EntryInPath, Moment, Word
from countenance.web.callers import House, Overseer, check_scope
from countenance.web.problems import responses

router = APIRouter(prefix="/breaches", tags=["oversight"])

Part = Literal["breach.pdf", "breach.json", "receipt.json", "ledger.zip", "breach.zip"]
_LEDGER = ("ledger.zip", "breach.zip")
"""The parts with entries of the ledger as they stand."""
Kind = Literal["backup", "database", "vectors", "crops", "keys", "ledger", "export", "home"]
_TYPES = {"pdf": "application/pdf", "json": "application/json", "zip": "application/zip"}
Several = Annotated[list[Word], Field(max_length=100)]


class BreachAsked(Asked):
    """What may have been exposed, since when and until when. Of files kinds alone are asked for: the home's own are
    counted, and no path of the server's is read for a program."""

    since: AwareDatetime = Field(strict=False)
    until: AwareDatetime | None = Field(default=None, strict=False, description="By default now.")
    users: Several = Field(default=[], description="Accounts by name or id, or os:NAME for a system's user.")
    tokens: Several = Field(default=[], description="Tokens by id.")
    files: list[Kind] = Field(default=[], max_length=8)
    aware: AwareDatetime | None = Field(default=None, strict=False, description="By default now.")
    purpose: Literal["lawfulness", "self-monitoring", "integrity", "criminal-proceedings"] = "integrity"


class Breach(Answer):
    """What `countenance breach --json` prints. `read` is the entry of this reading, by which its parts are fetched;
    `listed` are the entries that it rests on."""

    read: int = Field(le=BigInt)
    made: Moment
    purpose: str
    period: dict[str, Moment]
    aware: Moment
    deadline: Moment
    hours_left: float
    accounts: list[dict[str, Any]]
    tokens: list[dict[str, Any]]
    files: list[dict[str, Any]]
    affected: dict[str, Any]
    notice: dict[str, Any]
    listed: list[int]


@router.post("", response_model=Breach, status_code=201, responses=responses())
def breach(house: House, caller: Overseer, asked: BreachAsked) -> dict[str, Any]:
    """Say what was exposed. A POST, because reading is an entry. Scope: `oversight:read`."""
    wanted = Exposed(
        since=asked.since,
        until=asked.until,
        users=tuple(asked.users),
        tokens=tuple(asked.tokens),
        files=tuple(asked.files),
        aware=asked.aware,
        purpose=asked.purpose,
    )
    return house.breaches.pack(wanted, caller.actor)


@router.get(
    "/{read}/{part}",
    response_class=Response,
    responses={
        **responses(),
        200: {
            "description": "The part.",
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _TYPES.values()},
        },
    },
)
def part(house: House, caller: Overseer, read: EntryInPath, part: Part) -> Response:
    """A part of a pack that the same account just made; after `search.handle_minutes` it is made again.

    `breach.zip` has all of them. `ledger.zip`, alone or in it, is the extract of the ledger that
    `python -m countenance.ledger.verify` checks; taking it is an entry. Scope: `oversight:read`, and for the two zips
    `ledger:read` too.
    """
    from countenance.reports import breach as paper

    if part in _LEDGER:
        check_scope(caller, "ledger:read")
    body = house.breaches.made(read, caller.actor)
    if part == "breach.pdf":
        content = paper.as_pdf(body, demo=house.demo)
    elif part == "breach.json":
        content = paper.as_json(body)
    elif part == "receipt.json":
        content = paper.receipt_json(house.receipt(read))
    else:
        content = house.breaches.extract(body, caller.actor)
        if part == "breach.zip":
            content = paper.as_zip(body, house.receipt(read), content, demo=house.demo)
    headers = {"Content-Disposition": f'attachment; filename="{read}-{part}"'}
    return Response(content, media_type=_TYPES[part.rpartition(".")[2]], headers=headers)
