"""Many rows of a table at once, as the driver takes them.

SQLAlchemy prepares each value of each row in Python, which for the rows of an ingest takes longer than writing them.
Here it only writes the statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Table, insert


def insert_many(connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert `rows`, each with a value for each of `columns`: numbers, text, bytes or None, and JSON as its text."""
    given = [tuple(row) for row in rows]
    if not given:
        return
    statement, order = _statement(table, tuple(columns), connection.dialect)
    if order is None:
        connection.exec_driver_sql(statement, [dict(zip(columns, row, strict=True)) for row in given])
    else:
        connection.exec_driver_sql(statement, [tuple(row[place] for place in order) for row in given])


@lru_cache(maxsize=32)
def _statement(table: Table, columns: tuple[str, ...], dialect: Dialect) -> tuple[str, list[int] | None]:
    """The statement, and which column each of its places takes; None where the driver takes them by name."""
    compiled = insert(table).inline().compile(dialect=dialect, column_keys=list(columns))
    order = None if compiled.positiontup is None else [columns.index(name) for name in compiled.positiontup]
    return compiled.string, order
