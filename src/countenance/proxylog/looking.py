"""The first look at every file: which format it is in, and which header it needs from another."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from countenance.proxylog.formats.kind import Format, Reading
from countenance.proxylog.inputs import Fault, Input, Unread
from countenance.proxylog.recognise import HEAD, Recognised, SeveralHeaders, borrow, head_of, named, recognise
from countenance.proxylog.unpack import PIECE, Raw, log_bytes

EMPTY = "empty"
"""The format of a file in which nothing stands."""
UNKNOWN = "unknown"
START = 4 * PIECE
"""Raw bytes of standard input that are looked at."""


@dataclass(slots=True)
class Kinds:
    """What each file that can be opened was recognised as (None: not at all), and the name of its format."""

    found: dict[str, Recognised | None] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    _start: bytes = b""

    def opened(self, one: Input) -> io.RawIOBase:
        """A file from its beginning, standard input with what was looked at. Raises Unread."""
        return _Again(self._start, one.open()) if one.path is None else one.open()

    def lines(self, one: Input) -> list[str]:
        """The first lines of a file. Raises Unread when it cannot be opened."""
        if one.path is None:
            if not self._start:
                with one.open() as file:
                    self._start = b"".join(_upto(file, START))
            return head_of(log_bytes(iter((self._start,))))
        with one.open() as file:
            return head_of(log_bytes(Raw(file, one.size).pieces()))


def look(
    inputs: Sequence[Input], formats: Sequence[Format], forced: str | None, reading: Callable[[str], Reading]
) -> Kinds:
    """Recognise every file. `reading` is what is said of a file of that name. Raises UnknownThing for `forced`."""
    kinds = Kinds()
    only = named(forced, formats) if forced else None
    orphans: list[Input] = []
    for one in inputs:
        try:
            lines = kinds.lines(one)
        except Unread as error:
            kinds.faults.append(Fault(one.name, error.reason))
            continue
        kind = recognise(lines, [only] if only else formats, reading(one.name))
        if kind is None and only and not only.headed:
            kind = Recognised(only, tuple(lines[:HEAD]))
        kinds.found[one.name] = kind
        kinds.names[one.name] = kind.format.name if kind else UNKNOWN if any(lines) else EMPTY
        if kind is None and lines:
            orphans.append(one)
    siblings = _apart(kinds)
    for one in orphans:
        _adopt(one, kinds, siblings, reading(one.name), only is not None)
    return kinds


def _apart(kinds: Kinds) -> list[tuple[str, Recognised]]:
    """The siblings that may be borrowed from, one of those that are opened alike."""
    seen: dict[object, tuple[str, Recognised]] = {}
    for file, kind in sorted(kinds.found.items()):
        if kind:
            seen.setdefault((kind.format.name, kind.head if kind.format.headed else ()), (file, kind))
    return list(seen.values())


def _adopt(
    one: Input, kinds: Kinds, siblings: Sequence[tuple[str, Recognised]], reading: Reading, forced: bool
) -> None:
    lines = kinds.lines(one)
    try:
        # Empty lines are the same in every format.
        kind = borrow(lines, siblings, reading) if any(lines) or not siblings else siblings[0][1]
    except SeveralHeaders as error:
        kinds.faults.append(Fault(one.name, error.reason, error.others))
    except Unread as error:
        if any(lines):
            kinds.faults.append(Fault(one.name, error.reason if forced else "unknown-format"))
    else:
        kinds.found[one.name], kinds.names[one.name] = kind, kind.format.name


def _upto(file: io.RawIOBase, most: int) -> Iterator[bytes]:
    while most > 0 and (part := file.read(most)):
        most -= len(part)
        yield part


class _Again(io.RawIOBase):
    """A stream that begins with what was read of it already."""

    def __init__(self, start: bytes, rest: io.RawIOBase) -> None:
        self._start, self._rest = start, rest

    def read(self, size: int = -1, /) -> bytes | None:
        if self._start and size > 0:
            part, self._start = self._start[:size], self._start[size:]
            return part
        return self._rest.read(size)

    def close(self) -> None:
        self._rest.close()
        super().close()
