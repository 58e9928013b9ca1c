"""Let others check: bundles, checkpoints and tiles for outsiders, and what witnesses and time-stamping say."""

from __future__ import annotations

import contextlib
import fcntl
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from countenance.domain.authority import Actor
from countenance.domain.errors import BadInput, CountenanceError, KeyTrouble, LedgerBroken
from countenance.ledger import cosignature, kept, manifest, timestamp, witnessing
from countenance.ledger.checkpoint import parse
from countenance.ledger.cosignature import WitnessKey
from countenance.ledger.extract import Extract
from countenance.ledger.folder import disk_errors
from countenance.ledger.note import VerifierKey
from countenance.ledger.tiles import Written
from countenance.ledger.verify import verify_folder
from countenance.services.record import Record
from countenance.settings import LedgerSettings

EXPORTED = "ledger.exported"


@dataclass(frozen=True, slots=True)
class Overseer:
    """What the keeper of a ledger does for those who check it."""

    record: Record
    folder: Path
    settings: LedgerSettings

    def verify(self, since: bytes | None = None) -> dict[str, Any]:
        """Check every entry of the ledger as it lies on the disk, what the configured witnesses have co-signed, and the
        time-stamp where its certificates are set.

        With `since` also that it continues that checkpoint. Raises LedgerBroken.
        """
        earlier = parse(since) if since is not None else None
        stamped, certificates = kept.of(self.folder), self.settings.tsa_certificates
        signed = parse(stamped[manifest.COSIGNED]).note.signatures if manifest.COSIGNED in stamped else ()
        witnesses = [_witness(one.vkey) for one in self.settings.witnesses]
        there = [key for key in witnesses if any((s.name, s.id) == (key.name, key.id) for s in signed)]
        told = verify_folder(self.folder, VerifierKey.parse(self.record.ledger.vkey), earlier, there).as_json()
        if manifest.STAMPED in stamped and certificates is not None:
            text, stamp = stamped[manifest.STAMPED].decode(), stamped[manifest.TIMESTAMP]
            told["stamped_at"] = timestamp.check(stamp, text, _read(certificates)).isoformat()
        return told

    def checkpoint(self) -> str:
        """The latest checkpoint, with its co-signatures when it has been co-signed."""
        text = self.record.ledger.checkpoint()
        cosigned = kept.of(self.folder).get(manifest.COSIGNED, b"").decode()
        return cosigned if cosigned.startswith(text) else text

    def read(self, start: int, stop: int, actor: Actor) -> list[dict[str, Any]]:
        """Entries `start` up to `stop` as JSON values. Reading them is an entry, durable before they are."""
        stop = min(stop, self.record.ledger.size)
        if start >= stop:
            return []
        self.record.enter("ledger.read", actor, {"first": start, "last": stop - 1})
        return list(self.record.entries(start, stop))

    def tiles(self, folder: Path, actor: Actor, *, entries: bool = False) -> Written:
        """Write the tree as static tiles; with its entries they leave the house, and that is one too.

        Raises as `Ledger.tiles`.
        """
        if entries:
            self.record.enter(EXPORTED, actor, {"entries": self.record.ledger.size, "tiles": True})
        return self.record.ledger.tiles(folder, entries=entries)

    def witness(self) -> dict[str, Any]:
        """Let every configured witness co-sign the latest checkpoint; what they sign is kept beside it.

        Raises LedgerBroken when a witness has seen another history or a longer ledger, FetchFailed when one does not
        answer; what the others signed is kept all the same. Raises BadInput when there is no witness.
        """
        asked = [(one.url, _witness(one.vkey)) for one in self.settings.witnesses]
        if not asked:
            raise BadInput("no witness is configured", advice="set `ledger.witnesses`; docs/ledger.md says how")
        ledger = self.record.ledger
        failed: list[CountenanceError] = []
        lines: list[str] = []
        with self._alone():
            text = ledger.checkpoint()
            head = parse(text.encode()).head
            signed = []
            for url, key in asked:
                try:
                    found = witnessing.ask(
                        url, key, head, text, lambda old: ledger.consistency(old, head), self._known(key)
                    )
                except CountenanceError as error:
                    failed.append(error)
                    continue
                lines.append(found.line)
                signed.append({"witness": key.name, "at": found.at.isoformat()})
            if lines:
                with disk_errors():
                    kept.cosigned(self.folder, text + "".join(lines))
        for worst in sorted(failed, key=lambda one: not isinstance(one, LedgerBroken)):
            worst.details["cosigned"] = signed
            raise worst
        return {"size": head.size, "cosigned": signed}

    def stamp(self) -> dict[str, Any]:
        """Let the configured authority stamp the latest checkpoint; the stamp is kept beside it.

        Raises BadInput when there is none, FetchFailed when no stamp comes, LedgerBroken when it does not lead to the
        certificates that are set.
        """
        if self.settings.tsa_url is None:
            raise BadInput("no time-stamping service is configured", advice="set `ledger.tsa_url`")
        certificates = self.settings.tsa_certificates
        with self._alone():
            text = self.record.ledger.checkpoint()
            stamp, at = timestamp.ask(self.settings.tsa_url, text)
            if certificates is not None:
                timestamp.check(stamp, text, _read(certificates))
            with disk_errors():
                kept.stamped(self.folder, text, stamp)
        size = parse(text.encode()).head.size
        return {"size": size, "at": at.isoformat(), "signer": "not checked" if certificates is None else "checked"}

    def _known(self, key: WitnessKey) -> int:
        """The size of the last checkpoint that is kept with this witness's co-signature."""
        raw = kept.of(self.folder).get(manifest.COSIGNED)
        found = parse(raw) if raw is not None else None
        return found.head.size if found is not None and cosignature.signed_at(found.note, key) else 0

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One at a time: a witness that is shown an earlier checkpoint after a later one takes it for a roll-back."""
        with contextlib.ExitStack() as stack:
            with disk_errors():
                file = stack.enter_context((self.folder / "witness.lock").open("a"))
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def bundle(self, actor: Actor, extract: Extract | None = None) -> bytes:
        """The whole ledger, or an extract. Exporting it is an entry, and a whole one has that entry in it."""
        body: dict[str, Any] = {"entries": self.record.ledger.size}
        if extract is not None:
            body["asked"] = dict(extract.asked)
        self.record.enter(EXPORTED, actor, body)
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "bundle.zip"
            self.record.ledger.export(target, extract)
            return target.read_bytes()


def _witness(text: str) -> WitnessKey:
    try:
        return WitnessKey.parse(text)
    except ValueError as error:
        raise BadInput(f"`ledger.witnesses`: {error}", advice="its keeper has it: countenance witness key") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeyTrouble(f"the certificates of the time-stamping service cannot be read: {error.strerror}") from None
