"""The keys that seal personal parts of ledger entries, one an item."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, insert, literal, select

from countenance.store.moments import from_row, to_row
from countenance.store.schema import authorities, item_keys, searches

KEY_BYTES = 32

# Made once, as every search asks them.
_OPEN = select(item_keys.c.item, item_keys.c.key).where(item_keys.c.item.in_(bindparam("items", expanding=True)))
_NEW = insert(item_keys)


def keys_for(connection: Connection, items: Iterable[str]) -> dict[str, bytes]:
    """The key of each item, made from the operating system's generator when it has none yet."""
    wanted = list(dict.fromkeys(items))
    found = open_keys(connection, wanted)
    fresh = {item: os.urandom(KEY_BYTES) for item in wanted if item not in found}
    if fresh:
        connection.execute(_NEW, [{"item": item, "key": key} for item, key in fresh.items()])
    return found | fresh


def new_key(connection: Connection, item: str) -> bytes:
    """The key of an item that has none yet."""
    key = os.urandom(KEY_BYTES)
    connection.execute(_NEW, {"item": item, "key": key})
    return key


def open_keys(connection: Connection, items: Iterable[str]) -> dict[str, bytes]:
    """The keys that still exist; an erased item has none."""
    found: dict[str, bytes] = {}
    wanted = list(dict.fromkeys(items))
    for start in range(0, len(wanted), 500):
        rows = connection.execute(_OPEN, {"items": wanted[start : start + 500]})
        found.update((row.item, row.key) for row in rows)
    return found


def disclosed_note(search: str) -> str:
    """The item under which it is sealed what an export of a search was for."""
    return f"note:{search}:disclosed"


def revoked_note(authority: str) -> str:
    """The item under which it is sealed why an authority was revoked."""
    return f"note:{authority}:revoked"


def notes_over(connection: Connection, *, before: datetime, keep: timedelta) -> list[tuple[str, str, datetime]]:
    """(note, search or authority, when) of searches whose probes' time ends up to a moment, and of authorities that
    ended `keep` before it."""
    disclosed = literal("note:") + searches.c.id + ":disclosed"
    revoked = literal("note:") + authorities.c.id + ":revoked"
    of_searches = (
        select(item_keys.c.item, searches.c.id, searches.c.keep_until)
        .join(searches, item_keys.c.item == disclosed)
        .where(searches.c.keep_until <= to_row(before))
    )
    of_authorities = (
        select(item_keys.c.item, authorities.c.id, authorities.c.expires_at)
        .join(authorities, item_keys.c.item == revoked)
        .where(authorities.c.expires_at <= to_row(before - keep))
    )
    found = [(row.item, row.id, from_row(row.keep_until)) for row in connection.execute(of_searches)]
    found += [(row.item, row.id, from_row(row.expires_at) + keep) for row in connection.execute(of_authorities)]
    return sorted(found)


def beginning(connection: Connection, prefix: str) -> list[str]:
    """The items whose names begin so, as far as their keys exist."""
    query = select(item_keys.c.item).where(item_keys.c.item.startswith(prefix, autoescape=True))
    return sorted(connection.execute(query).scalars())


def destroy(connection: Connection, items: Iterable[str]) -> int:
    """Shred what these items sealed. Returns how many keys there were."""
    wanted = list(dict.fromkeys(items))
    gone = 0
    for start in range(0, len(wanted), 500):
        gone += connection.execute(delete(item_keys).where(item_keys.c.item.in_(wanted[start : start + 500]))).rowcount
    return gone
