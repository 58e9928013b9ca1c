"""Homes to try things on, each with a key folder of its own, and what one does with them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from countenance.app import Countenance, open_home
from countenance.domain.authority import Actor, Authority
from countenance.domain.people import Profile
from countenance.domain.sources import Source
from countenance.services.authorise import NewAuthority
from countenance.services.home import Where
from countenance.services.register import NewSource
from countenance.services.search import SearchRequest
from countenance.services.tally import IngestReport
from countenance.settings import Settings
from countenance.store import moments
from tests import child, databases

ROOT = Path(__file__).resolve().parent.parent
TESTER = Actor("os:tester", "python", "A Tester")


@dataclass
class Answer:
    """What a command left: exit code and both outputs."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object on standard output."""
        return json.loads(self.out)


@dataclass
class Place:
    """A home's folder, its keys and a folder of photographs, and what is open on it."""

    root: Path
    opened: list[Countenance] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def photos(self) -> Path:
        return self.root / "photos"

    @property
    def where(self) -> Where:
        return Where(self.home, self.keys, databases.address(self.home))

    @property
    def environment(self) -> dict[str, str]:
        rows = databases.address(self.home)
        return (
            os.environ
            | ({"COUNTENANCE_DATABASE__URL": rows} if rows else {})
            | {
                "COUNTENANCE_HOME": str(self.home),
                "COUNTENANCE_KEY_DIR": str(self.keys),
                "COUNTENANCE_INGEST__WORKERS": "1",
                "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
                "COLUMNS": "200",
            }
        )

    def open(self, making: Profile | None = None, **changes: Any) -> Countenance:
        """As another process would open it, or as one that makes it with this profile."""
        settings = Settings(home=self.home, key_dir=self.keys, **(databases.setting(self.home) | changes))
        self.opened.append(open_home(settings=settings, making=making))
        return self.opened[-1]

    def close(self) -> None:
        while self.opened:
            self.opened.pop().close()

    def copy_to(self, other: Place) -> Place:
        """The same home, keys and rows in another place. Nobody has it open."""
        shutil.copytree(self.home, other.home)
        shutil.copytree(self.keys, other.keys)
        databases.copy(self.home, other.home)
        return other

    def drop(self) -> None:
        """Let go of what lies outside of the folder."""
        self.close()
        databases.drop(self.home)

    def put(self, name: str, data: bytes) -> Path:
        """A file among the photographs."""
        path = self.photos / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def command(self, *words: str | Path, real: bool = False, **more: Any) -> Answer:
        """The command in a process of its own: with the real models, or with pretend eyes."""
        run = self.start(*words, real=real, **more)
        out, err = run.communicate(timeout=110)
        return Answer(run.returncode, out, err)

    def start(self, *words: str | Path, real: bool = False, **more: Any) -> subprocess.Popen[str]:
        """The same, still running."""
        return subprocess.Popen(
            [sys.executable, "-m", "countenance.cli.main" if real else "tests.child", *map(str, words)],
            env=self.environment | more.pop("env", {}),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            **({"cwd": ROOT} | more),
        )

    def child(self, act: str, *words: Any, die: Sequence[str] = (), count: str = "") -> int:
        """Do one thing in a process that is killed on the way; see `tests.child.run`."""
        return child.run(self.home, self.keys, act, *words, die=die, count=count)

    def files(self) -> dict[str, bytes]:
        """Every byte of the home, by path."""
        return {
            str(path.relative_to(self.home)): path.read_bytes()
            for path in sorted(self.home.rglob("*"))
            if path.is_file() and not path.is_symlink()
        }


def register(product: Countenance, name: str, folder: Path, **changes: Any) -> Source:
    """A folder as a source."""
    values: dict[str, Any] = {"name": name, "kind": "folder", "location": str(folder), "owner": "Tests"}
    return product.add_source(NewSource(**(values | {"basis": "own"} | changes)), TESTER)


def ingest(product: Countenance, name: str, **more: Any) -> IngestReport:
    return product.ingest(name, TESTER, **more)


def grant(product: Countenance, *collections: str, days: float = 1, **changes: Any) -> Authority:
    """An authority for the tester."""
    values: dict[str, Any] = {
        "purpose": "testing",
        "basis": "own",
        "case": "T-1",
        "collections": collections,
        "expires": moments.now() + timedelta(days=days),
        "searches": 100,
        "stated_by": "A Tester",
    }
    return product.grant(NewAuthority(**(values | changes)), TESTER)


def ask(product: Countenance, authority: Authority | str, *photographs: bytes, **changes: Any) -> Any:
    """A search."""
    id = authority if isinstance(authority, str) else authority.id
    return product.search(SearchRequest(photographs=photographs, authority=id, **changes), TESTER)


def kinds(product: Countenance) -> list[str]:
    """The types of all ledger entries, in order."""
    return [entry["type"] for entry in product.ledger_entries(0, product.ledger_size)]
