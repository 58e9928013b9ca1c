"""/authorities: grant, show and revoke the leave to search."""

from __future__ import annotations

from datetime import UTC
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, Field

from countenance.domain.authority import Authority
from countenance.services.authorise import NewAuthority
from countenance.store.moments import now
from countenance.web.api.shapes import Answer, Asked, AuthorityInPath, BigInt, Moment, Name, Text, Word
from countenance.web.callers import AuthoritiesReader, AuthoritiesWriter, House
from countenance.web.problems import responses

router = APIRouter(tags=["authorities"])


class AuthorityAsked(Asked):
    """What is asked for."""

    purpose: Word
    basis: Literal["own", "consent", "contract", "public-task", "legitimate-interests", "law-enforcement"]
    basis_document: Word | None = Field(default=None, description="Needed by every basis but own and consent.")
    case: Word
    collections: list[Name] = Field(min_length=1, max_length=100)
    expires: AwareDatetime = Field(strict=False)
    searches: int = Field(ge=1, le=1_000_000)
    stated_by: Word = Field(description="The name of the person who grants it; written down as stated, not checked.")
    holder: Word | None = Field(default=None, description="The user who may use it; by default who grants it.")


class RevocationAsked(Asked):
    reason: Text = ""


class AuthorityShown(Answer):
    """An authority, and how it stands. `entry` is the number of the ledger entry that grants it."""

    id: str
    purpose: str
    basis: str
    basis_document: str | None
    case: str
    collections: list[str]
    granted_at: Moment
    expires: Moment
    searches: int
    used: int
    left: int
    state: Literal["live", "expired", "revoked", "spent"]
    granted_by: str
    stated_by: str
    holder: str
    self_approved: bool
    entry: int = Field(le=BigInt)
    request: str | None = Field(description="The request that it was asked for with, if somebody asked.")
    outcome: str | None = Field(description="What may be done with what is found.")
    due: Moment | None = Field(description="Of an urgent one: until when somebody had to approve it.")


class Authorities(Answer):
    authorities: list[AuthorityShown]


@router.get("/authorities", response_model=Authorities, responses=responses())
def list_authorities(house: House, caller: AuthoritiesReader) -> dict[str, Any]:
    """Every authority, also those that have ended. Scope: `authorities:read`."""
    return {"authorities": [_shown(a) for a in house.authorities()]}


@router.post("/authorities", status_code=201, response_model=AuthorityShown, responses=responses())
def grant(house: House, caller: AuthoritiesWriter, asked: AuthorityAsked, response: Response) -> dict[str, Any]:
    """Grant an authority. Granted to oneself, it says so wherever it appears. Scope: `authorities:write`."""
    values = asked.model_dump()
    new = NewAuthority(**values | {"collections": tuple(asked.collections), "expires": asked.expires.astimezone(UTC)})
    authority = house.grant(new, caller.actor)
    response.headers["Location"] = f"/api/v1/authorities/{authority.id}"
    return _shown(authority)


@router.get("/authorities/{authority}", response_model=AuthorityShown, responses=responses())
def show(house: House, caller: AuthoritiesReader, authority: AuthorityInPath) -> dict[str, Any]:
    """One authority. Scope: `authorities:read`."""
    return _shown(house.authority(authority))


@router.post("/authorities/{authority}/revoke", response_model=AuthorityShown, responses=responses())
def revoke(
    house: House,
    caller: AuthoritiesWriter,
    authority: AuthorityInPath,
    asked: RevocationAsked | None = None,
) -> dict[str, Any]:
    """End an authority, at once. A second time changes nothing. Scope: `authorities:write`."""
    return _shown(house.revoke(authority, caller.actor, asked.reason if asked else ""))


def _shown(authority: Authority) -> dict[str, Any]:
    return authority.as_json(now())
