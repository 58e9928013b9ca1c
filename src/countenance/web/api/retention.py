"""/retention: the schedule in force, what is due by it, and receipts of what was destroyed."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import Field

from countenance.web.api.shapes import Answer, BigInt, Moment
from countenance.web.callers import House, RetentionReader
from countenance.web.problems import responses

router = APIRouter(prefix="/retention", tags=["retention"])


class RuleShown(Answer):
    """One kind of personal data: what it is, from when and how long it is kept, and what becomes of it."""

    rule: str
    title: str
    kept: str
    since: str
    for_: str = Field(alias="for")
    seconds: int | None
    setting: str | None
    ends: str
    by: str
    why: str


class DueShown(Answer):
    """What is due by one rule. `held` is what legal holds keep; `names` are those of sources."""

    rule: str
    title: str
    count: int
    overdue: int
    first: Moment | None
    held: int
    names: list[str]


class BackupDue(Answer):
    """A backup that people destroy; `over` says that it should be gone."""

    entry: int = Field(le=BigInt)
    made: Moment
    until: Moment
    over: bool


class Numbers(Answer):
    """How much legal holds keep, in numbers."""

    holds: int
    sources: int
    searches: int
    analyses: int
    erasures_waiting: int


class RunShown(Answer):
    """A run that destroyed something, by rule; `receipt` is the number of its entry."""

    receipt: int = Field(le=BigInt)
    destroyed_at: Moment
    destroyed: dict[str, int]
    held: dict[str, int]


class Retention(Answer):
    rules: list[RuleShown]
    job: str
    not_kept: str
    holds: str
    until: Moment
    due: list[DueShown]
    backups: list[BackupDue]
    held: Numbers
    receipts: list[RunShown]


class Destroyed(Answer):
    """What went by one rule. `parts` are the counts of an erasure, `entries` those that it made."""

    rule: str
    title: str
    count: int
    due_from: Moment
    due_to: Moment
    parts: dict[str, int]
    entries: list[int]


class ReceiptShown(Answer):
    """A receipt of destruction. `proof` is what `verify_receipt` checks against `key`."""

    receipt: int = Field(le=BigInt)
    destroyed_at: Moment
    by: str
    destroyed: list[Destroyed]
    held: list[dict[str, Any]]
    keys: int
    proof: dict[str, Any]
    key: str


@router.get("", response_model=Retention, responses=responses())
def retention(house: House, caller: RetentionReader) -> dict[str, Any]:
    """The schedule, what is due within 30 days, and what was destroyed in the last 90. Scope: `retention:read`."""
    keeping = house.keeping
    return keeping.policy() | keeping.coming() | {"held": keeping.held(), "receipts": keeping.receipts()}


@router.get("/receipts/{seq}", response_model=ReceiptShown, responses=responses(404))
def receipt(house: House, caller: RetentionReader, seq: int) -> dict[str, Any]:
    """One receipt of destruction, checked against the ledger. Scope: `retention:read`."""
    return house.keeping.receipt(seq)
