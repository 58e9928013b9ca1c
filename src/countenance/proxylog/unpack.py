"""Raw bytes → the log's bytes: counted and hashed as they lie, unpacked by what they are, not by what they are called.

gzip (RFC 1952), bzip2, xz and zstd (RFC 8878), of one member or many; anything else is taken as it is. What comes out
never grows beyond a piece at a time, whatever a bomb unpacks to. UTF-16 with a byte order mark, as PowerShell writes
it, becomes UTF-8; the mark of UTF-8 is left out.
"""

from __future__ import annotations

import bz2
import codecs
import hashlib
import io
import itertools
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

from countenance.proxylog.inputs import Unread

PIECE = 2**20
"""Bytes that are read, and at most unpacked, at a time. Resuming rests on its being the same in both runs."""
MOST_MEMORY = 128 * 2**20
"""Bytes that the dictionary of an xz file may take (`xz -9` takes 65 MiB)."""
ARCHIVES = (b"PK\x03\x04", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07")


class Raw:
    """The bytes of a file as they lie, in pieces of `PIECE`, and their SHA-256 as far as it was read.

    At most `size` bytes are read, so that a log that grows has a fixed end. `at` is how many were.
    """

    def __init__(self, file: io.RawIOBase, size: int | None) -> None:
        self._file, self._size = file, size
        self._hash = hashlib.sha256()
        self.at = 0

    def pieces(self) -> Iterator[bytes]:
        """Raises Unread when the file cannot be read further, or has become shorter."""
        while self._size is None or self.at < self._size:
            piece = self._read(PIECE if self._size is None else min(PIECE, self._size - self.at))
            if not piece:
                if self._size is not None:
                    raise Unread("changed")
                return
            self._hash.update(piece)
            self.at += len(piece)
            yield piece

    def digest(self) -> str:
        """The SHA-256 of what was read so far, in hexadecimal."""
        return self._hash.hexdigest()

    def drain(self) -> None:
        """Read the rest for its hash alone. Raises Unread."""
        for _ in self.pieces():
            pass

    def _read(self, wanted: int) -> bytes:
        # A pipe gives what it has; pieces have to be whole for two runs to cut alike.
        parts, missing = [], wanted
        while missing:
            try:
                part = self._file.read(missing)
            except OSError:
                raise Unread("unreadable") from None
            if part is None:
                raise Unread("unreadable")  # a stream that does not wait
            if not part:
                break
            parts.append(part)
            missing -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


def log_bytes(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Raw pieces → the log's bytes in pieces. Raises Unread where the file is damaged, after what came before."""
    return _as_utf8(_unpacked(pieces))


class _Decoder(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gzip:
    """zlib's decompressor with the manners of the other three."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)
        self._full = False

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._full

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        out = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self._full = len(out) == max_length or bool(self._inner.unconsumed_tail)
        return out


def _xz() -> _Decoder:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MOST_MEMORY)


def _zstd() -> _Decoder:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd.ZstdDecompressor()


def _decoder_for(start: bytes) -> Callable[[], _Decoder] | None:
    """What unpacks a file that begins so; None for one that is not packed."""
    if start.startswith(b"\x1f\x8b\x08"):
        return _Gzip
    if start.startswith(b"BZh") and start[4:10] in (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90"):
        return bz2.BZ2Decompressor
    if start.startswith(b"\xfd7zXZ\x00"):
        return _xz
    skippable = start[:1] and 0x50 <= start[0] <= 0x5F and start[1:4] == b"\x2a\x4d\x18"
    if start.startswith(b"\x28\xb5\x2f\xfd") or skippable:
        return _zstd
    return None


def _unpacked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    first = next(pieces, b"")
    whole = itertools.chain((first,), pieces) if first else pieces
    make = _decoder_for(first)
    if make:
        whole = _decoded(make, whole)
        first = next(whole, b"")
        whole = itertools.chain((first,), whole) if first else whole
    if first.startswith(ARCHIVES) or first[257:262] == b"ustar":
        raise Unread("archive")
    yield from whole


def _decoded(make: Callable[[], _Decoder], pieces: Iterator[bytes]) -> Iterator[bytes]:
    decoder, fresh = make(), True
    for piece in pieces:
        data = piece
        while True:
            if fresh:
                data = data.lstrip(b"\0")  # padding between members and after the last
                if not data:
                    break
                fresh = False
            out = _step(decoder, data)
            if out:
                yield out
            data = b""
            if decoder.eof:
                data = decoder.unused_data
                decoder, fresh = make(), True
            elif decoder.needs_input:
                break
    if not fresh:
        raise Unread("truncated")


def _step(decoder: _Decoder, data: bytes) -> bytes:
    try:
        return decoder.decompress(data, PIECE)
    except lzma.LZMAError as error:
        raise Unread("too-much-memory" if "emory" in str(error) else "corrupt") from None
    except MemoryError:
        raise Unread("too-much-memory") from None
    except Exception:
        # zlib.error, OSError, EOFError, ZstdError: each has its own, and all say the same.
        raise Unread("corrupt") from None


def _as_utf8(pieces: Iterator[bytes]) -> Iterator[bytes]:
    first = next(pieces, b"")
    while first and len(first) < 3 and (more := next(pieces, b"")):
        first += more
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        decoder = codecs.getincrementaldecoder("utf-16")("replace")
        for piece in itertools.chain((first,), pieces):
            yield decoder.decode(piece).encode("utf-8", "replace")
        yield decoder.decode(b"", final=True).encode("utf-8", "replace")
        return
    first = first.removeprefix(codecs.BOM_UTF8)
    if first:
        yield first
    yield from pieces
