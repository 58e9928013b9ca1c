"""The contract, for each engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from countenance.index import turbo

from .kit import IndexContract, Shop


class TestExact(IndexContract):
    @pytest.fixture
    def shop(self, tmp_path: Path) -> Iterator[Shop]:
        made = Shop(tmp_path, "exact")
        yield made
        made.close()


class TestTurbovec(IndexContract):
    @pytest.fixture
    def shop(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
        # A short tail, so that templates really become codes.
        monkeypatch.setattr(turbo, "TAIL", 3)
        made = Shop(tmp_path, "turbovec")
        yield made
        made.close()


class TestFaiss(IndexContract):
    @pytest.fixture
    def shop(self, tmp_path: Path) -> Iterator[Shop]:
        made = Shop(tmp_path, "faiss")
        yield made
        made.close()
