"""Many rows of a table at once, as the driver takes them.

SQLAlchemy prepares each value of each row in Python, which for the rows of an ingest takes longer than writing them.
Here it only writes the statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Table, insert


def insert_many(
    connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert `rows`, each with a value for each of `columns`: numbers, text, bytes or None, and JSON as its text.
    Raises ValueError where the columns are not in the table's order, in which drivers take them."""
    if rows:
        statement, by_place = _statement(table, columns, connection.dialect)
        connection.exec_driver_sql(
            statement, list(rows) if by_place else [dict(zip(columns, row, strict=True)) for row in rows]
        )


@lru_cache(maxsize=32)
def _statement(table: Table, columns: tuple[str, ...], dialect: Dialect) -> tuple[str, bool]:
    """The statement, and whether the driver takes values by their place."""
    if columns != tuple(column.name for column in table.columns if column.name in columns):
        raise ValueError("columns go in the table's order")
    compiled = insert(table).inline().compile(dialect=dialect, column_keys=list(columns))
    return compiled.string, compiled.positiontup is not None
