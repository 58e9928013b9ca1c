"""Write an act into the ledger, sealing whatever is personal under its item's own key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from countenance.domain.authority import Actor
from countenance.domain.people import Profile
from countenance.ledger import seal
from countenance.ledger.entry import Entry
from countenance.ledger.log import Ledger
from countenance.ledger.receipt import Receipt
from countenance.services.docket import Docket
from countenance.services.holding import Holding
from countenance.services.inspected import Inspecting
from countenance.services.paperwork import Paperwork
from countenance.services.roll import UNTOLD, Roll
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
    """The ledger of a home together with the keys of what it seals. `told` is what was read of it already, `borne`
    which rows were: by their entry, a digest of the row that it bears out; `people` what it tells of accounts, and
    `papers` of requests for authorities, `docket` of reviews, `inspecting` of inspections and `holding` of legal
    holds."""

    ledger: Ledger
    database: Database
    told: dict[str, Told] = field(default_factory=dict, repr=False, compare=False)
    borne: dict[int, bytes] = field(default_factory=dict, repr=False, compare=False)
    people: Roll = field(default_factory=Roll, repr=False, compare=False)
    papers: Paperwork = field(default_factory=Paperwork, repr=False, compare=False)
    docket: Docket = field(default_factory=Docket, repr=False, compare=False)
    inspecting: Inspecting = field(default_factory=Inspecting, repr=False, compare=False)
    holding: Holding = field(default_factory=Holding, repr=False, compare=False)

    @property
    def profile(self) -> Profile:
        """The profile in force, as the ledger says it."""
        return self.people.read(self).profile or UNTOLD

    def enter(
        self,
        kind: str,
        actor: Actor,
        body: Mapping[str, Any],
        *,
        sealed: Mapping[str, Mapping[str, Any]] | None = None,
        keys: Mapping[str, bytes] | None = None,
    ) -> Receipt:
        """Append one entry; it is durable when this returns. `sealed` maps an item to its personal parts;
        `keys` are the items' keys where the caller has them.

        Raises LedgerUnavailable when it cannot be made durable: then nothing may be shown.
        """
        parts = sealed or {}
        keys = keys or {}
        if parts.keys() - keys.keys():
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
                value["opened"] = self.opened(entry)
            yield value

    def opened(self, entry: Entry) -> dict[str, Any]:
        """What an entry seals, by item, as far as it is not shredded."""
        with self.database.read() as c:
            keys = items.open_keys(c, [part["item"] for part in entry.sealed])
        return {
            part["item"]: seal.open_sealed(seal.ItemKey(part["item"], keys[part["item"]]), entry.kind.encode(), part)
            for part in entry.sealed
            if part["item"] in keys
        }

    def bears(
        self,
        seq: int | None,
        kind: str,
        body: Mapping[str, Any],
        *,
        by: str | None = None,
        sealed: Mapping[str, Mapping[str, Any]] | None = None,
        within: Connection | None = None,
    ) -> bool:
        """Whether entry `seq` is of this kind, says exactly this (`via` apart) and seals exactly this, and was made by
        this user where one is named. Without such an entry a row is dead: nobody makes one by editing the database.
        `within` is the caller's transaction, to read keys in.

        Raises LedgerBroken when the entry is not what was signed.
        """
        keys = {}
        if sealed:
            # Without its key the entry tells nothing any more: what it was about was erased.
            with nullcontext(within) if within is not None else self.database.read() as c:
                keys = items.open_keys(c, sealed)
        if seq is None or not 0 <= seq < self.ledger.size:
            return False
        row = hashlib.sha256(repr((kind, dict(body), by, sealed, keys)).encode()).digest()
        if self.borne.get(seq) == row:
            return True
        entry = self.ledger.entry(seq)
        said = {name: value for name, value in entry.body.items() if name != "via"}
        if entry.kind != kind or said != body or by not in (None, entry.actor["authenticated"]):
            return False
        opened = self.opened(entry) if sealed else {}
        if any(opened.get(item) != value for item, value in (sealed or {}).items()):
            return False
        self.borne[seq] = row
        return True
