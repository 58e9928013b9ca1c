"""What a file of a home exposes to whoever has a copy of it: which data, of how many, and what else they would need.

A file is looked at as a stranger's: nothing of it is executed, its rows are read without being changed. Where the copy
is not at hand, the kind alone is given, and this home's own is counted.
"""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from countenance.domain.errors import BadInput, CountenanceError
from countenance.ledger.manifest import MEMBERS
from countenance.services.archive import ARMOUR, PLAIN
from countenance.services.home import HOME_ID, LEDGER_KEY, NAME_KEY, Home
from countenance.services.keys import FORMAT as KEYS
from countenance.services.keys import ROTATION, vectors_seen
from countenance.store import schema

KINDS = ("backup", "database", "vectors", "crops", "keys", "ledger", "export", "home")
"""What a file can be; each may also be named in place of a file."""

_ROWS = {
    "sources": "sources",
    "images": "images",
    "faces": "faces",
    "sightings": "sightings",
    "pages": "appearances",
    "searches": "searches",
    "sealed keys": "item_keys",
    "sign-in credentials": "credentials",
    "proxy-log sessions": "log_sessions",
}


@dataclass(frozen=True, slots=True)
class FileSeen:
    """One file: what it is, since when, what it holds and of how many, how it is protected and what opens it."""

    name: str
    kind: str
    since: str | None
    holds: tuple[str, ...]
    counts: dict[str, int]
    protected: str
    needs: str
    notes: tuple[str, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "file": self.name,
            "kind": self.kind,
            "since": self.since,
            "holds": list(self.holds),
            "counts": self.counts,
            "protected": self.protected,
            "needs": self.needs,
            "notes": list(self.notes),
        }


def look_at(home: Home, name: str) -> FileSeen:
    """A file, or one of `KINDS`. Raises BadInput for what is no file of this program."""
    path = Path(name)
    if name in KINDS and not path.exists():
        return _LOOK[name](home, None)
    if not path.exists():
        raise BadInput(
            f"there is no such file: {name}", advice=f"give the copy that is left, or its kind: {', '.join(KINDS)}"
        )
    try:
        return _LOOK[_kind(path)](home, path)
    except (CountenanceError, OSError, sqlite3.Error, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise BadInput(f"{path.name} cannot be read: {error}", advice=f"give its kind: {', '.join(KINDS)}") from None


def _kind(path: Path) -> str:
    if path.is_dir():
        if (path / "countenance.db").is_file():
            return "home"
        if (path / LEDGER_KEY).is_file() or (path / NAME_KEY).is_file() or any(path.glob("*.rotation")):
            return "keys"
        if (path / "entries.jsonl").is_file():
            return "ledger"
        if any(path.glob("*.f16")):
            return "vectors"
        return "crops"
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith((PLAIN, ARMOUR)):
        return "backup"
    if head.startswith(b"SQLite format 3\0"):
        return "database"
    if vectors_seen(path) is not None:
        return "vectors"
    if head.startswith(b"\xff\xd8"):
        return "crops"
    if path.name in (LEDGER_KEY, NAME_KEY) or path.suffix == ".rotation" or KEYS.encode() in head:
        return "keys"
    if head.startswith(b"PK"):
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
        return "ledger" if set(MEMBERS) & names >= {"entries.jsonl"} else "export" if "search.json" in names else "?"
    if head.startswith(b'{"actor"'):
        return "ledger"
    raise ValueError("it is no file of this program")


def _database(home: Home, path: Path | None) -> FileSeen:
    counts, same = _counted(path, home)
    notes = () if same else ("It is the database of another home.",)
    return FileSeen(
        path.name if path else "database",
        "database",
        _since(path) if path else None,
        (
            "where faces were seen: addresses, pages, titles, dates",
            "faces' places in pictures, their quality, and which were searched and shown",
            "the keys of what the ledger seals, and so the sealed parts of whoever also has the ledger",
            "probes of searches, protected like templates",
            "accounts' passwords (hashed with argon2id), passkeys (public keys) and authenticators (sealed)",
            "analyses of proxy logs, with who it was",
        ),
        counts,
        "not encrypted",
        "nothing for what it holds; the ledger to read sealed parts; the vector file and its key for likeness",
        notes,
    )


def _vectors(home: Home, path: Path | None) -> FileSeen:
    file = path if path is not None and path.is_file() else None
    file = file or next(iter(sorted((path or home.vectors).glob("*.f16"))), None)
    told = vectors_seen(file) if file is not None else None
    count = 0
    notes: tuple[str, ...] = ()
    if told is not None:
        count, key = told
        if key != home.database.meta(ROTATION):
            notes = ("Its templates went through another key than today's: that key is destroyed here.",)
    return FileSeen(
        path.name if path else "vectors",
        "vectors",
        _since(file) if file else None,
        ("templates of faces, rotated by a key that lies elsewhere, with the numbers of their faces",),
        {"templates at most": count},
        "rotated, not encrypted: the same face in two copies is the same",
        "the key of the templates (`*.rotation` in the key folder) to compare them with other faces, or to make a face "
        "of one that can be recognised; the database to tell where a face was seen",
        notes,
    )


def _crops(home: Home, path: Path | None) -> FileSeen:
    folder = path if path is not None else home.folder / "blobs"
    count = sum(1 for one in folder.rglob("*") if one.is_file()) if folder.is_dir() else 1
    return FileSeen(
        path.name if path else "crops",
        "crops",
        _since(folder),
        ("pictures of faces, and pictures kept whole: anybody recognises somebody on them",),
        {"files": count},
        "not encrypted; their names say nothing without the key of names",
        "nothing; the database to tell where each was seen",
    )


def _keys(home: Home, path: Path | None) -> FileSeen:
    folder = path if path is not None else home.keys
    if folder.is_dir():
        names = sorted(one.name for one in folder.iterdir() if one.is_file())
    elif folder.suffix in (".key", ".rotation"):
        names = [folder.name]
    else:
        names = sorted(json.loads(folder.read_text())["keys"])
    holds = []
    if LEDGER_KEY in names:
        holds.append("the signing key: whoever has it can sign another history in this home's name")
    if NAME_KEY in names:
        holds.append(
            "the key of names: it ties names of files to pictures, pseudonyms to people, and opens authenticators"
        )
    if any(".rotation" in name for name in names):
        holds.append("the key of the templates: with the vector file, it makes them comparable with any face")
    notes = tuple(f"`countenance keys rotate {what}` replaces it." for what in ("ledger", "templates"))
    return FileSeen(
        path.name if path else "keys",
        "keys",
        _since(folder),
        tuple(holds),
        {"keys": len(names)},
        "not encrypted",
        "the home's files, or a backup, to use them on",
        notes,
    )


def _ledger(home: Home, path: Path | None) -> FileSeen:
    own = home.folder / "ledger" / "entries.jsonl"
    entries, sealed = 0, 0
    for line in _lines(path if path is not None else own):
        entries += 1
        sealed += line.count(b'"ct":')
    return FileSeen(
        path.name if path else "ledger",
        "ledger",
        _since(path or own),
        (
            "who did what and when, by the numbers of accounts; purposes, cases, recipients, names of sources",
            "sealed parts: names of accounts, pages and places of faces, reasons, notes",
        ),
        {"entries": entries, "sealed parts": sealed},
        "not encrypted; sealed parts each under a key of their own",
        "the database (`item_keys`) to open what is sealed and not destroyed",
    )


def _export(home: Home, path: Path | None) -> FileSeen:
    counts: dict[str, int] = {}
    notes: tuple[str, ...] = ()
    if path is not None:
        with zipfile.ZipFile(path) as archive:
            body = json.loads(archive.read("search.json"))
        shown = [one for group in body["groups"] for one in group["sightings"]]
        counts = {"pictures": len(body["groups"]), "sightings": len(shown)}
        notes = (f"It was made for {str(body['disclosure']['recipient'])[:200]}.",)
    return FileSeen(
        path.name if path else "export",
        "export",
        _since(path) if path else None,
        ("what one search showed: faces, where they were seen, how alike; and for whom it was exported",),
        counts,
        "not encrypted",
        "nothing",
        notes,
    )


def _backup(home: Home, path: Path | None) -> FileSeen:
    counts, _ = _counted(None, home)
    made = [
        entry
        for entry in home.record.ledger.mentioning('"type":"backup.made"')
        if path is None or datetime.fromisoformat(entry.at).timestamp() <= path.stat().st_mtime + 60
    ]
    notes = ["The counts are those of this home today; what was erased since was in it."]
    if made:
        keys = "with the keys" if made[-1].body["with_keys"] else "without the keys"
        said = f"encrypted to {made[-1].body['to']}"
        notes.append(f"The last backup up to then is entry {made[-1].seq}, of {made[-1].at[:16]}, {said}, {keys}.")
        if any(home.record.ledger.mentioning('"type":"key.rotated"', made[-1].seq)):
            notes.append(
                "The key of the templates was rotated since: the one that protects those in it is destroyed here."
            )
    return FileSeen(
        path.name if path else "backup",
        "backup",
        made[-1].at if made else _since(path) if path else None,
        ("the whole home as it was: rows, ledger, templates, crops",),
        counts,
        "encrypted with age, to a passphrase or to recipients",
        "the passphrase, or a recipient's identity; and then, unless it was made with the keys, the key folder for "
        "templates to be comparable",
        tuple(notes),
    )


def _whole(home: Home, path: Path | None) -> FileSeen:
    folder = path if path is not None else home.folder
    counts, same = _counted(folder / "countenance.db" if path is not None else None, home)
    crops = sum(1 for one in (folder / "blobs").rglob("*") if one.is_file())
    return FileSeen(
        path.name if path else "home",
        "home",
        _since(folder),
        (
            "everything that the home holds: rows with the keys of what is sealed, the ledger, crops and originals",
            "templates, rotated by a key that lies elsewhere",
        ),
        counts | {"crops and originals": crops},
        "not encrypted, unless the disk was",
        "nothing; the key folder for templates to be comparable, and to sign in the ledger's name",
        () if same else ("It is another home.",),
    )


_LOOK: dict[str, Callable[[Home, Path | None], FileSeen]] = {
    "backup": _backup,
    "database": _database,
    "vectors": _vectors,
    "crops": _crops,
    "keys": _keys,
    "ledger": _ledger,
    "export": _export,
    "home": _whole,
}


def _counted(path: Path | None, home: Home) -> tuple[dict[str, int], bool]:
    """Rows by what they are, and whether they are this home's, whose own are counted without a path. A file is opened
    to be read and never changed."""
    if path is None:
        with home.database.read() as c:
            tables = schema.metadata.tables
            found = {name: c.execute(select(func.count()).select_from(tables[t])) for name, t in _ROWS.items()}
            return {name: int(count.scalar_one()) for name, count in found.items()}, True
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as rows:
        counts = {}
        for name, table in _ROWS.items():
            with suppress(sqlite3.OperationalError):  # an older schema has not all of them
                counts[name] = int(rows.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608
        named = rows.execute("SELECT value FROM meta WHERE key = ?", (HOME_ID,)).fetchone()
    return counts, named == (home.id,)


def _lines(path: Path) -> Any:
    if path.is_dir():
        path = path / "entries.jsonl"
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive, archive.open("entries.jsonl") as file:
            yield from file
        return
    with path.open("rb") as file:
        yield from file


def _since(path: Path) -> str:
    """When a file was last written: it may have been copied at any time after."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
