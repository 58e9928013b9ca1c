"""The background that a search is read against."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from countenance.domain.index import Entry
from countenance.domain.permits import Permit
from countenance.domain.strangers import COHORT, background_of
from countenance.index.embedded import EmbeddedIndex
from countenance.store.database import Database

DIMENSION = 64


def _unit(rng: np.random.Generator, n: int) -> np.ndarray:
    v = rng.standard_normal((n, DIMENSION)).astype(np.float32)
    return v / np.linalg.norm(v, axis=1, keepdims=True)


def _search(index: EmbeddedIndex, probe: np.ndarray, sources: set[int]):
    permit = Permit(authority="A", search="S", probes=probe, sources=sources)
    return index.search(permit, probe, min_score=0.9, limit=10).background


def test_a_background_is_of_the_searched_sources_and_follows_what_is_added_erased_and_rotated(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    database = Database.open(tmp_path / "rows.db")
    index = EmbeddedIndex.open(
        database, tmp_path / "vectors", pack="p", pipeline=1, dimension=DIMENSION, key_id="k" * 16
    )
    near, far = _unit(rng, 300), _unit(rng, 300)
    near[:, 0] += 1.0  # one source whose faces all look somewhat alike
    near /= np.linalg.norm(near, axis=1, keepdims=True)
    index.add([Entry(n, (("source", 1),)) for n in range(1, 301)], near)
    index.add([Entry(n, (("source", 2),)) for n in range(301, 601)], far)
    probe = np.zeros((1, DIMENSION), np.float32)
    probe[0, 0] = 1.0

    one, two, both = _search(index, probe, {1}), _search(index, probe, {2}), _search(index, probe, {1, 2})
    exact = background_of(near.astype(np.float16).astype(np.float32) @ probe[0])
    assert one.mean == pytest.approx(exact.mean, abs=1e-3)
    assert one.deviation == pytest.approx(exact.deviation, abs=1e-3)
    assert two.mean < 0.1 < both.mean < one.mean

    index.erase(range(1, 301))
    assert _search(index, probe, {1}).count == 0
    assert _search(index, probe, {1, 2}).mean == pytest.approx(two.mean, abs=1e-6)

    # Rotated templates and a rotated probe have the background they had: no sample of the old key may be left.
    q, _ = np.linalg.qr(rng.standard_normal((DIMENSION, DIMENSION)))
    index.rekey(lambda v: (v @ q).astype(np.float32), "n" * 16)
    assert _search(index, (probe @ q).astype(np.float32), {1, 2}).mean == pytest.approx(two.mean, abs=1e-3)
    index.close()
    database.close()


def test_a_mate_in_a_small_collection_is_left_out_of_its_background() -> None:
    rng = np.random.default_rng(6)
    strangers = rng.normal(0.03, 0.08, 200)
    with_mates = np.concatenate([strangers, np.full(15, 0.75)])
    assert background_of(with_mates).mean == pytest.approx(strangers.mean(), abs=0.01)
    assert background_of(with_mates).deviation == pytest.approx(strangers.std(), rel=0.1)


def test_a_sample_is_enough() -> None:
    scores = np.random.default_rng(7).normal(0.03, 0.08, 100_000)
    some, every = background_of(scores[:: len(scores) // COHORT]), background_of(scores)
    assert some.mean == pytest.approx(every.mean, abs=0.005)
    assert some.deviation == pytest.approx(every.deviation, rel=0.05)
