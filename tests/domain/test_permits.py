"""A permit: one probe set, one use."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from countenance.domain.errors import PermitMisused
from countenance.domain.faces import Vectors
from countenance.domain.permits import Permit, probe_digest

PROBES = arrays.arrays(np.float32, (1, 8), elements=st.floats(-1, 1, width=32))


def permit(probes: Vectors) -> Permit:
    return Permit(authority="A-1", search="S-1", probes=probes, sources=[1, 2])


@given(PROBES)
def test_it_is_good_for_one_use(probes: Vectors) -> None:
    leave = permit(probes)
    leave.spend(probes.copy())
    for _ in range(3):
        with pytest.raises(PermitMisused):
            leave.spend(probes)


@given(PROBES, PROBES)
def test_it_is_good_for_its_own_probes_alone(mine: Vectors, other: Vectors) -> None:
    leave = permit(mine)
    if probe_digest(mine) != probe_digest(other):
        with pytest.raises(PermitMisused):
            leave.spend(other)
        # Trying with others does not use it up.
        leave.spend(mine)
    assert (probe_digest(mine) == probe_digest(other)) == (mine.tobytes() == other.tobytes())


def test_it_is_bound_to_the_shape_too() -> None:
    values = np.arange(8, dtype=np.float32)
    assert probe_digest(values.reshape(1, 8)) != probe_digest(values.reshape(2, 4))


def test_its_probes_cannot_be_changed_behind_its_back() -> None:
    probes = np.zeros((1, 8), np.float32)
    leave = permit(probes)
    probes[0, 0] = 1.0
    with pytest.raises(PermitMisused):
        leave.spend(probes)


def test_of_many_threads_one_uses_it() -> None:
    probes = np.ones((1, 8), np.float32)
    leave, gate, done = permit(probes), threading.Barrier(16), []

    def use() -> None:
        gate.wait()
        try:
            leave.spend(probes)
            done.append("used")
        except PermitMisused:
            done.append("refused")

    threads = [threading.Thread(target=use) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == ["refused"] * 15 + ["used"]


def test_its_sources_cannot_be_widened() -> None:
    leave = permit(np.ones((1, 8), np.float32))
    assert leave.sources == frozenset({1, 2})
    with pytest.raises(AttributeError):
        leave.sources.add(3)  # type: ignore[attr-defined]
