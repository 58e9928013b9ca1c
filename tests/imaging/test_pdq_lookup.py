from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from countenance.imaging import pdq_lookup
from countenance.imaging.pdq import PictureHash, distance
from countenance.imaging.pdq_lookup import Near, PictureHashes

HASHES = st.lists(st.binary(min_size=32, max_size=32), max_size=40)


def flipped(bits: bytes, how_many: int) -> bytes:
    return (int.from_bytes(bits) ^ ((1 << how_many) - 1)).to_bytes(32)


@given(HASHES, st.binary(min_size=32, max_size=32), st.integers(0, 256))
def test_it_finds_what_a_plain_loop_finds(stored: list[bytes], probe: bytes, limit: int) -> None:
    held = PictureHashes()
    assert [held.append(PictureHash(bits, 100)) for bits in stored] == list(range(len(stored)))
    assert len(held) == len(stored)
    one = PictureHash(probe, 100)
    away = [(distance(one, PictureHash(bits, 100)), n) for n, bits in enumerate(stored)]
    expected = [Near(n, bits) for bits, n in sorted(away) if bits <= limit]
    assert held.nearest(one, limit) == expected


def test_the_limit_is_that_of_one_picture() -> None:
    held = PictureHashes()
    for bits in (32, 31, 0):
        held.append(PictureHash(flipped(bytes(32), bits), 100))
    assert held.nearest(PictureHash(bytes(32), 100)) == [Near(2, 0), Near(1, 31)]


def test_of_several_variants_the_nearest_counts() -> None:
    held = PictureHashes()
    held.append(PictureHash(b"\xff" * 32, 100))
    held.append(PictureHash(flipped(bytes(32), 4), 100))
    variants = (PictureHash(bytes(32), 100), PictureHash(flipped(b"\xff" * 32, 9), 100))
    assert held.nearest(variants) == [Near(1, 4), Near(0, 9)]


def test_it_grows_and_keeps_its_own_copy() -> None:
    rows = np.random.default_rng(1).integers(0, 256, (5000, 32), dtype=np.uint8)
    held = PictureHashes(rows[:3000])
    held.extend(rows[3000:])
    kept = rows.copy()
    rows[:] = 0
    for position in (0, 2999, 3000, 4999):
        assert held.nearest(PictureHash(kept[position].tobytes(), 100), 0) == [Near(position, 0)]
    assert len(held) == 5000


@pytest.mark.parametrize("rows", [np.zeros((3, 31), np.uint8), np.zeros(32, np.uint8), np.zeros((2, 32), np.int64)])
def test_other_shapes_are_refused(rows: np.ndarray) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match="uint8"):
        PictureHashes(rows)


def test_nothing_is_near_in_an_empty_one() -> None:
    assert PictureHashes().nearest(PictureHash(bytes(32), 100)) == []


def turned(bits: bytes, places: list[int]) -> bytes:
    return (int.from_bytes(bits) ^ sum(1 << place for place in places)).to_bytes(32)


def test_among_many_none_that_is_near_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdq_lookup, "_PLAIN", 200)
    rng = np.random.default_rng(7)
    probe = rng.bytes(32)
    # The hardest: two differences in every part of 16 bits but one, which has a single one.
    spread = [sorted({16 * part + int(bit) for part in range(16) for bit in rng.choice(16, 2, replace=False)})]
    spread = [[place for place in spread[0] if place != gone] for gone in spread[0]]
    near = [turned(probe, places) for places in spread]
    near += [turned(probe, rng.choice(256, 31, replace=False).tolist()) for _ in range(300)]
    just_beyond = [turned(probe, rng.choice(256, 32, replace=False).tolist()) for _ in range(300)]
    rows = np.frombuffer(b"".join([*near, *just_beyond]), np.uint8).reshape(-1, 32)
    rows = np.concatenate([rows, rng.integers(0, 256, (4000, 32), dtype=np.uint8)])[rng.permutation(len(rows) + 4000)]
    held = PictureHashes()
    one = PictureHash(probe, 100)
    away = [distance(one, PictureHash(row.tobytes(), 100)) for row in rows]
    for begin in range(0, len(rows), 150):  # found by their parts, and among those that came lately
        held.extend(rows[begin : begin + 150])
        expected = [Near(n, bits) for n, bits in enumerate(away[: len(held)]) if bits <= 31]
        assert held.nearest(one) == sorted(expected, key=lambda one: (one.distance, one.position))
    assert len(held.nearest(one)) == len(near)
    far = PictureHash(rng.bytes(32), 100)
    assert held.nearest((far, one), 12) == []
