"""What the proxy-log analyser finds beside what truly happened, in every format and view of simulated worlds.

    python -m benchmarks.proxylog_matrix --seeds 1 2 3 4 5 --out benchmarks/results/proxylog-matrix.json

Prints the tables of `docs/proxylog/measured.md` and writes them there, between its two marks (`--page` names another
page, `--page -` none). Ends with 1 when a wanted figure is missed. Runs for about a minute; no network, no GPU.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.proxysim.analysing import analysed
from tools.proxysim.scenarios import SCENARIOS
from tools.proxysim.scoring import CLAIMS, NOT_SEEN, ORDER, Score, ceiling_of, scored
from tools.proxysim.views import View
from tools.proxysim.world import World
from tools.proxysim.writers import FORMATS
from tools.proxysim.writers.product import Ceiling, Product

PAGE = Path(__file__).parent.parent / "docs" / "proxylog" / "measured.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
CLASSES = [str(name) for name in ORDER]
SUBMITTED, VIEWED = "SEARCH_SUBMITTED", "RESULTS_VIEWED"
WANTED = {"precision": 0.99, "recall": 0.98}
CEILINGS: tuple[Ceiling, ...] = ("V0", "V1", "V2", "V3", "V4")
SAYS = {
    "V0": "names looked up",
    "V1": "hosts, nothing else",
    "V2": "hosts and bytes",
    "V3": "method, path and status",
    "V4": "these, and names of files",
}


@dataclass(slots=True)
class Cell:
    """One format in one view, all seeds together."""

    name: str
    view: View
    ceiling: Ceiling
    lines: int = 0
    rejected: int = 0
    sessions: int = 0
    searches: int = 0
    at_least: int = 0
    at_most: int = 0
    claimed: int = 0
    outside: list[str] = field(default_factory=list)

    def add(self, world: World, score: Score, lines: int, rejected: int, sessions: int) -> None:
        self.lines += lines
        self.rejected += rejected
        self.sessions += sessions
        self.searches += score.searches
        self.at_least += score.bounds[0]
        self.at_most += score.bounds[1]
        self.claimed += score.claimed
        self.outside += [f"seed {world.seed}, {where}" for where in score.outside]


@dataclass(slots=True)
class Rate:
    """So many of so many."""

    of: int = 0
    right: int = 0

    def add(self, right: bool) -> None:
        self.of += 1
        self.right += right

    def as_json(self) -> dict[str, Any]:
        return {"of": self.of, "right": self.right, "value": self.right / self.of if self.of else None}


@dataclass(slots=True)
class Matrix:
    """Everything that was counted."""

    cells: dict[tuple[str, View], Cell] = field(default_factory=dict)
    confusion: dict[Ceiling, Counter[tuple[str, str]]] = field(default_factory=lambda: {c: Counter() for c in CEILINGS})
    precision: dict[str, Rate] = field(default_factory=lambda: {SUBMITTED: Rate(), VIEWED: Rate()})
    recall: dict[str, Rate] = field(default_factory=lambda: {SUBMITTED: Rate(), VIEWED: Rate()})
    recall_of_all: dict[str, Rate] = field(default_factory=lambda: {SUBMITTED: Rate(), VIEWED: Rate()})
    claims: Rate = field(default_factory=Rate)
    uploads_missed: Rate = field(default_factory=Rate)
    visits_taken: Rate = field(default_factory=Rate)
    claimed_below: int = 0

    def add(self, world: World, product: Product, view: View) -> None:
        """Measure one world in one format and view."""
        found = analysed(world, product, view)
        score = scored(world, product, view, found.sessions)
        cell = self.cells.setdefault((product.name, view), Cell(product.name, view, product.shows[view]))
        cell.add(world, score, found.lines, len(found.rejected), len(found.sessions))
        self.count(score, product, view)

    def count(self, score: Score, product: Product, view: View) -> None:
        """Add what was found of one world."""
        for pair in score.pairs:
            ceiling = ceiling_of(pair, product, view)
            self.confusion[ceiling][pair.truth, str(pair.found)] += 1
            claim = pair.found in CLAIMS or any(one.searches.at_least for one in pair.sessions)
            if ceiling in ("V0", "V1"):
                self.claimed_below += claim
            elif ceiling == "V2":
                self._by_bytes(pair.truth, str(pair.found))
            else:
                self._by_requests(pair.truth, str(pair.found), pair.told)
                if claim:
                    self.claims.add(pair.truth in (SUBMITTED, VIEWED))

    def _by_bytes(self, truth: str, found: str) -> None:
        if truth in ("UPLOAD", "OPT_OUT", SUBMITTED):
            self.uploads_missed.add(found != "UPLOAD")
        elif truth == "VISIT":
            self.visits_taken.add(found == "UPLOAD")

    def _by_requests(self, truth: str, found: str, told: bool) -> None:
        if found in self.precision:
            self.precision[found].add(truth == found)
        if truth in self.recall:
            self.recall_of_all[truth].add(truth == found)
            if told:
                self.recall[truth].add(truth == found)

    def faults(self) -> Iterator[str]:
        """Wanted figures that were missed, in words."""
        for wanted, rates in (("precision", self.precision), ("recall", self.recall)):
            for name, rate in rates.items():
                if not rate.of or rate.right < WANTED[wanted] * rate.of:
                    yield f"{wanted} of {name} is {_share(rate)}; wanted is {WANTED[wanted]} or more"
        if self.claimed_below:
            yield f"{self.claimed_below} searches were claimed where a log shows hosts alone"
        for cell in self.cells.values():
            if cell.rejected:
                yield f"{cell.name}, {cell.view}: {cell.rejected} lines were rejected"
            yield from (f"{cell.name}, {cell.view}: {where}" for where in cell.outside)

    def as_json(self) -> dict[str, Any]:
        """The figures, for `--out`."""
        return {
            "measure": "proxy-log matrix",
            "precision": {name: rate.as_json() for name, rate in self.precision.items()},
            "recall": {name: rate.as_json() for name, rate in self.recall.items()},
            "recall_of_all_sites": {name: rate.as_json() for name, rate in self.recall_of_all.items()},
            "claims_that_are_searches": self.claims.as_json(),
            "claimed_at_v0_v1": self.claimed_below,
            "by_bytes": {
                "uploads_missed": self.uploads_missed.as_json(),
                "visits_taken_for_uploads": self.visits_taken.as_json(),
            },
            "confusion": {
                ceiling: [{"true": true, "found": found, "count": n} for (true, found), n in sorted(counts.items())]
                for ceiling, counts in self.confusion.items()
            },
            "cells": [
                {name: getattr(cell, name) for name in Cell.__dataclass_fields__} for cell in self.cells.values()
            ],
            "faults": list(self.faults()),
        }


def measured(worlds: Iterable[World], products: Sequence[Product]) -> Matrix:
    """Every world in every format and view."""
    matrix = Matrix()
    for world in worlds:
        for product in products:
            for view in product.shows:
                matrix.add(world, product, view)
    return matrix


def hits(seeds: Sequence[int]) -> list[dict[str, Any]]:
    """The 2,337 hits, for each seed, in the one format and view in which there are so many."""
    rows = []
    for seed in seeds:
        world = SCENARIOS["hits-2337"](seed)
        found = analysed(world, FORMATS["squid"], "mixed")
        score = scored(world, FORMATS["squid"], "mixed", found.sessions)
        open_ones = [one for one in found.sessions if one.searches.at_least != one.searches.at_most]
        rows.append(
            {
                "seed": seed,
                "hits": found.requests,
                "sessions": len(found.sessions),
                "users": len({one.who for one in found.sessions}),
                "at_least": score.bounds[0],
                "true": score.searches,
                "at_most": score.bounds[1],
                "hits_that_cannot_be_told": sum(one.requests for one in open_ones),
                "outside": score.outside,
            }
        )
    return rows


def markdown(matrix: Matrix, many: list[dict[str, Any]], seeds: Sequence[int], scenario: str) -> str:
    """The tables of the page."""
    parts = [f"Scenario `{scenario}`, seeds {', '.join(map(str, seeds))}, {len(matrix.cells)} formats and views."]
    parts += ["## What was wanted", _wanted(matrix, many)]
    parts += ["## True class and class found", _tables(matrix)]
    parts += ["## Formats and views", _formats(matrix)]
    parts += ["## The 2,337 hits", _hits(many)]
    return "\n\n".join(parts)


def _wanted(matrix: Matrix, many: list[dict[str, Any]]) -> str:
    rows = ["| measure | result | wanted |", "| --- | --- | --- |"]
    for wanted, rates in (("precision", matrix.precision), ("recall", matrix.recall)):
        rows += [f"| {wanted} of {name}, V3 and V4 | {_share(r)} | ≥ {WANTED[wanted]} |" for name, r in rates.items()]
    for name, rate in matrix.recall_of_all.items():
        rows.append(f"| recall of {name}, V3 and V4, sites whose requests do not tell included | {_share(rate)} | |")
    rows.append(f"| sessions said to hold a search that truly hold one, V3 and V4 | {_share(matrix.claims)} | |")
    rows.append(f"| searches claimed at V0 and V1 | {matrix.claimed_below} | 0 |")
    outside = sum(len(cell.outside) for cell in matrix.cells.values()) + sum(len(one["outside"]) for one in many)
    rows.append(f"| desks and totals whose bounds miss the truth | {outside} | 0 |")
    rows.append(f"| lines rejected | {sum(cell.rejected for cell in matrix.cells.values())} | 0 |")
    rows.append(f"| uploads that bytes alone missed, V2 | {_share(matrix.uploads_missed)} | |")
    rows.append(f"| visits that bytes alone took for uploads, V2 | {_share(matrix.visits_taken)} | |")
    return "\n".join(rows)


def _tables(matrix: Matrix) -> str:
    blocks = []
    for ceiling, counts in matrix.confusion.items():
        found = [name for name in (*CLASSES, NOT_SEEN) if any(got == name for _, got in counts)]
        true = [name for name in (*CLASSES, "(no act)") if any(name == was for was, _ in counts)]
        rows = [f"**{ceiling}**, {SAYS[ceiling]}:", ""]
        rows += [f"| truly ↓, found → | {' | '.join(found)} |", "| --- |" + " ---: |" * len(found)]
        rows += [f"| {was} | {' | '.join(str(counts[was, got] or '') for got in found)} |" for was in true]
        blocks.append("\n".join(rows))
    return "\n\n".join(blocks)


def _formats(matrix: Matrix) -> str:
    rows = [
        "| format | view | ceiling | lines | sessions | true searches | at least | at most | truth inside |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for cell in matrix.cells.values():
        inside = "no" if cell.outside else "yes"
        rows.append(
            f"| {cell.name} | {cell.view} | {cell.ceiling} | {cell.lines:,} | {cell.sessions:,} | {cell.searches} "
            f"| {cell.at_least} | {cell.at_most:,} | {inside} |"
        )
    return "\n".join(rows)


def _hits(many: list[dict[str, Any]]) -> str:
    rows = [
        "| seed | hits | sessions | users | at least | truly | at most | hits that cannot be told |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    names = ("seed", "hits", "sessions", "users", "at_least", "true", "at_most", "hits_that_cannot_be_told")
    rows += [f"| {' | '.join(f'{one[name]:,}' for name in names)} |" for one in many]
    return "\n".join(rows)


def _share(rate: Rate) -> str:
    return f"{rate.right / rate.of:.4f} ({rate.right:,} of {rate.of:,})" if rate.of else "none"


def main() -> int:
    """Measure, print, write. 1 when a wanted figure is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.proxylog_matrix", description=__doc__)
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), default="small")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--formats", choices=sorted(FORMATS), nargs="+", default=list(FORMATS))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--page", default=str(PAGE))
    asked = parser.parse_args()
    worlds = (SCENARIOS[asked.scenario](seed) for seed in asked.seeds)
    matrix = measured(worlds, [FORMATS[name] for name in asked.formats])
    many = hits(asked.seeds)
    text = markdown(matrix, many, asked.seeds, asked.scenario)
    print(text)
    faults = [*matrix.faults(), *(f"2,337 hits, seed {one['seed']}: {w}" for one in many for w in one["outside"])]
    if asked.out:
        told = matrix.as_json() | {"hits_2337": many, "scenario": asked.scenario, "seeds": asked.seeds}
        asked.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    if asked.page != "-":
        page = Path(asked.page)
        before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
        page.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    print("\n".join(faults), file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
