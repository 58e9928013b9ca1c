"""What a caller hands over for an entry, and its canonical bytes. The writing side; verifiers do not need it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import rfc8785

from countenance.domain.errors import BadInput
from countenance.ledger import entry

LONGEST = 32 << 20
"""Most bytes of an entry that is written; readers take twice as many."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry before it has a number and a time.

    `actor` is ``{"authenticated": …, "stated": … or None}``; `sealed` are items as `seal.seal` makes them.
    """

    kind: str
    actor: Mapping[str, Any]
    body: Mapping[str, Any]
    sealed: Sequence[Mapping[str, Any]] = ()

    def ready(self) -> Ready:
        """The draft in canonical bytes, but for number and time. Raises BadInput when it cannot be an entry."""
        if not entry.valid_kind(self.kind):
            raise BadInput(f"not a type of entry: {self.kind!r}")
        if set(self.actor) != {"authenticated", "stated"}:
            raise BadInput("an entry's actor is what was authenticated and what was stated")
        for item in self.sealed:
            if not {"item", "alg", "ct"} <= set(item):
                raise BadInput("a sealed item has an item, an alg and a ct")
        try:
            actor, body, sealed = (
                rfc8785.dumps(part)
                for part in (dict(self.actor), dict(self.body), [dict(item) for item in self.sealed])
            )
        except (rfc8785.CanonicalizationError, UnicodeError, RecursionError) as error:
            raise BadInput(
                "the entry holds a value that canonical JSON does not have",
                advice="Use text in Unicode, finite numbers, and integers up to 2^53 - 1.",
            ) from error
        if len(actor) + len(body) + len(sealed) > LONGEST:
            raise BadInput(f"an entry of more than {LONGEST >> 20} MiB")
        return Ready(actor, body, sealed, self.kind)

    def encode(self, seq: int, at: str, previous: str | None) -> bytes:
        """The canonical bytes of entry `seq` at time `at`, when the entry before was at `previous`.

        Raises BadInput when the draft cannot be an entry.
        """
        return self.ready().encode(seq, at, previous)


@dataclass(frozen=True, slots=True)
class Ready:
    """A draft whose parts are canonical bytes already, so that whoever writes for many has little left to do."""

    actor: bytes
    body: bytes
    sealed: bytes
    kind: str

    def encode(self, seq: int, at: str, previous: str | None) -> bytes:
        """The canonical bytes of entry `seq` at time `at`, when the entry before was at `previous`.

        The members stand in the order of RFC 8785 section 3.2.3; `kind` and `at` need no escapes.
        """
        back = entry.seconds_back(at, previous) if previous is not None else None
        clock = b'"clock_back_seconds":%b,' % rfc8785.dumps(back) if back is not None else b""
        return (b'{"actor":%b,"at":"%b","body":%b,%b"sealed":%b,"seq":%d,"type":"%b","v":%d}') % (
            self.actor,
            at.encode(),
            self.body,
            clock,
            self.sealed,
            seq,
            self.kind.encode(),
            entry.VERSION,
        )
