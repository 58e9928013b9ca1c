from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import databases

from .kit import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A home with the quickest engine, for what does not depend on it."""
    made = Shop(tmp_path, "exact")
    yield made
    made.close()
    databases.drop(tmp_path)
