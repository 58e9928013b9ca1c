"""Who may look, why, where, until when and how often."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. `user` is authenticated ("user:ID" of an account, or "os:NAME"), `via` is the door ("command",
    "python", "page", "token:ID"), `stated` is what the person said of themselves and nobody checked.

    `roles` are those of the account, and `also` the operating system's users that are linked to it: both are filled in
    by `services.people.People.known`, out of the ledger.
    """

    user: str
    via: str
    stated: str | None = None
    roles: tuple[str, ...] = ()
    also: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """Every name under which this person acts: an authority of one is an authority of all."""
        return self.also | {self.user}

    def as_json(self) -> dict[str, Any]:
        """As every ledger entry has it; `via` goes into the entry's body."""
        return {"authenticated": self.user, "stated": self.stated}


@dataclass(frozen=True, slots=True)
class Authority:
    """A written, expiring leave to search. Times are aware UTC.

    `holder` is the user that may use it. `self_approved` is true when the holder granted it to themselves.
    `grant_seq` is the ledger entry that grants it; without that entry the row is dead. `request` is what it was asked
    for with, `outcome` what may be done with what is found, and `due` until when somebody must have approved it after
    the fact; None of those that were approved first.
    """

    id: str
    purpose: str
    basis: str
    basis_document: str | None
    case: str
    collections: tuple[str, ...]
    granted_at: datetime
    expires_at: datetime
    searches: int
    used: int
    granted_by: str
    stated_by: str
    holder: str
    self_approved: bool
    grant_seq: int
    revoked_at: datetime | None = None
    request: str | None = None
    outcome: str | None = None
    due: datetime | None = None

    def state(self, now: datetime) -> str:
        """live, expired, revoked or spent."""
        if self.revoked_at is not None:
            return "revoked"
        if now >= self.expires_at:
            return "expired"
        if self.used >= self.searches:
            return "spent"
        return "live"

    def terms(self) -> dict[str, Any]:
        """What its ledger entry says of it, word for word; a row that says anything else is not honoured."""
        said: dict[str, Any] = {
            "authority": self.id,
            "purpose": self.purpose,
            "basis": self.basis,
            "basis_document": self.basis_document,
            "case": self.case,
            "collections": list(self.collections),
            "expires": self.expires_at.isoformat(),
            "searches": self.searches,
            "granted_by": self.granted_by,
            "stated_by": self.stated_by,
            "holder": self.holder,
            "self_approved": self.self_approved,
        }
        if self.request is not None:
            said |= {"request": self.request, "outcome": self.outcome, "urgent": self.due is not None}
        if self.due is not None:
            said["due"] = self.due.isoformat()
        return said

    def as_json(self, now: datetime) -> dict[str, Any]:
        """For output: the terms and how they stand."""
        terms = self.terms()
        terms["id"] = terms.pop("authority")
        return terms | {
            "granted_at": self.granted_at.isoformat(),
            "used": self.used,
            "left": max(0, self.searches - self.used),
            "state": self.state(now),
            "entry": self.grant_seq,
            "request": self.request,
            "outcome": self.outcome,
            "due": self.due.isoformat() if self.due else None,
        }
