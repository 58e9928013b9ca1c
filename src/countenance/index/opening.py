"""Finding the right vector file, refusing a wrong one before anything is written, and founding a new one."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from countenance.domain.errors import BadInput, IndexBroken, KeyTrouble
from countenance.index import vectors
from countenance.index.rows import Head, Rows
from countenance.index.vectors import Header, VectorFile
from countenance.store.database import Database


def path_of(folder: Path, pack: str) -> Path:
    """Where a pack's vectors lie. Raises BadInput for an id that is no file name."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", pack):
        raise BadInput("a pack's id is letters, digits, dots, dashes and underscores")
    return folder / f"{pack}.f16"


def key_of(folder: Path, pack: str) -> str | None:
    """The id of the rotation key that a pack's vector file was made with; None when there is no file."""
    header = vectors.header_of(path_of(folder, pack))
    return None if header is None else header.key_id


def told_of(path: Path) -> tuple[int, str] | None:
    """Of a vector file, wherever it lies: how many templates it has room for, and its key's id; None when it is none.
    Raises IndexBroken for one that is damaged."""
    with path.open("rb") as file:
        if file.read(len(vectors.MAGIC)) != vectors.MAGIC:
            return None
    header = vectors.header_of(path)
    if header is None:
        return None
    slots = (path.stat().st_size - vectors.HEADER_BYTES) // vectors.record_type(header.dimension).itemsize
    return max(0, slots), header.key_id


def agree(path: Path, header: Header | None, wanted: Header, head: Head | None) -> None:
    """Refuse a file that is not the one that belongs here. Nothing was written yet."""
    restore = "restore the home from a backup"
    if header is None:
        return
    if header.pack != wanted.pack:
        raise IndexBroken(f"{path.name} holds templates of the pack {header.pack}", advice=restore)
    if header.key_id != wanted.key_id:
        raise KeyTrouble(
            f"the templates in {path.name} were made with another rotation key",
            advice="import the key that belongs to this home with `countenance keys import`",
        )
    if (header.pipeline, header.dimension) != (wanted.pipeline, wanted.dimension):
        raise IndexBroken(
            f"{path.name} was made by pipeline {header.pipeline} with {header.dimension} dimensions, "
            f"this is pipeline {wanted.pipeline} with {wanted.dimension}",
            advice="ingest the sources again into a new home",
        )
    if head is not None and head.file_id != header.file_id:
        raise IndexBroken(f"{path.name} belongs to another home's database", advice=restore)


def found(database: Database, rows: Rows, path: Path, wanted: Header) -> None:
    """Create the file and its head row, or complete what a crash left of that. Under the writer's lock."""
    header = vectors.header_of(path)
    with database.read() as c:
        head = rows.head(c)
        known = head.end if head is not None else 0
    agree(path, header, wanted, head)
    if header is None:
        if known:
            raise IndexBroken(f"{path.name} is missing", advice="restore the home from a backup")
        header = replace(wanted, file_id=head.file_id) if head is not None else wanted
        VectorFile.create(path, header)
    elif head is None and path.stat().st_size > vectors.HEADER_BYTES:
        raise IndexBroken(f"{path.name} has lost its database", advice="restore the home from a backup")
    if head is None:
        with database.write() as c:
            rows.put_head(c, Head(0, header.file_id, header.key_id))
    elif head.key_id != header.key_id:
        adopt_key(database, rows, header.key_id)


def adopt_key(database: Database, rows: Rows, key_id: str) -> None:
    """Tell every process that the file is of this key now."""
    with database.write() as c:
        head = rows.known_head(c)
        rows.put_head(c, replace(head, generation=head.generation + 1, key_id=key_id))


def half_written(path: Path) -> list[Path]:
    """What a killed process left beside a vector file: half a new one, or half a sidecar."""
    return [part for kind in (".f16", ".codes") for part in path.parent.glob(f".{path.stem}{kind}.*.part")]
