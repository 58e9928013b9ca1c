"""Bytes as they lie → blocks of whole lines: hashing, unpacking, damage, and going on in the middle."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import random
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from countenance.proxylog import blocks as cutting
from countenance.proxylog import unpack
from countenance.proxylog.blocks import Block, OtherFile, Point, read_blocks
from countenance.proxylog.inputs import Unread
from countenance.proxylog.unpack import Raw, log_bytes
from tests.proxylog.logs import PACKED

TEXT = b"".join(b"line %d %s\n" % (n, random.Random(n).randbytes(6).hex().encode()) for n in range(20_000))


class _File(io.RawIOBase):
    def __init__(self, data: bytes, most: int = 1 << 30) -> None:
        self._data, self._most = io.BytesIO(data), most

    def read(self, size: int = -1, /) -> bytes:
        return self._data.read(min(size, self._most))


def raw(data: bytes, **more: int) -> Raw:
    return Raw(_File(data, **more), None)


def unpacked(data: bytes) -> bytes:
    return b"".join(log_bytes(raw(data).pieces()))


def broken(data: bytes) -> tuple[bytes, str]:
    """What could be had, and why there is no more."""
    return _drawn(log_bytes(raw(data).pieces()))


def _drawn(pieces: Iterator[bytes]) -> tuple[bytes, str]:
    parts: list[bytes] = []
    try:
        for piece in pieces:
            parts.append(piece)
    except Unread as error:
        return b"".join(parts), error.reason
    return b"".join(parts), "nothing was wrong"


@pytest.mark.parametrize("how", PACKED)
def test_unpacks_by_content_in_one_member_or_many(how: str) -> None:
    pack = PACKED[how]
    assert unpacked(pack(TEXT)) == TEXT
    assert unpacked(pack(TEXT[:100_000]) + pack(b"") + pack(TEXT[100_000:])) == TEXT


@pytest.mark.parametrize("how", ["gzip", "xz"])
def test_padding_is_no_damage(how: str) -> None:
    pack = PACKED[how]
    assert unpacked(pack(TEXT[:50]) + bytes(8) + pack(TEXT[50:]) + bytes(1024)) == TEXT


def test_skippable_frames_of_zstd() -> None:
    frame = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"seek"
    assert unpacked(frame + PACKED["zstd"](TEXT) + frame) == TEXT


def test_an_empty_file_and_an_empty_archive() -> None:
    assert unpacked(b"") == unpacked(gzip.compress(b"")) == b""


@pytest.mark.parametrize("how", ["gzip", "bzip2", "xz", "zstd"])
def test_truncated(how: str) -> None:
    packed = PACKED[how](TEXT)
    had, reason = broken(packed[: len(packed) * 3 // 4])
    assert reason == "truncated"
    assert TEXT.startswith(had)
    assert had or how == "bzip2"


@pytest.mark.parametrize("how", ["gzip", "bzip2", "xz", "zstd"])
def test_damaged_after_a_sound_member(how: str) -> None:
    packed = bytearray(PACKED[how](TEXT))
    middle = slice(len(packed) // 2, len(packed) // 2 + 40)
    packed[middle] = bytes(byte ^ 0x5A for byte in packed[middle])
    first = PACKED[how](TEXT * 4)
    had, reason = broken(first + bytes(packed))
    assert reason == "corrupt"
    assert had.startswith(TEXT * 4)
    assert broken(first + b"no member of any kind")[1] == "corrupt"


def test_a_bomb_comes_in_pieces() -> None:
    bomb = gzip.compress(bytes(64 * 2**20))
    sizes = [len(piece) for piece in log_bytes(raw(bomb).pieces())]
    assert sum(sizes) == 64 * 2**20
    assert max(sizes) <= unpack.PIECE


def test_a_dictionary_that_would_take_the_memory() -> None:
    packed = bytearray(lzma.compress(TEXT[:100]))
    assert packed[14] == 0x21  # the filter LZMA2; its dictionary's size is two bytes on
    packed[16] = 39  # 3 GiB
    header = packed[12 : 12 + (packed[12] + 1) * 4 - 4]
    packed[12 + len(header) : 16 + len(header)] = zlib.crc32(header).to_bytes(4, "little")
    assert broken(bytes(packed)) == (b"", "too-much-memory")


def test_archives_are_refused() -> None:
    tar, archive = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w:gz") as made:
        made.addfile(tarfile.TarInfo("access.log"), io.BytesIO())
    with zipfile.ZipFile(archive, "w") as other:
        other.writestr("access.log", TEXT)
    assert broken(tar.getvalue()) == broken(archive.getvalue()) == (b"", "archive")


@pytest.mark.parametrize("mark", ["utf-16-le", "utf-16-be"])
def test_utf_16(mark: str) -> None:
    text = "\ufeffé line\r\nother\n"
    assert unpacked(text.encode(mark)) == text[1:].encode()


def test_the_mark_of_utf_8_is_left_out() -> None:
    assert unpacked(b"\xef\xbb\xbf#Fields\n") == b"#Fields\n"


@pytest.mark.parametrize("how", PACKED)
def test_the_hash_is_that_of_the_bytes_as_they_lie(how: str) -> None:
    data = PACKED[how](TEXT)
    source = raw(data, most=1000)  # as a pipe gives them
    assert sum(block.lines for block in read_blocks(source)) == 20_000
    assert source.digest() == hashlib.sha256(data).hexdigest()
    assert source.at == len(data)


def test_a_log_that_grows_ends_where_it_ended_at_first() -> None:
    source = Raw(_File(b"one\ntwo\nthree\n"), 8)
    assert [block.data for block in read_blocks(source)] == [b"one\ntwo\n"]


def test_a_log_that_shrank() -> None:
    reading = read_blocks(Raw(_File(b"one\ntwo"), 100))
    parts = [next(reading), next(reading)]
    assert [(block.data, block.lines, block.flaw) for block in parts] == [(b"one\n", 1, ""), (b"", 1, "cut-off")]
    with pytest.raises(Unread) as raised:
        next(reading)
    assert raised.value.reason == "changed"


LINES = st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")), max_size=60)


def numbered(parts: list[Block]) -> list[tuple[int, bytes, str]]:
    """(number, line, flaw) of each line."""
    out = []
    for block in parts:
        lines = [b""] if block.flaw else block.data.removesuffix(b"\n").split(b"\n")
        assert len(lines) == block.lines
        assert block.end.lines == block.first + block.lines - 1
        out += [(block.first + place, line, block.flaw) for place, line in enumerate(lines)]
    return out


@given(lines=LINES, ended=st.booleans(), size=st.integers(1, 50), piece=st.integers(1, 64), most=st.integers(1, 5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lines_are_the_same_however_they_are_cut(
    lines: list[bytes], ended: bool, size: int, piece: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting, "BLOCK", size)
    monkeypatch.setattr(cutting, "MOST_LINES", most)
    monkeypatch.setattr(unpack, "PIECE", piece)
    # What looks packed is another test.
    data = (b"-" + b"\n".join(lines) + (b"\n" if ended else b"")) if lines else b""
    expected = data.removesuffix(b"\n").split(b"\n") if data else []
    number, whole = 0, list(read_blocks(raw(data)))
    assert [number for number, _, _ in numbered(whole)] == list(range(1, len(expected) + 1))
    for place in range(len(whole) + 1):
        # Going on after a block gives the rest, whatever its own blocks are.
        done = whole[place - 1].end if place else None
        for number, line, flaw in numbered(list(read_blocks(raw(data), done))):
            said = expected[number - 1]
            assert line == said if not flaw else (flaw == "too-long" and len(said) + 1 >= size)
        assert number == len(expected) if done is None or done.lines < len(expected) else True


@pytest.mark.parametrize("how", PACKED)
def test_going_on_in_the_middle(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "BLOCK", 50_000)
    monkeypatch.setattr(unpack, "PIECE", 20_000)
    data = PACKED[how](TEXT)
    whole = list(read_blocks(raw(data)))
    assert len(whole) > 5
    for place in (0, len(whole) // 2, len(whole) - 1):
        source = raw(data)
        assert numbered(list(read_blocks(source, whole[place].end))) == numbered(whole[place + 1 :])
        assert source.digest() == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("how", ["plain", "gzip"])
def test_another_file_is_not_gone_on_with(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "BLOCK", 50_000)
    monkeypatch.setattr(unpack, "PIECE", 20_000)
    point = list(read_blocks(raw(PACKED[how](TEXT))))[3].end
    for other in (TEXT.replace(b"line 7 ", b"line 8 "), TEXT[:1000], b"", b"x" * len(TEXT)):
        with pytest.raises(OtherFile):
            list(read_blocks(raw(PACKED[how](other)), point))


def test_a_long_line_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "BLOCK", 1000)
    monkeypatch.setattr(unpack, "PIECE", 300)
    data = b"a\n" + b"x" * 5000 + b"\nb\n" + b"y" * 2000
    assert [(n, line, flaw) for n, line, flaw in numbered(list(read_blocks(raw(data))))] == [
        (1, b"a", ""),
        (2, b"", "too-long"),
        (3, b"b", ""),
        (4, b"", "too-long"),
    ]


def test_a_file_on_disk(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(TEXT)
    with (tmp_path / "log").open("rb", buffering=0) as file:
        last = list(read_blocks(Raw(file, len(TEXT))))[-1]
    assert last.end == Point(len(TEXT), 20_000, len(TEXT), hashlib.sha256(TEXT).hexdigest())
