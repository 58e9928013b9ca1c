"""A log's line as the judging keeps it: small, because a log can hold a million lines that matter.

The text of a line is only needed again for the evidence, so it waits in a spool: in memory while that is small, in a
temporary file without a name after that.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import TYPE_CHECKING, Final, Literal
from zlib import crc32

from countenance.domain.proxy import Ceiling, Kind

if TYPE_CHECKING:
    from countenance.proxylog.site import Stage

MAX_TEXT = 2000
"""Characters of a line's text that a finding shows; the raw file has the rest."""
IN_MEMORY = 32 * 2**20
PLACE_BITS = 44
OPENING_BYTES = 512
"""Bytes of a proxy's answer to CONNECT; an encrypted exchange with a site brings back more."""


@dataclass(frozen=True, slots=True)
class Options:
    """How lines are put together.

    `by`: what tells people apart; `both` is the pair. A session ends after `idle_seconds` without a request. A tunnel
    and a request to its host belong together when the request comes within `join_seconds`. Clocks of several proxies
    may differ by `skew_seconds`. A connection whose length is not logged may have lasted `unknown_seconds`.
    `most_evidence` lines of a session are kept as its evidence, of each plain kind (parts of a page, questions for
    progress) `most_plain`.
    """

    by: Literal["user", "address", "both"] = "user"
    idle_seconds: float = 1800.0
    join_seconds: float = 60.0
    skew_seconds: float = 2.0
    unknown_seconds: float = 600.0
    most_evidence: int = 200
    most_plain: int = 20


class State(IntEnum):
    """What became of a request."""

    OK = 0
    """Let through, and the site said yes (or, for a tunnel, it was opened)."""
    REDIRECT = 1
    REFUSED = 2
    """The answer was 4xx or 5xx, whoever gave it."""
    DENIED = 3
    """The proxy said no."""
    FAILED = 4
    """It cannot have reached the site."""
    UNKNOWN = 5
    """The line does not say, or the answer never came."""
    CHALLENGE = 6
    """The proxy asked to sign in, and the same request came again."""


class Flag:
    """What else is known of a line: bits of a plain number, since an enumeration of them costs most of the time."""

    SHOWS: Final = 1
    """Method, path and status are all there."""
    CAN_SEARCH: Final = 2
    """What is missing from the line, or from the profile, could make it a search."""
    CAN_RESULTS: Final = 4
    """The same of results."""
    CAN_UPLOAD: Final = 8
    """The same of an upload."""
    REACHED: Final = 16
    """The proxy let it through, whatever the site answered."""
    MAYBE_REACHED: Final = 32
    BOT: Final = 64
    """The agent is one of the known scanners, crawlers and previewers."""
    BLANK: Final = 128
    """There is a column for the agent, and it is empty."""
    FROM_OPT_OUT: Final = 256
    """The referrer is a page of the opt-out form."""
    FROM_ELSEWHERE: Final = 512
    """The referrer is another page of the site."""
    ASSET: Final = 1024
    IGNORED: Final = 2048
    """HEAD, OPTIONS: asks about a page without asking for it."""
    STRANGE: Final = 4096
    """Something was sent to a path that the profile does not know."""
    FILE: Final = 8192
    """The line names a file that was sent."""
    ASKED_TO_SIGN_IN: Final = 16384
    ON_RESULTS_HOST: Final = 32768
    SUBMITS: Final = 65536
    """POST, PUT or PATCH."""
    FITS: Final = 131072
    """The line fits its stage, and nothing that it does not show could make it something graver."""
    FOLDED: Final = 262144
    """Another line tells of the same act."""
    SEEN_INSIDE: Final = 524288
    """A tunnel whose requests are lines of their own."""
    MORE_INSIDE: Final = 1048576
    """A tunnel that may hold more than those of its requests that are seen."""
    OPENED_ONLY: Final = 2097152
    """A tunnel that brought back no more than the proxy's own word that it is open."""


@dataclass(slots=True, eq=False)
class Row:
    """One line. `key` is the path as compared, or None; `text` its place in the spool, under a checksum of it."""

    at: float
    seconds: float | None
    file: str
    line: int
    kind: Kind
    host: str
    address: str | None
    method: str | None
    key: str | None
    stage: Stage | None
    state: State
    flags: int
    ceiling: Ceiling
    sent: int | None
    connection: str | None
    text: int

    @property
    def end(self) -> float:
        """When it ended, as far as the line says."""
        return self.at + (self.seconds or 0.0)

    @property
    def mark(self) -> int:
        """A checksum of the text, which orders lines of one moment whatever their files are called."""
        return self.text >> PLACE_BITS

    @property
    def name(self) -> str:
        """The stage's name, or "" for a line that is none."""
        return self.stage.stage if self.stage is not None else ""

    @property
    def sure(self) -> bool:
        """Whether the line shows a request whole, and that the site said yes to it."""
        return self.state is State.OK and bool(self.flags & Flag.SHOWS)

    @property
    def fits(self) -> str:
        """The stage's name where the line leaves no doubt of it, else ""."""
        return self.stage.stage if self.stage is not None and self.flags & Flag.FITS else ""

    @property
    def opaque(self) -> bool:
        """Whether the line stands for a connection, within which nothing is seen."""
        return self.kind != "request"


class Texts:
    """The lines' texts, put one after another and read again by their place."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed by __exit__
        self._end = 0

    def __enter__(self) -> Texts:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def put(self, text: str, shown: str) -> int:
        """Keep a line's text, cut to MAX_TEXT, and what may be shown of it; their place."""
        if len(text) > MAX_TEXT:
            text = text[:MAX_TEXT] + "…"
        data = [one.encode("utf-8", "backslashreplace") for one in (text, shown[:MAX_TEXT])]
        place = self._end | crc32(data[0]) << PLACE_BITS
        self._file.write(b"".join([*(len(one).to_bytes(4, "big") for one in data), *data]))
        self._end += 8 + sum(map(len, data))
        return place

    def get(self, place: int) -> tuple[str, str]:
        """The two texts that were put there. Nothing may be put after the first of these."""
        self._file.seek(place & ((1 << PLACE_BITS) - 1))
        head = self._file.read(8)
        text = self._file.read(int.from_bytes(head[:4], "big"))
        shown = self._file.read(int.from_bytes(head[4:], "big"))
        return text.decode("utf-8"), shown.decode("utf-8")
