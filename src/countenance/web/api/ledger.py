"""/ledger: read it, check it, take it away."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse, Response
from pydantic import Field

from countenance.domain.errors import LedgerBroken
from countenance.ledger.receipt import verify_receipt
from countenance.web.api.shapes import Answer, Asked, BigInt, EntryInPath, Moment, file_answer
from countenance.web.callers import House, LedgerReader
from countenance.web.problems import responses

router = APIRouter(prefix="/ledger", tags=["ledger"])

PAGE = 200


class LedgerShown(Answer):
    """`checkpoint` is a C2SP checkpoint, `key` the verifier key `NAME+ID+BASE64`."""

    size: int
    checkpoint: str
    key: str


class ActorShown(Answer):
    """Who acted: the user that was authenticated, and what the person said of themselves."""

    authenticated: str
    stated: str | None


class EntryShown(Answer):
    """One entry. `sealed` names the items whose personal parts are sealed in it."""

    seq: int
    at: Moment
    type: str
    actor: ActorShown
    body: dict[str, Any]
    sealed: list[str]


class Entries(Answer):
    size: int
    entries: list[EntryShown]


class ReceiptShown(Answer):
    """Proof that an entry is in the tree that `checkpoint` signs: RFC 6962, hashes in hex."""

    seq: int
    leaf: str
    entry: str
    inclusion: list[str]
    checkpoint: str


class ReceiptAsked(Asked):
    """A receipt as a search gave it, to the last newline."""

    model_config = Asked.model_config | {"str_strip_whitespace": False}

    seq: int = Field(ge=0, le=BigInt)
    leaf: str = Field(pattern="^[0-9a-f]{64}$")
    entry: str = Field(max_length=10_000_000)
    inclusion: list[Annotated[str, Field(pattern="^[0-9a-f]{64}$")]] = Field(max_length=64)
    checkpoint: str = Field(max_length=10_000)


class ReceiptChecked(Answer):
    """Whether the receipt proves its entry under this ledger's key, and if not, why."""

    proven: bool
    why_not: str | None


class Verified(Answer):
    """What `countenance ledger verify --json` prints."""


@router.get("", response_model=LedgerShown, responses=responses())
def ledger(house: House, caller: LedgerReader) -> dict[str, Any]:
    """How long the ledger is, its signed checkpoint and the key that verifies it. Scope: `ledger:read`."""
    return {"size": house.ledger_size, "checkpoint": house.checkpoint(), "key": house.vkey}


@router.get("/entries", response_model=Entries, responses=responses())
def entries(
    house: House,
    caller: LedgerReader,
    start: Annotated[int, Query(ge=0, le=BigInt)] = 0,
    count: Annotated[int, Query(ge=1, le=PAGE)] = 50,
) -> dict[str, Any]:
    """Some entries in order, from number `start`. That they were read is an entry. Scope: `ledger:read`."""
    found = house.read_ledger(start, start + count, caller.actor)
    return {"size": house.ledger_size, "entries": found}


@router.get("/receipts/{seq}", response_model=ReceiptShown, responses=responses())
def receipt(house: House, caller: LedgerReader, seq: EntryInPath) -> dict[str, Any]:
    """The receipt of one entry, under the newest checkpoint. Reading another's is an entry. Scope: `ledger:read`."""
    return house.read_receipt(seq, caller.actor)


@router.post("/check-receipt", response_model=ReceiptChecked, responses=responses())
def check_receipt(house: House, caller: LedgerReader, asked: ReceiptAsked) -> dict[str, Any]:
    """Check a receipt against this ledger's key. `countenance.ledger.receipt` does the same without a server.

    Scope: `ledger:read`.
    """
    try:
        verify_receipt(asked.model_dump(), house.vkey)
    except LedgerBroken as error:
        return {"proven": False, "why_not": error.message}
    return {"proven": True, "why_not": None}


@router.post("/verify", response_model=Verified, responses=responses())
def verify(house: House, caller: LedgerReader) -> dict[str, Any]:
    """Check every entry, the tree and its signature. Scope: `ledger:read`."""
    return house.ledger_verify()


@router.post(
    "/bundle",
    response_class=Response,
    responses={200: file_answer("application/zip", "For `python -m countenance.ledger.verify`."), **responses()},
)
def bundle(house: House, caller: LedgerReader) -> Response:
    """The whole ledger as a bundle that anybody can check offline. Taking it is an entry. Scope: `ledger:read`."""
    return Response(
        house.ledger_bundle(caller.actor),
        media_type="application/zip",
        headers={"Content-Disposition": 'attachment; filename="countenance-ledger.zip"'},
    )


@router.get("/checkpoint", response_class=PlainTextResponse, responses=responses())
def checkpoint(house: House, caller: LedgerReader) -> str:
    """The signed checkpoint, as C2SP writes it. Scope: `ledger:read`."""
    return house.checkpoint()


@router.get("/key", response_class=PlainTextResponse, responses=responses())
def key(house: House, caller: LedgerReader) -> str:
    """The key that verifies the checkpoint. Scope: `ledger:read`."""
    return house.vkey + "\n"
