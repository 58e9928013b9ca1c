"""An encrypted stream of files: a tar in age (https://age-encryption.org/v1), never whole in memory or on the disk.

To recipients it is a plain age file. To a passphrase it is two age files in a row: the first, armoured, holds a key
made for this one archive and is encrypted to the passphrase; the second is encrypted to that key. Both can be opened
with the tools `age` and `tar` alone; docs/operators.md says how.
"""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from countenance.domain.errors import BadInput, KeyTrouble, Unavailable

ARMOUR = b"-----BEGIN AGE ENCRYPTED FILE-----"
_ARMOUR_END = b"-----END AGE ENCRYPTED FILE-----\n"
PLAIN = b"age-encryption.org/v1"
_BLOCK = 512
_CHUNK = 1 << 20
_LONGEST_NAME = 100
LEAST_PASSPHRASE = 12


@dataclass(frozen=True, slots=True)
class Member:
    """A file to be kept: its name in the archive, its size in bytes, and where its bytes come from, once."""

    name: str
    size: int
    chunks: Callable[[], Iterator[bytes]]


def of_bytes(name: str, content: bytes) -> Member:
    """A small file out of memory."""
    return Member(name, len(content), lambda: iter([content]))


def of_file(name: str, path: Path) -> Member:
    """A file as it is now; what is added to it later stays out."""
    size = path.stat().st_size

    def chunks() -> Iterator[bytes]:
        with path.open("rb") as file:
            left = size
            while left and (chunk := file.read(min(_CHUNK, left))):
                left -= len(chunk)
                yield chunk

    return Member(name, size, chunks)


def write(out: IO[bytes], members: Iterator[Member], *, passphrase: str | None, recipients: list[str]) -> None:
    """Encrypt `members` into `out`. Raises BadInput for a recipient that is none, Unavailable when the disk refuses,
    and whatever reading a member raises."""
    import pyrage

    if passphrase is not None:
        if len(passphrase) < LEAST_PASSPHRASE:
            raise BadInput(
                f"the passphrase has fewer than {LEAST_PASSPHRASE} characters", advice="take five or six random words"
            )
        own = pyrage.x25519.Identity.generate()
        out.write(pyrage.passphrase.encrypt(str(own).encode(), passphrase, armored=True))
        keys = [own.to_public()]
    else:
        try:
            keys = [pyrage.x25519.Recipient.from_str(text) for text in recipients]
        except pyrage.RecipientError:
            raise BadInput("not a recipient of age", advice="it begins with age1; `age-keygen` makes one") from None
    source = _Reading(_tar(members))
    try:
        pyrage.encrypt_io(source, out, keys)
    except Exception as error:
        if source.error is not None:
            raise source.error from None
        raise Unavailable(
            "the backup cannot be written", advice="check the disk's room and the folder; nothing was left there"
        ) from error


def read(file: IO[bytes], folder: Path, *, passphrase: str | None, identities: list[str]) -> None:
    """Decrypt into an empty folder. Raises BadInput for what is no archive or is cut off, KeyTrouble when it does not
    open, Unavailable when the disk refuses. Every byte is authenticated before it is written."""
    import pyrage

    head = file.read(len(ARMOUR))
    file.seek(0)
    keys: list[Any]
    if head == ARMOUR:
        if passphrase is None:
            raise BadInput("this backup opens with a passphrase", advice="give it with --passphrase-file, or type it")
        first = _armoured(file)
        try:
            keys = [pyrage.x25519.Identity.from_str(pyrage.passphrase.decrypt(first, passphrase).decode())]
        except pyrage.DecryptError:
            raise KeyTrouble("the passphrase does not open this backup", advice="nothing was written") from None
    elif head.startswith(PLAIN):
        if not identities:
            raise BadInput("this backup opens with a key", advice="give the recipient's key with --identity")
        try:
            keys = [pyrage.x25519.Identity.from_str(text) for text in identities]
        except pyrage.IdentityError:
            raise BadInput("not a key of age", advice="it begins with AGE-SECRET-KEY-1") from None
    else:
        raise BadInput("this is no backup", advice="give the file that `countenance backup` wrote")
    target = _Unpacking(folder)
    try:
        pyrage.decrypt_io(file, target, keys)
    except Exception as error:
        if target.error is not None:
            raise target.error from None
        if "No matching keys" in str(error):
            raise KeyTrouble("this key does not open the backup", advice="give the right one with --identity") from None
        raise BadInput(
            "the backup is cut off or damaged", advice="take another copy of it; nothing was restored"
        ) from error
    finally:
        target.stop()
    if not target.ended:
        raise BadInput("the backup is cut off", advice="take another copy of it; nothing was restored")


def _armoured(file: IO[bytes]) -> bytes:
    lines: list[bytes] = []
    for _ in range(40):
        lines.append(file.readline(200))
        if lines[-1] == _ARMOUR_END:
            return b"".join(lines)
    raise BadInput("this is no backup", advice="give the file that `countenance backup` wrote")


def _tar(members: Iterator[Member]) -> Iterator[bytes]:
    for member in members:
        if len(member.name) > _LONGEST_NAME:
            raise BadInput(f"a name is too long to be backed up: {member.name}", advice="rename the file")
        about = tarfile.TarInfo(member.name)
        about.size, about.mode = member.size, 0o600
        yield about.tobuf(tarfile.GNU_FORMAT)
        size = 0
        for chunk in member.chunks():
            size += len(chunk)
            yield chunk
        if size != member.size:
            raise Unavailable(f"{member.name} changed while it was read", advice="run the backup again")
        yield b"\0" * (-size % _BLOCK)
    yield b"\0" * (2 * _BLOCK)


class _Reading(io.RawIOBase):
    """What a generator yields, as a file. What it raises is kept: the encrypting side makes its own error of it."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""
        self.error: BaseException | None = None

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        try:
            while not self._rest:
                self._rest = next(self._chunks)
        except StopIteration:
            return b""
        except BaseException as error:
            self.error = error
            raise
        part, self._rest = self._rest[:size], self._rest[size:]
        return part


class _Unpacking(io.RawIOBase):
    """A tar as it is pushed in, written out into a folder: plain files with plain names, and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.error: BaseException | None = None
        self.ended = False
        self._waiting = b""
        self._file: IO[bytes] | None = None
        self._left = 0
        self._padding = 0

    def writable(self) -> bool:
        return True

    def flush(self) -> None:
        """Nothing waits here but what is less than a block."""

    def write(self, data: Any) -> int:
        try:
            self._take(bytes(data))
        except OSError as error:
            self.error = Unavailable(
                f"the backup cannot be restored here: {os.strerror(error.errno or 5)}",
                advice="check the disk's room; nothing was restored",
            )
            raise
        except BaseException as error:
            self.error = error
            raise
        return len(data)

    def stop(self) -> None:
        """Let go of a file that was not finished."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _take(self, data: bytes) -> None:
        data = self._waiting + data
        at = 0
        while True:
            if self._left:
                part = data[at : at + self._left]
                assert self._file is not None
                self._file.write(part)
                at, self._left = at + len(part), self._left - len(part)
                if self._left:
                    break
            if self._file is not None:
                self.stop()
            if self._padding:
                part = data[at : at + self._padding]
                at, self._padding = at + len(part), self._padding - len(part)
                if self._padding:
                    break
            if len(data) - at < _BLOCK:
                break
            block, at = data[at : at + _BLOCK], at + _BLOCK
            if block == b"\0" * _BLOCK:
                self.ended = True
                continue
            self._begin(block)
        self._waiting = data[at:]

    def _begin(self, block: bytes) -> None:
        try:
            about = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
        except (tarfile.HeaderError, UnicodeError):
            raise BadInput("the backup does not hold what a backup holds", advice="take another copy of it") from None
        name = PurePosixPath(about.name)
        odd = name.is_absolute() or ".." in name.parts or "\\" in about.name
        if self.ended or odd or about.type != tarfile.REGTYPE:
            raise BadInput("the backup holds something that is no file of a home", advice="ask where it comes from")
        path = self.folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(descriptor, "wb")
        self._left, self._padding = about.size, -about.size % _BLOCK
