"""Let others check: bundles, checkpoints and tiles for outsiders, and what witnesses and time-stamping say."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from countenance.domain.authority import Actor
from countenance.ledger.extract import Extract
from countenance.ledger.note import VerifierKey
from countenance.ledger.verify import verify_folder
from countenance.services.record import Record
from countenance.settings import LedgerSettings


@dataclass(frozen=True, slots=True)
class Overseer:
    """What the keeper of a ledger does for those who check it."""

    record: Record
    folder: Path
    settings: LedgerSettings

    def verify(self) -> dict[str, Any]:
        """Check every entry of the ledger as it lies on the disk. Raises LedgerBroken."""
        return verify_folder(self.folder, VerifierKey.parse(self.record.ledger.vkey)).as_json()

    def bundle(self, actor: Actor, extract: Extract | None = None) -> bytes:
        """The whole ledger, or an extract. Exporting it is an entry, and a whole one has that entry in it."""
        body: dict[str, Any] = {"entries": self.record.ledger.size}
        if extract is not None:
            body["asked"] = dict(extract.asked)
        self.record.enter("ledger.exported", actor, body)
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "bundle.zip"
            self.record.ledger.export(target, extract)
            return target.read_bytes()
