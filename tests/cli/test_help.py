"""Help that helps: every command shows how it is used, and the shell can complete it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from countenance.cli.main import EXIT_CODES, app
from countenance.domain.errors import CountenanceError
from tests.places import ROOT


def commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Every command that does something, by its full name."""
    inside = getattr(command, "commands", None)
    if inside is None:
        yield name, command
        return
    for part, one in inside.items():
        yield from commands(f"{name} {part}", one)


ALL = dict(commands("countenance", typer.main.get_command(app)))


@pytest.mark.parametrize("name", ALL)
def test_help_shows_the_command_in_use(name: str) -> None:
    text = " ".join((ALL[name].help or "").split())
    assert f"Example: {name}" in text


def test_every_exit_code_is_explained() -> None:
    def codes(kind: type[CountenanceError]) -> set[int]:
        return {kind.exit_code}.union(*map(codes, kind.__subclasses__()))

    told = {int(part.split()[0]) for part in EXIT_CODES.removeprefix("Exit codes: ").split(" · ")}
    assert codes(CountenanceError) | {0, 130} == told


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("countenance proxyl", "proxylog"),
        ("countenance source re", "refresh"),
        ("countenance search --auth", "--authority"),
    ],
)
def test_the_shell_completes(tmp_path: Path, words: str, expected: str) -> None:
    command = Path(sys.executable).with_name("countenance")
    environment = os.environ | {
        "_COUNTENANCE_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
        "COUNTENANCE_HOME": str(tmp_path / "home"),
    }
    done = subprocess.run([command], env=environment, capture_output=True, text=True, cwd=ROOT, check=False)
    assert expected in done.stdout.split()
    assert not (tmp_path / "home").exists()
