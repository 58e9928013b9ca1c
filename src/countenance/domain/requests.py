"""What somebody asks leave for, and what became of it: drafted, requested, approved or declined, ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

DRAFTED, REQUESTED, APPROVED, DECLINED, WITHDRAWN, LAPSED = (
    "drafted",
    "requested",
    "approved",
    "declined",
    "withdrawn",
    "lapsed",
)
OPEN = frozenset({DRAFTED, REQUESTED})
"""States in which a decision is still to come."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The terms that are asked for. `expires` is aware; `holder` is the user who asks and would search.

    `outcome` is what may be done with what is found; `urgent` asks to search before anybody has approved.
    """

    purpose: str
    basis: str
    case: str
    collections: tuple[str, ...]
    expires: datetime
    searches: int
    outcome: str
    stated_by: str
    basis_document: str | None = None
    urgent: bool = False

    def as_json(self) -> dict[str, Any]:
        """As entries have it, word for word."""
        return {
            "purpose": self.purpose,
            "basis": self.basis,
            "basis_document": self.basis_document,
            "case": self.case,
            "collections": list(self.collections),
            "expires": self.expires.isoformat(),
            "searches": self.searches,
            "outcome": self.outcome,
            "stated_by": self.stated_by,
            "urgent": self.urgent,
        }

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Wanted:
        """The terms that an entry states."""
        return cls(
            purpose=body["purpose"],
            basis=body["basis"],
            case=body["case"],
            collections=tuple(body["collections"]),
            expires=datetime.fromisoformat(body["expires"]),
            searches=body["searches"],
            outcome=body["outcome"],
            stated_by=body["stated_by"],
            basis_document=body["basis_document"],
            urgent=body["urgent"],
        )


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why, in words, and who is looked for, as a reference and not a name. Sealed in the ledger.

    `near` names earlier requests that read almost alike, with how much: {"text", "request", "likeness"}.
    """

    necessity: str
    proportionality: str
    subject: str = ""
    near: tuple[dict[str, Any], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "necessity": self.necessity,
            "proportionality": self.proportionality,
            "subject": self.subject,
            "near": list(self.near),
        }


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done with a request: what, when, by whom, in which entry."""

    what: str
    at: datetime
    by: str
    entry: int

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return {"what": self.what, "at": self.at.isoformat(), "by": self.by, "entry": self.entry}


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as the ledger tells it. `authority` is what it led to; `due` is until when an urgent one must be
    approved. Its reasons are sealed, and read apart."""

    id: str
    wanted: Wanted
    holder: str
    state: str
    steps: tuple[Step, ...] = ()
    authority: str | None = None
    due: datetime | None = None

    @property
    def entry(self) -> int:
        """The newest entry about it."""
        return self.steps[-1].entry

    @property
    def asked_at(self) -> datetime:
        """When it was drafted or requested first."""
        return self.steps[0].at

    @property
    def undecided(self) -> bool:
        """Whether an approver has still to say yes or no."""
        return self.state == REQUESTED

    def overdue(self, now: datetime) -> bool:
        """Whether searches went ahead and nobody approved them in time."""
        return self.undecided and self.due is not None and now >= self.due

    def as_json(self) -> dict[str, Any]:
        """For output."""
        return {
            "id": self.id,
            "state": self.state,
            **self.wanted.as_json(),
            "holder": self.holder,
            "authority": self.authority,
            "due": self.due.isoformat() if self.due else None,
            "steps": [step.as_json() for step in self.steps],
            "entry": self.entry,
        }
