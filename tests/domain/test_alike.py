"""Which probes are of one face: labels out of measured strangers."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import countenance
from countenance.domain.alike import NOT_MEASURED, TOO_MANY, Sameness, label_faces
from countenance.domain.strangers import NO_CALIBRATION, Calibration

SHIPPED = Path(countenance.__file__).parent / "faces" / "shipped" / "open" / "calibration.json"
OPEN = Calibration.from_json(json.loads(SHIPPED.read_text(encoding="utf-8")))
DIMENSION = round(1 / OPEN.deviation**2)
"""So that strangers' cosines spread as the pack's do."""


def people(count: int, each: int, noise: float = 0.6, seed: int = 1) -> tuple[list[str], np.ndarray, np.ndarray]:
    """(ids, unit templates, who each is): photographs of one person have cosines of about 1 / (1 + noise²)."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(count), each)
    raw = rng.standard_normal((count, DIMENSION))[who] + noise * rng.standard_normal((count * each, DIMENSION))
    unit = raw / np.linalg.norm(raw, axis=1, keepdims=True)
    return [f"S-{n}" for n in range(len(who))], unit.astype(np.float32), who


def one_case(ids: list[str]) -> dict[str, str]:
    return dict.fromkeys(ids, "C-1")


def test_one_face_has_one_label_and_strangers_have_others() -> None:
    ids, templates, who = people(60, 5)
    found = label_faces(ids, templates, {id: f"C-{n // 30}" for n, id in enumerate(ids)}, OPEN, Sameness())
    pairs = {(int(w), found.alike[id]) for id, w in zip(ids, who, strict=True)}
    assert len(pairs) - len({label for _, label in pairs}) <= 2, "hardly a label spans two people"
    assert len(pairs) <= 66, "hardly a person has two labels"


def test_in_a_case_there_are_at_most_as_many_labels_as_people() -> None:
    """A lower bound, which chains make weak in very large cases, and hardly ever wrong."""
    counts = []
    for seed in range(20):
        ids, templates, _ = people(6, 3, seed=seed)
        counts.append(len(set(label_faces(ids, templates, one_case(ids), OPEN, Sameness()).apart.values())))
    assert max(counts) <= 6
    assert sorted(counts)[10] >= 5


def test_a_pair_that_nobody_can_tell_is_neither_alike_nor_apart() -> None:
    """Cosine 0.33: beyond what strangers often reach, short of what hardly any does."""
    ids, templates, _ = people(200, 1)
    mixed = 0.33 * templates[0] + np.sqrt(1 - 0.33**2) * _across(templates[0], templates[1])
    found = label_faces(
        [*ids, "S-x"], np.vstack([templates, mixed]).astype(np.float32), one_case([*ids, "S-x"]), OPEN, Sameness()
    )
    assert found.alike["S-x"] != found.alike["S-0"]
    assert found.apart["S-x"] == found.apart["S-0"]


def _across(along: np.ndarray, other: np.ndarray) -> np.ndarray:
    rest = other - (other @ along) * along
    return np.asarray(rest / np.linalg.norm(rest))


def test_cases_are_told_apart_each_for_itself() -> None:
    ids, templates, _ = people(4, 1)
    cases = dict(zip(ids, ("C-1", "C-1", "C-2", "C-2"), strict=True))
    found = label_faces(ids, templates, cases, OPEN, Sameness())
    assert sorted(found.apart.values()) == [0, 0, 1, 1]


def test_without_measured_strangers_nothing_is_said() -> None:
    ids, templates, _ = people(4, 2)
    found = label_faces(ids, templates, one_case(ids), NO_CALIBRATION, Sameness())
    assert (found.alike, found.apart, found.why_none) == ({}, {}, NOT_MEASURED)


def test_more_probes_than_can_be_told_apart() -> None:
    ids, templates, _ = people(30, 2)
    little = replace(OPEN, high=tuple(max(rate, 1e-3) for rate in OPEN.high))
    found = label_faces(ids, templates, one_case(ids), little, Sameness())
    assert (found.alike, found.why_none) == ({}, TOO_MANY)
    assert found.apart


def test_order_gives_the_same_groups() -> None:
    ids, templates, _ = people(20, 3)
    order = np.random.default_rng(3).permutation(len(ids))
    plain = label_faces(ids, templates, one_case(ids), OPEN, Sameness())
    mixed = label_faces([ids[n] for n in order], templates[order], one_case(ids), OPEN, Sameness())

    def groups(labels: dict[str, int]) -> set[frozenset[str]]:
        return {frozenset(id for id in labels if labels[id] == label) for label in labels.values()}

    assert groups(plain.alike) == groups(mixed.alike)
    assert groups(plain.apart) == groups(mixed.apart)


def test_thousands_under_one_case_take_seconds() -> None:
    ids, templates, _ = people(1000, 4)
    began = time.perf_counter()
    label_faces(ids, templates, one_case(ids), OPEN, Sameness())
    assert time.perf_counter() - began < 20


def test_nothing_of_nothing() -> None:
    with pytest.raises(KeyError):
        label_faces([], np.zeros((0, 1), np.float32), {}, OPEN, Sameness()).alike["S-1"]
