"""What a format is: a small module that recognises its own lines, reads one exactly, and may offer a fast way for many.

A log is read in two ways that have to agree. In bulk, a block of lines is checked by one regular expression and only
what concerns a known site goes further; `Fast` is that expression. One by one, `Layout.read` turns a line into a
request or says why it cannot. A line that the expression does not match is given to `read`, which decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Literal, Protocol

from countenance.domain.proxy import WebRequest

LONGEST = 65_536
"""Characters of the longest line that is read; a longer one is `too-long`. `Fast` is for lines that are no longer."""


class BadLine(Exception):
    """A line that is not what its format says. `reason` is a short stable code such as `fields`, `time`, `encoding`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Reading:
    """What the person who runs the analysis says about a log that the log does not say itself.

    `zone` is that of times which name none. `logformat` is Squid's own `logformat` line; `mapping` the text of a
    generic format's TOML.
    """

    zone: tzinfo | None = None
    logformat: str | None = None
    mapping: str | None = None


@dataclass(frozen=True, slots=True)
class Fast:
    """The expression that a well-formed line matches, for the `regex` crate (no look-around, no back-references).

    Named groups, each optional: `epoch` (seconds, with or without a fraction) or `time` (text, to be read with
    `time_format` in the notation of Chrono's strptime); `user`, `address`, `method`. It may only match lines that
    `read` accepts or skips. `zoned` says whether `time` carries its own offset.
    """

    pattern: str
    time_format: str | None = None
    zoned: bool = False


class Layout(Protocol):
    """The lines of one file, once its head has been looked at. It may keep state (`#Fields` can change half-way)."""

    fast: Fast | None
    """None when every line must be read one by one.

    It may be another one after `read` was given a directive (a line that begins with `#`, which no expression
    matches): in bulk, a block ends there. One that has `hides`, set to true, may hold a site's name where no word of
    it stands in the line (in base64, say): of such a format every line counts by what was read of it.
    """

    def read(self, text: str, number: int) -> WebRequest | None:
        """One line without its line end. None for one that says nothing of its own: a comment, a header, an empty one.

        `file`, `line` and `text` of the request are set by the caller. `host` is "" where the line names none (a
        blank column, a request that never came). Raises BadLine, and nothing else whatever the text is.
        """
        ...


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its name, how sure it is of a head, and how it opens one.

    `recognise` gets the first lines (at most 50, decoded, without line ends) and says 0 (not mine) to 100 (certain).
    `open` gets the same lines. Both raise BadInput when what a person said in `Reading` cannot be used. `examples` are
    lines that people may look at and that the shared kit runs: whole little files, each with what is expected of each
    line (a dict of `WebRequest` fields, None for a line that is skipped, or the reason of a `BadLine`).
    """

    name: str
    title: str
    recognise: Callable[[Sequence[str], Reading], int]
    open: Callable[[Sequence[str], Reading], Layout]
    examples: tuple[Example, ...] = field(default=(), repr=False)
    headed: bool = False
    """Whether lines can only be read under a header (so that a piece without one borrows it from its siblings)."""


@dataclass(frozen=True, slots=True)
class Example:
    """A small file of a format, and what each of its lines is."""

    title: str
    lines: tuple[str, ...]
    expected: tuple[dict[str, object] | str | None, ...]
    reading: Reading = field(default_factory=Reading)
    sees: Literal["host", "bytes", "requests"] = "requests"
