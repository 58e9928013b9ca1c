"""Export: the ledger, or an extract of it, in one file that an outsider can check with `countenance.ledger.verify`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from countenance.domain.errors import LedgerBroken, Unavailable
from countenance.ledger import manifest, merkle
from countenance.ledger.audit import lines
from countenance.ledger.checkpoint import TreeHead
from countenance.ledger.container import CHUNK, Writer
from countenance.ledger.extract import Extract
from countenance.ledger.note import Signer


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A ledger under one checkpoint, which later appends do not change: `text` is the checkpoint, which states `head`;
    the entries are the first `end` bytes of the file `entries`."""

    head: TreeHead
    text: str
    end: int
    signer: Signer
    entries: Path
    extras: Mapping[str, bytes] = field(default_factory=dict)
    """Further members: a co-signed checkpoint, a stamped one and its time-stamp (`manifest.OPTIONAL`)."""

    def chunks(self) -> Iterator[bytes]:
        """The bytes of the entries."""
        left = self.end
        with self.entries.open("rb") as file:
            while left and (chunk := file.read(min(CHUNK, left))):
                left -= len(chunk)
                yield chunk


def write(snapshot: Snapshot, target: Path, choice: Extract | None = None) -> None:
    """Write the bundle to `target`, whole or not at all; with a `choice` an extract: all leaves, and entries chosen.

    The same ledger gives the same bytes.

    Raises LedgerBroken when the entries are not those that the checkpoint signs, Unavailable when the file cannot be
    written.
    """
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w+b") as file:
                _write(snapshot, Writer(file), choice)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, target)  # noqa: PTH105
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(name)  # noqa: PTH108
            raise
    except OSError as error:
        raise Unavailable(
            f"the bundle cannot be written: {error.strerror}", advice="Check the folder and the disk's room."
        ) from error


def _write(snapshot: Snapshot, writer: Writer, choice: Extract | None) -> None:
    members: dict[str, tuple[int, str]] = {}

    def add(name: str, chunks: Iterator[bytes]) -> None:
        digest, size = sha256(), 0

        def counted() -> Iterator[bytes]:
            nonlocal size
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                yield chunk

        writer.add(name, counted())
        members[name] = (size, digest.hexdigest())

    add("checkpoint", iter([snapshot.text.encode()]))
    for name in manifest.DIGESTED:
        if name in snapshot.extras:
            add(name, iter([snapshot.extras[name]]))
    add("leaves", _gathered(_leaves(snapshot)))
    add("entries.jsonl", snapshot.chunks() if choice is None else _gathered(_chosen(snapshot, choice)))
    asked = choice.asked if choice is not None else None
    listed = manifest.text(snapshot.head.origin, snapshot.signer.verifier, members, asked)
    writer.add("manifest", iter([listed.encode()]))
    writer.add("manifest.sig", iter([snapshot.signer.signature_line(listed).encode()]))
    writer.finish()


def _leaves(snapshot: Snapshot) -> Iterator[bytes]:
    frontier = merkle.Frontier()
    for line in lines(snapshot.chunks()):
        leaf = merkle.leaf_hash(line)
        frontier.push(leaf)
        yield leaf
    if (frontier.size, frontier.root()) != (snapshot.head.size, snapshot.head.root):
        raise LedgerBroken(
            "the entries are not those that the checkpoint signs, so nothing was exported",
            advice="Run: countenance ledger verify",
        )


def _chosen(snapshot: Snapshot, choice: Extract) -> Iterator[bytes]:
    for seq, line in enumerate(lines(snapshot.chunks())):
        if choice.picks(line, seq):
            yield line + b"\n"


def _gathered(parts: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in larger pieces."""
    waiting: list[bytes] = []
    length = 0
    for part in parts:
        waiting.append(part)
        length += len(part)
        if length >= CHUNK:
            yield b"".join(waiting)
            waiting, length = [], 0
    yield b"".join(waiting)
