"""The roll: what the ledger tells of accounts, of their roles and of the home's profile.

Nothing of this stands in a row that somebody could edit. An account, a role, a link, the digest of a password: each is
what the last entry about it says, and an entry is signed. Reading goes on where the last reading ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from countenance.domain.people import PERSONAL, Account, Document, Factor, Profile
from countenance.services.telling import Telling

if TYPE_CHECKING:
    from countenance.ledger.entry import Entry
    from countenance.services.record import Record

BEGUN = "home.created"
SHREDDED = "retention.destroyed"


@dataclass(frozen=True, slots=True)
class Recovery:
    """The two secrets of the last resort, as digests, and whether they were used."""

    digests: tuple[str, str]
    entry: int
    used: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What the ledger tells up to an entry. `profile` is None in a home from before there were profiles;
    `restored_at` is when recovery secrets were last used, whatever new ones were made since."""

    accounts: Mapping[str, Account] = field(default_factory=dict)
    profile: Profile | None = None
    recovery: Recovery | None = None
    restored_at: datetime | None = None

    def by_name(self, name: str) -> Account | None:
        """The account of this name, whatever its capitals."""
        wanted = name.strip().casefold()
        return next((a for a in self.accounts.values() if wanted and a.name.casefold() == wanted), None)

    def find(self, reference: str) -> Account | None:
        """The account that is meant: by its id, as an actor's user, or by its name."""
        return self.accounts.get(reference.removeprefix("user:")) or self.by_name(reference)

    def of_system_user(self, name: str) -> Account | None:
        """The account to which a user of the operating system is linked."""
        return next((a for a in self.accounts.values() if name in a.system_users), None)


class Roll(Telling[Told]):
    """What was read of people so far. The name of an account that was shredded leaves the memory of every process when
    that reads the entry of it."""

    needles = ('"type":"people.', f'"type":"{BEGUN}"', f'"type":"{SHREDDED}"')

    def __init__(self) -> None:
        super().__init__(Told())

    def after(self, told: Told, entries: Iterable[Entry], record: Record) -> Told:
        accounts = dict(told.accounts)
        told = replace(told, accounts=accounts)
        for entry in entries:
            told = apply(told, accounts, entry, record.opened(entry) if entry.kind == "people.added" else {})
        return told


def item_of(account: str) -> str:
    """The item under which an account's name is sealed."""
    return f"account:{account}"


def apply(told: Told, accounts: dict[str, Account], entry: Entry, opened: Mapping[str, Any]) -> Told:
    """What is told once one more entry was read; `accounts` are those of `told`, and changed. Entries of other kinds
    change nothing."""
    body, seq = entry.body, entry.seq
    if entry.kind == SHREDDED:
        for item in body.get("items") or ():
            if (gone := accounts.get(str(item).removeprefix("account:"))) is not None:
                accounts[gone.id] = replace(gone, name="")
        return told
    if entry.kind == "people.profile-set" or (entry.kind == BEGUN and seq == 0):
        return replace(told, profile=_profile(body, seq)) if "profile" in body else told
    if entry.kind == "people.recovery-made":
        first, second = body["digests"]
        return replace(told, recovery=Recovery((first, second), seq))
    if entry.kind == "people.recovery-used":
        used = told.recovery and replace(told.recovery, used=True)
        return replace(told, recovery=used, restored_at=datetime.fromisoformat(entry.at))
    if entry.kind == "people.added":
        name = opened.get(item_of(body["account"]), {}).get("name", "")
        account = _waiting(Account(body["account"], tuple(body["roles"]), seq, name), body, seq)
    else:
        change, known = _CHANGES.get(entry.kind), accounts.get(body.get("account", ""))
        if change is None or known is None:
            return told
        account = change(known, body, seq)
    accounts[account.id] = account
    return told


def _profile(body: Mapping[str, Any], seq: int) -> Profile:
    def document(name: str) -> Document | None:
        said = body.get(name)
        return Document(said["id"], date.fromisoformat(said["until"])) if said else None

    return Profile(body["profile"], tuple(body.get("kept_bases", ())), document("policy"), document("dpia"), seq)


def _waiting(account: Account, body: Mapping[str, Any], seq: int) -> Account:
    """As an account is until somebody sets it up: nothing opens it but the code whose digest stands here."""
    until = datetime.fromisoformat(body["setup_until"])
    return replace(
        account, setup=body["setup"], setup_until=until, password=None, long=False, factors={}, codes=frozenset(),
        subjects=frozenset(), since=seq,
    )  # fmt: skip


def _factor(account: Account, body: Mapping[str, Any], seq: int) -> Account:
    factor = Factor(body["factor"], body["kind"], body["digest"], seq)
    return replace(account, factors={**account.factors, factor.id: factor}, setup=None)


def _without_factor(account: Account, body: Mapping[str, Any], seq: int) -> Account:
    return replace(account, factors={id: one for id, one in account.factors.items() if id != body["factor"]})


_CHANGES: dict[str, Callable[[Account, Mapping[str, Any], int], Account]] = {
    "people.reset": _waiting,
    "people.roles-changed": lambda a, body, _: replace(a, roles=tuple(body["roles"])),
    "people.disabled": lambda a, _, seq: replace(a, disabled=True, since=seq),
    "people.enabled": lambda a, _body, _seq: replace(a, disabled=False),
    "people.password-set": lambda a, b, seq: replace(a, password=b["digest"], long=b["long"], setup=None, since=seq),
    "people.factor-added": _factor,
    "people.factor-removed": _without_factor,
    "people.codes-made": lambda a, body, _: replace(a, codes=frozenset(body["digests"])),
    "people.code-used": lambda a, body, _: replace(a, codes=a.codes - {body["digest"]}),
    "people.sessions-ended": lambda a, _, seq: replace(a, since=seq),
    "people.system-user-linked": lambda a, b, _: replace(a, system_users=a.system_users | {b["system_user"]}),
    "people.system-user-unlinked": lambda a, b, _: replace(a, system_users=a.system_users - {b["system_user"]}),
    "people.subject-linked": lambda a, b, _: replace(a, subjects=a.subjects | {b["subject"]}, setup=None),
    "people.subject-unlinked": lambda a, b, _: replace(a, subjects=a.subjects - {b["subject"]}),
}

UNTOLD = Profile(PERSONAL)
"""What a home is until its ledger has said."""
