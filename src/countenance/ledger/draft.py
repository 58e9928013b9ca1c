"""What a caller hands over for an entry, and its canonical bytes. The writing side; verifiers do not need it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import rfc8785

from countenance.domain.errors import BadInput
from countenance.ledger import entry


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry before it has a number and a time.

    `actor` is ``{"authenticated": …, "stated": … or None}``; `sealed` are items as `seal.seal` makes them.
    """

    kind: str
    actor: Mapping[str, Any]
    body: Mapping[str, Any]
    sealed: Sequence[Mapping[str, Any]] = ()

    def encode(self, seq: int, at: str, previous: str | None) -> bytes:
        """The canonical bytes of entry `seq` at time `at`, when the entry before was at `previous`.

        Raises BadInput when the draft cannot be an entry.
        """
        if not entry.valid_kind(self.kind):
            raise BadInput(f"not a type of entry: {self.kind!r}")
        if set(self.actor) != {"authenticated", "stated"}:
            raise BadInput("an entry's actor is what was authenticated and what was stated")
        for item in self.sealed:
            if not {"item", "alg", "ct"} <= set(item):
                raise BadInput("a sealed item has an item, an alg and a ct")
        value: dict[str, Any] = {
            "v": entry.VERSION,
            "seq": seq,
            "at": at,
            "type": self.kind,
            "actor": dict(self.actor),
            "body": dict(self.body),
            "sealed": [dict(item) for item in self.sealed],
        }
        back = entry.seconds_back(at, previous) if previous is not None else None
        if back is not None:
            value["clock_back_seconds"] = back
        try:
            return rfc8785.dumps(value)
        except (rfc8785.CanonicalizationError, UnicodeError, RecursionError) as error:
            raise BadInput(
                "the entry holds a value that canonical JSON does not have",
                advice="Use text in Unicode, finite numbers, and integers up to 2^53 - 1.",
            ) from error
