"""What every index promises, whichever engine is behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from countenance.domain.faces import Vectors
from countenance.domain.permits import Permit
from countenance.domain.strangers import NO_BACKGROUND, Background


@dataclass(frozen=True, slots=True)
class Eq:
    """The attribute has this value (or holds it, when it has several)."""

    name: str
    value: int


@dataclass(frozen=True, slots=True)
class In:
    """The attribute has one of these values."""

    name: str
    values: frozenset[int]


@dataclass(frozen=True, slots=True)
class NotIn:
    """The attribute has none of these values."""

    name: str
    values: frozenset[int]


@dataclass(frozen=True, slots=True)
class Range:
    """low ≤ value ≤ high; either end may be open (None)."""

    name: str
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Filter


Filter = Eq | In | NotIn | Range | And | Or | Not


@dataclass(frozen=True, slots=True)
class Entry:
    """What is added: the caller's id (int64, never reused), and integer attributes, each with one or more values."""

    id: int
    attributes: tuple[tuple[str, int], ...] = ()


class Hit(NamedTuple):
    """One template at least as alike as asked. `score` is the exact cosine of the probe with the stored template."""

    id: int
    score: float


@dataclass(frozen=True, slots=True)
class Hits:
    """Best first, ties by id. `truncated` is true when more than `limit` templates reached `min_score`."""

    hits: tuple[Hit, ...]
    truncated: bool
    searched: int
    """How many templates the filter left to compare with."""
    background: Background = NO_BACKGROUND
    """The probe's scores with (a sample of) what the filter left."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Declared, not guessed."""

    engine: str
    exact: bool
    erase_is_immediate: bool
    filters: bool


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure did. `pending` names the places that still hold bytes, empty when there are none."""

    erased: int
    pending: tuple[str, ...] = ()


class VectorIndex(Protocol):
    """Templates of one pack and pipeline version, by the caller's int64 ids.

    Durable when a call returns. Safe for several threads and for several processes on one home.
    """

    @property
    def capabilities(self) -> Capabilities: ...

    def add(self, entries: Sequence[Entry], vectors: Vectors) -> None:
        """Add or replace. `vectors` is (n, dimension) float32, unit rows. Visible to the next search."""
        ...

    def tag(self, id: int, name: str, values: Iterable[int]) -> None:
        """Replace the values of one attribute. An unknown id is ignored."""
        ...

    def search(
        self, permit: Permit, probes: Vectors, *, min_score: float, limit: int, where: Filter | None = None
    ) -> Hits:
        """Every template whose cosine with any of the probes' mean reaches `min_score`, at most `limit`.

        Several probes of one person are fused before the call; `probes` is (1, dimension). Spends the permit first.
        """
        ...

    def vectors(self, ids: Sequence[int]) -> Vectors:
        """The stored (rotated) templates, (n, dimension) float32 unit rows in the order asked. Raises UnknownThing.
        For re-keying and verification, never for likeness."""
        ...

    def delete(self, ids: Iterable[int]) -> int:
        """Make invisible at once. Returns how many there were."""
        ...

    def erase(self, ids: Iterable[int]) -> Erasure:
        """Delete, and purge the bytes from every file."""
        ...

    def count(self, where: Filter | None = None) -> int: ...

    def generation(self) -> int:
        """Grows with every write, by whichever process: what was derived from the index is true while it stays."""
        ...

    def ids(self) -> list[int]:
        """Every visible id, ascending."""
        ...

    def verify(self) -> list[str]:
        """Faults in words; empty when rows, vectors and codes agree."""
        ...

    def rekey(self, transform: Callable[[Vectors], Vectors], new_key_id: str) -> None:
        """Every template through `transform`, under a new protection key; all or nothing after a crash."""
        ...

    def snapshot(self, folder: Path) -> None:
        """A consistent copy of the vectors, for a backup."""
        ...

    def close(self) -> None: ...
