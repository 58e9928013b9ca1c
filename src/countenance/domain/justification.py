"""Whether a justification was written for this case, or to fill a field.

Two texts are held apart by their word shingles: the sets of all runs of three words, in lower case, without punctuation
and with every number read as one. Their likeness is the Jaccard index of the two sets (Broder, "On the resemblance and
containment of documents", 1997). Changing the case number, a date or a name leaves most shingles as they were.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

LEAST_WORDS = 8
LEAST_DIFFERENT = 6
"""Fewer words, or fewer different ones, say nothing of a case."""

LONGEST = 4_000
"""Characters."""

NEAR = 0.7
"""Likeness from which two texts are one with other numbers in it."""

_RUN = 3
_WORD = re.compile(r"\d+|[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a justification: `too-short`, `too-long`, `empty-words` or `repeated` (all refused), or
    `near` (flagged for the overseer, with the earlier text's id and the likeness)."""

    code: str
    other: str | None = None
    likeness: float | None = None

    @property
    def refused(self) -> bool:
        """Whether it may not stand at all."""
        return self.code != "near"


def words_of(text: str) -> list[str]:
    """The words of a text, folded: accents and case gone, every number the same."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    return ["0" if word[0].isdigit() else word.casefold() for word in _WORD.findall(plain)]


def likeness(one: str, other: str) -> float:
    """From 0 (no run of three words in common) to 1 (the same words in the same order)."""
    a, b = _shingles(words_of(one)), _shingles(words_of(other))
    return len(a & b) / len(a | b) if a | b else 1.0


def judge(text: str, earlier: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> Fault | None:
    """What is wrong with `text`, given earlier texts by the id of what they justified; None when nothing is."""
    words = words_of(text)
    if len(text) > LONGEST:
        return Fault("too-long")
    if len(words) < LEAST_WORDS:
        return Fault("too-short")
    if len(set(words)) < LEAST_DIFFERENT:
        return Fault("empty-words")
    mine = _shingles(words)
    nearest: Fault | None = None
    for id, other in earlier.items() if isinstance(earlier, Mapping) else earlier:
        theirs = _shingles(words_of(other))
        alike = len(mine & theirs) / len(mine | theirs)
        if alike == 1.0:
            return Fault("repeated", id, 1.0)
        if alike >= NEAR and (nearest is None or alike > (nearest.likeness or 0)):
            nearest = Fault("near", id, round(alike, 3))
    return nearest


def _shingles(words: list[str]) -> frozenset[tuple[str, ...]]:
    if len(words) < _RUN:
        return frozenset({tuple(words)})
    return frozenset(tuple(words[n : n + _RUN]) for n in range(len(words) - _RUN + 1))
