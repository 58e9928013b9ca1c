"""A wrong file is refused before anything is written; a damaged home says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import delete, update

from countenance.domain.errors import (
    AlreadyThere,
    BadInput,
    Busy,
    CountenanceError,
    IndexBroken,
    KeyTrouble,
    Unavailable,
)
from countenance.index import opening, vectors
from countenance.index.locking import WriterLock
from countenance.index.vectors import HEADER_BYTES
from countenance.store import schema
from tests import databases

from .kit import Shop, entries, found, look, strangers


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"key_id": "key-2"}, KeyTrouble),
        ({"pipeline": 2}, IndexBroken),
        ({"dimension": 128}, IndexBroken),
        ({"pack": "../open"}, BadInput),
    ],
)
def test_a_file_that_does_not_belong_is_refused_and_nothing_is_written(
    shop: Shop, changes: dict[str, Any], error: type[CountenanceError]
) -> None:
    shop.open().add(entries([1, 2]), strangers(2))
    shop.close()
    before = shop.files()
    with pytest.raises(error):
        shop.open(**changes)
    shop.close()
    assert shop.files() == before


def test_the_file_says_which_key_and_pack_it_is_of(shop: Shop) -> None:
    assert opening.key_of(shop.folder, "open") is None
    shop.open()
    assert opening.key_of(shop.folder, "open") == "key-1"
    header = vectors.header_of(shop.path)
    assert header is not None
    assert (header.pack, header.pipeline, header.dimension) == ("open", 1, shop.dimension)


def test_another_packs_file_under_this_name_is_refused(shop: Shop) -> None:
    shop.open()
    shop.close()
    shop.path.rename(shop.folder / "other.f16")
    with pytest.raises(IndexBroken, match="pack open"):
        shop.open(pack="other")


def test_another_homes_file_is_refused(shop: Shop, tmp_path: Path) -> None:
    shop.open().add(entries([1]), strangers(1))
    other = Shop(tmp_path / "other", "exact")
    other.home.mkdir()
    other.open().add(entries([1]), strangers(1))
    other.close()
    shop.close()
    other.path.write_bytes(shop.path.read_bytes())
    with pytest.raises(IndexBroken, match="another home"):
        other.open()
    other.close()


@pytest.mark.parametrize("at", [0, 20, 40])
def test_a_damaged_header_is_refused(shop: Shop, at: int) -> None:
    shop.open().add(entries([1]), strangers(1))
    shop.close()
    data = bytearray(shop.path.read_bytes())
    data[at] ^= 1
    shop.path.write_bytes(data)
    with pytest.raises(IndexBroken):
        shop.open()
    assert shop.path.read_bytes() == data


def test_a_missing_file_and_a_missing_database_are_said_and_not_papered_over(shop: Shop) -> None:
    shop.open().add(entries([1]), strangers(1))
    shop.close()
    data = shop.path.read_bytes()
    shop.path.unlink()
    with pytest.raises(IndexBroken, match="missing"):
        shop.open()
    shop.close()
    assert not shop.path.exists()
    shop.path.write_bytes(data)
    databases.lose(shop.home)
    with pytest.raises(IndexBroken, match="lost its database"):
        shop.open()
    assert shop.path.read_bytes() == data


def test_creation_that_was_cut_off_after_the_file_is_completed(shop: Shop) -> None:
    index = shop.open()
    with shop.database().write() as c:
        c.execute(delete(schema.meta))
    shop.close()
    index = shop.open()
    index.add(entries([1]), strangers(1))
    assert index.verify() == []


def test_the_files_are_private(shop: Shop) -> None:
    index = shop.open()
    index.add(entries([1]), strangers(1))
    index.prepare()
    for path in shop.folder.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
    assert shop.folder.stat().st_mode & 0o077 == 0


def test_a_shortened_file_is_an_error_and_not_a_crash(shop: Shop) -> None:
    templates = strangers(3)
    shop.open().add(entries([1, 2, 3]), templates)
    shop.close()
    with shop.path.open("r+b") as file:
        file.truncate(HEADER_BYTES)
    index = shop.open()
    with pytest.raises(IndexBroken, match="shorter"):
        look(index, templates[0])
    assert index.verify() != []


def test_two_packs_do_not_share_an_id(shop: Shop) -> None:
    shop.open().add(entries([1]), strangers(1))
    second = shop.open(pack="research")
    with pytest.raises(AlreadyThere):
        second.add(entries([2, 1]), strangers(2))
    assert second.ids() == []
    assert second.verify() == []
    second.add(entries([2]), strangers(1, seed=4))
    assert second.ids() == [2]
    assert shop.open().ids() == [1]


def test_a_writer_that_does_not_finish_is_busy(shop: Shop) -> None:
    index = shop.open(wait_s=0.05)
    other = WriterLock(shop.folder / "open.lock", wait_s=1)
    with other.held():
        with pytest.raises(Busy):
            index.add(entries([1]), strangers(1))
        assert found(look(index, strangers(1)[0])) == []
    index.add(entries([1]), strangers(1))


def test_a_folder_that_cannot_be_made_is_unavailable(shop: Shop) -> None:
    shop.folder.write_text("in the way")
    with pytest.raises(Unavailable):
        shop.open()


def _flip(shop: Shop, slot: int, byte: int) -> None:
    size = vectors.record_type(shop.dimension).itemsize
    with shop.path.open("r+b") as file:
        file.seek(HEADER_BYTES + slot * size + byte)
        old = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([old ^ 1]))


def test_verify_finds_a_changed_bit_and_a_search_does_not_show_it(shop: Shop) -> None:
    index = shop.open()
    templates = strangers(5)
    index.add(entries(range(5)), templates)
    assert index.verify() == []
    _flip(shop, 3, 8)
    assert index.verify() == ["1 templates are damaged"]
    with pytest.raises(IndexBroken):
        look(index, templates[3])
    assert found(look(index, templates[2], min_score=0.9)) == [2]


def test_verify_finds_rows_that_were_swapped(shop: Shop) -> None:
    index = shop.open()
    templates = strangers(5)
    index.add(entries(range(5)), templates)
    with shop.database().write() as c:
        for id, slot in ((1, 100), (2, 1), (1, 2)):
            c.execute(update(schema.vectors).where(schema.vectors.c.id == id).values(slot=slot))
    assert index.verify() == ["2 templates belong to another id than their row says"]
    with pytest.raises(IndexBroken):
        look(index, templates[1], min_score=0.9)


def test_verify_finds_bytes_without_a_row_and_rows_without_bytes(shop: Shop) -> None:
    index = shop.open()
    index.add(entries(range(6)), strangers(6))
    index.erase([5])
    _flip(shop, 5, 0)
    assert index.verify() == ["1 free slots hold bytes"]
    _flip(shop, 5, 0)
    with shop.database().write() as c:
        c.execute(delete(schema.vectors).where(schema.vectors.c.id == 2))
    assert index.verify() == ["1 slots are neither taken nor free", "1 free slots hold bytes"]
    with shop.database().write() as c:
        c.execute(update(schema.vectors).where(schema.vectors.c.id == 3).values(slot=5000))
    assert "1 rows point beyond the end of the vector file" in index.verify()


def test_verify_counts_what_is_not_erased_yet(shop: Shop) -> None:
    index = shop.open()
    index.add(entries(range(3)), strangers(3))
    index.delete([1])
    assert index.verify() == ["1 deleted templates are not erased yet"]


def test_a_row_that_went_without_a_word_is_not_shown(shop: Shop) -> None:
    index = shop.open()
    templates = strangers(3)
    index.add(entries(range(3)), templates)
    assert found(look(index, templates[1])) == [1]
    with shop.database().write() as c:
        c.execute(delete(schema.vectors).where(schema.vectors.c.id == 1))
    assert found(look(index, templates[1])) == []


def test_closing_twice_is_no_fault(shop: Shop) -> None:
    index = shop.open()
    index.add(entries([1]), strangers(1))
    index.close()
    index.close()


def test_normalising_keeps_zeros() -> None:
    rows = vectors.unit(np.array([[3, 4], [0, 0]], np.float16))
    assert np.allclose(rows, [[0.6, 0.8], [0, 0]])
