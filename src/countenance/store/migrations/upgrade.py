"""Bring a database to the newest schema."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def knows(revision: str) -> bool:
    """Whether this version has the migration that a database says it is at."""
    script = ScriptDirectory.from_config(_config())
    return any(r.revision == revision for r in script.walk_revisions())


def to_head(connection: Connection) -> None:
    """Run every migration that is missing, inside the caller's write transaction; two processes may try at once."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
