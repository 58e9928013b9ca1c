"""/authority-requests: ask for leave to search, and decide on what was asked."""

from __future__ import annotations

from datetime import UTC
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, Field

from countenance.domain.requests import Reasons, Request, Wanted
from countenance.store.moments import now
from countenance.web.api.authorities import AuthorityShown
from countenance.web.api.shapes import Answer, Asked, BigInt, Moment, Name, RequestInPath, Text, Word
from countenance.web.callers import AuthoritiesAsker, AuthoritiesReader, AuthoritiesWriter, House
from countenance.web.problems import responses

router = APIRouter(prefix="/authority-requests", tags=["authorities"])


class RequestAsked(Asked):
    """What is asked for, and why."""

    purpose: Word
    basis: Literal["own", "consent", "contract", "public-task", "legitimate-interests", "law-enforcement"]
    basis_document: Word | None = Field(default=None, description="Needed by every basis but own and consent.")
    case: Word
    collections: list[Name] = Field(min_length=1, max_length=100)
    expires: AwareDatetime = Field(strict=False)
    searches: int = Field(ge=1, le=1_000_000)
    outcome: Word = Field(description="What may be done with what is found.")
    necessity: Text = Field(description="Why the aim cannot be reached without it. Sealed in the ledger.")
    proportionality: Text = Field(description="Why the intrusion is worth it. Sealed in the ledger.")
    subject: Text = Field(default="", description="Who is looked for, as a reference and not a name. Sealed.")
    stated_by: Word = Field(description="The name of the person who asks; written down as stated, not checked.")
    urgent: bool = Field(
        default=False, description="Search at once; what is found is deleted unless somebody approves in time."
    )
    draft: bool = Field(default=False, description="Write it down without asking yet.")
    of: str | None = Field(
        default=None, pattern=r"^R-[0-9a-f]{12}$", description="The draft of one's own that this replaces."
    )


class RefusalAsked(Asked):
    reason: Word


class StepShown(Answer):
    what: str
    at: Moment
    by: str
    entry: int = Field(le=BigInt)


class NearShown(Answer):
    text: str
    request: str
    likeness: float


class ReasonsShown(Answer):
    """Why it was asked for. `near` names earlier requests whose words are almost the same."""

    necessity: str
    proportionality: str
    subject: str
    near: list[NearShown]


class RequestShown(Answer):
    """A request and every step of it. `reasons` is null once these were shredded."""

    id: str
    state: Literal["drafted", "requested", "approved", "declined", "withdrawn", "lapsed"]
    purpose: str
    basis: str
    basis_document: str | None
    case: str
    collections: list[str]
    expires: Moment
    searches: int
    outcome: str
    stated_by: str
    urgent: bool
    holder: str
    authority: str | None
    due: Moment | None
    steps: list[StepShown]
    entry: int = Field(le=BigInt)


class RequestWithReasons(RequestShown):
    reasons: ReasonsShown | None


class Requests(Answer):
    requests: list[RequestShown]


@router.get("", response_model=Requests, responses=responses())
def list_requests(house: House, caller: AuthoritiesReader) -> dict[str, Any]:
    """Every request, the newest first; drafts only to whoever wrote them. Scope: `authorities:read`."""
    return {"requests": [one.as_json() for one in house.requests.every(caller.actor)]}


@router.post("", status_code=201, response_model=RequestWithReasons, responses=responses())
def ask(house: House, caller: AuthoritiesAsker, asked: RequestAsked, response: Response) -> dict[str, Any]:
    """Ask for an authority. Somebody else decides. Scope: `authorities:request`."""
    values = asked.model_dump(exclude={"necessity", "proportionality", "subject", "draft", "of"})
    wanted = Wanted(**values | {"collections": tuple(asked.collections), "expires": asked.expires.astimezone(UTC)})
    reasons = Reasons(asked.necessity, asked.proportionality, asked.subject)
    act = house.requests.draft if asked.draft else house.requests.ask
    request = act(wanted, reasons, caller.actor, asked.of)
    response.headers["Location"] = f"/api/v1/authority-requests/{request.id}"
    return _whole(request, house.requests.reasons(request))


@router.get("/{request}", response_model=RequestWithReasons, responses=responses())
def show(house: House, caller: AuthoritiesReader, request: RequestInPath) -> dict[str, Any]:
    """One request with its reasons; that another than its author reads them is an entry. Scope: `authorities:read`."""
    found = house.requests.one(request, caller.actor)
    return _whole(found, house.requests.show_reasons(found, caller.actor))


@router.post("/{request}/approve", response_model=AuthorityShown, responses=responses())
def approve(house: House, caller: AuthoritiesWriter, request: RequestInPath) -> dict[str, Any]:
    """Approve what somebody else asked for. Scope: `authorities:write`."""
    return house.requests.approve(request, caller.actor).as_json(now())


@router.post("/{request}/decline", response_model=RequestWithReasons, responses=responses())
def decline(house: House, caller: AuthoritiesWriter, request: RequestInPath, asked: RefusalAsked) -> dict[str, Any]:
    """Say no; what an urgent request has found is deleted. Scope: `authorities:write`."""
    declined = house.requests.decline(request, asked.reason, caller.actor)
    return _whole(declined, house.requests.reasons(declined))


@router.post("/{request}/withdraw", response_model=RequestWithReasons, responses=responses())
def withdraw(house: House, caller: AuthoritiesAsker, request: RequestInPath) -> dict[str, Any]:
    """Take back a request of one's own. Scope: `authorities:request`."""
    taken_back = house.requests.withdraw(request, caller.actor)
    return _whole(taken_back, house.requests.reasons(taken_back))


def _whole(request: Request, reasons: Reasons | None) -> dict[str, Any]:
    return request.as_json() | {"reasons": reasons.as_json() if reasons else None}
