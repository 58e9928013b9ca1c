"""Reads a folder: regular files only, in a stable order, and never through a symbolic link.

Whatever else lies there is reported and not opened, so a FIFO cannot make a run wait and a link cannot lead it out
of the registered folder. A link that stays inside is left too: what it points at is read where it really is.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote_from_bytes

from countenance.domain.errors import FetchFailed, NotRegistered
from countenance.domain.sources import Finding, Found, PageSeen, Skipped, Source
from countenance.sources.reading import NotingReader
from countenance.sources.sidecar import SUFFIX, Sidecar, SidecarUnusable, read_sidecar


def file_uri(path: str | Path) -> str:
    """The `file:` URI of an absolute path (RFC 8089). Names that are not UTF-8 keep their bytes, percent-encoded."""
    return "file://" + quote_from_bytes(os.fsencode(path), safe="/")


class FolderReader(NotingReader):
    """Reads `source.location`, an absolute path without symbolic links, and everything below it.

    Files come in byte order of their names, then the subfolders in the same order. A folder's `PageSeen` follows its
    last file, unless something in it could not be looked at. Memory grows with the largest single folder (its names),
    not with the collection.
    """

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._root = source.location

    def findings(self) -> Iterator[Finding]:
        """Raises NotRegistered when the registered path leads somewhere else by now, FetchFailed when it cannot be
        listed at all: an unplugged disk must not look like an emptied one."""
        root = os.path.normpath(self._root)
        if os.path.realpath(root) != root:
            raise NotRegistered(
                "the registered folder now leads elsewhere through a symbolic link",
                advice="Register the folder that it leads to, if that is meant to be read.",
            )
        folders = [root]
        while folders:
            folder = folders.pop()
            subfolders: list[str] = []
            try:
                yield from _read_folder(folder, root, subfolders)
            except OSError as error:
                if folder == root:
                    raise FetchFailed(
                        f"the folder of this source cannot be listed: {error.strerror}",
                        advice="Check that it is there, mounted and readable, and run again.",
                    ) from error
                yield _skipped_for(folder, error)
            else:
                folders.extend(reversed(subfolders))

    def expected(self) -> int:
        """The files below the folder, counted by name: none is looked at."""
        count = 0
        folders = [os.path.normpath(self._root)]
        while folders:
            with contextlib.suppress(OSError), os.scandir(folders.pop()) as listing:
                names = set()
                for entry in listing:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        names.add(entry.name)
                count += sum(not _is_sidecar(name, names) for name in names)
        return count


def _read_folder(folder: str, root: str, subfolders: list[str]) -> Iterator[Finding]:
    """One folder's findings; its subfolders are appended. Raises OSError when it cannot be listed."""
    # O_NOFOLLOW: between its listing and now, the folder may have been replaced by a link.
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        with os.scandir(fd) as listing:
            entries = sorted(listing, key=lambda entry: os.fsencode(entry.name))
        names = {entry.name for entry in entries}
        page = file_uri(folder)
        whole = True
        for entry in entries:
            path = os.path.join(folder, entry.name)  # noqa: PTH118 (100,000 times: Path is slow)
            try:
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    subfolders.append(path)
                elif stat.S_ISLNK(status.st_mode):
                    yield Skipped(file_uri(path), _reason_of_link(path, root))
                elif not stat.S_ISREG(status.st_mode):
                    yield Skipped(file_uri(path), _reason_of_special(status.st_mode))
                elif _is_sidecar(entry.name, names):
                    continue
                elif not os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
                else:
                    yield from _read_file(path, status, page, has_sidecar=entry.name + SUFFIX in names)
            except OSError as error:
                skipped = _skipped_for(path, error)
                whole = whole and not skipped.hides
                yield skipped
        if whole:
            yield PageSeen(page)
    finally:
        os.close(fd)


def _read_file(path: str, status: os.stat_result, page: str, *, has_sidecar: bool) -> Iterator[Finding]:
    said = Sidecar()
    key = f"{status.st_size}-{status.st_mtime_ns}-{status.st_ino}"
    if has_sidecar:
        try:
            said = read_sidecar(path + SUFFIX)
        except (OSError, SidecarUnusable) as error:
            yield Skipped(file_uri(path + SUFFIX), "bad-sidecar", str(error) if isinstance(error, ValueError) else "")
        else:
            key += f"-{said.fingerprint}"
    yield Found(
        address=file_uri(path),
        page=said.page or page,
        path=Path(path),
        title=said.title,
        alt=said.alt,
        caption=said.caption,
        fetched_at=datetime.now(UTC),
        dated=said.date,
        unchanged_key=key,
    )


def _is_sidecar(name: str, names: set[str]) -> bool:
    return name.endswith(SUFFIX) and name.removesuffix(SUFFIX) in names


def _reason_of_special(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "fifo"
    if stat.S_ISSOCK(mode):
        return "socket"
    return "device"


def _reason_of_link(path: str, root: str) -> str:
    """Where a link leads, found out without opening anything."""
    inside = root.rstrip("/") + "/"
    try:
        target = os.path.realpath(path, strict=True)
    except OSError as error:
        if error.errno == errno.ELOOP:
            return "symlink-loop"
        target = os.path.realpath(path)
        return "vanished" if target.startswith(inside) else "symlink-outside"
    if target != root and not target.startswith(inside):
        return "symlink-outside"
    return "symlink-loop" if path.startswith(target.rstrip("/") + "/") else "symlink-inside"


def _skipped_for(path: str, error: OSError) -> Skipped:
    if isinstance(error, FileNotFoundError | NotADirectoryError) or error.errno == errno.ELOOP:
        return Skipped(file_uri(path), "vanished")
    if isinstance(error, PermissionError):
        return Skipped(file_uri(path), "permission", hides=True)
    return Skipped(file_uri(path), "unreadable", error.strerror or "", hides=True)
