"""Pictures that are kept for reviews, sealed: rows hold nothing that opens without its item's key."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from countenance.store.moments import from_row, to_row
from countenance.store.schema import review_pictures


def keep(connection: Connection, review: str, side: str, sealed: Any, *, keep_until: datetime | None) -> None:
    """Keep one picture of a pair; `side` is "probe" or "candidate"."""
    until = to_row(keep_until) if keep_until is not None else None
    connection.execute(insert(review_pictures).values(review=review, side=side, sealed=sealed, keep_until=until))


def kept(connection: Connection, review: str, side: str) -> Any:
    """The sealed picture, or None."""
    where = (review_pictures.c.review == review, review_pictures.c.side == side)
    return connection.execute(select(review_pictures.c.sealed).where(*where)).scalar()


def drop(connection: Connection, reviews: Iterable[str]) -> None:
    """Keep the pictures of these reviews no longer."""
    connection.execute(delete(review_pictures).where(review_pictures.c.review.in_(list(reviews))))


def over(connection: Connection, *, before: datetime) -> list[tuple[str, datetime]]:
    """The reviews whose pictures' time ends up to a moment, and when."""
    query = select(review_pictures.c.review, review_pictures.c.keep_until).distinct()
    rows = connection.execute(query.where(review_pictures.c.keep_until <= to_row(before)))
    return sorted((row.review, from_row(row.keep_until)) for row in rows)
