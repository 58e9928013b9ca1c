"""Times in rows: microseconds since 1970-01-01 UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now() -> datetime:
    """Now, aware UTC."""
    return datetime.now(UTC)


def to_row(moment: datetime) -> int:
    """Microseconds of an aware time."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_row(value: int) -> datetime:
    """The aware UTC time."""
    return _EPOCH + timedelta(microseconds=value)


def maybe(value: int | None) -> datetime | None:
    """The same for a column that may be empty."""
    return None if value is None else from_row(value)
