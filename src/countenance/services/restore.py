"""Bring a home back from a backup: unpacked beside its place, checked, and moved there when everything is in order.

Whatever a kill or a full disk leaves lies beside the place, where nothing opens it, and goes with the next attempt.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from countenance.domain.errors import BadInput, Broken, Busy, KeyTrouble, LedgerBroken, Unavailable
from countenance.ledger import checkpoint as checkpoints
from countenance.ledger import keys as ledger_keys
from countenance.ledger import manifest as bundles
from countenance.ledger.audit import lines
from countenance.ledger.checkpoint import Checkpoint
from countenance.ledger.container import Reader
from countenance.ledger.note import MAX_NOTE, VerifierKey
from countenance.ledger.verify import verify_bundle, verify_folder
from countenance.services import archive
from countenance.services.backup import FORMAT, MANIFEST
from countenance.services.erasure_list import LIST, Gone, in_ledger, merged, read_list
from countenance.services.home import HOME_ID, LEDGER_KEY, Where, default_key_dir
from countenance.store.copying import brought_in
from countenance.store.database import Database

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class With:
    """What opens the backup, and what it is held against: a newer bundle of the ledger, a list of erasures, and a
    checkpoint that somebody kept. `roll_back` accepts that the checkpoint knows more entries."""

    passphrase: str | None = None
    identities: tuple[str, ...] = ()
    ledger: Path | None = None
    erasures: Path | None = None
    since: Path | None = None
    roll_back: bool = False


@dataclass(frozen=True, slots=True)
class Staged:
    """A home that was unpacked and checked, beside the place where it is to be. `entries` are those of the backup,
    `size` those that the ledger has now, `gone` what was erased after the backup, `lost` how many entries a kept
    checkpoint knows beyond those."""

    home: Path
    place: Path
    id: str
    entries: int
    size: int
    made: str
    gone: Gone
    lost: int = 0

    def settle(self) -> None:
        """Move the home to its place."""
        try:
            os.replace(self.home, self.place)  # noqa: PTH105  an empty folder there is replaced
            descriptor = os.open(self.place.parent, os.O_RDONLY | os.O_CLOEXEC)
            os.fsync(descriptor)
            os.close(descriptor)
        except OSError as error:
            raise Unavailable(f"the home cannot be put in its place: {error.strerror}") from None


@contextlib.contextmanager
def staged(file: Path, place: Path, key_dir: Path | None, given: With) -> Iterator[Staged]:
    """Unpack a backup and check it. Within the block the home lies beside its place, to be opened and settled.

    Raises BadInput, KeyTrouble, LedgerBroken (a ledger that does not verify, or a roll-back), Broken, Unavailable,
    Busy.
    """
    place = Path(os.path.abspath(place))  # noqa: PTH100
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise BadInput(f"there is something already: {place}", advice="choose an empty place, or move it away")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        lock = place.with_name(f".{place.name}.restoring.lock").open("a")
    except OSError as error:
        raise Unavailable(f"nothing can be restored there: {error.strerror}", advice="choose another --home") from None
    beside = place.with_name(f".{place.name}.restoring")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Busy("another restore is under way there", advice="wait for it to end") from None
        shutil.rmtree(beside, ignore_errors=True)
        try:
            beside.mkdir(mode=0o700)
            yield _unpacked(file, beside, place, key_dir or default_key_dir(), given)
        except OSError as error:
            raise Unavailable(f"the backup cannot be restored: {error.strerror}", advice="check the disk") from None
        finally:
            shutil.rmtree(beside, ignore_errors=True)
            with contextlib.suppress(OSError):
                Path(lock.name).unlink()


@contextlib.contextmanager
def rows_brought(found: Staged, where: Where) -> Iterator[None]:
    """Bring the rows into the PostgreSQL database that is to hold them; nothing to do when they lie in the home.

    They are gone from there when the block fails, and with the next attempt when this process is killed.
    Raises AlreadyThere when there is a home, and as `Database.open` does.
    """
    if where.database is None:
        yield
        return
    database = Database.open(where.database)
    try:
        with brought_in(found.home / "countenance.db", database, str(found.home)):
            for path in found.home.glob("countenance.db*"):
                with path.open("r+b") as file:
                    for _ in range(0, path.stat().st_size, _CHUNK):
                        file.write(b"\0" * _CHUNK)
                    os.fsync(file.fileno())
                path.unlink()
            yield
    finally:
        database.close()


def _unpacked(file: Path, beside: Path, place: Path, key_dir: Path, given: With) -> Staged:
    try:
        with file.open("rb") as backup:
            archive.read(backup, beside, passphrase=given.passphrase, identities=list(given.identities))
    except FileNotFoundError:
        raise BadInput(f"there is no such file: {file}", advice="give what `countenance backup` wrote") from None
    os.sync()  # once for all of them: of very many crops, each by itself would take its milliseconds
    manifest = _manifest(beside / MANIFEST)
    home = beside / "home"
    keys = key_dir / manifest["home"]
    missing = _missing_keys(beside / "keys", keys)
    place_of_key = beside / "keys" if LEDGER_KEY in missing else keys
    if not (place_of_key / LEDGER_KEY).exists():
        raise KeyTrouble(
            "the keys of this home are not here, and the backup holds none",
            advice=f"put them back first (`countenance keys import FILE`), into {key_dir}",
        )
    key = ledger_keys.load(place_of_key / LEDGER_KEY).verifier
    mine = checkpoints.parse(manifest["checkpoint"].encode())
    if given.ledger is not None:
        _newer_ledger(given.ledger, home / "ledger", key, mine)
    report = verify_folder(home / "ledger", key, mine if mine.head.size else None)
    _check_rows(home / "countenance.db", manifest["home"])
    gone = []
    for listed in (given.erasures, keys / LIST):
        if listed is not None and (listed == given.erasures or listed.exists()):
            gone += [one for one in read_list(listed) if one.seq >= manifest["entries"]]
    with (home / "ledger" / "entries.jsonl").open("rb") as raw:
        gone += in_ledger(lines(iter(lambda: raw.read(1 << 20), b"")), manifest["entries"])
    found = Staged(home, place, manifest["home"], manifest["entries"], report.size, manifest["at"], merged(gone))
    found = replace(found, lost=_rolled_back(given, home / "ledger", key, report.size))
    _put_keys(beside / "keys", keys, missing)
    return found


def _manifest(path: Path) -> dict[str, Any]:
    try:
        body = json.loads(path.read_text())
        known = body["format"] == FORMAT and str(body["home"]).isalnum() and isinstance(body["entries"], int)
        if not known or not all(isinstance(body[name], str) for name in ("checkpoint", "at")):
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError):
        raise BadInput("this version does not know such a backup", advice="use the one that wrote it") from None
    return dict(body)


def _missing_keys(brought: Path, keys: Path) -> list[str]:
    """Which keys of the backup are not in their place yet. Other ones that are there stay, and stop it."""
    names = sorted(path.name for path in brought.iterdir()) if brought.is_dir() else []
    differing = [n for n in names if (keys / n).exists() and (keys / n).read_bytes() != (brought / n).read_bytes()]
    if differing:
        raise KeyTrouble(
            f"other keys of this home are there: {', '.join(differing)}",
            advice="move them away, or restore a backup made without keys",
        )
    return [name for name in names if not (keys / name).exists()]


def _put_keys(brought: Path, keys: Path, names: list[str]) -> None:
    if names:
        keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in names:
        shutil.copyfile(brought / name, keys / f"{name}.part")
        (keys / f"{name}.part").chmod(0o600)
        (keys / f"{name}.part").replace(keys / name)


def _newer_ledger(bundle: Path, ledger: Path, key: VerifierKey, mine: Checkpoint) -> None:
    """Let a newer ledger, of which the backup's is the beginning, take its place."""
    try:
        with bundle.open("rb") as file:
            verify_bundle(file, key, mine)
            reader = Reader(file, bundles.MEMBERS, bundles.OPTIONAL)
            with (ledger / "entries.jsonl").open("wb") as out:
                for chunk in reader.chunks("entries.jsonl"):
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
            (ledger / "checkpoint").write_bytes(reader.read("checkpoint", MAX_NOTE))
    except FileNotFoundError:
        raise BadInput(f"there is no such file: {bundle}", advice="give what `ledger export` wrote") from None


def _check_rows(path: Path, home_id: str) -> None:
    rows = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    try:
        sound = rows.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        named = rows.execute("SELECT value FROM meta WHERE key = ?", (HOME_ID,)).fetchone()
    except sqlite3.DatabaseError:
        sound, named = False, None
    finally:
        rows.close()
    if not sound or named != (home_id,):
        raise Broken("the rows of this backup are damaged", advice="take another backup; nothing was restored")


def _rolled_back(given: With, ledger: Path, key: VerifierKey, size: int) -> int:
    """How many entries the kept checkpoint knows beyond this ledger. Raises LedgerBroken unless that is accepted."""
    if given.since is None:
        return 0
    try:
        kept = checkpoints.parse(given.since.read_bytes())
    except OSError as error:
        raise BadInput(f"the checkpoint cannot be read: {error.strerror}") from None
    lost = kept.head.size - size
    if lost <= 0:
        verify_folder(ledger, key, kept)
        return 0
    if not kept.note.signed_by(key):
        raise LedgerBroken("the checkpoint that you gave is not signed by this ledger's key")
    if not given.roll_back:
        raise LedgerBroken(
            f"this is a roll-back: the backup's ledger ends at {size} entries, and the checkpoint that you kept covers "
            f"{kept.head.size}; {lost} entries would be missing",
            advice="give the newer ledger with --ledger, or accept the loss with --roll-back: the ledger will say so",
            details={"entries": size, "checkpoint": kept.head.size},
        )
    return lost
