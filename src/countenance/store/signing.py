"""Rows of what people sign in with, of their sessions and of failures to sign in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from countenance.store.moments import from_row, to_row
from countenance.store.schema import attempts, browser_sessions, credentials, known_devices

FORGET = timedelta(days=1)
"""After so long without another, failures count no more."""

DEVICE = timedelta(days=180)
"""How long a browser that is not used stays known."""


def put(connection: Connection, id: str, account: str, kind: str, body: Any, label: str, *, now: datetime) -> None:
    """Keep a credential; a password takes the place of the one before."""
    if kind == "password":
        connection.execute(delete(credentials).where(credentials.c.account == account, credentials.c.kind == kind))
    connection.execute(
        insert(credentials).values(
            id=id, account=account, kind=kind, body=body, label=label, created_at=to_row(now), counter=0
        )
    )


def of_account(connection: Connection, account: str, kind: str | None = None) -> list[Row[Any]]:
    """What an account signs in with, oldest first."""
    query = select(credentials).where(credentials.c.account == account)
    if kind is not None:
        query = query.where(credentials.c.kind == kind)
    return list(connection.execute(query.order_by(credentials.c.created_at, credentials.c.id)))


def credential(connection: Connection, id: str) -> Row[Any] | None:
    """One of them."""
    return connection.execute(select(credentials).where(credentials.c.id == id)).first()


def use(connection: Connection, id: str, counter: int, *, now: datetime, rising: bool) -> bool:
    """Note a use. With `rising`, only if the counter rises, so that a code is good once; returns whether it was."""
    query = update(credentials).where(credentials.c.id == id)
    if rising:
        query = query.where(credentials.c.counter < counter)
    return connection.execute(query.values(counter=counter, used_at=to_row(now))).rowcount == 1


def drop(connection: Connection, id: str) -> None:
    """Forget a credential."""
    connection.execute(delete(credentials).where(credentials.c.id == id))


def forget(connection: Connection, account: str) -> None:
    """Forget everything an account signs in with, its sessions and its devices."""
    for table in (credentials, browser_sessions, known_devices):
        connection.execute(delete(table).where(table.c.account == account))


def begin(
    connection: Connection, key: bytes, account: str, how: str, *, now: datetime, until: datetime, seq: int
) -> None:
    """Keep a session, and let go of those that are over."""
    connection.execute(delete(browser_sessions).where(browser_sessions.c.until <= to_row(now)))
    connection.execute(
        insert(browser_sessions).values(
            key=key, account=account, how=how, begun_at=to_row(now), used_at=to_row(now), until=to_row(until), seq=seq
        )
    )


def session(connection: Connection, key: bytes) -> Row[Any] | None:
    """One session, whether it is over or not."""
    return connection.execute(select(browser_sessions).where(browser_sessions.c.key == key)).first()


def sessions(connection: Connection, account: str) -> list[Row[Any]]:
    """Those of an account, newest first."""
    query = select(browser_sessions).where(browser_sessions.c.account == account)
    return list(connection.execute(query.order_by(browser_sessions.c.begun_at.desc())))


def used(connection: Connection, key: bytes, *, now: datetime) -> None:
    """Keep a session from being idle."""
    connection.execute(update(browser_sessions).where(browser_sessions.c.key == key).values(used_at=to_row(now)))


def end(connection: Connection, *, key: bytes | None = None, account: str | None = None) -> int:
    """End one session, or every one of an account. Returns how many there were."""
    query = delete(browser_sessions)
    query = query.where(browser_sessions.c.key == key if key is not None else browser_sessions.c.account == account)
    return connection.execute(query).rowcount


def knows(connection: Connection, key: bytes, account: str, *, now: datetime) -> bool:
    """Whether an account was signed in to from this browser before."""
    query = select(known_devices.c.key).where(
        known_devices.c.key == key,
        known_devices.c.account == account,
        known_devices.c.used_at > to_row(now - DEVICE),
    )
    return connection.execute(query).first() is not None


def remember(connection: Connection, key: bytes, account: str, *, now: datetime) -> None:
    """Know this browser from now on."""
    connection.execute(delete(known_devices).where(known_devices.c.used_at <= to_row(now - DEVICE)))
    connection.execute(delete(known_devices).where(known_devices.c.key == key, known_devices.c.account == account))
    connection.execute(insert(known_devices).values(key=key, account=account, used_at=to_row(now)))


def failures(connection: Connection, key: str, *, now: datetime) -> tuple[int, int]:
    """How often signing in failed under a key of late, and until when (microseconds) no further attempt is taken."""
    row = connection.execute(select(attempts).where(attempts.c.key == key)).first()
    if row is None or row.at <= to_row(now - FORGET):
        return 0, 0
    return row.failures, row.until


def fail(connection: Connection, key: str, count: int, until: datetime, *, now: datetime) -> None:
    """Write down how often it failed."""
    connection.execute(delete(attempts).where(attempts.c.at <= to_row(now - FORGET)))
    connection.execute(delete(attempts).where(attempts.c.key == key))
    if count > 0:
        connection.execute(insert(attempts).values(key=key, failures=count, until=to_row(until), at=to_row(now)))


def sessions_over(connection: Connection, *, before: datetime) -> list[tuple[bytes, datetime]]:
    """Sessions that end up to a moment, by key, and when."""
    query = select(browser_sessions.c.key, browser_sessions.c.until).where(browser_sessions.c.until <= to_row(before))
    return [(row.key, from_row(row.until)) for row in connection.execute(query)]


def devices_over(connection: Connection, *, before: datetime) -> list[tuple[bytes, datetime]]:
    """Known browsers whose time ends up to a moment, by key, and when."""
    query = select(known_devices.c.key, known_devices.c.used_at)
    rows = connection.execute(query.where(known_devices.c.used_at <= to_row(before - DEVICE)))
    return [(row.key, from_row(row.used_at) + DEVICE) for row in rows]


def attempts_over(connection: Connection, *, before: datetime) -> list[tuple[str, datetime]]:
    """Counts of failures whose time ends up to a moment, by key, and when."""
    query = select(attempts.c.key, attempts.c.at).where(attempts.c.at <= to_row(before - FORGET))
    return [(row.key, from_row(row.at) + FORGET) for row in connection.execute(query)]


def clear(connection: Connection, *, now: datetime) -> None:
    """Delete sessions, known browsers and counts of failures whose time is over."""
    connection.execute(delete(browser_sessions).where(browser_sessions.c.until <= to_row(now)))
    connection.execute(delete(known_devices).where(known_devices.c.used_at <= to_row(now - DEVICE)))
    connection.execute(delete(attempts).where(attempts.c.at <= to_row(now - FORGET)))


def has_credentials(connection: Connection, account: str) -> bool:
    """Whether anything is kept that an account signs in with."""
    return connection.execute(select(credentials.c.id).where(credentials.c.account == account)).first() is not None
