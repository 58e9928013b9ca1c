"""The command in this process, with pretend eyes."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from countenance.cli import main, options
from tests.places import Answer, Place


@pytest.fixture
def at(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], pretending: None
) -> Callable[..., Callable[..., Answer]]:
    """`at(place)("status", "--json")`: what the command leaves, run on that home."""
    monkeypatch.setattr(options, "ensure_weights", lambda *_: None)

    def on(place: Place) -> Callable[..., Answer]:
        for name, value in place.environment.items():
            if name.startswith("COUNTENANCE_") or name == "COLUMNS":
                monkeypatch.setenv(name, value)

        def run(*words: object) -> Answer:
            monkeypatch.setattr(sys, "argv", ["countenance", *map(str, words)])
            capsys.readouterr()
            with pytest.raises(SystemExit) as left:
                main.main()
            out, err = capsys.readouterr()
            return Answer(left.value.code if isinstance(left.value.code, int) else 1, out, err)

        return run

    return on


@pytest.fixture
def run(house: Place, at: Callable[[Place], Callable[..., Answer]]) -> Callable[..., Answer]:
    """The command on a copy of `house`."""
    return at(house)
