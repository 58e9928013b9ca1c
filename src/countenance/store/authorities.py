"""Rows of authorities, and the one statement that spends a use."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from countenance.domain.authority import Authority
from countenance.domain.errors import UnknownThing
from countenance.store.moments import from_row, maybe, to_row
from countenance.store.schema import authorities

# Made once, as every search asks them: to put a statement together takes longer than to have it answered.
_ONE = select(authorities).where(authorities.c.id == bindparam("authority"))
_SPEND = (
    update(authorities)
    .where(
        authorities.c.id == bindparam("authority"),
        authorities.c.used < authorities.c.searches,
        authorities.c.expires_at > bindparam("now"),
        authorities.c.revoked_at.is_(None),
    )
    .values(used=authorities.c.used + 1)
    .returning(authorities.c.used)
)


def _authority(row: Row[Any]) -> Authority:
    return Authority(
        id=row.id,
        purpose=row.purpose,
        basis=row.basis,
        basis_document=row.basis_document,
        case=row.case_ref,
        collections=tuple(row.collections),
        granted_at=from_row(row.granted_at),
        expires_at=from_row(row.expires_at),
        searches=row.searches,
        used=row.used,
        granted_by=row.actor,
        stated_by=row.stated,
        holder=row.holder,
        self_approved=row.self_approved,
        grant_seq=row.grant_seq,
        revoked_at=maybe(row.revoked_at),
        request=row.request,
        outcome=row.outcome,
        due=maybe(row.due_at),
    )


def add(connection: Connection, authority: Authority) -> None:
    """Write a granted authority."""
    connection.execute(
        insert(authorities).values(
            id=authority.id,
            purpose=authority.purpose,
            basis=authority.basis,
            basis_document=authority.basis_document,
            case_ref=authority.case,
            collections=list(authority.collections),
            granted_at=to_row(authority.granted_at),
            expires_at=to_row(authority.expires_at),
            searches=authority.searches,
            used=authority.used,
            actor=authority.granted_by,
            stated=authority.stated_by,
            holder=authority.holder,
            self_approved=authority.self_approved,
            grant_seq=authority.grant_seq,
            request=authority.request,
            outcome=authority.outcome,
            due_at=to_row(authority.due) if authority.due else None,
        )
    )


def get(connection: Connection, id: str) -> Authority:
    """One authority. Raises UnknownThing."""
    row = connection.execute(_ONE, {"authority": id}).first()
    if row is None:
        raise UnknownThing(f"there is no authority {id}", advice="`countenance authority list` shows them")
    return _authority(row)


def every(connection: Connection) -> list[Authority]:
    """All of them, newest first."""
    rows = connection.execute(select(authorities).order_by(authorities.c.granted_at.desc(), authorities.c.id))
    return [_authority(row) for row in rows]


def any_urgent(connection: Connection) -> bool:
    """Whether any was ever used before somebody approved it."""
    return (
        connection.execute(select(authorities.c.id).where(authorities.c.due_at.is_not(None)).limit(1)).first()
        is not None
    )


def reserve_use(connection: Connection, id: str, *, now: datetime) -> int | None:
    """Spend one use and return its number, or None when there is none left, or it has expired or been revoked.

    One statement, so that no number of callers at once can spend more uses than were granted.
    """
    return connection.execute(_SPEND, {"authority": id, "now": to_row(now)}).scalar()


def revoke(connection: Connection, id: str, *, at: datetime, seq: int) -> None:
    """Mark as revoked."""
    connection.execute(update(authorities).where(authorities.c.id == id).values(revoked_at=to_row(at), revoke_seq=seq))
