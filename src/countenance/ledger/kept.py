"""What others have said about the ledger, kept beside it: co-signatures of witnesses, and a time-stamp.

Each is about a checkpoint of its own, an earlier one than the latest as soon as an entry is added. Nothing is believed
because it stands here: whoever reads it checks signatures and tree.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from countenance.ledger.disk import Disk, write_file
from countenance.ledger.manifest import COSIGNED, OPTIONAL, STAMPED, TIMESTAMP

MOST = 1 << 16
"""Longest of these files in bytes."""


def of(folder: Path) -> Mapping[str, bytes]:
    """What is kept in the ledger's folder, by its name in a bundle. Raises OSError."""
    found = {}
    for name in sorted(OPTIONAL):
        path = folder / name
        if path.is_file() and path.stat().st_size <= MOST:
            found[name] = path.read_bytes()
    if (STAMPED in found) != (TIMESTAMP in found):
        # A stamp was being replaced: neither half says anything without the other.
        found.pop(STAMPED, None)
        found.pop(TIMESTAMP, None)
    return found


def cosigned(folder: Path, text: str, disk: Disk | None = None) -> None:
    """Keep a checkpoint with its co-signatures, durably, in the place of the one before. Raises OSError."""
    write_file(disk or Disk(), folder / COSIGNED, text.encode())


def stamped(folder: Path, text: str, stamp: bytes, disk: Disk | None = None) -> None:
    """Keep a time-stamp and the checkpoint that it is of. Raises OSError."""
    disk = disk or Disk()
    (folder / TIMESTAMP).unlink(missing_ok=True)
    write_file(disk, folder / STAMPED, text.encode())
    write_file(disk, folder / TIMESTAMP, stamp)
