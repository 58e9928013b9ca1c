"""What the ledger tells of legal holds, and of erasures that wait for them to end.

Nothing of this stands in a row: nobody places a hold, or ends one, by editing the database. Reading goes on where the
last reading ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from countenance.domain.holds import Ended, Hold, Scope, Waiting
from countenance.services.telling import Telling

if TYPE_CHECKING:
    from countenance.ledger.entry import Entry
    from countenance.services.record import Record

PLACED = "hold.placed"
RELEASED = "hold.released"
LAPSED = "hold.lapsed"
PENDING = "erasure.pending"


@dataclass(frozen=True)
class Held:
    """Every hold and every erasure that waits or waited, by id."""

    holds: Mapping[str, Hold] = field(default_factory=dict)
    waiting: Mapping[str, Waiting] = field(default_factory=dict)

    @cached_property
    def restricted(self) -> frozenset[int]:
        """Sightings whose erasure waits: nobody is shown them."""
        return frozenset(s for one in self.waiting.values() if one.done is None for s in one.sightings)

    def in_force(self, now: datetime) -> list[Hold]:
        """The holds that hold at a moment, the oldest first."""
        return [one for one in self.holds.values() if one.state(now) == "in force"]


class Holding(Telling[Held]):
    """What was read of holds so far."""

    needles = ('"hold":"H-', '"pending":"E-')

    def __init__(self) -> None:
        super().__init__(Held())

    def after(self, told: Held, entries: Iterable[Entry], record: Record) -> Held:
        holds, waiting = dict(told.holds), dict(told.waiting)
        for entry in entries:
            apply(holds, waiting, entry)
        return Held(holds, waiting)


def reason_item(hold: str) -> str:
    """The item under which it is sealed why a hold was placed."""
    return f"note:{hold}:placed"


def released_item(hold: str) -> str:
    """The item under which it is sealed why a hold was released."""
    return f"note:{hold}:released"


def apply(holds: dict[str, Hold], waiting: dict[str, Waiting], entry: Entry) -> None:
    """What one more entry tells. Entries of other kinds change nothing."""
    body, at, by = entry.body, datetime.fromisoformat(entry.at), str(entry.actor["authenticated"])
    if entry.kind == PLACED:
        until = datetime.fromisoformat(body["until"])
        hold = Hold(body["hold"], Scope.from_json(body["of"]), until, body.get("case") or "", by, at, entry.seq)
        holds[hold.id] = hold
    elif entry.kind in (RELEASED, LAPSED) and (known := holds.get(body["hold"])) is not None:
        holds[known.id] = replace(known, ended=Ended(entry.kind.removeprefix("hold."), at, by, entry.seq))
    elif entry.kind == PENDING:
        numbers = tuple(int(str(item).removeprefix("sighting:")) for item in body["sightings"])
        waiting[body["pending"]] = Waiting(body["pending"], numbers, tuple(body["holds"]), by, at, entry.seq)
    elif entry.kind == "erasure":
        waited = waiting.get(str((body.get("scope") or {}).get("pending", "")))
        if waited is not None:
            waiting[waited.id] = replace(waited, done=entry.seq)
