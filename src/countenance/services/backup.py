"""Back a home up while it is used: one moment of its rows, its ledger, its vectors and its crops, encrypted.

Reading sources and erasing wait until it is done, so that nothing is added or overwritten half way; searches go on. The
moment is one at which the ledger stood still while the database's view was taken: whatever the rows say was entered,
the ledger has. What can be made anew (the index's codes, the tree's hashes) is left out.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import OperationalError

from countenance.domain.authority import Actor
from countenance.domain.errors import BadInput, Busy, Unavailable
from countenance.ledger import checkpoint as checkpoints
from countenance.services import archive
from countenance.services.archive import Member
from countenance.services.home import LEDGER_KEY, NAME_KEY, Home
from countenance.store.copying import write_file
from countenance.store.database import HEAD
from countenance.store.moments import now
from countenance.store.schema import meta

FORMAT = "countenance backup 1"
MANIFEST = "manifest.json"
ROWS = "home/countenance.db"
MADE = "backup.made"

_TRIES = 1000
_CHUNK = 1 << 20
_PLAIN = ("countenance.toml",)
_FOLDERS = (("profiles", "*.toml"), ("vectors", "*.f16"), ("blobs", "??/*"))


@dataclass(frozen=True, slots=True)
class To:
    """To whom a backup is encrypted: a passphrase, or recipients of age."""

    passphrase: str | None
    recipients: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.passphrase is None) == (not self.recipients):
            raise BadInput(
                "a backup is encrypted to a passphrase or to recipients", advice="give one of them, and only one"
            )


def back_up(
    home: Home,
    file: Path,
    to: To,
    actor: Actor,
    *,
    with_keys: bool = False,
    force: bool = False,
    on_progress: Callable[[int, int | None], None] = lambda *_: None,
) -> dict[str, Any]:
    """Write a backup, whole or not at all. The entry that says so comes first, and is in it.

    `on_progress` has bytes done, and how many there are. Raises BadInput, Unavailable, Busy.
    """
    if file.exists() and not force:
        raise BadInput(f"there is a file already: {file}", advice="choose another name, or add --force")
    if file.resolve().is_relative_to(home.folder.resolve()):
        raise BadInput("a backup does not lie in the home that it is of", advice="choose a place on another disk")
    said = {"with_keys": with_keys, "to": "a passphrase" if to.passphrase is not None else "recipients"}
    beside = file.with_name(f".{file.name}.{secrets.token_hex(6)}.part")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as out, home.writing():
            home.record.enter(MADE, actor, said)
            with _moment(home) as (manifest, rows):
                members = list(_members(home, manifest, rows, with_keys))
                archive.write(
                    out,
                    _counted(members, on_progress),
                    passphrase=to.passphrase,
                    recipients=list(to.recipients),
                )
            out.flush()
            os.fsync(out.fileno())
        beside.replace(file)
        _sync(file.parent)
    except OSError as error:
        raise Unavailable(f"the backup cannot be written: {error.strerror}", advice="choose another place") from None
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()
    return {"file": str(file), "bytes": file.stat().st_size, "entries": manifest["entries"], "keys": with_keys}


@contextlib.contextmanager
def _moment(home: Home) -> Iterator[tuple[dict[str, Any], IO[bytes]]]:
    """The manifest, with the ledger's checkpoint, and a file of the rows as they were at that moment."""
    for _ in range(_TRIES):
        with home.database.read() as view:
            before = home.record.ledger.checkpoint()
            view.execute(select(func.count()).select_from(meta))  # the view is taken at the first reading
            if home.record.ledger.checkpoint() != before:
                continue
            head = checkpoints.parse(before.encode()).head
            manifest = {
                "format": FORMAT,
                "home": home.id,
                "schema": HEAD,
                "entries": head.size,
                "checkpoint": before,
                "at": now().isoformat(),
            }
            with _copied(view, home.folder) as rows:
                yield manifest, rows
            return
    raise Busy("the ledger never stood still for a moment", advice="try again when less is going on")


@contextlib.contextmanager
def _copied(view: Connection, folder: Path) -> Iterator[IO[bytes]]:
    """A copy of the rows that has no name: it is gone with this process, however it ends."""
    handle, name = tempfile.mkstemp(prefix=".backup-", dir=folder)
    with os.fdopen(handle, "r+b") as copy:
        target = sqlite3.connect(name, isolation_level=None)
        try:
            target.execute("PRAGMA journal_mode=OFF")
            target.execute("PRAGMA synchronous=OFF")
            os.unlink(name)  # noqa: PTH108
            if view.dialect.name == "sqlite":
                source = view.connection.driver_connection
                assert isinstance(source, sqlite3.Connection)
                source.backup(target)
            else:
                write_file(view, target)
        except (sqlite3.OperationalError, OperationalError) as error:
            raise Unavailable(f"the rows cannot be copied: {error}", advice="free some room in the home") from None
        finally:
            target.close()
        try:
            yield copy
        finally:
            size = copy.seek(0, os.SEEK_END)
            copy.seek(0)
            for _ in range(0, size, _CHUNK):
                copy.write(b"\0" * _CHUNK)


def _members(home: Home, manifest: dict[str, Any], rows: IO[bytes], with_keys: bool) -> Iterator[Member]:
    yield archive.of_bytes(MANIFEST, json.dumps(manifest).encode())
    yield Member(ROWS, rows.seek(0, os.SEEK_END), lambda: _whole(rows))
    ledger = home.folder / "ledger"
    yield archive.of_bytes("home/ledger/checkpoint", manifest["checkpoint"].encode())
    yield archive.of_file("home/ledger/key", ledger / "key")
    yield _entries(ledger / "entries.jsonl", manifest["entries"])
    for name in _PLAIN:
        if (home.folder / name).is_file():
            yield archive.of_file(f"home/{name}", home.folder / name)
    for folder, pattern in _FOLDERS:
        for path in sorted((home.folder / folder).glob(pattern)):
            if path.is_file() and not path.name.startswith(".") and path.suffix != ".part":
                yield archive.of_file(f"home/{path.relative_to(home.folder).as_posix()}", path)
    if with_keys:
        for path in sorted(home.keys.iterdir()):
            if path.name in (LEDGER_KEY, NAME_KEY) or path.suffix == ".rotation":
                yield archive.of_file(f"keys/{path.name}", path)


def _entries(path: Path, count: int) -> Member:
    """The first `count` entries: what the checkpoint covers, and nothing that came after."""
    size = 0
    with path.open("rb") as file:
        left = count
        while left and (chunk := file.read(_CHUNK)):
            lines = chunk.count(b"\n")
            if lines < left:
                size, left = size + len(chunk), left - lines
                continue
            at = -1
            for _ in range(left):
                at = chunk.index(b"\n", at + 1)
            size, left = size + at + 1, 0
    found = archive.of_file("home/ledger/entries.jsonl", path)

    def first() -> Iterator[bytes]:
        rest = size
        for chunk in found.chunks():
            if rest:
                yield chunk[:rest]
                rest -= min(rest, len(chunk))

    return Member(found.name, size, first)


def _whole(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(_CHUNK):
        yield chunk


def _counted(members: list[Member], on_progress: Callable[[int, int | None], None]) -> Iterator[Member]:
    total = sum(member.size for member in members)
    done = 0

    def counting(member: Member) -> Member:
        def chunks() -> Iterator[bytes]:
            nonlocal done
            for chunk in member.chunks():
                done += len(chunk)
                on_progress(done, total)
                yield chunk

        return Member(member.name, member.size, chunks)

    return map(counting, members)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
