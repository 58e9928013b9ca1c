"""Crops and kept originals: files named by a keyed digest of their content, so that a name tells nothing."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import hmac
import os
from pathlib import Path

from countenance.domain.errors import Unavailable


class Blobs:
    """A folder of files, two levels deep. `key` (32 bytes) is the home's; with it the same bytes get the same name."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self.folder = folder
        self._key = key

    def put(self, content: bytes) -> str:
        """Store, once. Returns the name. Raises Unavailable on a full disk."""
        name = hmac.new(self._key, content, hashlib.sha256).hexdigest()
        path = self._path(name)
        if path.exists():
            return name
        partial = path.with_suffix(f".{os.getpid()}.part")
        try:
            try:
                partial.write_bytes(content)
            except FileNotFoundError:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                partial.write_bytes(content)
            partial.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise Unavailable("the disk is full", advice="free some room, then run the command again") from None
            raise Unavailable(f"a crop could not be written: {error.strerror}") from None
        return name

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
