"""The people who use a home: their accounts, and the profile that says how many of them it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any

PERSONAL = "personal"
ORGANISATION = "organisation"
PROFILES = {
    PERSONAL: "One person. Bases `own` and `consent`; what that person approves for themselves is marked.",
    ORGANISATION: "Several people, each with a role. Who asks does not approve; rests on a policy and a DPIA.",
}
"""The two profiles, in plain words. From personal to organisation there is a way, and none back."""

PERSONAL_BASES = ("own", "consent")
WARN = timedelta(days=30)
"""How long before a document lapses people are told."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document that a home rests on: its id in the organisation's files, and the last day on which it holds."""

    id: str
    until: date

    def as_json(self) -> dict[str, str]:
        """As entries and answers have it."""
        return {"id": self.id, "until": self.until.isoformat()}


@dataclass(frozen=True, slots=True)
class Profile:
    """How a home is used, as the ledger says it. `kept_bases` are those that a personal home used before there were
    profiles; `entry` is the ledger entry that says all this."""

    name: str
    kept_bases: tuple[str, ...] = ()
    policy: Document | None = None
    dpia: Document | None = None
    entry: int = 0

    @property
    def two_people(self) -> bool:
        """Whether nobody approves what they ask for themselves."""
        return self.name == ORGANISATION

    def allows(self, basis: str) -> bool:
        """Whether a source or an authority may rest on this basis here."""
        return self.two_people or basis in PERSONAL_BASES or basis in self.kept_bases

    def lapsed(self, today: date) -> list[str]:
        """What is missing or over its time, in words; an organisation may not go on without it."""
        if not self.two_people:
            return []
        found = []
        for what, document in (("policy document", self.policy), ("impact assessment (DPIA)", self.dpia)):
            if document is None:
                found.append(f"no {what} is named")
            elif document.until < today:
                found.append(f"the {what} {document.id} lapsed on {document.until}")
        return found

    def lapsing(self, today: date) -> list[str]:
        """What will be over its time within `WARN`."""
        documents = (("policy document", self.policy), ("impact assessment (DPIA)", self.dpia))
        return [
            f"the {what} {document.id} lapses on {document.until}"
            for what, document in documents
            if self.two_people and document is not None and today <= document.until <= today + WARN
        ]

    def as_json(self) -> dict[str, Any]:
        """For output."""
        return {
            "profile": self.name,
            "kept_bases": list(self.kept_bases),
            "policy": self.policy.as_json() if self.policy else None,
            "dpia": self.dpia.as_json() if self.dpia else None,
            "entry": self.entry,
        }


@dataclass(frozen=True, slots=True)
class Factor:
    """Something beside a password: an authenticator ("totp") or a passkey. `digest` is SHA-256 (hex) over its row."""

    id: str
    kind: str
    digest: str
    entry: int


@dataclass(frozen=True, slots=True)
class Account:
    """One person's account, as the ledger tells it. Secrets are not here, only SHA-256 (hex) of what is kept of them.

    `long` is whether the password is long enough to stand alone; sessions that began before entry `since` are over.
    """

    id: str
    roles: tuple[str, ...]
    entry: int
    name: str = ""
    disabled: bool = False
    password: str | None = None
    long: bool = False
    setup: str | None = None
    setup_until: datetime | None = None
    since: int = 0
    factors: Mapping[str, Factor] = field(default_factory=lambda: MappingProxyType({}))
    codes: frozenset[str] = frozenset()
    system_users: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()

    @property
    def user(self) -> str:
        """As actors and authorities name it."""
        return f"user:{self.id}"

    @property
    def totp(self) -> Factor | None:
        """The authenticator, if there is one."""
        return next((factor for factor in self.factors.values() if factor.kind == "totp"), None)

    @property
    def state(self) -> str:
        """live, waiting (nobody has set it up yet) or disabled."""
        if self.disabled:
            return "disabled"
        ready = self.password is not None or self.factors or self.subjects
        return "live" if ready else "waiting"

    def as_json(self) -> dict[str, Any]:
        """For output; never a secret nor a digest of one."""
        return {
            "id": self.id,
            "name": self.name,
            "roles": list(self.roles),
            "state": self.state,
            "authenticator": self.totp is not None,
            "passkeys": sum(factor.kind == "passkey" for factor in self.factors.values()),
            "recovery_codes": len(self.codes),
            "system_users": sorted(self.system_users),
            "linked": len(self.subjects),
            "entry": self.entry,
        }
