"""Register a source before it is read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from countenance.domain.authority import Actor
from countenance.domain.basis import BASES
from countenance.domain.errors import AlreadyThere, BadInput, NotRegistered, Refused
from countenance.domain.people import Profile
from countenance.domain.sources import Source
from countenance.services.record import Record
from countenance.store import moments
from countenance.store import sources as rows

REGISTERED = "source.registered"
KINDS = ("folder", "urls", "website")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class NewSource:
    """What the person who registers a source says of it."""

    name: str
    kind: str
    location: str
    owner: str
    basis: str
    basis_document: str | None = None
    purpose: str | None = None
    retain_days: int | None = None
    note: str | None = None
    collection: str | None = None
    keep_originals: bool = False
    allow_private: tuple[str, ...] = ()


def check_basis(basis: str, document: str | None, profile: Profile) -> None:
    """A known basis, with its document where it rests on one, that the profile takes. Raises BadInput, Refused."""
    known = BASES.get(basis)
    if known is None:
        listed = "; ".join(f"{b.code}: {b.meaning}" for b in BASES.values())
        raise BadInput(f"there is no basis called {basis}", advice=f"choose one of these. {listed}")
    if known.needs_document and not (document or "").strip():
        raise BadInput(
            f"the basis {basis} rests on a document, and none was named",
            advice="name it with --basis-document, for instance the number of the policy or the balancing test",
        )
    if not profile.allows(basis):
        raise Refused(
            f"a personal home does not rest on the basis {basis}",
            advice="use own or consent; or make it the home of an organisation, with a policy and an impact assessment "
            "(`countenance profile set organisation`)",
        )


def check_name(name: str, what: str) -> None:
    """A name that is safe in files, addresses and entries. Raises BadInput."""
    if not _NAME.fullmatch(name):
        raise BadInput(
            f"{name!r} cannot be the name of a {what}",
            advice="use letters, digits, dots, hyphens and underscores, beginning with a letter or digit, 64 at most",
        )


def add_source(
    record: Record, new: NewSource, actor: Actor, *, validate: Callable[[str, str, tuple[str, ...]], str], home: Path
) -> Source:
    """Register a source. `validate(kind, location, allow_private)` returns the location in its normal form.

    The entry is written first, then the row: a source without an entry does not exist. Raises BadInput, AlreadyThere.
    """
    check_name(new.name, "source")
    if new.collection is not None:
        check_name(new.collection, "collection")
    if new.kind not in KINDS:
        raise BadInput(f"there is no kind of source called {new.kind}", advice="choose folder, urls or website")
    if not new.owner.strip():
        raise BadInput("a source needs an owner", advice="say with --owner who answers for it")
    if new.retain_days is None or not 1 <= new.retain_days <= 3650:
        raise BadInput("a source is kept for 1 to 3650 days", advice="say so with --retain, for instance --retain 90d")
    check_basis(new.basis, new.basis_document, record.profile)
    location = validate(new.kind, new.location, new.allow_private)
    if new.kind == "folder" and _one_in_the_other(Path(location), home.resolve()):
        raise BadInput(
            "this folder and the home lie one in the other",
            advice="what the home keeps of faces is not read as pictures; choose another folder, or another --home",
        )
    with record.database.read() as c:
        if rows.exists(c, new.name):
            raise AlreadyThere(f"there is a source called {new.name} already", advice="choose another name")
    now = moments.now()
    source = Source(
        id=record.database.reserve("source", 1)[0],
        name=new.name,
        kind=new.kind,
        location=location,
        owner=new.owner,
        basis=new.basis,
        basis_document=new.basis_document,
        purpose=new.purpose,
        note=new.note,
        retain_days=new.retain_days,
        registered_at=now,
        expires_at=now + timedelta(days=new.retain_days),
        collection=new.collection or new.name,
        keep_originals=new.keep_originals,
        allow_private=new.allow_private,
    )
    receipt = record.enter(REGISTERED, actor, _terms(source), sealed={item_of(source.id): _sealed(source)})
    with record.database.write() as c:
        rows.add(c, source, registered_seq=receipt.seq)
    return source


def _one_in_the_other(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)


def _terms(source: Source) -> dict[str, Any]:
    return {
        "source": source.id,
        "name": source.name,
        "kind": source.kind,
        "collection": source.collection,
        "basis": source.basis,
        "basis_document": source.basis_document,
        "retain_days": source.retain_days,
        "expires": source.expires_at.isoformat(),
        "keep_originals": source.keep_originals,
        "allow_private": list(source.allow_private),
    }


def _sealed(source: Source) -> dict[str, Any]:
    return {"location": source.location, "owner": source.owner, "purpose": source.purpose, "note": source.note}


def item_of(source_id: int) -> str:
    """The item under which a source's free text is sealed."""
    return f"source:{source_id}"


def live_source(record: Record, name: str) -> Source:
    """The registered, unexpired source. Raises UnknownThing, NotRegistered.

    A row that the ledger does not bear out is not honoured: nobody registers a source by editing the database.
    """
    with record.database.read() as c:
        source = rows.get(c, name)
    if moments.now() >= source.expires_at:
        raise NotRegistered(
            f"the source {name} expired on {source.expires_at:%Y-%m-%d}",
            advice="`countenance retention run` erases it; register it again if it is still needed",
        )
    with record.database.read() as c:
        check_borne_out(record, source, c)
    return source


def check_borne_out(record: Record, source: Source, c: Connection) -> None:
    """The ledger holds the entry that registers exactly this. Raises NotRegistered."""
    seq, sealed = rows.registered_seq(c, source.id), {item_of(source.id): _sealed(source)}
    if not record.bears(seq, REGISTERED, _terms(source), sealed=sealed, within=c):
        raise NotRegistered(
            f"the source {source.name} is not registered in the ledger as its row says",
            advice="somebody changed the database; run `countenance ledger verify` and register the source again",
        )
