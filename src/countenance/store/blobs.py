"""Crops and kept originals: files named by a keyed digest of their content, so that a name tells nothing."""

from __future__ import annotations

import contextlib
import errno
import hmac
import os
from pathlib import Path

from countenance.domain.errors import Unavailable


class Blobs:
    """A folder of files, two levels deep. `key` (32 bytes) is the home's; with it the same bytes get the same name."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self.folder = folder
        self._place = os.fspath(folder)
        self._key = key
        # By path, whether it was not there before.
        self._unsettled: dict[str, bool] = {}

    def put(self, content: bytes) -> str:
        """Store, once; durable after the next `settle`. Returns the name. Raises Unavailable on a full disk."""
        name = hmac.digest(self._key, content, "sha256").hex()
        # Strings and plain calls: for each of a hundred thousand crops, Path costs as much as the writing.
        path = f"{self._place}/{name[:2]}/{name}"
        partial = f"{path}.{os.getpid()}.part"
        try:
            try:
                os.stat(path)  # noqa: PTH116
                self._unsettled.setdefault(path, False)
                return name
            except FileNotFoundError:
                pass
            try:
                _write(partial, content)
            except FileNotFoundError:
                self._path(name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                _write(partial, content)
            os.replace(partial, path)  # noqa: PTH105
            self._unsettled[path] = True
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(partial)  # noqa: PTH108
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise Unavailable("the disk is full", advice="free some room, then run the command again") from None
            raise Unavailable(f"a crop could not be written: {error.strerror}") from None
        return name

    def settle(self) -> None:
        """What was put is on the disk when this returns, with its names: before a row says that it is there. Raises
        Unavailable.

        Many at once, since the first sync takes most of the others' way too.
        """
        paths, self._unsettled = self._unsettled, {}
        try:
            for path in paths:
                _sync(path)
            for folder in {path.rpartition("/")[0] for path in paths} | {self._place}:
                _sync(folder)
        except OSError as error:
            # After a sync that failed the system may take for clean what is not on the disk: nothing is left to be
            # found there by the next `put`.
            for path in (path for path, fresh in paths.items() if fresh):
                with contextlib.suppress(OSError):
                    os.unlink(path)  # noqa: PTH108
            raise Unavailable(f"a crop could not be written: {error.strerror}", advice="see to the disk") from None

    def mark(self, digest: bytes, address: str = "", page: str = "") -> bytes:
        """A keyed mark (32 bytes) of an image's digest, by which an erased one is known again and nothing is told.

        With an address and a page it is of that image at that place alone.
        """
        place = f"{address}\n{page}".encode(errors="surrogateescape") if address or page else b""
        return hmac.digest(self._key, b"erased image\n" + digest + place, "sha256")

    def get(self, name: str) -> bytes | None:
        """The content, or None when it is gone."""
        try:
            return self._path(name).read_bytes()
        except OSError:
            return None

    def erase(self, name: str) -> None:
        """Overwrite with zeros and remove. What is gone already is no error."""
        path = self._path(name)
        with contextlib.suppress(FileNotFoundError):
            with path.open("r+b") as file:
                file.write(b"\0" * path.stat().st_size)
                file.flush()
                os.fsync(file.fileno())
            path.unlink()

    def names(self) -> set[str]:
        """Every stored name."""
        return {p.name for p in self.folder.glob("??/*") if p.suffix == ""}

    def sweep(self) -> None:
        """Remove half-written files of a run that was killed."""
        for part in self.folder.glob("??/*.part"):
            part.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self.folder / name[:2] / name


def _write(path: str, content: bytes) -> None:
    """Write a new file, whole."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(handle, rest) :]
    finally:
        os.close(handle)


def _sync(path: str) -> None:
    """A file or a folder, onto the disk. What was erased meanwhile needs no sync."""
    with contextlib.suppress(FileNotFoundError):
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
