"""A home: its folder, its database, its ledger and its keys, opened together or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import hmac
import json
import os
import secrets
import shutil
import stat
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import delete

from countenance.domain.authority import Actor
from countenance.domain.errors import AlreadyThere, Busy, KeyTrouble, LedgerBroken, Unavailable
from countenance.domain.people import PERSONAL, Profile
from countenance.ledger import keys as ledger_keys
from countenance.ledger.log import Ledger
from countenance.services import effective, profile
from countenance.services.record import Record
from countenance.settings import Settings
from countenance.store.blobs import Blobs
from countenance.store.copying import RESTORING
from countenance.store.database import Database, Place
from countenance.store.schema import meta

HOME_ID = "home_id"
NAME_KEY = "names.key"
NAMED_BY = "names_key"
LEDGER_KEY = "ledger.key"
IMPORTED = "imported.jsonl"
"""Beside the keys: which were put back, by whom, and not yet entered."""

ORIGIN = "countenance/"
"""Begins the name of every home's ledger; the home's id follows."""


@dataclass(frozen=True, slots=True)
class Where:
    """Where a home is: its folder, the folder of keys (by default the user's), and the address of the PostgreSQL
    database that holds its rows, unless they lie in the folder."""

    folder: Path
    key_dir: Path | None = None
    database: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, settings: Settings) -> Where:
        """Where the settings say."""
        url = settings.database.url
        return cls(settings.home, settings.key_dir, (url.get_secret_value() or None) if url is not None else None)

    @property
    def rows(self) -> Place:
        """Where the rows are."""
        return self.database or self.folder / "countenance.db"

    @property
    def keys(self) -> Path:
        """The folder of key folders, one a home."""
        return self.key_dir or default_key_dir()

    def is_home(self) -> bool:
        """Whether there is one already, or what is left of one."""
        return (self.folder / ("ledger" if self.database else "countenance.db")).exists()


@dataclass(frozen=True, slots=True)
class Home:
    """An open home. `keys` is the folder of this home's keys, outside of it."""

    folder: Path
    keys: Path
    id: str
    database: Database
    record: Record
    blobs: Blobs
    pseudonym_key: bytes = field(repr=False)
    """32 bytes: with it the same person in a proxy's log has the same pseudonym in every analysis of this home."""
    held: threading.local = field(default_factory=threading.local, repr=False, compare=False)
    """How often each thread holds the writer's lock."""

    @property
    def vectors(self) -> Path:
        """Where the index keeps its files."""
        return self.folder / "vectors"

    @property
    def spool(self) -> Path:
        """Where fetched pictures wait."""
        return self.folder / "spool"

    @property
    def log_work(self) -> Path:
        """Where an analysis of proxy logs keeps what it has read, until it is done."""
        return self.folder / "proxylog"

    @contextlib.contextmanager
    def source_lock(self, source_id: int) -> Iterator[None]:
        """One run of a source at a time; freed by the system when its process dies. Raises Busy."""
        self.spool.mkdir(mode=0o700, exist_ok=True)
        with (self.spool / f"source-{source_id}.lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise Busy(
                    "another run is reading this source",
                    advice="wait for it to end, or stop it; `countenance status` shows it",
                ) from None
            yield

    @contextlib.contextmanager
    def run_spool(self, source_id: int) -> Iterator[Path]:
        """An empty folder for one run. What a killed run left in it goes first."""
        folder = self.spool / f"source-{source_id}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def sweep_spool(self) -> None:
        """Remove what killed runs fetched and never read."""
        for folder in self.spool.glob("source-*/"):
            # Somebody is reading this source: what lies there is new.
            with contextlib.suppress(Busy), self.source_lock(int(folder.name.removeprefix("source-"))):
                shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """One writer at a time on a home, so that nobody mistakes another's half-written batch for a dead one's.

        A thread that holds it may take it again.
        """
        depth = getattr(self.held, "depth", 0)
        with contextlib.ExitStack() as stack:
            if depth == 0:
                file = stack.enter_context((self.folder / "write.lock").open("a"))
                fcntl.flock(file, fcntl.LOCK_EX)
            self.held.depth = depth + 1
            try:
                yield
            finally:
                self.held.depth = depth

    @contextlib.contextmanager
    def showing(self) -> Iterator[None]:
        """Held, with others, from looking until what is shown has been entered.

        Erasing waits for it, so that no entry is sealed about what has just been erased.
        """
        with (self.folder / "show.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            yield

    @contextlib.contextmanager
    def unseen(self) -> Iterator[None]:
        """Held alone: nobody is between looking and showing."""
        with (self.folder / "show.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def close(self) -> None:
        """Let go of everything."""
        self.record.ledger.close()
        self.database.close()


def open_home(
    where: Where, actor: Actor, settings: Mapping[str, Any] | None = None, making: Profile | None = None
) -> Home:
    """Open a home; the first opening of an empty folder makes it. A change of the `settings` in force is an entry.

    `making` is the profile of a home that is made now, and then there must be none yet; one person's without it.
    Raises AlreadyThere, KeyTrouble before anything is written when a home's key is missing or wrong or its rows are
    another's, NewerHome when a newer version wrote it, Unavailable when the folder cannot be made or written, or the
    server of its rows does not answer.
    """
    folder = Path(os.path.abspath(where.folder))  # noqa: PTH100  a home may be reached through a link
    where = replace(where, folder=folder)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / "open.lock").open("a")
    except OSError as error:
        raise Unavailable(
            f"the home {folder} cannot be written: {error.strerror}",
            advice="choose another with --home, or mend its permissions",
        ) from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _agree(where)
        database = Database.open(where.rows)
        try:
            return _open(where, database, actor, settings, making)
        except BaseException:
            database.close()
            raise


def default_key_dir() -> Path:
    """The user's configuration folder."""
    import platformdirs

    return Path(platformdirs.user_config_dir("countenance")) / "keys"


def _agree(where: Where) -> None:
    """Refuse a home whose rows are somewhere else than said, before anything is made anew. Raises KeyTrouble."""
    embedded = (where.folder / "countenance.db").exists()
    if where.database and embedded:
        raise KeyTrouble(
            "the rows of this home lie in its folder, and database.url names a PostgreSQL database",
            advice="take database.url away; to move a home, back it up and restore it with database.url set",
        )
    if not where.database and not embedded and _holds_entries(where.folder / "ledger"):
        raise KeyTrouble(
            "there is a ledger here but no home around it",
            advice="if its rows are in PostgreSQL, set database.url; otherwise the database was removed: restore it, "
            "or choose another home",
        )


def _open(
    where: Where, database: Database, actor: Actor, settings: Mapping[str, Any] | None, making: Profile | None
) -> Home:
    folder = where.folder
    home_id = database.meta(HOME_ID)
    fresh = home_id is None
    if making is not None and not fresh:
        raise AlreadyThere("there is a home here already", advice="`countenance profile show` says of which kind")
    if home_id is None:
        home_id = secrets.token_hex(8)
    elif where.database and _id_in(folder / "ledger") not in (home_id, None):
        raise KeyTrouble(
            f"the database holds the rows of another home ({home_id})",
            advice="every home has a database of its own: mend database.url, or choose the home that belongs to it",
        )
    keys = where.keys / home_id
    origin = f"{ORIGIN}{home_id}"
    if fresh:
        if (folder / "vectors").exists() or _holds_entries(folder / "ledger"):
            raise KeyTrouble(
                "there is a ledger here but no home around it",
                advice="the database was removed or replaced; restore it, or choose another home",
            )
        # A home that was cut off while it was made has an empty ledger under a key that nobody uses.
        shutil.rmtree(folder / "ledger", ignore_errors=True)
        signer = ledger_keys.create(keys / LEDGER_KEY, origin)
        _new_name_key(keys / NAME_KEY)
    else:
        signer = ledger_keys.load(keys / LEDGER_KEY)
    name_key = _name_key(keys / NAME_KEY, None if fresh else database.meta(NAMED_BY))
    finding_key = hmac.digest(name_key, b"countenance finding\n", "sha256")
    ledger = Ledger.open(folder / "ledger", signer, origin=origin, finding_key=finding_key)
    record = Record(ledger, database)
    if fresh:
        # Named late: a home that was cut off while it was made is made anew.
        database.set_meta(NAMED_BY, _key_id(name_key))
        database.set_meta(HOME_ID, home_id, once=True)
    if ledger.size == 0:
        if database.was_used():
            ledger.close()
            raise LedgerBroken(
                "the ledger of this home is gone, and the home was used",
                advice="restore the folder ledger/ from a backup; nothing was changed",
            )
        said: dict[str, Any] = {"home": home_id, "ledger": origin, **profile.body_of(making or Profile(PERSONAL))}
        if settings is not None:
            effective.remember(record, settings)
            said["settings"] = effective.told(settings)
        record.enter("home.created", actor, said)
    elif settings is not None:
        effective.notice(record, settings, actor)
    if where.database and database.meta(RESTORING) not in (None, str(folder)):
        # It was put in its place, and the restore was killed before it could say so.
        with database.write() as c:
            c.execute(delete(meta).where(meta.c.key == RESTORING))
    profile.settle(record, actor)
    enter_imports(record, keys)
    pseudonyms = hmac.digest(name_key, b"countenance pseudonyms\n", "sha256")
    return Home(folder, keys, home_id, database, record, Blobs(folder / "blobs", name_key), pseudonyms)


def enter_imports(record: Record, keys: Path) -> None:
    """Enter the keys that were put back since the home was last open."""
    waiting = keys / IMPORTED
    if not waiting.exists():
        return
    for line in waiting.read_text().splitlines():
        said = json.loads(line)
        by = said.pop("actor")
        record.enter("keys.imported", Actor(by["user"], by["via"], by["stated"]), said)
    waiting.unlink()


def _id_in(ledger: Path) -> str | None:
    """The id of the home whose ledger this is; None when there is none."""
    try:
        name = (ledger / "key").read_text().partition("+")[0]
    except OSError:
        return None
    return name.removeprefix(ORIGIN)


def _holds_entries(ledger: Path) -> bool:
    entries = ledger / "entries.jsonl"
    return entries.exists() and entries.stat().st_size > 0


def _new_name_key(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(32))
        file.flush()
        os.fsync(file.fileno())


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"countenance names id\n" + key).hexdigest()[:16]


def _name_key(path: Path, known: str | None) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            mode, key = os.fstat(descriptor).st_mode, file.read(33)
    except OSError as error:
        raise KeyTrouble(
            f"the key that names crops cannot be read: {error.strerror}",
            advice=f"restore {path.name} from your copy of the key folder (`countenance keys import`)",
        ) from None
    if not stat.S_ISREG(mode) or mode & 0o077:
        raise KeyTrouble("the key that names crops is open to other users", advice=f"run: chmod 600 {path}")
    if len(key) != 32 or (known is not None and known != _key_id(key)):
        raise KeyTrouble(
            "the key that names crops is damaged, or another one",
            advice="restore it from your copy of the key folder (`countenance keys import`); nothing was changed",
        )
    return key
