"""A file of a stranger's folder → its bytes, without ever waiting on a pipe or following a link."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from countenance.domain.errors import Unavailable, UnreadableImage
from countenance.imaging.limits import Limits

_BY_ERRNO = {
    errno.ENOENT: "vanished",
    errno.ENOTDIR: "vanished",
    errno.ESTALE: "vanished",
    errno.EACCES: "permission",
    errno.EPERM: "permission",
    errno.ELOOP: "symlink",
    errno.ENXIO: "socket",
    errno.EISDIR: "folder",
}
_OUT_OF_HANDLES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


def read_file(path: Path, limits: Limits) -> bytes:
    """All bytes of a regular file, at most `limits.max_bytes`.

    Looked at before it is opened, so that devices and pipes are not touched; opened without following a link in the
    last part of the path (whoever walks the folder answers for the others) and without blocking; and looked at again
    through the open file, in case it was exchanged in between. Names that are not UTF-8 work.

    Raises UnreadableImage (empty, too-many-bytes, fifo, socket, device, folder, symlink, vanished, permission,
    unreadable), or Unavailable when this process has no file handles left, for which the file cannot be blamed.
    """
    try:
        _refuse_other_kinds(path.stat(follow_symlinks=False).st_mode)
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            return _read(handle, limits.max_bytes)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno in _OUT_OF_HANDLES:
            raise Unavailable("this process cannot open more files", advice="raise `ulimit -n`") from error
        # `from None`: the system's message holds the path, which may be a probe's.
        raise UnreadableImage(_BY_ERRNO.get(error.errno or 0, "unreadable")) from None
    except ValueError:  # a NUL in the name: nothing has such a name
        raise UnreadableImage("vanished") from None


def _refuse_other_kinds(mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    for test, reason in (
        (stat.S_ISLNK, "symlink"),
        (stat.S_ISFIFO, "fifo"),
        (stat.S_ISSOCK, "socket"),
        (stat.S_ISDIR, "folder"),
    ):
        if test(mode):
            raise UnreadableImage(reason)
    raise UnreadableImage("device")


def _read(handle: int, most: int) -> bytes:
    state = os.fstat(handle)
    _refuse_other_kinds(state.st_mode)
    if state.st_size > most:
        raise UnreadableImage("too-many-bytes")
    parts = []
    left = most + 1  # one more than allowed tells that the file has grown past the limit
    next_part = state.st_size + 1
    while left > 0 and (part := os.read(handle, min(left, next_part))):
        parts.append(part)
        left -= len(part)
        next_part = max(next_part - len(part), 4096)
    if left <= 0:
        raise UnreadableImage("too-many-bytes")
    if not parts:
        raise UnreadableImage("empty")
    return parts[0] if len(parts) == 1 else b"".join(parts)
