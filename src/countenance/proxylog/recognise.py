"""Which format a file is in: told by its first lines, or borrowed from its siblings where a piece lost its header."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from countenance.domain.errors import UnknownThing
from countenance.proxylog.formats.kind import LONGEST, BadLine, Format, Layout, Reading
from countenance.proxylog.inputs import Unread
from countenance.proxylog.sift import decode_line

HEAD = 50
"""Lines that a format is shown."""
LOOK = 2**20
"""Bytes that are searched for lines that some format knows, when the first are none."""
WINDOWS = 40


@dataclass(frozen=True, slots=True)
class Recognised:
    """A format, and the lines that it is opened with: the file's own, or those of a sibling."""

    format: Format
    head: tuple[str, ...]

    def open(self, reading: Reading) -> Layout:
        """The layout, as at the beginning of the file."""
        return self.format.open(self.head, reading)


def head_of(pieces: Iterable[bytes]) -> list[str]:
    """The lines of the first `LOOK` bytes, without a last one that may be cut."""
    data, cut = b"", False
    try:
        for piece in pieces:
            data += piece
            if len(data) >= LOOK:
                cut = True
                break
    except Unread:
        cut = True  # it is met again, and told, when the file is read
    lines = data.split(b"\n")
    if lines and (cut or not lines[-1]):
        lines.pop()
    return [decode_line(line.removesuffix(b"\r")[: LONGEST + 1]) for line in lines]


def recognise(lines: Sequence[str], formats: Sequence[Format], reading: Reading) -> Recognised | None:
    """The format that is surest of these lines; the first of `formats` where two are equally sure.

    Lines that nobody knows may come first, so later ones are looked at too.
    """
    for start in range(0, min(len(lines), HEAD * WINDOWS), HEAD):
        window = tuple(lines[start : start + HEAD])
        sure = [(one.recognise(window, reading), -place, one) for place, one in enumerate(formats)]
        best = max(sure, key=lambda each: each[:2], default=None)
        if best and best[0] > 0:
            return Recognised(best[2], window)
    return None


def named(name: str, formats: Sequence[Format]) -> Format:
    """The format of that name. Raises UnknownThing."""
    for one in formats:
        if one.name == name:
            return one
    raise UnknownThing(
        f"there is no log format called {name}", advice="Known are: " + ", ".join(sorted(one.name for one in formats))
    )


def borrow(lines: Sequence[str], siblings: Sequence[tuple[str, Recognised]], reading: Reading) -> Recognised:
    """The header of the siblings under which these lines can be read, if all that fit mean the same.

    `siblings` are (file, what it was recognised as), sorted. Raises Unread: `no-header`, or SeveralHeaders.
    """
    for start in range(0, min(len(lines), HEAD * WINDOWS), HEAD):
        window = lines[start : start + HEAD]
        fitting: list[tuple[str, Recognised]] = []
        meanings: list[object] = []
        for file, one in siblings:
            layout = one.open(reading)
            meaning = [_said(layout, line, number) for number, line in enumerate(window, 1)]
            if any(fine for fine, _ in meaning):
                fitting.append((file, one))
                if (layout.fast, meaning) not in meanings:
                    meanings.append((layout.fast, meaning))
        if len(meanings) > 1:
            raise SeveralHeaders(tuple(file for file, _ in fitting))
        if fitting:
            return fitting[0][1]
    raise Unread("no-header")


class SeveralHeaders(Unread):
    """Siblings have different headers under which a piece can be read."""

    def __init__(self, others: tuple[str, ...]) -> None:
        super().__init__("several-headers")
        self.others = others


def _said(layout: Layout, line: str, number: int) -> tuple[bool, str]:
    """Whether a line is a request, and what it says."""
    if not line or len(line) > LONGEST:
        return False, ""
    try:
        request = layout.read(line, number)
    except BadLine as bad:
        return False, bad.reason
    return request is not None, repr(request)
