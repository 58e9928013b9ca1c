"""A witness for somebody else's log: co-signs checkpoints that continue the last one it has seen, and no other.

The rules are those of C2SP *tlog-witness* (https://c2sp.org/tlog-witness). The folder holds, for each log, the last
checkpoint that was co-signed, in the form in which it is handed to monitors; it is durable before an answer leaves.
What a log has signed and should not have is kept in ``alarms.jsonl``: evidence that its keeper shows two histories
(``split-view``), goes back to an earlier one (``roll-back``), or does not prove that the new one continues the old
(``unproven``).

Nothing here knows a home, a database or the network.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from countenance.domain.errors import Busy, LedgerBroken
from countenance.ledger import checkpoint, cosignature, merkle, note
from countenance.ledger.checkpoint import Checkpoint, TreeHead
from countenance.ledger.disk import Disk, write_file
from countenance.ledger.note import Signer, VerifierKey, decode_base64

MAX_REQUEST = 96 * 1024
MAX_PROOF = 63
ALARMS = "alarms.jsonl"

_OLD = re.compile(r"old (0|[1-9][0-9]{0,17})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back: an HTTP status, its content type, its body."""

    status: int
    body: str
    kind: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Asked:
    """A parsed request: the size from which the proof leads, the proof, the checkpoint."""

    old: int
    proof: tuple[bytes, ...]
    given: Checkpoint


def parse(body: bytes) -> Asked:
    """Read a request of ``add-checkpoint``. Raises LedgerBroken when it is none."""
    head, blank, signed = body.partition(b"\n\n")
    if not blank:
        raise LedgerBroken("no empty line between proof and checkpoint")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise LedgerBroken("a proof that is not text") from error
    found, proof = _OLD.fullmatch(first), [decode_base64(line) for line in lines]
    if found is None:
        raise LedgerBroken("the first line is not the old size")
    if len(proof) > MAX_PROOF:
        raise LedgerBroken("a proof that is too long")
    steps = tuple(step for step in proof if step is not None and len(step) == merkle.HASH)
    if len(steps) != len(proof):
        raise LedgerBroken("a line of the proof is no hash")
    return Asked(int(found[1]), steps, checkpoint.parse(signed, foreign=True))


def request(old: int, proof: Sequence[bytes], text: str) -> bytes:
    """The request that `parse` reads."""
    return (f"old {old}\n" + "".join(f"{note.encode_base64(step)}\n" for step in proof) + f"\n{text}").encode()


class Witness:
    """One witness, for the logs whose keys it was given. Safe for several threads; one at a time on a folder."""

    def __init__(
        self,
        folder: Path,
        signer: Signer,
        logs: Mapping[str, Sequence[VerifierKey]],
        *,
        alarm: Callable[[str], None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        disk: Disk | None = None,
    ) -> None:
        """`logs` are the keys by origin; `alarm` is told, besides the file. Raises Busy when another serves the folder,
        LedgerBroken when what it holds is not what this witness has signed, OSError."""
        self._folder, self._signer, self._logs = folder, signer, logs
        self._alarm, self._clock, self._disk = alarm, clock, disk or Disk()
        self._threads = threading.Lock()
        self._disk.make_folder(folder)
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for origin in logs:
                self._last(origin)
        except BlockingIOError:
            os.close(self._lock)
            raise Busy("another witness serves this folder", advice="Stop it, or choose another folder.") from None
        except BaseException:
            os.close(self._lock)
            raise

    def close(self) -> None:
        """Let another serve the folder."""
        with self._threads:
            if self._lock >= 0:
                os.close(self._lock)
                self._lock = -1

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer a request of ``add-checkpoint``. Raises OSError when the new state cannot be made durable."""
        try:
            asked = parse(body)
        except LedgerBroken as error:
            return Answer(400, f"{error.message}\n")
        head = asked.given.head
        keys = self._logs.get(head.origin)
        if keys is None:
            return Answer(404, "a log that this witness does not know\n")
        signed = [key for key in keys if _claims(asked.given, key)]
        if not signed or not all(asked.given.note.signed_by(key) for key in signed):
            return Answer(403, "not signed by a key of the log\n")
        if asked.old > head.size:
            return Answer(400, "the old size is larger than the checkpoint's\n")
        if head.size == 0 and head.root != merkle.EMPTY_ROOT:
            return Answer(422, "not the root of the empty tree\n")
        with self._threads:
            return self._judge(asked, signed)

    def _judge(self, asked: Asked, signed: Sequence[VerifierKey]) -> Answer:
        head, last = asked.given.head, self._last(asked.given.head.origin)
        size, root = (last.head.size, last.head.root) if last else (0, merkle.EMPTY_ROOT)
        if last is not None and head.size == size and head.root != root:
            self._raise("split-view", last.head, asked)
        if last is not None and head.size < size:
            self._raise("roll-back", last.head, asked)
        if asked.old != size:
            return Answer(409, f"{size}\n", "text/x.tlog.size")
        if not merkle.verify_consistency(asked.old, head.size, root, head.root, asked.proof):
            if last is not None and head.size > size:
                other = merkle.old_root_of(asked.old, head.size, head.root, asked.proof)
                self._raise("unproven" if other is None else "split-view", last.head, asked)
            return Answer(422, "the checkpoint does not continue the one before\n")
        line = cosignature.line(self._signer, head.text, int(self._clock().timestamp()))
        own = [s for s in asked.given.note.signatures if any((s.name, s.id) == (k.name, k.id) for k in signed)]
        kept = f"{head.text}\n{''.join(map(cosignature.line_of, own))}{line}"
        write_file(self._disk, self._path(head.origin), kept.encode())
        return Answer(200, line)

    def checkpoint(self, origin_hash: str) -> str | None:
        """The last checkpoint that was co-signed of the log whose origin has this SHA-256 in hex."""
        for origin in self._logs:
            if sha256(origin.encode()).hexdigest() == origin_hash and self._path(origin).exists():
                return self._path(origin).read_text()
        return None

    def _path(self, origin: str) -> Path:
        return _state(self._folder, origin)

    def _last(self, origin: str) -> Checkpoint | None:
        return last_of(self._folder, origin, cosignature.of(self._signer))

    def _raise(self, kind: str, last: TreeHead, asked: Asked) -> None:
        """Keep the evidence, once for each checkpoint, durably; then tell."""
        head = asked.given.head
        told = {
            "at": self._clock().isoformat(),
            "kind": kind,
            "origin": head.origin,
            "had": {"size": last.size, "root": last.root.hex()},
            "old": asked.old,
            "proof": [step.hex() for step in asked.proof],
            "checkpoint": head.text + "\n" + "".join(map(cosignature.line_of, asked.given.note.signatures)),
        }
        for known in alarms(self._folder):
            if (known["kind"], str(known["checkpoint"]).split("\n\n")[0] + "\n") == (kind, head.text):
                return
        path = self._folder / ALARMS
        fd = self._disk.open(path, os.O_RDWR | os.O_CREAT)
        try:
            self._disk.write(fd, json.dumps(told).encode() + b"\n", self._disk.size(fd))
            self._disk.sync(fd)
        finally:
            self._disk.close(fd)
        self._disk.sync_folder(self._folder)
        self._alarm(f"{kind}: {head.origin} signed {head.size} entries under {head.root.hex()}; had {last.size}")


def _claims(given: Checkpoint, key: VerifierKey) -> bool:
    return any((s.name, s.id) == (key.name, key.id) for s in given.note.signatures)


def _state(folder: Path, origin: str) -> Path:
    return folder / f"{sha256(origin.encode()).hexdigest()}.checkpoint"


def last_of(folder: Path, origin: str, witness: cosignature.WitnessKey) -> Checkpoint | None:
    """The last checkpoint that the witness has co-signed of a log, None when there is none.

    Raises LedgerBroken when the file is not that.
    """
    path = _state(folder, origin)
    if not path.exists():
        return None
    found = checkpoint.parse(path.read_bytes(), foreign=True)
    if found.head.origin != origin or cosignature.signed_at(found.note, witness) is None:
        raise LedgerBroken(
            f"the witness's state of {origin} is damaged, or by another key",
            advice="Restore it. Without it the witness would co-sign any history.",
        )
    return found


def states(folder: Path) -> list[Checkpoint]:
    """The last checkpoints of all logs that a witness's folder knows. Raises LedgerBroken."""
    return [checkpoint.parse(path.read_bytes(), foreign=True) for path in sorted(folder.glob("*.checkpoint"))]


def alarms(folder: Path) -> list[dict[str, object]]:
    """The alarms that were raised, in order. A line that was cut off by a crash is told as one too."""
    path = folder / ALARMS
    found: list[dict[str, object]] = []
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            found.append(json.loads(line))
        except ValueError:
            found.append({"kind": "damaged", "at": "", "origin": "", "checkpoint": ""})
    return found
