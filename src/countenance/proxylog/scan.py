"""Read logs in bulk: files → requests to the sites of interest, rejected lines, and what the logs cannot show.

    scan(files, options, work) → Scanned

Every byte is hashed, every line is checked or listed, and only what concerns a site of interest is kept, on disk. One
thread reads, hashes and unpacks; two sift blocks of lines (`sift`); what they leave is read exactly, in order
(`piece`), and made durable every 64 MiB of log (`shelf`). A run that was killed goes on at the last such point once the
bytes before it have been hashed again and are the same. A file that was finished is hashed again too, but not read:
size and time alone do not prove that a file is the one that was analysed, and hashing costs little beside that.
Standard input cannot be gone back to, so it begins anew.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Any

from countenance.domain.errors import BadInput
from countenance.domain.proxy import LogFile, Rejected, WebRequest
from countenance.proxylog import shelf as shelves
from countenance.proxylog.blocks import Block, OtherFile, Point, read_blocks
from countenance.proxylog.clocks import Clocks
from countenance.proxylog.coverage import Coverage, FileOrder, covered
from countenance.proxylog.formats.kind import Format, Reading
from countenance.proxylog.inputs import Fault, Input, Unread, find_inputs
from countenance.proxylog.looking import EMPTY, Kinds, look
from countenance.proxylog.piece import Piece, fingerprint
from countenance.proxylog.shelf import Shelf
from countenance.proxylog.sift import Sieve, Sifted, Tally, sift, split_lines
from countenance.proxylog.unpack import Raw

WORKERS = 2

Told = Callable[[int, int | None, str], None]
"""(raw bytes done, all of them or None when standard input is read, phase: `looking`, `checking` or `reading`)."""


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """What to look for, and what the log does not say itself.

    `wanted` tells whether a host (as in `WebRequest.host`) is of interest; every line that concerns such a host, and
    is to be kept, holds one of `literals` (ASCII, in small letters; looked for in any case). `format` forces a format
    by name. `clock_offsets` are `SECONDS` or `FILE=SECONDS`, added to the log's times to make them true; `zones` are
    time zones of single files, by path or name, where `reading.zone` is not theirs. `key` names what `wanted` rests
    on (the profiles' versions): a run that was broken off is taken up only by one with the same key.
    """

    wanted: Callable[[str], bool]
    literals: tuple[str, ...]
    reading: Reading = field(default_factory=Reading)
    format: str | None = None
    clock_offsets: tuple[str, ...] = ()
    zones: Mapping[str, tzinfo] = field(default_factory=dict)
    key: str = ""
    formats: tuple[Format, ...] | None = None
    """All known ones when None."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """What was found. To be closed, or used with `with`; after that the iterators give nothing.

    `files` is sorted by name and has every file that could be opened, `faults` what was not read or not to its end,
    `reasons` counts rejected lines, `order` says of each file in what order its times are.
    """

    files: tuple[LogFile, ...]
    faults: tuple[Fault, ...]
    reasons: Mapping[str, int]
    order: tuple[FileOrder, ...]
    coverage: Coverage
    shelf: Shelf = field(repr=False)

    def requests(self) -> Iterator[WebRequest]:
        """Requests to wanted hosts, sorted by (host, at, text), each exact line once."""
        for request, _ in self.shelf.requests():
            yield request

    def rejected(self) -> Iterator[Rejected]:
        """Every line that could not be read, sorted by (file, line)."""
        return self.shelf.rejected()

    def users_at(self, address: str) -> int:
        """How many users all lines of the logs show at an address."""
        return self.shelf.users_at(address)

    def close(self) -> None:
        """Let go of the work folder."""
        self.shelf.close()

    def __enter__(self) -> Scanned:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def scan(files: Sequence[str | Path], options: ScanOptions, work: Path, on_progress: Told = lambda *_: None) -> Scanned:
    """Read files, folders, patterns and standard input (`-`); `work` is the folder in which a broken-off run waits.

    The work folder then holds lines of the log: the caller removes it once the result was used. A file that cannot be
    read is a fault and the run goes on. Raises BadInput when there is nothing that can be read or an option names no
    file, UnknownThing for a format that does not exist, Busy, and Unavailable when the disk is full.
    """
    inputs, faults = find_inputs(files)
    clocks = Clocks(options.clock_offsets, options.zones, [one.name for one in inputs])
    on_progress(0, None, "looking")
    formats = options.formats or _all_formats()
    kinds = look(inputs, formats, options.format, lambda name: clocks.reading(name, options.reading))
    faults += kinds.faults
    readable = [one for one in inputs if one.name in kinds.found]
    if not any(kinds.found.values()) and not any(kinds.names.get(one.name) == EMPTY for one in readable):
        raise BadInput(
            "there is no log that can be read" + "".join(f"; {fault.file}: {fault.words}" for fault in faults[:5]),
            advice="Name the log files, and with --format their format if it is not recognised.",
            details={"faults": [fault.as_json() for fault in faults]},
        )
    shelf = Shelf(work, _key(options))
    try:
        shelf.forget_others(one.name for one in readable)
        run = _Run(options, clocks, kinds, shelf, on_progress, readable)
        pieces = [run.file(one) for one in readable]
        known = {fault.file for fault in faults}
        faults += [Fault(piece.name, piece.fault) for piece in pieces if piece.fault and piece.name not in known]
        return _scanned(pieces, kinds, faults, shelf)
    except BaseException:
        shelf.close()
        raise


def _scanned(pieces: Sequence[Piece], kinds: Kinds, faults: Sequence[Fault], shelf: Shelf) -> Scanned:
    tally, reasons, lines = Tally(), Counter[str](), 0
    for piece in pieces:
        tally.add(piece.tally)
        reasons += piece.rejected
        lines += piece.point.lines
    files = [
        LogFile(piece.name, piece.digest, kinds.names[piece.name], piece.point.lines, piece.rejected.total())
        for piece in pieces
    ]
    return Scanned(
        tuple(files),
        tuple(sorted(faults, key=lambda fault: (fault.file, fault.reason))),
        dict(sorted(reasons.items())),
        tuple(FileOrder(piece.name, piece.backwards, piece.furthest) for piece in pieces if piece.backwards),
        covered(shelf, tally, lines, reasons.total()),
        shelf,
    )


class _Run:
    """One scan: takes the files one after the other."""

    def __init__(
        self, options: ScanOptions, clocks: Clocks, kinds: Kinds, shelf: Shelf, told: Told, inputs: Sequence[Input]
    ) -> None:
        self._options, self._clocks, self._kinds, self._shelf, self._told = options, clocks, kinds, shelf, told
        sizes = [one.size for one in inputs if one.size is not None]
        self._total = sum(sizes) if len(sizes) == len(inputs) else None
        self._before = 0

    def file(self, one: Input) -> Piece:
        """Read a file, or as much of it as an earlier run has not."""
        file, state = self._shelf.enter(one.name)
        try:
            piece = self._taken_up(one, file, state)
        except Unread as error:
            # It could be opened for the first look, and now it cannot.
            self._shelf.empty(file)
            piece = self._piece(one, file)
            piece.fault = error.reason
        self._before += one.size or 0
        return piece

    def _taken_up(self, one: Input, file: int, state: dict[str, Any] | None) -> Piece:
        piece = self._piece(one, file)
        if state and one.path is not None and state["kind"] == fingerprint(piece.kind):
            finished = bool(state["digest"])
            if finished and self._unchanged(one, state["digest"]):
                piece.resume(state)
                return piece
            if not finished and state["journal"] is not None:
                piece.resume(state)
                try:
                    self._read(one, piece)
                except OtherFile:
                    piece = self._piece(one, file)
                else:
                    return piece
        self._shelf.empty(file)
        self._read(one, piece)
        return piece

    def _piece(self, one: Input, file: int) -> Piece:
        reading = self._clocks.reading(one.name, self._options.reading)
        shift = self._clocks.shift(one.name)
        options, kind = self._options, self._kinds.found[one.name]
        return Piece(file, one.name, options.literals, options.wanted, shift, reading, kind)

    def _unchanged(self, one: Input, digest: str) -> bool:
        with one.open() as file:
            raw = Raw(file, one.size)
            for _ in raw.pieces():
                self._told(self._before + raw.at, self._total, "checking")
        return raw.digest() == digest

    def _read(self, one: Input, piece: Piece) -> None:
        """Read a file to its end. Raises Unread when it cannot be opened, OtherFile when it is another one by now."""
        with self._kinds.opened(one) as file:
            raw = Raw(file, one.size)
            try:
                self._blocks(raw, piece)
            except Unread as error:
                piece.fault = error.reason
                # The hash is that of what can be read; where that is not all, the fault says so.
                with contextlib.suppress(Unread):
                    raw.drain()
            piece.digest = raw.digest()
            self._shelf.checkpoint(piece.file, piece.state())

    def _blocks(self, raw: Raw, piece: Piece) -> None:
        waiting: deque[tuple[Block, Future[Sifted] | None]] = deque()
        durable = piece.point.offset

        def settle(most: int) -> None:
            nonlocal durable
            while len(waiting) > most:
                block, sifted = waiting.popleft()
                piece.take(block, sifted.result() if sifted else None, self._shelf)
                if piece.point.offset - durable >= shelves.CHECKPOINT:
                    durable = piece.point.offset
                    self._shelf.checkpoint(piece.file, piece.state())
                self._told(self._before + raw.at, self._total, "reading")

        since = piece.point if piece.point != Point() else None
        with ThreadPoolExecutor(WORKERS) as pool:
            try:
                for block in read_blocks(raw, since):
                    readable = piece.layout is not None and not block.flaw
                    waiting.append((block, pool.submit(_sifted, block.data, piece.sieve) if readable else None))
                    settle(WORKERS)
            except Unread:
                settle(0)
                raise
            settle(0)


def _sifted(data: bytes, sieve: Sieve) -> Sifted:
    return sift(split_lines(data), sieve)


def _all_formats() -> tuple[Format, ...]:
    from countenance.proxylog.formats.known import FORMATS

    return FORMATS


def _key(options: ScanOptions) -> str:
    """What a broken-off run must have in common with the one that takes it up."""
    parts = (options.reading, options.format, options.clock_offsets, sorted(options.zones.items(), key=str))
    return hashlib.sha256(repr((*parts, sorted(options.literals), options.key)).encode("utf-8", "replace")).hexdigest()
