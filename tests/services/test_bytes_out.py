"""Memory is bounded by bytes, not by how many pictures there are: large files wait on the disk."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from typing import Any, ClassVar

import pytest

from countenance.faces.quality import Floor
from countenance.imaging.limits import Limits
from countenance.services import engine, ingest, workers
from countenance.services.eyes import EyesConfig
from countenance.services.workers import Job, Workers, size_of
from tests import pretend
from tests.places import TESTER, Place, register
from tests.services import worker_double

MIB = 1 << 20


class Watched(pretend.Workers):
    """Notes how large the batches are that it is given."""

    batches: ClassVar[list[int]] = []

    def submit(self, batch: Sequence[Job]) -> None:
        self.batches.append(size_of(batch))
        super().submit(batch)

    @property
    def room(self) -> bool:
        return not self.busy


@pytest.fixture
def peak(place: Place, pretending: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`peak(count, size)`: MiB that a run of so many pictures of `size` MiB holds at most, with bounds of 1 MiB."""
    monkeypatch.setattr(ingest, "BATCH_BYTES", MIB)
    monkeypatch.setattr(ingest, "READ_BYTES", MIB)
    monkeypatch.setattr(ingest, "COMMIT_BYTES", 2 * MIB)
    monkeypatch.setattr(ingest, "COMMIT_SECONDS", 1000)
    monkeypatch.setattr(engine, "Workers", Watched)
    monkeypatch.setattr(Watched, "batches", [])

    def held(count: int, size: int, **changes: Any) -> float:
        for n in range(count):
            place.put(f"{n:03}.png", pretend.photograph("ada", note=f"{n}", padding=size * MIB))
        with place.open() as product:
            register(product, "large", place.photos, **changes)
            product.engine.ingester()
            tracemalloc.start()
            try:
                report = product.ingest("large", TESTER)
                most = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
        assert report.tally.new == count
        return most / MIB

    return held


def test_large_pictures_are_handed_out_a_few_at_a_time(peak: Any) -> None:
    assert peak(24, 1) < 9
    assert len(Watched.batches) >= 12
    assert max(Watched.batches) < 2.1 * MIB


def test_originals_that_are_kept_do_not_pile_up(peak: Any) -> None:
    assert peak(24, 1, keep_originals=True) < 11


def test_small_pictures_fill_a_batch_by_their_number(place: Place, pretending: None, monkeypatch: Any) -> None:
    monkeypatch.setattr(engine, "Workers", Watched)
    monkeypatch.setattr(Watched, "batches", [])
    for n in range(20):
        place.put(f"{n}.png", pretend.photograph("ada", note=f"{n}"))
    with place.open(ingest={"batch": 8}) as product:
        register(product, "small", place.photos)
        product.ingest("small", TESTER)
    assert len(Watched.batches) == 3


def test_batches_grow_smaller_near_the_end_so_that_all_workers_end_together(
    place: Place, pretending: None, monkeypatch: Any
) -> None:
    counts: list[int] = []

    class Counting(Watched):
        def submit(self, batch: Sequence[Job]) -> None:
            counts.append(len(batch))
            super().submit(batch)

    monkeypatch.setattr(engine, "Workers", Counting)
    for n in range(200):
        place.put(f"{n}.png", pretend.photograph("ada", note=f"{n}"))
    with place.open(ingest={"batch": 64}) as product:
        register(product, "small", place.photos)
        report = product.ingest("small", TESTER)
    assert report.tally.new == sum(counts) == 200
    assert counts[0] == 64
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] <= ingest.LEAST_SHARE


def test_a_worker_with_enough_bytes_to_do_is_given_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "MODULE", worker_double.__name__)
    monkeypatch.setattr(workers, "HELD_BYTES", MIB)
    large = pretend.photograph("ada", padding=MIB)
    with Workers(EyesConfig("open", "auto", None, True, Limits(), Floor()), 2) as pool:
        assert pool.room
        pool.submit([(0, large)])
        assert pool.room
        pool.submit([(1, large)])
        assert not pool.room
        assert [len(worker.waiting) for worker in pool._workers] == [1, 1]
        answered = []
        while pool.busy:
            answered += [n for n, _ in pool.collect(1)]
        assert pool.room
        assert sorted(answered) == [0, 1]
