"""Grant, show and revoke authorities, and say whether one covers a search."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from countenance.domain.authority import Actor, Authority
from countenance.domain.errors import BadInput, NoAuthority, Refused, UnknownThing
from countenance.domain.requests import DECLINED, LAPSED, Wanted
from countenance.services.record import Record, Told
from countenance.services.register import check_basis, check_name
from countenance.store import authorities as rows
from countenance.store import moments
from countenance.store.items import revoked_note
from countenance.store.sources import collection_names

GRANTED = "authority.granted"
REFUSED = "authority.refused"
REVOKED = "authority.revoked"
URGENT = "authority.urgent"
BEGUN = ("search.started", "erase.started", "subject.started")
"""What says in the ledger that a use was spent."""


@dataclass(frozen=True, slots=True)
class NewAuthority:
    """What is asked for. `expires` is aware; `holder` is the user who may use it, by default the one who grants it."""

    purpose: str
    basis: str
    case: str
    collections: tuple[str, ...]
    expires: datetime
    searches: int
    stated_by: str
    basis_document: str | None = None
    holder: str | None = None


def grant(record: Record, new: NewAuthority, actor: Actor) -> Authority:
    """Grant an authority that nobody asked for: the entry first, then the row.

    Raises BadInput, UnknownThing; Refused in an organisation, where one asks and another approves.
    """
    if record.profile.two_people:
        raise Refused(
            "here an authority is asked for, and somebody else approves it",
            advice="countenance authority request …, then an authoriser: countenance authority approve ID",
        )
    check_terms(record, new)
    holder = _holder(record, new.holder, actor)
    authority = drawn_up(
        Wanted(
            purpose=new.purpose,
            basis=new.basis,
            basis_document=new.basis_document,
            case=new.case,
            collections=new.collections,
            expires=new.expires,
            searches=new.searches,
            outcome="",
            stated_by=new.stated_by,
        ),
        holder=holder,
        granted_by=actor.user,
        self_approved=holder in actor.names,
    )
    return put_in_force(record, authority, record.enter(GRANTED, actor, authority.terms()).seq)


def check_terms(record: Record, new: NewAuthority | Wanted) -> None:
    """Whether such an authority may be at all. Raises BadInput, UnknownThing, Refused."""
    check_basis(new.basis, new.basis_document, record.profile)
    for value, option in ((new.purpose, "--purpose"), (new.case, "--case"), (new.stated_by, "--by")):
        if not value.strip():
            raise BadInput(f"an authority needs {option}", advice=f"say it with {option}")
    if not new.collections:
        raise BadInput("an authority names the collections it covers", advice="say which with --collection")
    if new.searches < 1:
        raise BadInput("an authority is for at least one search", advice="say how many with --searches")
    if new.expires <= moments.now():
        raise BadInput("an authority expires in the future", advice="for instance --expires 1d, or a date")
    with record.database.read() as c:
        known = collection_names(c)
    for name in new.collections:
        check_name(name, "collection")
        if name not in known:
            raise UnknownThing(f"there is no collection called {name}", advice="`countenance source list` shows them")


def drawn_up(
    wanted: Wanted,
    *,
    holder: str,
    granted_by: str,
    self_approved: bool,
    request: str | None = None,
    due: datetime | None = None,
) -> Authority:
    """An authority with these terms, not in force yet."""
    return Authority(
        id="A-" + secrets.token_hex(6),
        purpose=wanted.purpose,
        basis=wanted.basis,
        basis_document=wanted.basis_document,
        case=wanted.case,
        collections=tuple(dict.fromkeys(wanted.collections)),
        granted_at=moments.now(),
        expires_at=wanted.expires,
        searches=wanted.searches,
        used=0,
        granted_by=granted_by,
        stated_by=wanted.stated_by,
        holder=holder,
        self_approved=self_approved,
        grant_seq=-1,
        request=request,
        outcome=wanted.outcome if request is not None else None,
        due=due,
    )


def put_in_force(record: Record, authority: Authority, seq: int) -> Authority:
    """The row of an authority that entry `seq` bears out."""
    granted = replace(authority, grant_seq=seq)
    with record.database.write() as c:
        rows.add(c, granted)
    return granted


def _holder(record: Record, asked: str | None, actor: Actor) -> str:
    """Who may use it."""
    account = record.people.read(record).find(asked) if asked else None
    return account.user if account else asked or actor.user


def revoke(record: Record, id: str, actor: Actor, reason: str = "") -> Authority:
    """Revoke at once. Revoking twice changes nothing. Raises UnknownThing."""
    with record.database.read() as c:
        authority = rows.get(c, id)
    if authority.revoked_at is None:
        sealed = {revoked_note(id): {"reason": reason}} if reason else None
        receipt = record.enter(REVOKED, actor, {"authority": id}, sealed=sealed)
        with record.database.write() as c:
            rows.revoke(c, id, at=moments.now(), seq=receipt.seq)
            return rows.get(c, id)
    return authority


def check(record: Record, id: str, collections: Iterable[str] | None, actor: Actor) -> tuple[Authority, list[str]]:
    """The live authority that covers these collections (all of its own when None), or a refusal that is an entry.

    Raises NoAuthority, with `details["reason"]`: unknown, not-in-ledger, revoked, expired, spent, not-holder,
    self-approved, lapsed, not-covered.
    """
    now = moments.now()
    wanted = list(dict.fromkeys(collections)) if collections is not None else None
    reason, authority = _judge(record, id, wanted, actor, now)
    if reason is None and authority is not None:
        return authority, wanted if wanted is not None else list(authority.collections)
    raise refuse(record, id, reason or "unknown", wanted, actor)


def refuse(record: Record, id: str, reason: str, wanted: list[str] | None, actor: Actor) -> NoAuthority:
    """Write the refusal into the ledger and return the error to raise."""
    record.enter(REFUSED, actor, {"authority": id[:64], "reason": reason, "collections": wanted})
    message, advice = _WORDS[reason]
    return NoAuthority(message, advice=advice, details={"reason": reason})


def _judge(
    record: Record, id: str, wanted: list[str] | None, actor: Actor, now: datetime
) -> tuple[str | None, Authority | None]:
    try:
        if not _known(record, id):
            return "not-in-ledger", None
        begun, revoked = _told(record, id)
        if revoked:
            return "revoked", None
        with record.database.read() as c:
            # After the ledger: a use is spent before its entry is written, so the row is never behind it.
            authority = rows.get(c, id)
    except UnknownThing:
        return "unknown", None
    if authority.used < begun or not borne_out(record, authority):
        return "not-in-ledger", None
    state = authority.state(now)
    if state != "live":
        return state, None
    if authority.holder not in actor.names:
        return "not-holder", None
    if authority.due is not None:
        asked = record.papers.read(record).requests.get(authority.request or "")
        if asked is None or asked.authority != id or asked.state in (DECLINED, LAPSED) or asked.overdue(now):
            return "lapsed", None
    elif authority.self_approved and record.profile.two_people:
        return "self-approved", None
    if wanted is not None and not set(wanted) <= set(authority.collections):
        return "not-covered", None
    return None, authority


def withdrawn(record: Record, id: str) -> bool:
    """Whether an authority was revoked, or the ledger never granted it. One that expired or is spent was not."""
    try:
        return not _known(record, id) or _told(record, id)[1]
    except UnknownThing:
        return True


def _known(record: Record, id: str) -> bool:
    """Whether the ledger bears an authority out; from now on its entries are followed. Raises UnknownThing."""
    if id not in record.told:  # where its entries begin stands in the row
        with record.database.read() as c:
            authority = rows.get(c, id)
        if not borne_out(record, authority):
            return False
        record.told[id] = Told(authority.grant_seq + 1, 0, False)
    return True


def borne_out(record: Record, authority: Authority) -> bool:
    """Whether the ledger holds the entry that grants exactly these terms. Without it a row is dead."""
    kind = GRANTED if authority.due is None else URGENT
    return record.bears(authority.grant_seq, kind, authority.terms(), by=authority.granted_by)


def _told(record: Record, id: str) -> tuple[int, bool]:
    """How many look-ups the ledger says were begun under it, and whether it says that it was revoked."""
    known = record.told[id]
    begun, revoked, upto = known.begun, known.revoked, record.ledger.size
    if upto == known.upto:
        return begun, revoked
    for entry in record.ledger.mentioning(f'"authority":"{id}"', known.upto, upto):
        if entry.body.get("authority") == id:
            begun += entry.kind in BEGUN
            revoked |= entry.kind == REVOKED
    record.told[id] = Told(upto, begun, revoked)
    return begun, revoked


_WORDS = {
    "unknown": ("there is no such authority", "`countenance authority list` shows them; grant one first"),
    "not-in-ledger": ("the ledger does not bear this authority out", "grant a new one; have the database looked into"),
    "revoked": ("this authority was revoked", "ask for a new one"),
    "expired": ("this authority has expired", "ask for a new one"),
    "spent": ("every search of this authority has been used", "ask for a new one"),
    "not-holder": ("this authority was granted to somebody else", "ask for one of your own"),
    "self-approved": (
        "this authority was granted by the one who holds it, and here that takes two people",
        "somebody else grants you a new one",
    ),
    "lapsed": (
        "this authority was used before it was approved, and was declined or not approved in time",
        "ask for a new one; what it found was deleted",
    ),
    "not-covered": (
        "this authority does not cover that collection",
        "`countenance authority show` says what it covers",
    ),
}
