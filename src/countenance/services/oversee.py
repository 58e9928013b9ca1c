"""Let others check: the ledger as it lies on the disk, and a bundle for outsiders."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from countenance.domain.authority import Actor
from countenance.ledger.note import VerifierKey
from countenance.ledger.verify import verify_folder
from countenance.services.record import Record


def verify_ledger(record: Record, folder: Path) -> dict[str, Any]:
    """Check every entry of the ledger as it lies on the disk. Raises LedgerBroken."""
    return verify_folder(folder, VerifierKey.parse(record.ledger.vkey)).as_json()


def bundle(record: Record, actor: Actor) -> bytes:
    """The whole ledger for outsiders. Exporting it is an entry, and that entry is in the bundle."""
    record.enter("ledger.exported", actor, {"entries": record.ledger.size})
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "bundle.zip"
        record.ledger.export(target)
        return target.read_bytes()
