"""Which files are read: what was named, what lies in folders that were named, and standard input.

A folder is walked in byte order of names and never through a symbolic link; a file that is named by a link is read,
since somebody asked for it. Only regular files (and standard input) are opened. What cannot be read is a `Fault` with a
reason, and the run goes on. A file that is reached twice is read once, under the smaller of its names.
"""

from __future__ import annotations

import errno
import glob
import io
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

STDIN = "-"

FAULTS: Mapping[str, str] = {
    "vanished": "there is no such file",
    "permission": "the file may not be read by this user",
    "fifo": "a named pipe is not read; send it to standard input instead",
    "socket": "a socket is not read",
    "device": "a device is not read",
    "symlink": "a symbolic link inside a folder is not followed; name what it points at",
    "symlink-loop": "a symbolic link that leads back to itself",
    "unreadable": "the file could not be read",
    "changed": "the file became shorter while it was read",
    "truncated": "the compressed file ends before it is complete; what came before counts",
    "corrupt": "the compressed file is damaged; what came before counts",
    "too-much-memory": "the compressed file needs more memory than it is given",
    "archive": "an archive of files is not read; unpack it first",
    "unknown-format": "no known format recognises these lines; name the format if you know it",
    "no-header": "this piece has no header, and no other file has one that fits",
    "several-headers": "this piece has no header, and other files have different ones that fit",
}
"""Why a file was not read, or not to its end."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A file that was not read, or not to its end. `reason` is a key of `FAULTS`; `others` names files it is about."""

    file: str
    reason: str
    others: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The reason in words."""
        return FAULTS[self.reason] + (f" ({', '.join(self.others)})" if self.others else "")

    def as_json(self) -> dict[str, Any]:
        """{"file", "reason", "words"}."""
        return {"file": self.file, "reason": self.reason, "words": self.words}


class Unread(Exception):
    """A file that cannot be read, or not further. `reason` is a key of `FAULTS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Input:
    """A file to read. `name` is how the report calls it, always text; `path` None is standard input."""

    name: str
    path: bytes | None
    size: int | None

    def open(self) -> io.RawIOBase:
        """Its bytes, unbuffered, to be closed by the caller. Raises Unread."""
        if self.path is None:
            return os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0)
        try:
            # O_NONBLOCK: what was a file may be a named pipe by now, and opening one waits.
            fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        except OSError as error:
            raise Unread(reason_of(error)) from None
        if kind := _special(os.fstat(fd).st_mode):
            os.close(fd)
            raise Unread(kind)
        return os.fdopen(fd, "rb", buffering=0)


def shown(path: str | bytes | os.PathLike[str]) -> str:
    """A path as text that can be stored and printed; bytes that are not UTF-8 become `\\xNN`, so no two are alike."""
    text = os.fsencode(path).replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def find_inputs(paths: Iterable[str | os.PathLike[str]]) -> tuple[list[Input], list[Fault]]:
    """The files to read, sorted by name and each once, and what is not read.

    A path is a file, a folder, `-` for standard input, or a pattern such as `access.log*` when no file has that name.
    """
    found: dict[tuple[int, int], Input] = {}
    inputs, faults = [], []
    for path in paths:
        text = os.fspath(path)
        if text == STDIN:
            inputs.append(Input(STDIN, None, None))
            continue
        for one in _matching(text):
            for item in _named(os.fsencode(one)):
                if isinstance(item, Fault):
                    faults.append(item)
                    continue
                made, key = item
                if key not in found or _order(made) < _order(found[key]):
                    found[key] = made
    inputs = inputs[:1] + list(found.values())
    return sorted(inputs, key=_order), sorted(set(faults), key=lambda fault: (fault.file, fault.reason))


def reason_of(error: OSError) -> str:
    """The key of `FAULTS` for an error of the operating system."""
    if error.errno == errno.ELOOP:
        return "symlink-loop"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "permission"
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return "vanished"
    return "socket" if error.errno == errno.ENXIO else "unreadable"


def _order(one: Input) -> tuple[str, bytes]:
    return one.name, one.path or b""


def _matching(text: str) -> list[str]:
    if os.path.lexists(text) or not glob.has_magic(text):
        return [text]
    return sorted(glob.glob(text)) or [text]  # noqa: PTH207 (a pattern as a person types it)


def _named(path: bytes) -> Iterator[tuple[Input, tuple[int, int]] | Fault]:
    """What a path that somebody named leads to."""
    try:
        status = os.stat(path)  # noqa: PTH116 (a name need not be text)
    except OSError as error:
        yield Fault(shown(path), reason_of(error))
        return
    if stat.S_ISDIR(status.st_mode):
        yield from _inside(path)
    else:
        yield _one(path, status)


def _inside(folder: bytes) -> Iterator[tuple[Input, tuple[int, int]] | Fault]:
    """Everything in a folder and below."""
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            with os.scandir(here) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            yield Fault(shown(here), reason_of(error))
            continue
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    waiting.append(entry.path)
                elif stat.S_ISLNK(status.st_mode):
                    yield Fault(shown(entry.path), _reason_of_link(entry.path))
                else:
                    yield _one(entry.path, status)
            except OSError as error:
                yield Fault(shown(entry.path), reason_of(error))


def _reason_of_link(path: bytes) -> str:
    try:
        target = os.path.realpath(path, strict=True)
    except OSError as error:
        return reason_of(error)
    return "symlink-loop" if path.startswith(target.rstrip(b"/") + b"/") else "symlink"


def _one(path: bytes, status: os.stat_result) -> tuple[Input, tuple[int, int]] | Fault:
    if kind := _special(status.st_mode):
        return Fault(shown(path), kind)
    return Input(shown(path), path, status.st_size), (status.st_dev, status.st_ino)


def _special(mode: int) -> str:
    """What keeps something from being read; "" for a regular file."""
    if stat.S_ISREG(mode):
        return ""
    if stat.S_ISFIFO(mode):
        return "fifo"
    return "socket" if stat.S_ISSOCK(mode) else "device"
