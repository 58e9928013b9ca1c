"""The keys that seal personal parts of ledger entries, one an item."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, literal, select

from countenance.store.moments import to_row
from countenance.store.schema import authorities, item_keys, searches

KEY_BYTES = 32


def keys_for(connection: Connection, items: Iterable[str]) -> dict[str, bytes]:
    """The key of each item, made from the operating system's generator when it has none yet."""
    wanted = list(dict.fromkeys(items))
    found = open_keys(connection, wanted)
    fresh = {item: os.urandom(KEY_BYTES) for item in wanted if item not in found}
    if fresh:
        connection.execute(insert(item_keys), [{"item": item, "key": key} for item, key in fresh.items()])
    return found | fresh


def new_key(connection: Connection, item: str) -> bytes:
    """The key of an item that has none yet."""
    key = os.urandom(KEY_BYTES)
    connection.execute(insert(item_keys).values(item=item, key=key))
    return key


def open_keys(connection: Connection, items: Iterable[str]) -> dict[str, bytes]:
    """The keys that still exist; an erased item has none."""
    found: dict[str, bytes] = {}
    wanted = list(dict.fromkeys(items))
    for start in range(0, len(wanted), 500):
        rows = connection.execute(select(item_keys).where(item_keys.c.item.in_(wanted[start : start + 500])))
        found.update((row.item, row.key) for row in rows)
    return found


def disclosed_note(search: str) -> str:
    """The item under which it is sealed what an export of a search was for."""
    return f"note:{search}:disclosed"


def revoked_note(authority: str) -> str:
    """The item under which it is sealed why an authority was revoked."""
    return f"note:{authority}:revoked"


def notes_over(connection: Connection, *, now: datetime, keep: timedelta) -> list[str]:
    """The notes of searches whose probes' time is over, and of authorities that ended `keep` ago."""
    disclosed = literal("note:") + searches.c.id + ":disclosed"
    revoked = literal("note:") + authorities.c.id + ":revoked"
    of_searches = (
        select(item_keys.c.item)
        .join(searches, item_keys.c.item == disclosed)
        .where(searches.c.keep_until <= to_row(now))
    )
    of_authorities = (
        select(item_keys.c.item)
        .join(authorities, item_keys.c.item == revoked)
        .where(authorities.c.expires_at <= to_row(now - keep))
    )
    return sorted(connection.execute(of_searches.union(of_authorities)).scalars())


def destroy(connection: Connection, items: Iterable[str]) -> int:
    """Shred what these items sealed. Returns how many keys there were."""
    wanted = list(dict.fromkeys(items))
    gone = 0
    for start in range(0, len(wanted), 500):
        gone += connection.execute(delete(item_keys).where(item_keys.c.item.in_(wanted[start : start + 500]))).rowcount
    return gone
