"""The index's rows: which id lies in which slot, what is hidden, which slots are free, and what changed since when.

Every write raises the pack's generation by one, in the same transaction, and stamps the rows that it touched: another
process that sees a new generation reads only what is newer than its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    Connection,
    CursorResult,
    Select,
    String,
    and_,
    delete,
    func,
    insert,
    not_,
    select,
    update,
)

from countenance.domain.errors import AlreadyThere, IndexBroken
from countenance.domain.index import Entry, Filter
from countenance.index.filters import condition
from countenance.index.vectors import Slots
from countenance.store import schema
from countenance.store.database import put_meta

T = TypeVar("T")

_OWNERS = "SELECT slot, id, changed FROM vectors WHERE pack = {} AND NOT hidden AND slot IN"

_v = schema.vectors.c
_h = schema.vector_holes.c
_a = schema.vector_attributes.c


@dataclass(frozen=True, slots=True)
class Head:
    """One row a pack: how often the index was written, which file and key belong to it, and which slots were given.

    Slots from `placed` up to `end` were claimed and belong to nobody yet."""

    generation: int
    file_id: str
    key_id: str
    placed: int = 0
    end: int = 0


class Rows:
    """The rows of one pack. Each method runs inside the caller's transaction."""

    def __init__(self, pack: str) -> None:
        self._pack = pack
        self._key = f"index:{pack}"
        # Asked at every search, so made once.
        self._head = select(schema.meta.c.value).where(schema.meta.c.key == self._key)

    def head(self, c: Connection) -> Head | None:
        """None before the index was first opened."""
        found = c.execute(self._head).scalar()
        return None if found is None else Head(**json.loads(found))

    def known_head(self, c: Connection) -> Head:
        """Raises IndexBroken without a head."""
        head = self.head(c)
        if head is None:
            raise IndexBroken("the index has no head row", advice="restore the home from a backup")
        return head

    def put_head(self, c: Connection, head: Head) -> None:
        """Write the head."""
        put_meta(c, self._key, json.dumps(asdict(head), sort_keys=True))

    def next_generation(self, c: Connection) -> int:
        """Raise the generation. Raises IndexBroken without a head."""
        head = self.known_head(c)
        self.put_head(c, replace(head, generation=head.generation + 1))
        return head.generation + 1

    # Writing.

    def claim(self, c: Connection, count: int) -> Slots:
        """Take so many free slots, ascending: emptied ones first, then new ones. They are dirty until `place`."""
        free = select(_h.slot).where(_h.pack == self._pack, ~_h.dirty).order_by(_h.slot).limit(count)
        slots = list(c.execute(free).scalars())
        for part in parts(slots):
            c.execute(update(schema.vector_holes).where(_h.pack == self._pack, _h.slot.in_(part)).values(dirty=True))
        head = self.known_head(c)
        fresh = range(head.end, head.end + count - len(slots))
        self.put_head(c, replace(head, end=fresh.stop))
        return np.array([*slots, *fresh], np.int64)

    def place(self, c: Connection, entries: Sequence[Entry], slots: Slots) -> int:
        """Make claimed slots, whose bytes are durable, the entries' own. What they had before becomes dirty holes;
        returns how many. Raises AlreadyThere for an id of another pack."""
        head = self.known_head(c)
        generation = head.generation + 1
        self.put_head(c, replace(head, generation=generation, placed=head.end))
        ids = [entry.id for entry in entries]
        known: list[int] = []
        for part in parts(ids):
            for id, pack in c.execute(select(_v.id, _v.pack).where(_v.id.in_(part))):
                if pack != self._pack:
                    raise AlreadyThere("a template of another model pack has this id already")
                known.append(id)
        replaced = self._free(c, known, generation)
        for part in parts([slot for slot in slots.tolist() if slot < head.placed]):
            c.execute(delete(schema.vector_holes).where(_h.pack == self._pack, _h.slot.in_(part)))
        rows = [
            {"id": id, "pack": self._pack, "slot": slot, "hidden": False, "changed": generation}
            for id, slot in zip(ids, slots.tolist(), strict=True)
        ]
        c.execute(insert(schema.vectors), rows)
        values = [
            {"id": id, "name": name, "value": value}
            for id, name, value in {(e.id, name, value) for e in entries for name, value in e.attributes}
        ]
        if values:
            c.execute(insert(schema.vector_attributes), values)
        return replaced

    def free(self, c: Connection, ids: Iterable[int]) -> int:
        """Delete rows; their slots become dirty holes. Returns how many there were."""
        return self._free(c, ids, self.next_generation(c))

    def _free(self, c: Connection, ids: Iterable[int], generation: int) -> int:
        freed = 0
        for part in parts(list(ids)):
            mine = and_(_v.pack == self._pack, _v.id.in_(part))
            slots = list(c.execute(select(_v.slot).where(mine)).scalars())
            if not slots:
                continue
            c.execute(delete(schema.vectors).where(mine))
            holes = [{"pack": self._pack, "slot": slot, "changed": generation, "dirty": True} for slot in slots]
            c.execute(insert(schema.vector_holes), holes)
            freed += len(slots)
        return freed

    def hide(self, c: Connection, ids: Iterable[int]) -> int:
        """Hide visible rows. Returns how many there were."""
        generation = self.next_generation(c)
        done = 0
        for part in parts(list(ids)):
            mine = and_(_v.pack == self._pack, _v.id.in_(part), ~_v.hidden)
            done += c.execute(update(schema.vectors).where(mine).values(hidden=True, changed=generation)).rowcount
        return done

    def tag(self, c: Connection, id: int, name: str, values: frozenset[int]) -> None:
        """Replace an attribute's values, unless the id is unknown or they are these already."""
        row = c.execute(select(_v.id).where(_v.pack == self._pack, _v.id == id, ~_v.hidden)).scalar()
        if row is None or self.values(c, id, name) == values:
            return
        generation = self.next_generation(c)
        c.execute(delete(schema.vector_attributes).where(_a.id == id, _a.name == name))
        if values:
            rows = [{"id": id, "name": name, "value": value} for value in sorted(values)]
            c.execute(insert(schema.vector_attributes), rows)
        c.execute(update(schema.vectors).where(_v.id == id).values(changed=generation))

    def clean(self, c: Connection, slots: Slots) -> None:
        """These slots, all that `dirty` gave, hold no bytes any more."""
        head = self.known_head(c)
        for part in parts([slot for slot in slots.tolist() if slot < head.placed]):
            mine = and_(_h.pack == self._pack, _h.slot.in_(part))
            c.execute(update(schema.vector_holes).where(mine).values(dirty=False))
        fresh = range(head.placed, head.end)
        if fresh:
            holes = [{"pack": self._pack, "slot": slot, "changed": 0, "dirty": False} for slot in fresh]
            c.execute(insert(schema.vector_holes), holes)
            self.put_head(c, replace(head, placed=head.end))

    # Reading.

    def values(self, c: Connection, id: int, name: str) -> frozenset[int]:
        """One attribute of one id."""
        return frozenset(c.execute(select(_a.value).where(_a.id == id, _a.name == name)).scalars())

    def end(self, c: Connection) -> int:
        """One more than the highest slot ever given."""
        return self.known_head(c).end

    def dirty(self, c: Connection) -> list[tuple[int, int]]:
        """Slots that may hold bytes and belong to nobody: (slot, generation in which it was freed, 0 for a new one)."""
        head = self.known_head(c)
        found = c.execute(select(_h.slot, _h.changed).where(_h.pack == self._pack, _h.dirty))
        return [(int(s), int(changed)) for s, changed in found] + [(s, 0) for s in range(head.placed, head.end)]

    def hidden(self, c: Connection) -> list[int]:
        """Ids that were deleted and not yet erased."""
        return list(c.execute(select(_v.id).where(_v.pack == self._pack, _v.hidden)).scalars())

    def ids(self, c: Connection, where: Filter | None = None) -> list[int]:
        """Visible ids, ascending."""
        return list(c.execute(select(_v.id).where(self._visible(where)).order_by(_v.id)).scalars())

    def count(self, c: Connection, where: Filter | None = None) -> int:
        """How many are visible."""
        return int(c.execute(select(func.count()).select_from(schema.vectors).where(self._visible(where))).scalar_one())

    def slots(self, c: Connection, where: Filter | None = None, *, since: int | None = None) -> Slots:
        """Slots of visible rows, of those changed after generation `since`."""
        query = select(_v.slot).where(self._visible(where))
        return _array(c, query if since is None else query.where(_v.changed > since))

    def any_outside(self, c: Connection, where: Filter) -> bool:
        """Whether the filter leaves out a visible row. Cheaper than reading all slots to find that it does not."""
        mine = and_(_v.pack == self._pack, ~_v.hidden, not_(condition(where)))
        return c.execute(select(_v.slot).where(mine).limit(1)).first() is not None

    def changed(self, c: Connection, since: int) -> Slots:
        """Slots that were filled, freed, hidden or tagged after generation `since`."""
        rows = _array(c, select(_v.slot).where(_v.pack == self._pack, _v.changed > since))
        holes = _array(c, select(_h.slot).where(_h.pack == self._pack, _h.changed > since))
        return np.unique(np.concatenate([rows, holes]))

    def all_visible(self, c: Connection) -> Slots:
        """Every visible slot, ascending. Holes and hidden rows are few, so they are read, and not a million rows."""
        there = np.ones(self.known_head(c).placed, np.bool_)
        for query in (
            select(_h.slot).where(_h.pack == self._pack),
            select(_v.slot).where(_v.pack == self._pack, _v.hidden),
        ):
            there[_array(c, query)] = False
        found = np.flatnonzero(there)
        return found if len(found) == self.count(c) else np.sort(self.slots(c))

    def owners(self, c: Connection, slots: Slots) -> NDArray[np.int64]:
        """(n, 3): slot, id and generation of its last change, of the visible ones among these, by slot."""
        # Numbers written out, and past the compiler: to bind or to parse a thousand costs as much as to look them up.
        pack = String().literal_processor(c.dialect)(self._pack)  # type: ignore[no-untyped-call]
        lists = (",".join(map(str, part)) for part in parts(slots.tolist()))
        found = [c.exec_driver_sql(f"{_OWNERS.format(pack)} ({numbers})") for numbers in lists]
        there = np.array([row for result in found for row in _fetched(result)], np.int64).reshape(-1, 3)
        return there[np.argsort(there[:, 0])]

    def slots_of(self, c: Connection, ids: Sequence[int]) -> dict[int, int]:
        """id → slot for the visible ones among these."""
        found: dict[int, int] = {}
        for part in parts(ids):
            query = select(_v.id, _v.slot).where(self._visible(), _v.id.in_(part))
            found.update((id, slot) for id, slot in c.execute(query))
        return found

    def everything(self, c: Connection) -> list[tuple[int, int, bool]]:
        """(id, slot, hidden) of every row, by slot."""
        query = select(_v.id, _v.slot, _v.hidden).where(_v.pack == self._pack).order_by(_v.slot)
        return [(int(id), int(slot), bool(hidden)) for id, slot, hidden in c.execute(query)]

    def holes(self, c: Connection) -> list[tuple[int, bool]]:
        """(slot, dirty) of every hole."""
        query = select(_h.slot, _h.dirty).where(_h.pack == self._pack).order_by(_h.slot)
        return [(int(slot), bool(dirty)) for slot, dirty in c.execute(query)]

    def _visible(self, where: Filter | None = None) -> Any:
        mine = and_(_v.pack == self._pack, ~_v.hidden)
        return mine if where is None else and_(mine, condition(where))


def parts(values: Sequence[T], size: int = 5_000) -> Iterator[Sequence[T]]:
    """Slices that fit into one statement."""
    for begin in range(0, len(values), size):
        yield values[begin : begin + size]


def _array(c: Connection, query: Select[tuple[int]]) -> Slots:
    return np.fromiter((row[0] for row in _fetched(c.execute(query))), np.int64)


def _fetched(result: CursorResult[Any]) -> list[Any]:
    """The driver's own rows: a million of them through the result object take seconds."""
    assert result.cursor is not None
    rows = list(result.cursor.fetchall())
    result.close()
    return rows
