"""The ledger's folder: its files, and the lock that lets one writer in at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from countenance.domain.errors import LedgerBroken, LedgerUnavailable
from countenance.ledger.disk import Disk, open_existing, write_file
from countenance.ledger.tree_files import TreeFiles

MAX_LINE = 64 * 1024 * 1024
"""Longest entry in bytes."""

_PATIENCE = 30.0
RESTORE = "Write nothing to it. Compare it with your exported bundles and backups; restore the latest that verifies."


@contextmanager
def disk_errors(what: str = "the ledger cannot be read or written") -> Iterator[None]:
    """Turn the system's errors into LedgerUnavailable."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else "input/output error"
        raise LedgerUnavailable(
            f"{what}: {reason}",
            advice="Nothing was shown. Check the disk's room, its permissions and its health, then try again.",
            details={"errno": errno.errorcode.get(error.errno or 0, "EIO")},
        ) from error


class Folder:
    """Files by name. Methods raise OSError as the disk does, unless they say otherwise."""

    def __init__(self, path: Path, disk: Disk) -> None:
        self.path = path
        self.disk = disk
        self.tree = TreeFiles(path, disk)
        self._entries: int | None = None
        self._lock: int | None = None
        self._turn: int | None = None
        self._depth = 0
        self._pid = os.getpid()

    def exists(self) -> bool:
        """Whether a ledger is here. Raises LedgerBroken when entries are, but no checkpoint."""
        if (self.path / "checkpoint").exists():
            return True
        entries = self.path / "entries.jsonl"
        if entries.exists() and entries.stat().st_size:
            raise LedgerBroken("the ledger's checkpoint is missing", advice=RESTORE)
        return False

    def create(self) -> None:
        """Make the folder and an empty file of entries. The checkpoint that follows makes its name durable too."""
        self.disk.make_folder(self.path)
        self.disk.close(self.disk.open(self.path / "entries.jsonl", os.O_RDWR | os.O_CREAT))

    def close(self) -> None:
        self.tree.close()
        for fd in (self._entries, self._lock, self._turn):
            if fd is not None:
                self.disk.close(fd)
        self._entries = self._lock = self._turn = None

    def after_fork(self) -> None:
        """Open the files anew in a forked child: a lock that is inherited shuts nobody out."""
        if self._pid != os.getpid():
            self.close()
            self._pid, self._depth = os.getpid(), 0

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder's lock against other processes and other openings. Raises LedgerUnavailable after 30 s.

        Who waits for it holds `turn` meanwhile, so that one who has just let go of it, and wants it again, comes after.
        """
        self.after_fork()
        if self._lock is None:
            self.disk.make_folder(self.path)
            self._lock = self.disk.open(self.path / "lock", os.O_RDWR | os.O_CREAT)
        if self._turn is None:
            self._turn = self.disk.open(self.path / "turn", os.O_RDWR | os.O_CREAT)
        if self._depth == 0:
            deadline = time.monotonic() + _PATIENCE
            _wait_for(self._turn, deadline)
            try:
                _wait_for(self._lock, deadline)
            finally:
                fcntl.flock(self._turn, fcntl.LOCK_UN)
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if self._depth == 0 and self._lock is not None:
                fcntl.flock(self._lock, fcntl.LOCK_UN)

    def read_checkpoint(self) -> bytes:
        """The bytes of the checkpoint. Raises LedgerBroken when there is none."""
        try:
            fd = self.disk.open(self.path / "checkpoint", os.O_RDONLY)
        except FileNotFoundError as error:
            raise LedgerBroken("the ledger's checkpoint is missing", advice=RESTORE) from error
        try:
            # As long as it is: room for the longest would be fetched from the system each time.
            return self.disk.read(fd, min(self.disk.size(fd), 1 << 17), 0)
        finally:
            self.disk.close(fd)

    def write_checkpoint(self, text: str) -> None:
        """Put a checkpoint in the place of the one before, durably."""
        write_file(self.disk, self.path / "checkpoint", text.encode())

    def write_key(self, vkey: str) -> None:
        """Keep the public key beside the entries, where people look for it, unless it is there already."""
        path = self.path / "key"
        if path.exists() and path.read_bytes() == f"{vkey}\n".encode():
            return
        write_file(self.disk, self.path / "key", f"{vkey}\n".encode())

    # The entries

    def _fd(self) -> int:
        self.after_fork()
        if self._entries is None:
            try:
                self._entries = open_existing(self.disk, self.path / "entries.jsonl")
            except FileNotFoundError as error:
                raise LedgerBroken("the ledger's entries are missing", advice=RESTORE) from error
        return self._entries

    def entries_size(self) -> int:
        """Bytes in the file of entries, that which has the name now, even if it was put there since."""
        fd = self._fd()
        try:
            named = (self.path / "entries.jsonl").stat()
        except FileNotFoundError as error:
            raise LedgerBroken("the ledger's entries are missing", advice=RESTORE) from error
        if (named.st_dev, named.st_ino) != (os.fstat(fd).st_dev, os.fstat(fd).st_ino):
            self.disk.close(fd)
            self._entries = None
            fd = self._fd()
        return self.disk.size(fd)

    def read(self, start: int, length: int) -> bytes:
        """Bytes of the entries, fewer at the end of the file."""
        return self.disk.read(self._fd(), length, start)

    def line(self, seq: int) -> bytes:
        """The bytes of entry `seq`, without the newline, where `offsets` says that they are; whatever they are."""
        start, end = self.tree.end(seq - 1), self.tree.end(seq)
        if not 0 < end - start <= MAX_LINE:
            raise LedgerBroken("the file of offsets is damaged")
        return self.read(start, end - start - 1)

    def write(self, data: bytes, start: int) -> None:
        """Write lines at `start` and return only when they are durable."""
        fd = self._fd()
        self.disk.write(fd, data, start)
        self.disk.sync(fd)

    def cut(self, length: int) -> None:
        """Cut the entries back to `length` bytes."""
        fd = self._fd()
        self.disk.truncate(fd, length)
        self.disk.sync(fd)


def _wait_for(lock: int, deadline: float) -> None:
    pause = 0.0002
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES, errno.EINTR):
                raise
        if time.monotonic() > deadline:
            raise LedgerUnavailable(
                "another process has held the ledger's lock for 30 seconds",
                advice="See whether a countenance process hangs, and end it.",
            )
        time.sleep(pause)
        pause = min(pause * 2, 0.002)
