"""The keyed rotation keeps every cosine, differs every time, and its file is for its owner alone."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from countenance.domain.errors import KeyTrouble
from countenance.faces import protection

DIMENSION = 64


def units(seed: int, count: int, dimension: int = DIMENSION) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 20), st.sampled_from([8, 128, 512]))
def test_cosines_stay(seed: int, count: int, dimension: int) -> None:
    templates = units(seed, count, dimension)
    rotation = protection.generate(dimension)
    turned = rotation.rotate(templates)
    assert turned.dtype == np.float32
    assert turned.shape == templates.shape
    exact, after = (part.astype(np.float64) @ part.astype(np.float64).T for part in (templates, turned))
    assert np.abs(exact - after).max() < 1e-6
    assert np.abs(rotation.unrotate(turned) - templates).max() < 1e-6


def test_what_is_stored_does_not_resemble_the_template() -> None:
    templates = units(1, 200, 512)
    turned = protection.generate(512).rotate(templates)
    assert np.abs(np.sum(templates * turned, axis=1)).max() < 0.3


def test_two_deployments_do_not_compare() -> None:
    templates = units(2, 100, 512)
    one, two = protection.generate(512), protection.generate(512)
    assert one.key_id != two.key_id
    assert np.abs(np.sum(one.rotate(templates) * two.rotate(templates), axis=1)).max() < 0.3


def test_it_is_orthonormal_and_turns_either_way() -> None:
    rotations = [protection.generate(8).matrix for _ in range(40)]
    for matrix in rotations:
        assert np.abs(matrix @ matrix.T - np.eye(8)).max() < 1e-12
    # Without the signs of R, a QR decomposition always gives the same determinant: not the uniform distribution.
    assert {round(float(np.linalg.det(matrix))) for matrix in rotations} == {-1, 1}


def test_from_one_key_to_another() -> None:
    templates = units(3, 50)
    old, new = protection.generate(DIMENSION), protection.generate(DIMENSION)
    moved = protection.from_one_to_another(old, new, old.rotate(templates))
    assert np.abs(moved - new.rotate(templates)).max() < 1e-6


def test_a_saved_key_comes_back_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    rotation = protection.generate(DIMENSION)
    path = tmp_path / "keys" / "open.rotation"
    umask = os.umask(0)
    try:
        protection.save(rotation, path)
    finally:
        os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    again = protection.load(path, dimension=DIMENSION)
    assert np.array_equal(again.matrix, rotation.matrix)
    assert again.key_id == rotation.key_id
    assert rotation.key_id.encode() not in path.read_bytes()


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key"
    first = protection.generate(8)
    protection.save(first, path)
    with pytest.raises(KeyTrouble):
        protection.save(protection.generate(8), path)
    assert protection.load(path, dimension=8).key_id == first.key_id
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620, 0o644])
def test_a_key_that_others_can_open_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    protection.save(protection.generate(8), path)
    path.chmod(mode)
    with pytest.raises(KeyTrouble) as refused:
        protection.load(path, dimension=8)
    assert "chmod 600" in refused.value.advice


def test_a_missing_key_and_a_link_are_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyTrouble):
        protection.load(tmp_path / "none", dimension=8)
    protection.save(protection.generate(8), tmp_path / "key")
    (tmp_path / "link").symlink_to(tmp_path / "key")
    with pytest.raises(KeyTrouble):
        protection.load(tmp_path / "link", dimension=8)


def test_a_key_of_another_size_is_refused(tmp_path: Path) -> None:
    protection.save(protection.generate(8), tmp_path / "key")
    for dimension in (4, 7, 9, 128):
        with pytest.raises(KeyTrouble):
            protection.load(tmp_path / "key", dimension=dimension)


@given(st.data())
def test_any_change_of_a_byte_is_noticed(data: st.DataObject) -> None:
    content = bytearray(protection.encode(protection.generate(4)))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(KeyTrouble):
        protection.decode(bytes(content), dimension=4)


@given(st.data())
def test_a_shortened_or_lengthened_key_is_noticed(data: st.DataObject) -> None:
    content = protection.encode(protection.generate(4))
    for wrong in (content[: data.draw(st.integers(0, len(content) - 1))], content + b"\x00"):
        with pytest.raises(KeyTrouble):
            protection.decode(wrong, dimension=4)
