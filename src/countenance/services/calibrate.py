"""Measure how alike strangers look to a pack, and write it down with its uncertainty.

Pairs are taken across folders (nobody is in two of them), and within a folder after the people it repeats have been
clustered away. Every photograph is a probe once and the folder it is compared with is its collection: scores are read
against that background, as a search reads them (`domain.strangers`), and the share of pairs above each z is the rate.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countenance.domain.errors import BadInput, UnreadableImage
from countenance.domain.faces import PIPELINE_VERSION, Vectors
from countenance.domain.strangers import background_of
from countenance.imaging.limits import Limits
from countenance.imaging.reading import read_file
from countenance.services.eyes import EyesConfig
from countenance.services.workers import Seen, Workers
from countenance.store.moments import now

RATES = tuple(10.0**-k for k in np.arange(0.3, 7.01, 0.1))
"""The rates at which the curve is given, as far as the pairs reach."""

BLOCK = 256
LEAST = 100


@dataclass(frozen=True, slots=True)
class PeopleSet:
    """One folder: (n, dimension) unit templates, and who each is of: a number, or -1 where the folder does not say."""

    name: str
    templates: Vectors
    people: NDArray[np.int64]

    @property
    def labelled(self) -> bool:
        """Whether the folder says who is who."""
        return bool((self.people >= 0).all())


def measure(
    config: EyesConfig, pack: str, folders: list[Path], workers: int, progress: Callable[[int, int], None]
) -> dict[str, Any]:
    """The calibration of a pack from folders of different people, as JSON values. Raises BadInput."""
    with Workers(config, workers) as pool:
        sets = [embed_folder(folder, pool, config.limits, progress) for folder in folders]
    return calibrate(pack, sets)


def embed_folder(
    folder: Path, workers: Workers, limits: Limits, progress: Callable[[int, int], None] | None = None
) -> PeopleSet:
    """The largest usable face of every picture below a folder. Subfolders, when there are several, are people.

    Raises BadInput when fewer than LEAST pictures hold a face.
    """
    files = sorted(Path(root) / name for root, _, names in os.walk(folder) for name in names)
    labels = {path: path.relative_to(folder).parts[0] for path in files if path.parent != folder}
    several = len(set(labels.values())) > 1
    numbers: dict[str, int] = {}
    templates: dict[int, Any] = {}

    def take(timeout: float) -> None:
        for number, outcome in workers.collect(timeout):
            faces = [face for face in outcome.faces if face.template is not None] if isinstance(outcome, Seen) else []
            templates[number] = faces[0].template if faces else None

    for number, path in enumerate(files):
        try:
            data = read_file(path, limits)
        except UnreadableImage:
            continue
        while not workers.room:
            take(0.5)
        workers.submit([(number, data)])
        take(0)
        if progress:
            progress(len(templates), len(files))
    while workers.busy:
        take(0.5)
    usable = [number for number in sorted(templates) if templates[number] is not None]
    if len(usable) < LEAST:
        raise BadInput(
            f"{folder.name} has {len(usable)} pictures with a usable face", advice=f"at least {LEAST} are needed"
        )
    people = [
        numbers.setdefault(labels[files[n]], len(numbers)) if several and files[n] in labels else -1 for n in usable
    ]
    return PeopleSet(folder.name, np.stack([templates[n] for n in usable]), np.array(people, dtype=np.int64))


def calibrate(pack: str, sets: list[PeopleSet]) -> dict[str, Any]:
    """The calibration of a pack as JSON values. `sets` hold different people each; at least two are needed.

    Raises BadInput.
    """
    if len(sets) < 2:
        raise BadInput(
            "a calibration needs two folders of different people at least",
            advice="give --impostors twice: pairs are taken across folders, because one folder may repeat people",
        )
    ceiling = _ceiling(sets)
    apart = [_without_shared(one, [other for other in sets if other is not one], ceiling) for one in sets]
    shared = sum(len(one.templates) - len(small.templates) for one, small in zip(sets, apart, strict=True))
    kept = [_without_repeats(one, ceiling) for one in apart]
    pairs = _Pairs(doubtful=shared)
    for i, probes in enumerate(kept):
        for j, gallery in enumerate(kept):
            # Labels of people can be wrong (one person under two spellings), so a labelled folder is only ever compared
            # with others; an unlabelled one has had its repeated people taken away.
            if i != j or not probes.labelled:
                pairs.add(probes.templates, gallery.templates, same=i == j)
    curve = pairs.curve()
    return {
        "pack": pack,
        "pipeline": PIPELINE_VERSION,
        "date": now().date().isoformat(),
        "method": _METHOD,
        "photographs": sum(len(one.templates) for one in kept),
        "people": sum(_count_people(one) for one in kept),
        "pairs": pairs.count // 2,
        "sets": [
            {
                "name": one.name,
                "photographs": len(one.templates),
                "people": _count_people(small),
                "repeats_removed": len(one.templates) - len(small.templates),
            }
            for one, small in zip(sets, kept, strict=True)
        ],
        "same_person_above": round(ceiling, 4),
        "doubtful": {"photographs": shared, "counted_in": "high"},
        "background": pairs.typical(),
        "curve": curve,
    }


def _ceiling(sets: list[PeopleSet]) -> float:
    """Above this cosine two photographs are taken for one person's: one pair in a million across folders reaches it.

    A few of the pairs across folders are of one person all the same (a statesman among strangers' albums), which is why
    it is not the highest.
    """
    across = np.concatenate([(a.templates @ b.templates.T).ravel() for i, a in enumerate(sets) for b in sets[i + 1 :]])
    rank = max(1, round(len(across) * 1e-6))
    return float(np.partition(across, len(across) - rank)[len(across) - rank])


def _without_shared(one: PeopleSet, others: list[PeopleSet], ceiling: float) -> PeopleSet:
    """An unlabelled set without the photographs of people who are in another set too."""
    if one.labelled:
        return one
    keep = np.ones(len(one.templates), dtype=bool)
    for other in others:
        keep &= (one.templates @ other.templates.T).max(axis=1) < ceiling
    return PeopleSet(one.name, one.templates[keep], one.people[keep])


def _without_repeats(one: PeopleSet, ceiling: float) -> PeopleSet:
    """An unlabelled set with one photograph of each person.

    What lies just below the ceiling stays in, doubtful: it makes the rates higher, never lower.
    """
    if one.labelled:
        return one
    keep = np.ones(len(one.templates), dtype=bool)
    for i in range(len(keep)):
        if keep[i]:
            later = one.templates[i + 1 :] @ one.templates[i] > ceiling
            keep[i + 1 :] &= ~later
    return PeopleSet(one.name, one.templates[keep], one.people[keep])


def _count_people(one: PeopleSet) -> int:
    return len(np.unique(one.people)) if one.labelled else len(one.templates)


class _Pairs:
    """Standardised impostor scores of blocks of pairs, with what their interval needs."""

    def __init__(self, *, doubtful: int) -> None:
        """`doubtful` photographs were left out as another's, and may have been strangers after all: the upper bounds
        count one error for each."""
        self.count = 0
        self._doubtful = doubtful
        self._scores: list[NDArray[np.float32]] = []
        self._means: list[float] = []
        self._deviations: list[float] = []

    def add(self, probes: Vectors, gallery: Vectors, *, same: bool) -> None:
        table = np.empty((len(probes), len(gallery) - same), dtype=np.float32)
        for row, scores in enumerate(_rows(probes, gallery)):
            others = np.delete(scores, row) if same else scores
            background = background_of(others)
            self._means.append(background.mean)
            self._deviations.append(background.deviation)
            table[row] = (others - background.mean) / background.deviation
        self._scores.append(table)
        self.count += table.size

    def typical(self) -> dict[str, float]:
        """The pack's typical background."""
        return {
            "mean": round(float(np.mean(self._means)), 5),
            "deviation": round(float(np.sqrt(np.mean(np.square(self._deviations)))), 5),
        }

    def curve(self) -> list[list[float]]:
        """Rows of z, FMR, low, high, down to the highest score measured."""
        everything = np.sort(np.concatenate([table.ravel() for table in self._scores]))[::-1]
        ranks = sorted({max(1, round(rate * self.count)) for rate in RATES if rate * self.count >= 1} | {1})
        points = []
        for rank in reversed(ranks):
            z = float(everything[rank - 1])
            low, high = self._interval(z, rank)
            points.append([round(z, 4), _round(rank / self.count), _round(low), _round(high)])
        distinct = [point for n, point in enumerate(points) if n == 0 or point[0] > points[n - 1][0]]
        return _monotone(distinct)

    def _interval(self, z: float, k: int) -> tuple[float, float]:
        """95 % interval of a rate whose pairs share people.

        Errors gather on people who look like many others, so k errors are worth fewer: the variance of the share is
        that of a two-way layout (Owen, "The pigeonhole bootstrap", 2007: rows plus columns minus cells), and Byar's
        approximation to the Poisson limits is taken at the number of errors that would be as uncertain.
        """
        rows = columns = 0.0
        for table in self._scores:
            above = table >= z
            share = k / self.count
            rows += float(np.square(above.sum(axis=1) - share * table.shape[1]).sum())
            columns += float(np.square(above.sum(axis=0) - share * table.shape[0]).sum())
        # Every pair is looked at from both sides, so two of them are worth one at most.
        inflation = 2 * max(1.0, (rows + columns - k) / k)
        worth = k / inflation
        most = worth + self._doubtful
        low = worth * max(0.0, 1 - 1 / (9 * worth) - 1.96 / (3 * worth**0.5)) ** 3
        high = (most + 1) * (1 - 1 / (9 * (most + 1)) + 1.96 / (3 * (most + 1) ** 0.5)) ** 3
        return low * inflation / self.count, min(1.0, high * inflation / self.count)


def _rows(probes: Vectors, gallery: Vectors) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(probes), BLOCK):
        yield from probes[start : start + BLOCK] @ gallery.T


def _monotone(points: list[list[float]]) -> list[list[float]]:
    """A bound further out is never looser than one further in."""
    for before, after in pairwise(points):
        after[3] = min(after[3], before[3])
        after[2] = min(after[2], before[2])
    return points


def _round(rate: float) -> float:
    return float(f"{rate:.4g}")


_METHOD = (
    "impostor pairs across folders, and within unlabelled folders after people they repeat were clustered away; "
    "scores standardised by each probe's background in the folder it is compared with; 95 % intervals for pairs that "
    "share people"
)
