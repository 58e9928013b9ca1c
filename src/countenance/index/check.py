"""Hold rows, vector file and codes against one another, and say in words what does not fit."""

from __future__ import annotations

from collections import Counter

import numpy as np
from sqlalchemy import Connection

from countenance.index.codes import Codes
from countenance.index.rows import Rows
from countenance.index.scan import exact
from countenance.index.vectors import VectorFile, checksums

SPOT = 256
"""Templates whose codes are asked for."""


def rows_and_file(c: Connection, rows: Rows, file: VectorFile) -> list[str]:
    """Every row against its slot, every slot against its row."""
    faults: list[str] = []
    everything = rows.everything(c)
    holes = rows.holes(c)
    owner = {slot: id for id, slot, _ in everything}
    free = {slot for slot, _ in holes}
    hidden = sum(1 for _, _, is_hidden in everything if is_hidden)
    if hidden:
        faults.append(f"{hidden} deleted templates are not erased yet")
    if dirty := sum(1 for _, is_dirty in holes if is_dirty):
        faults.append(f"{dirty} emptied slots are not overwritten yet")
    if both := len(owner.keys() & free):
        faults.append(f"{both} slots are taken and free at once")
    if lost := rows.end(c) - len(owner.keys() | free):
        faults.append(f"{lost} slots are neither taken nor free")
    if beyond := sum(1 for slot in owner if slot >= file.capacity):
        faults.append(f"{beyond} rows point beyond the end of the vector file")
    wrong: Counter[str] = Counter()
    for slots, records in file.chunks():
        sums = checksums(records, slots)
        raw = records.view(np.uint8).reshape(len(slots), -1)
        full = np.asarray(raw.any(axis=1))
        norms = np.linalg.norm(records["vector"].astype(np.float32), axis=1)
        for i, slot in enumerate(slots.tolist()):
            id = owner.get(slot)
            if id is None:
                wrong["unowned"] += bool(full[i])
            elif sums[i] != records["crc"][i] or not abs(norms[i] - 1) < 1e-2:
                wrong["damaged"] += 1
            elif records["id"][i] != id:
                wrong["foreign"] += 1
    words = {
        "unowned": "free slots hold bytes",
        "damaged": "templates are damaged",
        "foreign": "templates belong to another id than their row says",
    }
    return faults + [f"{wrong[kind]} {text}" for kind, text in words.items() if wrong[kind]]


def codes(c: Connection, rows: Rows, file: VectorFile, codes: Codes, generation: int) -> list[str]:
    """Which slots the codes cover, and, for some, that each finds its own template."""
    held, there = codes.slots(), rows.all_visible(c)
    if not np.array_equal(held, there):
        return [f"the codes cover {len(held)} templates at generation {generation}, the rows {len(there)}"]
    if len(there) == 0:
        return []
    rng = np.random.default_rng(len(there))
    missed = 0
    for slot in rng.choice(there, min(SPOT, len(there)), replace=False).tolist():
        only = np.zeros(int(there.max()) + 1, np.bool_)
        only[slot] = True
        place = np.array([slot], np.int64)
        probe = file.read(place)[0]
        scores, slots = codes.candidates(probe, 1, only)
        true, _ = exact(file, place, probe)
        missed += len(slots) != 1 or abs(float(scores[0]) - float(true[0])) > codes.margin
    return [f"{missed} of the codes that were tried are wrong"] if missed else []
