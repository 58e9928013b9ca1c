"""Check a ledger without trusting whoever keeps it: ``python -m countenance.ledger.verify BUNDLE``.

This module reaches nothing but the standard library, `cryptography`, `countenance.ledger` and
`countenance.domain.errors`, so that those files alone serve an outsider. It shows nothing of what the entries say.

What it checks of a bundle: that each byte of the file is accounted for; that every entry has its one canonical form,
its number, a time that goes on (or says that it does not), and its leaf; that the tree over them is the one that the
checkpoint signs; that each change of the signing key was announced by the key before; and the signature over the whole.
With ``--key`` also that the signer is who you think, and with ``--since`` that an earlier checkpoint is a prefix.

Exit status: 0 it verifies, 1 it does not, 2 it could not be read or the command line is wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from countenance.domain.errors import LedgerBroken
from countenance.ledger import checkpoint, manifest, note
from countenance.ledger.audit import Audit, Handover, lines
from countenance.ledger.checkpoint import Checkpoint
from countenance.ledger.container import CHUNK, Reader
from countenance.ledger.merkle import HASH
from countenance.ledger.note import MAX_NOTE, VerifierKey


@dataclass(frozen=True, slots=True)
class Report:
    """What was verified: `size` entries under `root`, from the time `first` to `last` (None when there are none).

    `signer_checked` is True when a trusted key was given and found; `since` is the size of the earlier checkpoint.
    """

    origin: str
    size: int
    root: bytes
    first: str | None
    last: str | None
    key: VerifierKey
    signer_checked: bool
    handovers: tuple[Handover, ...]
    since: int | None

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": True,
            "origin": self.origin,
            "size": self.size,
            "root": self.root.hex(),
            "first": self.first,
            "last": self.last,
            "signer": "checked" if self.signer_checked else "not checked",
            "key": self.key.text,
            "fingerprint": self.key.fingerprint,
            "key_changes": [{"entry": change.seq, "lost": change.lost} for change in self.handovers],
            "since": self.since,
        }

    def as_text(self) -> str:
        """A few lines for people."""
        rows = [
            f"{'verified' if self.signer_checked else 'internally consistent; signer not checked'}: {self.origin}",
            f"entries      {self.size}" + (f", from {self.first} to {self.last}" if self.size else ""),
            f"root         {self.root.hex()}",
            f"key          {self.key.text}",
            f"fingerprint  {self.key.fingerprint}",
        ]
        rows += [f"entry {h.seq}: the signing key was {'lost' if h.lost else 'changed'}" for h in self.handovers]
        if self.since is not None:
            rows.append(f"continues the earlier checkpoint of {self.since} entries")
        return "\n".join(rows)


def verify_bundle(file: IO[bytes], key: VerifierKey | None = None, since: Checkpoint | None = None) -> Report:
    """Verify an exported bundle, open for reading in binary mode.

    Raises LedgerBroken, with what is wrong and where, when it does not verify.
    """
    reader = Reader(file, manifest.MEMBERS)
    listed = reader.read("manifest", manifest.LIMIT)
    signer = manifest.key_of(listed)
    signature = reader.read("manifest.sig", manifest.LIMIT)
    signed = note.Note(listed.decode(), note.parse_signatures(_text(signature)))
    raw_checkpoint = reader.read("checkpoint", MAX_NOTE)
    head = checkpoint.parse(raw_checkpoint)
    digests = {name: sha256() for name in ("leaves", "entries.jsonl")}

    def member(name: str) -> Iterator[bytes]:
        for chunk in reader.chunks(name):
            digests[name].update(chunk)
            yield chunk

    audit = Audit(head.head.origin, since.head.size if since else None)
    audit.read(lines(member("entries.jsonl")), _hashes(member("leaves")))
    audit.agree(head.head)
    expected = {name: (reader.members[name].size, digest.hexdigest()) for name, digest in digests.items()}
    expected["checkpoint"] = (len(raw_checkpoint), sha256(raw_checkpoint).hexdigest())
    if listed != manifest.text(audit.origin, signer, expected).encode():
        raise LedgerBroken("the manifest does not list what the bundle holds")
    if len(signed.signatures) != 1 or not signed.signed_only_by([signer]):
        raise LedgerBroken("the manifest is not signed by the key that it names")
    return _judge(audit, head, signer, key, since)


def verify_folder(folder: Path, key: VerifierKey, since: Checkpoint | None = None) -> Report:
    """Verify the ledger in its own folder, given a key that has signed it. Raises as `verify_bundle`, and OSError.

    Entries behind those that the checkpoint covers are left aside: an append may be under way.
    """
    try:
        with (folder / "checkpoint").open("rb") as signed, (folder / "entries.jsonl").open("rb") as file:
            head = checkpoint.parse(signed.read(MAX_NOTE + 1))
            audit = Audit(head.head.origin, since.head.size if since else None)
            audit.read(_first(head.head.size, file))
    except FileNotFoundError as error:
        raise LedgerBroken(f"the ledger's file {Path(str(error.filename)).name} is missing") from error
    audit.agree(head.head)
    last = audit.handovers[-1].new if audit.handovers else key
    return _judge(audit, head, last, key, since)


def _judge(
    audit: Audit, head: Checkpoint, signer: VerifierKey, key: VerifierKey | None, since: Checkpoint | None
) -> Report:
    keys = audit.chain(signer)
    audit.signed(head, keys)
    if not head.note.signed_by(signer):
        raise LedgerBroken("the checkpoint is not signed by the ledger's key")
    if key is not None:
        audit.trust(key, keys)
    if since is not None:
        audit.follows(since, keys)
    return Report(
        origin=audit.origin,
        size=head.head.size,
        root=head.head.root,
        first=audit.first,
        last=audit.last,
        key=signer,
        signer_checked=key is not None,
        handovers=tuple(audit.handovers),
        since=since.head.size if since else None,
    )


def _hashes(chunks: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        if len(chunk) % HASH:
            raise LedgerBroken("the list of leaves is cut off")
        for start in range(0, len(chunk), HASH):
            yield chunk[start : start + HASH]


def _first(count: int, file: IO[bytes]) -> Iterator[bytes]:
    found = lines(iter(lambda: file.read(CHUNK), b""))
    for _ in range(count):
        line = next(found, None)
        if line is None:
            return
        yield line


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise LedgerBroken("a signature line is not UTF-8") from error


def _key(text: str) -> VerifierKey:
    try:
        return VerifierKey.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m countenance.ledger.verify",
        description="Check an exported ledger. Exit status: 0 it verifies, 1 it does not, 2 it could not be read.",
    )
    parser.add_argument("bundle", type=Path, help="the file that 'countenance ledger export' wrote")
    parser.add_argument("--key", type=_key, metavar="VKEY", help="the ledger's public key, got from the operator")
    parser.add_argument("--since", type=Path, metavar="CHECKPOINT", help="a file with a checkpoint that you kept")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args(arguments)
    say: Callable[[str], int] = sys.stdout.write
    try:
        since = checkpoint.parse(given.since.read_bytes()) if given.since else None
        with given.bundle.open("rb") as file:
            report = verify_bundle(file, given.key, since)
    except LedgerBroken as error:
        say(json.dumps({"ok": False, "error": error.as_json()}) if given.json else f"DOES NOT VERIFY: {error.message}")
        say(f"\n{error.advice}\n" if error.advice and not given.json else "\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"cannot be read: {error.filename}: {error.strerror}\n")
        return 2
    say((json.dumps(report.as_json()) if given.json else report.as_text()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
