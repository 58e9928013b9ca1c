"""Blocks of entries checked by several processes, for a ledger of many entries on a machine of several cores.

Each helper is a program of its own that opens the file again, reads the stretch it is told, checks it (`block.check`)
and answers in a line of JSON. It is told where entries begin; that they are those that were signed shows in the tree,
which is built over what the helpers have read.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from countenance.domain.errors import LedgerBroken, LedgerUnavailable
from countenance.ledger import block
from countenance.ledger.block import Block, Gap

STRETCH = 2 << 20
"""Bytes of entries that one helper checks at once, unless one entry is longer."""

_AHEAD = 3
_PROGRAM = "import sys; sys.path[:] = {path!r}; from countenance.ledger.crew import serve; sys.exit(serve())"


def hands() -> int:
    """How many processors there are for helpers."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Crew:
    """Helpers on one file. `leaves` is where in it the listed leaves begin, None when none are."""

    def __init__(self, path: Path, leaves: int | None, size: int) -> None:
        """Start `size` helpers. Raises LedgerUnavailable when the system lets none start."""
        self._running: list[subprocess.Popen[str]] = []
        self._asked: deque[subprocess.Popen[str]] = deque()
        self._next = 0
        command = [sys.executable, "-I", "-c", _PROGRAM.format(path=sys.path), os.path.abspath(path)]  # noqa: PTH100
        try:
            for _ in range(size):
                self._running.append(
                    subprocess.Popen(
                        [*command, "" if leaves is None else str(leaves)],
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        text=True,
                        encoding="utf-8",
                    )
                )
        except OSError as error:
            self.close()
            raise LedgerUnavailable("no helper could be started", advice="Look at the limits on processes.") from error

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the helpers, whatever they are doing."""
        for process in self._running:
            process.kill()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    # What was asked and not read goes with the helper.
                    try:
                        stream.close()
                    except BrokenPipeError:
                        continue
            process.wait()
        self._running = []

    def ask(self, start: int, length: int, first: int, count: int, *, keep: bool) -> Iterator[Block]:
        """Hand over a stretch of the file, `count` lines that begin at byte `start`; gives blocks that are ready.

        Raises as `block.check` does, and LedgerUnavailable when a helper has died.
        """
        helper = self._running[self._next]
        self._next = (self._next + 1) % len(self._running)
        task = {"start": start, "length": length, "first": first, "count": count, "keep": keep}
        assert helper.stdin is not None
        try:
            helper.stdin.write(json.dumps(task) + "\n")
            helper.stdin.flush()
        except BrokenPipeError as error:
            raise _dead() from error
        self._asked.append(helper)
        while len(self._asked) > _AHEAD * len(self._running):
            yield self._answer()

    def rest(self) -> Iterator[Block]:
        """The blocks that are still out, in order. Raises as `ask` does."""
        while self._asked:
            yield self._answer()

    def _answer(self) -> Block:
        helper = self._asked.popleft()
        assert helper.stdout is not None
        line = helper.stdout.readline()
        if not line.endswith("\n"):
            raise _dead()
        told = json.loads(line)
        if "broken" in told:
            raise LedgerBroken(told["broken"], advice=told["advice"], details=told["details"])
        return _read(told)


def _dead() -> LedgerUnavailable:
    return LedgerUnavailable("a helper of the verifier has ended early", advice="See whether there is memory enough.")


def serve() -> int:
    """A helper: checks what standard input tells it until that ends."""
    listed_at = int(sys.argv[2]) if sys.argv[2] else None
    with Path(sys.argv[1]).open("rb") as file:
        for line in sys.stdin:
            try:
                answer = _shown(_done(file.fileno(), listed_at, **json.loads(line)))
            except LedgerBroken as error:
                answer = {"broken": error.message, "advice": error.advice, "details": error.details}
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
    return 0


def _done(fd: int, listed_at: int | None, start: int, length: int, first: int, count: int, keep: bool) -> Block:
    raw = _whole(fd, start, length)
    listed = None
    if listed_at is not None:
        listed = _whole(fd, listed_at + first * block.HASH, count * block.HASH)
    lines = raw[:-1].split(b"\n")
    if len(lines) != count or raw[-1:] != b"\n":
        raise LedgerBroken("the entries were changed while they were read")
    return block.check(first, lines, listed, keep=keep)


def _whole(fd: int, start: int, length: int) -> bytes:
    parts = []
    while length > 0 and (part := os.pread(fd, length, start)):
        parts.append(part)
        start, length = start + len(part), length - len(part)
    if length:
        raise LedgerBroken("the file was cut off while it was read")
    return b"".join(parts)


def _shown(done: Block) -> dict[str, Any]:
    return {
        "first": done.first,
        "count": done.count,
        "subtrees": [[level, subtree.hex()] for level, subtree in done.subtrees],
        "leaves": done.leaves.hex(),
        "opens_at": done.opens_at,
        "opens_back": done.opens_back,
        "ends_at": done.ends_at,
        "gap": [done.gap.seconds, done.gap.seq],
        "backs": done.backs,
        "handovers": [[seq, raw.decode()] for seq, raw in done.handovers],
    }


def _read(told: dict[str, Any]) -> Block:
    parts = {
        "subtrees": tuple((level, bytes.fromhex(subtree)) for level, subtree in told["subtrees"]),
        "leaves": bytes.fromhex(told["leaves"]),
        "gap": Gap(*told["gap"]),
        "backs": tuple((seq, seconds) for seq, seconds in told["backs"]),
        "handovers": tuple((seq, text.encode()) for seq, text in told["handovers"]),
    }
    return Block(**told | parts)
