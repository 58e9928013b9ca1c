"""Crops and kept originals: stored once, under names that tell nothing, and gone when erased."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countenance.domain.errors import Unavailable
from countenance.store.blobs import Blobs

KEY = bytes(range(32))


@given(st.binary(max_size=2000))
def test_what_is_put_is_got_back_under_one_name(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    blobs = Blobs(tmp_path_factory.mktemp("blobs"), KEY)
    name = blobs.put(content)
    assert blobs.put(content) == name
    assert blobs.get(name) == content
    assert blobs.names() == {name}


def test_a_name_tells_nothing_without_the_key(tmp_path: Path) -> None:
    content = b"a crop of somebody"
    one, other = Blobs(tmp_path / "a", KEY).put(content), Blobs(tmp_path / "b", bytes(32)).put(content)
    assert one != other
    assert hashlib.sha256(content).hexdigest() not in (one, other)


def test_a_mark_is_of_one_image_or_of_one_at_one_place(tmp_path: Path) -> None:
    blobs, digest = Blobs(tmp_path, KEY), hashlib.sha256(b"x").digest()
    marks = {
        blobs.mark(digest),
        blobs.mark(digest, "file:///a.jpg", "file:///"),
        blobs.mark(digest, "file:///a.jpg", "file:///b"),
        blobs.mark(digest, "file:///b.jpg", "file:///"),
        blobs.mark(hashlib.sha256(b"y").digest()),
        Blobs(tmp_path, bytes(32)).mark(digest),
    }
    assert len(marks) == 6
    assert digest not in marks
    assert blobs.mark(digest) == blobs.mark(digest)


def test_what_is_erased_was_overwritten_before_it_went(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path, KEY)
    name = blobs.put(b"secret" * 1000)
    path = tmp_path / name[:2] / name
    with path.open("rb") as held:
        blobs.erase(name)
        # The same file, still open: its bytes are gone, not only its name.
        assert set(held.read()) <= {0}
    assert not path.exists()
    assert blobs.get(name) is None
    blobs.erase(name)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_disk_that_takes_no_more_leaves_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    blobs = Blobs(tmp_path, KEY)

    write = os.write

    def writes_little(handle: int, data: bytes) -> int:
        if len(data) < 600:
            raise OSError(number, "made to fail")
        return write(handle, data[:10])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", writes_little)
        with pytest.raises(Unavailable):
            blobs.put(b"a crop" * 100)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert blobs.get(blobs.put(b"a crop" * 100)) == b"a crop" * 100


def test_half_written_files_are_swept_and_never_named(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path, KEY)
    name = blobs.put(b"whole")
    part = tmp_path / "ab" / "abcd.99.part"
    part.parent.mkdir(exist_ok=True)
    part.write_bytes(b"half")
    assert blobs.names() == {name}
    blobs.sweep()
    assert not part.exists()
    assert blobs.get(name) == b"whole"


def test_only_its_owner_looks_into_it(tmp_path: Path) -> None:
    name: Any = Blobs(tmp_path / "blobs", KEY).put(b"x")
    assert (tmp_path / "blobs" / name[:2]).stat().st_mode & 0o077 == 0


def test_a_sync_that_fails_leaves_nothing_to_be_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blobs = Blobs(tmp_path, KEY)
    there = blobs.put(b"a crop that a row names")
    blobs.settle()
    fresh = blobs.put(b"a new crop")
    blobs.put(b"a crop that a row names")

    def failing(handle: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", failing)
        with pytest.raises(Unavailable):
            blobs.settle()
    assert blobs.names() == {there}
    assert blobs.put(b"a new crop") == fresh
    blobs.settle()
    assert blobs.get(fresh) == b"a new crop"
