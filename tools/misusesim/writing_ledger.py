"""Write years as a real ledger: to be read, verified and weighed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from countenance.ledger import seal
from countenance.ledger.draft import Draft
from countenance.ledger.log import Ledger
from countenance.ledger.note import Signer
from tools.misusesim.organisation import DAYS, START
from tools.misusesim.stage import Happening
from tools.misusesim.year import play

ORIGIN = "countenance/simulated"
FEW = 20_000
"""Up to so many entries each has its own time; in a larger ledger MANY at a time share one, and one sync."""

MANY = 256


def write_ledger(folder: Path, entries: int, seed: int) -> dict[str, Any]:
    """A ledger of exactly so many entries of the simulator's mix, the years of `seed`, `seed` + 1 … one after another.

    Sealed parts are sealed under keys that are thrown away. Returns its size in bytes and its key.
    """
    signer = Signer.generate(ORIGIN)
    now = [START]
    step = 1 if entries <= FEW else MANY
    with Ledger.open(folder, signer, origin=ORIGIN, clock=lambda: now[0]) as ledger:
        waiting: list[Draft] = []
        for one in _years(entries, seed):
            if not waiting:
                now[0] = one.at
            waiting.append(draft(one))
            if len(waiting) == step:
                ledger.append_many(waiting)
                waiting = []
        ledger.append_many(waiting)
        size = ledger.size
    used = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return {"entries": size, "bytes": used, "bytes_an_entry": round(used / size), "key": signer.verifier.text}


def draft(one: Happening) -> Draft:
    """A happening as the product would enter it, sealed parts included."""
    sealed = []
    if one.kind == "search.started":
        value: Any = {"photographs": [{"format": "jpg", "aspect": 0.75, "size": "medium", "share": 0.1}]}
        sealed.append((one.body["item"], value))
    if one.kind == "search.shown":
        where = {"source": "custody", "page": "file:///album/12/345.jpg", "image": "file:///album/12/345.jpg"}
        value = {"rank": 1, "likeness": 0.6, "expected_strangers": {"low": 0.0, "value": 0.01, "high": 0.1}}
        sealed += [(name, value | where | {"box": [1, 2, 30, 40]}) for group in one.body["groups"] for name in group]
    items = [seal.seal(seal.ItemKey(name, os.urandom(32)), one.kind.encode(), value) for name, value in sealed]
    return Draft(one.kind, {"authenticated": one.who, "stated": None}, one.body | {"via": "page"}, items)


def _years(entries: int, seed: int) -> Iterator[Happening]:
    left, years = entries, 0
    while left > 0:
        year = play(seed + years)
        later = timedelta(days=DAYS * years)
        yield from (replace(one, at=one.at + later) for one in year.happenings[:left])
        left -= len(year.happenings)
        years += 1
