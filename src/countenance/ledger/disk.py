"""The few calls through which the ledger touches the disk, in one place so that tests can make each of them fail."""

from __future__ import annotations

import errno
import os
from pathlib import Path


class Disk:
    """The real disk. Every method raises OSError as the system call does."""

    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        return os.open(path, flags | os.O_CLOEXEC, mode)

    def write(self, fd: int, data: bytes, offset: int) -> None:
        """Write all of `data` at `offset`."""
        view = memoryview(data)
        while view:
            done = os.pwrite(fd, view, offset)
            view, offset = view[done:], offset + done

    def read(self, fd: int, length: int, offset: int) -> bytes:
        """Read `length` bytes at `offset`, fewer only at the end of the file."""
        parts = []
        while length > 0 and (part := os.pread(fd, min(length, 1 << 24), offset)):
            parts.append(part)
            length, offset = length - len(part), offset + len(part)
        return b"".join(parts)

    def size(self, fd: int) -> int:
        return os.fstat(fd).st_size

    def sync(self, fd: int) -> None:
        """Return only when what was written to `fd` is on the disk, with the size needed to read it back."""
        os.fdatasync(fd)

    def truncate(self, fd: int, length: int) -> None:
        os.ftruncate(fd, length)

    def replace(self, source: Path, target: Path) -> None:
        os.replace(source, target)  # noqa: PTH105 - the system call's own name, as the tests watch it

    def sync_folder(self, folder: Path) -> None:
        """Make the folder's names durable: files created in it or renamed within it."""
        fd = self.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            self.close(fd)

    def make_folder(self, folder: Path) -> None:
        """Create a folder (0700), its parents too, and make its name durable."""
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.sync_folder(folder.parent)

    def close(self, fd: int) -> None:
        os.close(fd)


def open_existing(disk: Disk, path: Path, *, create: bool = False) -> int:
    """Open a file for reading and writing, or for reading only where the disk or its owner allows no more."""
    try:
        return disk.open(path, os.O_RDWR | (os.O_CREAT if create else 0))
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise
        return disk.open(path, os.O_RDONLY)


def write_file(disk: Disk, path: Path, data: bytes, mode: int = 0o600) -> None:
    """Replace a file so that a crash leaves the old content or the new, never a mixture, and the new one durable."""
    fresh = path.with_name(path.name + ".new")
    fd = disk.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        disk.write(fd, data, 0)
        disk.sync(fd)
    finally:
        disk.close(fd)
    disk.replace(fresh, path)
    disk.sync_folder(path.parent)
