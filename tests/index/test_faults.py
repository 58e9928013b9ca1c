"""What fails while it happens: the disk, the order of syncing, late writers of the sidecar."""

from __future__ import annotations

import contextlib
import os
import resource
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import update

from countenance.domain.errors import IndexBroken, KeyTrouble, Unavailable
from countenance.index.rows import Rows
from countenance.index.turbo import TurboCodes
from countenance.index.vectors import VectorFile
from countenance.store import schema

from .kit import Shop, entries, found, look, people, strangers


@contextlib.contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "exact", dimension=512)
    index = shop.open()
    templates = strangers(9_000, 512)
    index.add(entries(range(4_000), ()), templates[:4_000])
    index.delete([])
    with no_file_larger_than(shop.path.stat().st_size), pytest.raises(Unavailable):
        index.add(entries(range(4_000, 9_000), ()), templates[4_000:])
    assert index.count() == 4_000
    assert index.verify() == []
    index.add(entries(range(4_000, 9_000), (("source", 1),)), templates[4_000:])
    assert found(look(index, templates[8_999], min_score=0.9)) == [8_999]
    assert index.verify() == []
    shop.close()
    assert shop.open().count() == 9_000
    shop.close()


def test_a_disk_that_fills_up_within_the_row_leaves_no_bytes(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    index = shop.open()
    templates = strangers(2)

    def full(*_args: Any) -> int:
        raise Unavailable("the disk is full")

    monkeypatch.setattr(Rows, "place", full)
    with pytest.raises(Unavailable):
        index.add(entries([1, 2]), templates)
    monkeypatch.undo()
    assert index.ids() == []
    assert shop.holding(templates[0]) == []
    assert index.verify() == []


def test_room_is_really_allocated_before_it_is_mapped(shop: Shop) -> None:
    index = shop.open()
    index.add(entries([1]), strangers(1))
    status = shop.path.stat()
    assert status.st_blocks * 512 >= status.st_size


def test_an_erasure_that_cannot_overwrite_says_so_and_is_completed_later(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = shop.open()
    templates = strangers(3)
    index.add(entries([0, 1, 2]), templates)

    def failing(*_args: Any) -> None:
        raise Unavailable("the index cannot be written: Input/output error")

    monkeypatch.setattr(VectorFile, "zero", failing)
    erasure = index.erase([1])
    assert erasure.erased == 1
    assert len(erasure.pending) == 1
    assert "open.f16" in erasure.pending[0]
    assert found(look(index, templates[1])) == []
    assert index.verify() != []
    monkeypatch.undo()
    shop.close()
    assert shop.open().verify() == []
    assert shop.holding(templates[1]) == []


def test_vectors_are_synced_before_their_row_and_zeros_before_their_slot_is_clean(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = shop.open()
    steps: list[str] = []

    def spy(owner: Any, name: str, word: str) -> None:
        real = getattr(owner, name)

        def noted(*args: Any, **kwargs: Any) -> Any:
            steps.append(word)
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, noted)

    spy(os, "pwrite", "write")
    spy(os, "fdatasync", "sync")
    spy(Rows, "place", "row")
    spy(Rows, "free", "no row")
    spy(Rows, "clean", "clean")
    index.add(entries([1, 2]), strangers(2))
    assert steps == ["write", "sync", "row"]
    steps.clear()
    index.erase([1])
    assert steps == ["no row", "write", "sync", "clean"]


def test_a_sidecar_is_synced_under_another_name_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop(tmp_path, "turbovec")
    index = shop.open()
    index.add(entries(range(5)), strangers(5))
    index.prepare()
    before = index._sidecar.path.read_bytes()
    index.add(entries([9]), strangers(1, seed=3))

    def full(*_args: Any, **_kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    index.prepare()
    monkeypatch.undo()
    assert index._sidecar.path.read_bytes() == before
    assert list(shop.folder.glob(".*")) == []
    assert found(look(index, strangers(1, seed=3)[0], min_score=0.9)) == [9]
    shop.close()


@pytest.mark.parametrize("at", [0, 17, 60, -1, -200])
def test_a_damaged_sidecar_is_made_again(tmp_path: Path, at: int) -> None:
    shop = Shop(tmp_path, "turbovec")
    index = shop.open()
    templates = people(20, 3)
    index.add(entries(range(60)), templates)
    index.prepare()
    answers = [look(index, template) for template in templates]
    path, sidecar, stamp = index._sidecar.path, index._sidecar, index._live.stamp()
    assert sidecar.load(stamp) is not None
    shop.close()
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    for broken in (bytes(data), data[: len(data) // 2], b""):
        path.write_bytes(broken)
        assert sidecar.load(stamp) is None
        index = shop.open()
        assert [look(index, template) for template in templates] == answers
        shop.close()


def test_a_sidecar_is_used_when_it_is_good_and_caught_up_when_it_is_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(tmp_path, "turbovec")
    index = shop.open()
    templates = people(20, 3)
    index.add(entries(range(50)), templates[:50])
    index.prepare()
    index.add(entries(range(50, 60)), templates[50:])
    index.tag(4, "source", [7])
    shop.close()
    monkeypatch.setattr(TurboCodes, "calibrate", None)
    read: list[int] = []
    real = VectorFile.read

    def counted(self: VectorFile, slots: Any) -> Any:
        read.append(len(slots))
        return real(self, slots)

    index = shop.open()
    monkeypatch.setattr(VectorFile, "read", counted)
    assert look(index, templates[55], min_score=-1).searched == 60
    # Only what is new or changed was read from the vector file, and some to measure the error of the codes.
    assert read[0] == 11
    shop.close()


@pytest.mark.parametrize("newer", [0, 1])
def test_a_sidecar_that_lacks_a_template_is_not_believed(tmp_path: Path, newer: int) -> None:
    shop = Shop(tmp_path, "turbovec")
    index = shop.open()
    templates = strangers(10)
    index.add(entries(range(10)), templates)
    index.prepare()
    codes, stamp = index._live.codes, index._live.stamp()
    assert isinstance(codes, TurboCodes)
    codes.remove(np.array([3]))
    index._sidecar.save(codes, replace(stamp, generation=stamp.generation + newer))
    shop.close()
    index = shop.open()
    assert found(look(index, templates[3], min_score=0.9)) == [3]
    shop.close()


def test_a_sidecar_of_another_file_or_key_is_not_believed(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "turbovec")
    index = shop.open()
    templates = strangers(10)
    index.add(entries(range(10)), templates)
    index.prepare()
    sidecar, codes, stamp = index._sidecar, index._live.codes, index._live.stamp()
    assert isinstance(codes, TurboCodes)
    for other in ({"file_id": "another"}, {"key_id": "another"}, {"dimension": 128}):
        sidecar.save(codes, replace(stamp, **other))
        assert sidecar.load(stamp) is None
    shop.close()


def test_an_index_that_another_process_re_keyed_takes_no_probe_of_the_old_key(shop: Shop) -> None:
    """Even when it has seen everything there is to see, and nothing was written since."""
    index = shop.open()
    templates = strangers(3)
    index.add(entries(range(3)), templates)
    look(index, templates[0])
    rows = Rows("open")
    with shop.database().write() as c:
        rows.put_head(c, replace(rows.known_head(c), key_id="key-2"))
    for act in (
        lambda: look(index, templates[0]),
        lambda: index.vectors([1]),
        lambda: index.add(entries([7]), templates[:1]),
    ):
        with pytest.raises(KeyTrouble):
            act()


def test_rows_from_the_future_are_an_error_and_not_a_loop(shop: Shop) -> None:
    index = shop.open()
    template = strangers(1)
    index.add(entries([1]), template)
    with shop.database().write() as c:
        c.execute(update(schema.vectors).values(changed=1_000))
    with pytest.raises(IndexBroken):
        look(index, template[0])


def test_codes_of_the_erased_do_not_come_back_by_another_process(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "turbovec")
    index, other = shop.open(), shop.open()
    templates = people(20, 3)
    index.add(entries(range(60)), templates)
    look(other, templates[0])
    index.prepare()
    index.erase([10, 11])
    # The other one still knows their codes, and now writes what it knows.
    other.prepare()
    stamp = index._live.stamp()
    loaded = index._sidecar.load(stamp)
    assert loaded is not None
    assert len(loaded[0]) == 58
    scores, _ = loaded[0].candidates(templates[10], 60, None)
    assert len(scores) == 58
    assert float(scores[0]) < 0.95
    shop.close()


def test_re_keying_keeps_every_likeness_and_stops_the_others(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "turbovec")
    index, other = shop.open(), shop.open()
    templates = people(20, 5)
    index.add(entries(range(100)), templates)
    index.erase([7])
    look(other, templates[0])
    index.prepare()
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(shop.dimension, shop.dimension)))[0].astype(np.float32)
    before = look(index, templates[3])
    index.rekey(lambda rows: rows @ turn.T, "key-2")
    assert index.key_id == "key-2"
    after = look(index, templates[3] @ turn.T)
    assert found(after) == found(before)
    assert [h.score for h in after.hits] == pytest.approx([h.score for h in before.hits], abs=1e-3)
    assert index.verify() == []
    assert shop.holding(templates[3]) == []
    with pytest.raises(KeyTrouble):
        look(other, templates[0])
    with pytest.raises(KeyTrouble):
        other.add(entries([200]), templates[:1])
    index.add(entries([200]), templates[:1] @ turn.T)
    shop.close()
    assert 200 in shop.open(key_id="key-2").ids()
    shop.close()


def test_re_keying_on_a_full_disk_changes_nothing(shop: Shop) -> None:
    index = shop.open()
    templates = strangers(3_000)
    index.add(entries(range(3_000), ()), templates)

    with no_file_larger_than(100_000), pytest.raises(Unavailable):
        index.rekey(lambda rows: rows[:, ::-1], "key-2")
    assert index.key_id == "key-1"
    assert np.allclose(index.vectors([5]), templates[5], atol=1e-3)
    assert index.verify() == []
    assert list(shop.folder.glob(".*")) == []


@pytest.mark.parametrize("engine", ["turbovec", "exact"])
def test_threads_search_while_others_write(tmp_path: Path, engine: Any) -> None:
    shop = Shop(tmp_path, engine)
    index = shop.open()
    kept, passing = strangers(20), strangers(200, seed=5)
    index.add(entries(range(20)), kept)
    faults: list[str] = []
    stop = threading.Event()

    def search() -> None:
        rng = np.random.default_rng()
        while not stop.is_set():
            n = int(rng.integers(20))
            try:
                if found(look(index, kept[n], min_score=0.9)) != [n]:
                    faults.append(f"lost {n}")
            except Exception as error:
                faults.append(repr(error))

    def write(first: int) -> None:
        for n in range(first, 200, 2):
            index.add(entries([1_000 + n]), passing[[n]])
            if n % 3 == 0:
                index.erase([1_000 + n])

    searchers = [threading.Thread(target=search) for _ in range(2)]
    writers = [threading.Thread(target=write, args=(first,)) for first in range(2)]
    for thread in searchers + writers:
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    for thread in searchers:
        thread.join()
    assert faults == []
    assert index.count() == 20 + 200 - 67
    assert index.verify() == []
    shop.close()
