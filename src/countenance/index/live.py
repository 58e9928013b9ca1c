"""What can be found at this moment, in memory: the codes, as of one generation, and the filters' answers.

Before every search it is brought up to the generation that the search's read transaction sees, by reading only the rows
that changed. Not safe for several threads; `EmbeddedIndex` holds a lock around it.
"""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from sqlalchemy import Connection

from countenance.domain.index import Filter
from countenance.index.codes import Allowed, Codes, Engine, empty
from countenance.index.rows import Head, Rows
from countenance.index.sidecar import Sidecar, Stamp
from countenance.index.turbo import CALIBRATION, TurboCodes
from countenance.index.vectors import CHUNK, Slots, VectorFile

FILTERS = 32
"""Filters whose answers are kept."""

DRIFT = 1.05
"""The codes' error is measured again when there are this many times more templates."""

WORSE = 1.5
"""Codes are made anew, with a new calibration, when their error has grown by this factor."""


ENOUGH = 1_024
"""Fewer templates than this do not describe a distribution: the quantiser keeps its own."""


class Live:
    """The codes of one pack, at `generation`."""

    def __init__(self, rows: Rows, file: VectorFile, sidecar: Sidecar, engine: Engine, few: int) -> None:
        self._rows = rows
        self._file = file
        self._sidecar = sidecar
        self._engine: Engine = engine
        self._few = few
        self._masks: OrderedDict[Filter, tuple[int, Allowed | None]] = OrderedDict()
        self._calibrated = 0.0
        self.codes: Codes | None = None
        self.generation = -1
        self.unsaved = False
        """Whether the sidecar is missing, or far enough behind that it is worth writing."""

    def catch_up(self, c: Connection, head: Head) -> Codes:
        """Bring the codes to this generation."""
        if self.codes is None:
            self._start(c, head)
        if self.codes is not None and self.generation != head.generation:
            self._apply(c)
            self.generation = head.generation
        if self.codes is None or (self.codes.engine != self._engine and len(self.codes) > self._few):
            self._build(c)
            self.generation = head.generation
        return self.codes  # type: ignore[return-value]

    def forget(self) -> None:
        """Drop everything, to be made again from the rows and the file."""
        self.codes = None
        self._masks.clear()

    def stamp(self) -> Stamp:
        """What the codes were made from."""
        header = self._file.header
        return Stamp(header.file_id, header.key_id, header.dimension, self.generation)

    def allowed(self, c: Connection, where: Filter | None) -> tuple[Allowed | None, int]:
        """Which slots the filter lets through at this generation, None for all, and how many."""
        total = len(self.codes or ())
        if where is None:
            return None, total
        known = self._masks.get(where)
        if known is None or known[0] != self.generation:
            mask = self._answer(c, where) if known is None else self._answer_again(c, where, *known)
            self._masks[where] = known = (self.generation, mask)
        self._masks.move_to_end(where)
        if len(self._masks) > FILTERS:
            self._masks.popitem(last=False)
        mask = known[1]
        return mask, total if mask is None else int(mask.sum())

    def _answer(self, c: Connection, where: Filter) -> Allowed | None:
        if not self._rows.any_outside(c, where):
            return None
        mask = np.zeros(self._rows.end(c), np.bool_)
        mask[self._rows.slots(c, where)] = True
        return mask

    def _answer_again(self, c: Connection, where: Filter, since: int, old: Allowed | None) -> Allowed | None:
        """Only what changed since then is asked for."""
        there = self._rows.slots(c, where, since=since)
        if old is None:
            return None if len(there) == len(self._rows.slots(c, since=since)) else self._answer(c, where)
        mask = np.zeros(self._rows.end(c), np.bool_)
        mask[: len(old)] = old
        mask[self._rows.changed(c, since)] = False
        mask[there] = True
        return mask

    def _start(self, c: Connection, head: Head) -> None:
        header = self._file.header
        if self._engine != "turbovec":
            return
        found = self._sidecar.load(Stamp(header.file_id, header.key_id, header.dimension, head.generation))
        if found is None:
            return
        codes, self.generation = found
        self.codes = codes
        self._calibrated = codes.margin
        self._apply(c)
        self.generation = head.generation
        if not np.array_equal(codes.slots(), self._rows.all_visible(c)):
            # Rows that came and went without a generation, as when a database is put back beside a newer sidecar.
            self.forget()

    def _apply(self, c: Connection) -> None:
        assert self.codes is not None
        changed = self._rows.changed(c, self.generation)
        if len(changed) == 0:
            return
        there = np.sort(self._rows.slots(c, since=self.generation))
        # A slot may have changed hands in between, so what changed is always encoded again.
        self.codes.remove(changed)
        for begin in range(0, len(there), CHUNK):
            part = there[begin : begin + CHUNK]
            self.codes.add(part, self._file.read(part))
        self.unsaved |= self._engine == "turbovec" and len(changed) >= 1_000
        if isinstance(self.codes, TurboCodes) and len(self.codes) > DRIFT * self.codes.error.count:
            self.codes.measure(self._file.read)
            if self.codes.margin > WORSE * self._calibrated:
                self.forget()

    def _build(self, c: Connection) -> None:
        slots = self._rows.all_visible(c)
        engine: Engine = self._engine if len(slots) > self._few else "exact"
        codes = empty(engine, self._file.header.dimension)
        if isinstance(codes, TurboCodes):
            self._calibrate(codes, slots)
        for begin in range(0, len(slots), CHUNK):
            part = slots[begin : begin + CHUNK]
            codes.add(part, self._file.read(part))
        if isinstance(codes, TurboCodes):
            codes.settle()
            codes.measure(self._file.read)
            self._calibrated = codes.margin
            self.unsaved = True
        self.codes = codes

    def _calibrate(self, codes: TurboCodes, slots: Slots) -> None:
        if len(slots) < ENOUGH:
            return
        rng = np.random.default_rng(len(slots))
        sample = np.sort(rng.choice(slots, min(CALIBRATION, len(slots)), replace=False))
        codes.calibrate(self._file.read(sample))
