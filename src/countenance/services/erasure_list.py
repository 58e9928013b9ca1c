"""The list of what was erased, kept outside the home, so that restoring an older backup brings nobody back.

It lies beside the keys, a line for each erasure: the entry's number, the items it names, and keyed marks of the images.
Nothing in it says who or what was erased: numbers of rows that are gone, and digests under a key. Copy it to where the
backups are kept. The ledger says the same of items, but not of marks: a newer bundle of it serves where the list is
lost.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from countenance.domain.errors import BadInput, LedgerBroken
from countenance.ledger import entry as entries

LIST = "erasures.jsonl"
NOTED = ("erasure", "retention.destroyed", "probes.expired")
"""The entries that name shredded items; the last is that of older homes."""


@dataclass(frozen=True, slots=True)
class Gone:
    """What one entry says is gone. `marks` are of images, in hex, and known to the list alone."""

    seq: int
    items: tuple[str, ...]
    marks: tuple[str, ...] = ()
    analyses: tuple[str, ...] = ()


def note(folder: Path, gone: Gone) -> str | None:
    """Add a line, durably. Returns why it could not be, in words; an erasure does not fail for it."""
    line = {"seq": gone.seq, "items": gone.items, "marks": gone.marks, "analyses": gone.analyses}
    try:
        descriptor = os.open(folder / LIST, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            # A line that a power cut tore is left as it is, and this one begins on its own.
            torn = size > 0 and file.read(1) != b"\n"
            file.write((b"\n" if torn else b"") + json.dumps(line).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return f"the list of erasures beside the keys, which restoring needs, could not be written: {error.strerror}"
    return None


def read_list(file: Path) -> Iterator[Gone]:
    """The lines of a list; a torn one is passed over, because its erasure goes on until it is noted whole. Raises
    BadInput for a file that is no list."""
    try:
        with file.open("rb") as lines:
            for line in lines:
                try:
                    value = json.loads(line)
                except ValueError:
                    continue
                yield _gone(value)
    except OSError as error:
        raise BadInput(f"the list of erasures cannot be read: {error.strerror}") from None


def in_ledger(lines: Iterable[bytes], after: int) -> Iterator[Gone]:
    """What entries from number `after` on say is gone, out of a ledger that was verified."""
    for seq, line in enumerate(lines):
        if seq < after or not any(f'"type":"{kind}"'.encode() in line for kind in NOTED):
            continue
        found = entries.parse(line, seq)
        if found.kind in NOTED:
            scope: dict[str, Any] = found.body.get("scope") or {}
            yield Gone(seq, tuple(found.body.get("items") or ()), (), tuple(scope.get("analyses") or ()))


def merged(parts: Iterable[Gone]) -> Gone:
    """All of them as one."""
    every = list(parts)

    def of(lists: Iterable[Sequence[str]]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one for each in lists for one in each))

    return Gone(
        seq=max((one.seq for one in every), default=-1),
        items=of(one.items for one in every),
        marks=of(one.marks for one in every),
        analyses=of(one.analyses for one in every),
    )


def _gone(value: Any) -> Gone:
    try:
        parts = [tuple(map(str, value[name])) for name in ("items", "marks", "analyses")]
        if not all(len(bytes.fromhex(mark)) == 32 for mark in parts[1]):
            raise ValueError
        return Gone(int(value["seq"]), *parts)
    except (KeyError, TypeError, ValueError, LedgerBroken):
        raise BadInput("this is no list of erasures", advice=f"give {LIST}, which lies beside the keys") from None
