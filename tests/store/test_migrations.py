"""The migrations, run from nothing, make exactly the schema that the code speaks of."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from countenance.store.database import Database
from countenance.store.migrations import upgrade
from countenance.store.schema import metadata


def _tables(url: str) -> dict[str, str]:
    engine = create_engine(url)
    with engine.connect() as c:
        rows = c.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'alembic%'"))
        found = {row.name: "".join(row.sql.split()) for row in rows}
    engine.dispose()
    return found


def test_the_migrations_make_the_schema(tmp_path: Path) -> None:
    Database.open(tmp_path / "migrated.db").close()
    engine = create_engine(f"sqlite:///{tmp_path / 'migrated.db'}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()

    # What the comparison does not look at (ids that are never reused, tables without row ids) stands in the statements.
    fresh = create_engine(f"sqlite:///{tmp_path / 'fresh.db'}")
    metadata.create_all(fresh)
    fresh.dispose()
    migrated, made = _tables(f"sqlite:///{tmp_path / 'migrated.db'}"), _tables(f"sqlite:///{tmp_path / 'fresh.db'}")
    assert migrated.keys() == made.keys()
    for name in made:
        for phrase in ("AUTOINCREMENT", "WITHOUTROWID"):
            assert (phrase in migrated[name]) == (phrase in made[name]), name
    assert "AUTOINCREMENT" in made["sightings"]


def test_tokens_from_before_there_were_accounts_stay(tmp_path: Path) -> None:
    """A database as an earlier version left it: the token is there afterwards, with neither owner nor entry."""
    engine = create_engine(f"sqlite:///{tmp_path / 'countenance.db'}")
    config = upgrade._config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.execute(
            text("INSERT INTO tokens VALUES ('token-1', 'nightly', x'00', '[\"search\"]', 1, NULL, NULL)")
        )
    engine.dispose()
    database = Database.open(tmp_path / "countenance.db")
    with database.read() as c:
        row = c.execute(text("SELECT * FROM tokens")).one()
    database.close()
    assert (row.id, row.scopes, row.account, row.seq) == ("token-1", '["search"]', None, None)
