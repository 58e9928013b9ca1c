"""A ledger in a temporary folder, with its key beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from countenance.ledger import keys
from countenance.ledger.disk import Disk
from countenance.ledger.log import Ledger
from countenance.ledger.note import Signer

ORIGIN = "countenance.test/ledger"


@pytest.fixture
def actor() -> dict[str, Any]:
    return {"authenticated": "os:ada", "stated": "Ada"}


@pytest.fixture
def key_path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "ledger.key"


@pytest.fixture
def signer(key_path: Path) -> Signer:
    return keys.create(key_path, ORIGIN)


@pytest.fixture
def no_real_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that simulate crashes thousands of times; `test_durable` watches the real calls."""
    monkeypatch.setattr(os, "fsync", lambda fd: None)
    monkeypatch.setattr(os, "fdatasync", lambda fd: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home" / "ledger"


@pytest.fixture
def open_ledger(folder: Path, signer: Signer, key_path: Path) -> Iterator[Callable[..., Ledger]]:
    """Opens the ledger, as often as wanted, with the key that the file holds at that time."""
    opened: list[Ledger] = []

    def opener(disk: Disk | None = None, **more: Any) -> Ledger:
        opened.append(Ledger.open(folder, keys.load(key_path), origin=ORIGIN, disk=disk, **more))
        return opened[-1]

    yield opener
    for ledger in opened:
        ledger.close()


@pytest.fixture
def ledger(open_ledger: Callable[..., Ledger]) -> Ledger:
    return open_ledger()
