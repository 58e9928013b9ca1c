"""Numbers that are never given twice, not even after an erasure: the ledger names sightings by theirs."""

from __future__ import annotations

from sqlalchemy import Connection, text


def last_sighting(connection: Connection) -> int:
    """The highest number that a sighting was ever given here; 0 before the first."""
    if connection.dialect.name == "sqlite":
        query = "SELECT seq FROM sqlite_sequence WHERE name = 'sightings'"
    else:
        query = "SELECT last_value FROM sightings_id_seq WHERE is_called"
    return int(connection.execute(text(query)).scalar() or 0)


def give_no_sighting_below(connection: Connection, most: int) -> None:
    """The next sighting has a higher number than this, whatever numbers there were."""
    if most <= last_sighting(connection):
        return
    if connection.dialect.name != "sqlite":
        connection.execute(text("SELECT setval('sightings_id_seq', :most)"), {"most": most})
        return
    changed = connection.execute(
        text("UPDATE sqlite_sequence SET seq = :most WHERE name = 'sightings'"), {"most": most}
    )
    if changed.rowcount == 0:
        insert = text("INSERT INTO sqlite_sequence (name, seq) VALUES ('sightings', :most)")
        connection.execute(insert, {"most": most})
