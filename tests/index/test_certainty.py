"""Every template above the threshold, certainly: on identities with many members, among many strangers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from countenance.index import live, turbo

from .kit import Shop, entries, exact_scores, found, look, people, permit_for, strangers, unit


@pytest.mark.parametrize("dimension", [128, 512])
def test_nothing_above_the_threshold_is_missed(tmp_path: Path, dimension: int) -> None:
    shop = Shop(tmp_path, "turbovec", dimension=dimension, few=1_000)
    index = shop.open()
    members = people(600, 10, dimension, spread=1.1)
    # One crowd that is far larger than the first handful of candidates.
    crowd = people(1, 1_500, dimension, seed=2, spread=0.8)
    templates = np.concatenate([members, crowd, strangers(6_000, dimension, seed=1)])
    ids = np.arange(len(templates))
    for begin in range(0, len(ids), 5_000):
        part = slice(begin, begin + 5_000)
        index.add(entries(ids[part].tolist()), templates[part])
    rng = np.random.default_rng(0)
    picks = [*rng.choice(6_000, 25, replace=False), 6_000, 7_000]
    for pick in picks:
        probe = unit(templates[pick] + 0.3 * rng.normal(size=dimension) / np.sqrt(dimension))
        scores = exact_scores(templates, probe)
        for threshold in (0.1, 0.3, 0.45):
            hits = look(index, probe, min_score=threshold, limit=20_000)
            assert set(found(hits)) == set(ids[scores >= threshold].tolist())
            assert [h.score for h in hits.hits] == pytest.approx(scores[found(hits)], abs=1e-6)
    assert isinstance(index._live.codes, turbo.TurboCodes)
    shop.close()


def test_the_margin_is_wider_than_any_error_of_other_probes(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "turbovec", dimension=128, few=1_000)
    index = shop.open()
    templates = np.concatenate([people(400, 10, 128), strangers(2_000, 128, seed=1)])
    index.add(entries(range(6_000)), templates)
    look(index, templates[0])
    codes = index._live.codes
    assert isinstance(codes, turbo.TurboCodes)
    assert 0.001 < codes.error.sigma < codes.margin < 0.2
    worst = 0.0
    for probe in np.concatenate([templates[:40], strangers(20, 128, seed=6)]):
        scores, slots = codes.candidates(probe, 6_000, None)
        assert len(slots) == 6_000
        worst = max(worst, float(np.max(exact_scores(templates, probe)[slots] - scores)))
    assert worst < codes.margin
    shop.close()


def test_the_margin_follows_what_is_added_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turbo, "TAIL", 100)
    shop = Shop(tmp_path, "turbovec", few=1_000)
    index = shop.open()
    # First a narrow world, whose calibration fits nothing else; then the rest of it.
    narrow = people(1, 2_000, spread=0.2)
    index.add(entries(range(2_000)), narrow)
    look(index, narrow[0])
    wide = strangers(6_000, seed=8)
    index.add(entries(range(2_000, 8_000)), wide)
    for pick in range(0, 6_000, 400):
        scores = exact_scores(wide, wide[pick])
        hits = look(index, wide[pick], min_score=0.3, limit=8_000)
        wanted = {2_000 + int(i) for i in np.flatnonzero(scores >= 0.3)}
        assert {id for id in found(hits) if id >= 2_000} == wanted
    codes = index._live.codes
    assert isinstance(codes, turbo.TurboCodes)
    assert codes.error.count > 2_000 * live.DRIFT
    shop.close()


def test_candidates_are_complete_down_to_the_last_one_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With codes and a tail, with removals, with filters, and with turbovec never asked for what makes it slow."""
    templates = np.concatenate([people(300, 10), strangers(1_500, seed=4)])
    codes = turbo.TurboCodes(64)
    monkeypatch.setattr(turbo, "TAIL", 600)
    codes.add(np.arange(4_000), templates[:4_000])
    codes.add(np.arange(4_000, 4_500), templates[4_000:])
    codes.remove(np.array([5, 17, 4_100]))
    asked: list[tuple[int, int]] = []
    real = codes._base

    class Spy:
        def search(self, probes: np.ndarray, k: int, *, mask: np.ndarray | None) -> object:
            asked.append((k, len(real) if mask is None else int(mask.sum())))
            return real.search(probes, k, mask=mask)

    codes._base = Spy()
    half = np.arange(4_500) % 2 == 0
    for allowed, there in ((None, 4_497), (half, 2_249)):
        everything = dict(zip(*reversed(codes.candidates(templates[0], 10_000, allowed)), strict=True))
        assert len(everything) == there
        for k in (1, 10, 60, 300, 3_000):
            scores, slots = codes.candidates(templates[0], k, allowed)
            assert len(slots) >= min(k, there)
            assert set(slots) == {slot for slot, score in everything.items() if score >= scores[-1]}
            assert np.all(np.diff(scores) <= 0)
    assert {5, 17, 4_100}.isdisjoint(everything)
    assert all(k == held or k * 64 <= held for k, held in asked)


def test_a_dump_holds_no_byte_of_what_was_removed() -> None:
    """It is the same, to the byte, as that of codes which never held it."""
    templates = strangers(80)
    codes = turbo.TurboCodes(64)
    codes.add(np.arange(80), templates)
    codes.settle()
    codes.remove(np.array([1, 40, 79]))
    slots, data = codes.dump()
    assert set(slots.tolist()) == set(range(80)) - {1, 40, 79}
    never = turbo.TurboCodes(64)
    never.add(slots, templates[slots])
    assert never.dump()[1] == data


def test_few_templates_are_compared_exactly_and_many_by_codes(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "turbovec", few=100)
    index = shop.open()
    templates = strangers(150)
    index.add(entries(range(100)), templates[:100])
    assert found(look(index, templates[50], min_score=0.9)) == [50]
    assert index._live.codes is not None
    assert index._live.codes.engine == "exact"
    index.add(entries(range(100, 150)), templates[100:])
    assert found(look(index, templates[149], min_score=0.9)) == [149]
    assert index._live.codes.engine == "turbovec"
    assert index.capabilities.engine == "turbovec"
    shop.close()
    assert (shop.folder / "open.codes").exists()


def test_a_probe_is_compared_once_and_not_by_its_approximation(tmp_path: Path) -> None:
    """What leaves is the cosine with the stored float16 template, not with its code."""
    shop = Shop(tmp_path, "turbovec", dimension=128)
    index = shop.open()
    templates = people(100, 5, 128)
    index.add(entries(range(500)), templates)
    for probe in templates[::50]:
        hits = index.search(permit_for(probe[None]), probe[None], min_score=0.0, limit=500)
        assert np.allclose([h.score for h in hits.hits], exact_scores(templates, probe)[found(hits)], atol=1e-6, rtol=0)
    shop.close()
