"""Write an act into the ledger, sealing whatever is personal under its item's own key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from countenance.domain.authority import Actor
from countenance.ledger import seal
from countenance.ledger.log import Ledger
from countenance.ledger.receipt import Receipt
from countenance.store import items
from countenance.store.database import Database


@dataclass(frozen=True, slots=True)
class Told:
    """What the ledger tells of one authority up to an entry: look-ups begun under it, and whether it was revoked."""

    upto: int
    begun: int
    revoked: bool


@dataclass(frozen=True, slots=True)
class Record:
    """The ledger of a home together with the keys of what it seals. `told` is what was read of it already, and `borne`
    which grants and registrations were: by their entry, a digest of the row that it bears out."""

    ledger: Ledger
    database: Database
    told: dict[str, Told] = field(default_factory=dict, repr=False, compare=False)
    borne: dict[int, bytes] = field(default_factory=dict, repr=False, compare=False)

    def enter(
        self,
        kind: str,
        actor: Actor,
        body: Mapping[str, Any],
        *,
        sealed: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Receipt:
        """Append one entry; it is durable when this returns. `sealed` maps an item to its personal parts.

        Raises LedgerUnavailable when it cannot be made durable: then nothing may be shown.
        """
        parts = sealed or {}
        keys: dict[str, bytes] = {}
        if parts:
            with self.database.write() as c:
                keys = items.keys_for(c, parts)
        return self.ledger.append(
            kind,
            actor.as_json(),
            dict(body) | {"via": actor.via},
            [seal.seal(seal.ItemKey(item, keys[item]), kind.encode(), value) for item, value in parts.items()],
        )

    def entries(self, start: int, stop: int, *, opened: bool = False) -> Iterator[dict[str, Any]]:
        """Entries as JSON values; with `opened`, what is sealed and not shredded is shown under `opened`."""
        for entry in self.ledger.entries(start, stop):
            value: dict[str, Any] = {
                "seq": entry.seq,
                "at": entry.at,
                "type": entry.kind,
                "actor": dict(entry.actor),
                "body": dict(entry.body),
                "sealed": [part["item"] for part in entry.sealed],
            }
            if opened and entry.sealed:
                with self.database.read() as c:
                    keys = items.open_keys(c, value["sealed"])
                value["opened"] = {
                    part["item"]: seal.open_sealed(
                        seal.ItemKey(part["item"], keys[part["item"]]), entry.kind.encode(), part
                    )
                    for part in entry.sealed
                    if part["item"] in keys
                }
            yield value
