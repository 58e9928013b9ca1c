"""Check a ledger without trusting whoever keeps it: ``python -m countenance.ledger.verify BUNDLE``.

This module reaches nothing but the standard library, `cryptography`, `countenance.ledger` and
`countenance.domain.errors`, so that those files alone serve an outsider. It shows nothing of what the entries say.

What it checks of a bundle: that each byte of the file is accounted for; that every entry has its one canonical form,
its number, a time that goes on (or says that it does not), and its leaf; that the tree over them is the one that the
checkpoint signs; that each change of the signing key was announced by the key before; and the signature over the whole.
With ``--key`` also that the signer is who you think, with ``--since`` that an earlier checkpoint is a prefix, and with
``--witness`` that a witness has co-signed. Of an extract it checks that each entry that is given is in the tree, and
says which are not given.

Exit status: 0 it verifies, 1 it does not, 2 it could not be read or the command line is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import IO

from countenance.domain.errors import LedgerBroken, LedgerUnavailable
from countenance.ledger import checkpoint, cosignature, kept, manifest, note, reading
from countenance.ledger.audit import Audit, runs
from countenance.ledger.checkpoint import Checkpoint, TreeHead
from countenance.ledger.container import CHUNK, Reader
from countenance.ledger.cosignature import WitnessKey
from countenance.ledger.crew import hands
from countenance.ledger.disk import Disk
from countenance.ledger.merkle import HASH, leaf_hash
from countenance.ledger.note import MAX_NOTE, VerifierKey
from countenance.ledger.reading import Leaves
from countenance.ledger.report import Cosigned, Report
from countenance.ledger.tree_files import TreeFiles

MANY = 8 << 20
"""Bytes of entries from which on several processes are worth their start."""


def verify_bundle(
    file: IO[bytes],
    key: VerifierKey | None = None,
    since: Checkpoint | None = None,
    witnesses: Sequence[WitnessKey] = (),
) -> Report:
    """Verify an exported bundle, open for reading in binary mode. Each of `witnesses` must have co-signed.

    A file of many entries is read by several processes at once. Raises LedgerBroken, with what is wrong and where, when
    it does not verify; LedgerUnavailable when such a process fails.
    """
    reader = Reader(file, manifest.MEMBERS, manifest.OPTIONAL)
    listed = reader.read("manifest", manifest.LIMIT)
    stated = manifest.read(listed)
    signer = stated.key
    signature = reader.read("manifest.sig", manifest.LIMIT)
    signed = note.Note(listed.decode(), note.parse_signatures(_text(signature)))
    small = {name: reader.read(name, MAX_NOTE) for name in ("checkpoint", *manifest.OPTIONAL) if name in reader.members}
    head = checkpoint.parse(small["checkpoint"])
    others = _others(small)
    digests = {name: sha256() for name in ("leaves", "entries.jsonl")}

    def member(name: str) -> Iterator[bytes]:
        for chunk in reader.chunks(name):
            digests[name].update(chunk)
            yield chunk

    audit = Audit(head.head.origin, [given.head.size for given in (since, *others.values()) if given is not None])
    entries, leaves = reader.members["entries.jsonl"], reader.members["leaves"]
    path = _path_of(file)
    if stated.asked is not None:
        reading.chosen(audit, member("entries.jsonl"), Leaves(member("leaves")))
    elif path is not None and entries.size >= MANY and hands() > 1:
        if leaves.size % HASH:
            raise LedgerBroken("the list of leaves is cut off")
        where = (leaves.content, leaves.size // HASH)
        chunks = member("entries.jsonl")
        reading.together(audit, chunks, path, start=entries.content, leaves=where, limit=None, hands=hands())
        for _ in member("leaves"):
            continue
    else:
        reading.alone(audit, member("entries.jsonl"), Leaves(member("leaves")))
    audit.agree(head.head)
    expected = {name: (reader.members[name].size, digest.hexdigest()) for name, digest in digests.items()}
    expected |= {name: (len(raw), sha256(raw).hexdigest()) for name, raw in small.items()}
    if listed != manifest.text(audit.origin, signer, expected, stated.asked).encode():
        raise LedgerBroken("the manifest does not list what the bundle holds")
    if len(signed.signatures) != 1 or not signed.signed_only_by([signer]):
        raise LedgerBroken("the manifest is not signed by the key that it names")
    return _judge(audit, head, signer, key, since, others, witnesses, stated.asked)


def verify_folder(
    folder: Path, key: VerifierKey, since: Checkpoint | None = None, witnesses: Sequence[WitnessKey] = ()
) -> Report:
    """Verify the ledger in its own folder, given a key that has signed it. Raises as `verify_bundle`, and OSError.

    Entries behind those that the checkpoint covers are left aside: an append may be under way.
    """
    try:
        small = kept.of(folder)
        path = folder / "entries.jsonl"
        with (folder / "checkpoint").open("rb") as signed, path.open("rb") as file:
            head = checkpoint.parse(signed.read(MAX_NOTE + 1))
            others = _others(small)
            audit = Audit(
                head.head.origin, [given.head.size for given in (since, *others.values()) if given is not None]
            )
            chunks, limit = iter(lambda: file.read(CHUNK), b""), head.head.size
            if os.fstat(file.fileno()).st_size >= MANY and hands() > 1:
                reading.together(audit, chunks, path, start=0, leaves=None, limit=limit, hands=hands())
            else:
                reading.alone(audit, chunks, None, limit)
    except FileNotFoundError as error:
        raise LedgerBroken(f"the ledger's file {Path(str(error.filename)).name} is missing") from error
    try:
        audit.agree(head.head)
    except LedgerBroken:
        _name_the_first(folder, head.head)
        raise
    last = audit.handovers[-1].new if audit.handovers else key
    return _judge(audit, head, last, key, since, others, witnesses, None)


def _name_the_first(folder: Path, head: TreeHead) -> None:
    """Say which entry is altered, where the file of tree hashes beside it is still that of the signed tree.

    Raises LedgerBroken with the entry.
    """
    tree = TreeFiles(folder, Disk())
    try:
        if not (folder / "nodes").is_file() or tree.frontier(head.size).root() != head.root:
            return
        seq = 0
        with (folder / "entries.jsonl").open("rb") as file:
            for some in runs(iter(lambda: file.read(CHUNK), b""), head.size):
                for raw, leaf in zip(some, tree.leaves(seq, seq + len(some)), strict=True):
                    if leaf_hash(raw) != leaf:
                        raise LedgerBroken(f"entry {seq} is not the one that was signed", details={"entry": seq})
                    seq += 1
    finally:
        tree.close()


def _others(small: Mapping[str, bytes]) -> dict[str, Checkpoint]:
    """The checkpoints beside the latest: one that witnesses have co-signed, one with a time-stamp."""
    if (manifest.STAMPED in small) != (manifest.TIMESTAMP in small):
        raise LedgerBroken("a time-stamp without its checkpoint, or a checkpoint without its time-stamp")
    found = {}
    for name in (manifest.COSIGNED, manifest.STAMPED):
        if name in small:
            try:
                found[name] = checkpoint.parse(small[name])
            except LedgerBroken as error:
                raise LedgerBroken(f"{name}: {error.message}") from error
    return found


def _path_of(file: IO[bytes]) -> Path | None:
    """Where the helpers find the same file, None when it has no name that leads to it."""
    name = getattr(file, "name", None)
    if not isinstance(name, (str, os.PathLike)):
        return None
    try:
        return Path(name) if os.path.samestat(os.fstat(file.fileno()), Path(name).stat()) else None
    except OSError:
        return None


def _judge(
    audit: Audit,
    head: Checkpoint,
    signer: VerifierKey,
    key: VerifierKey | None,
    since: Checkpoint | None,
    others: Mapping[str, Checkpoint],
    witnesses: Sequence[WitnessKey],
    asked: Mapping[str, str] | None,
) -> Report:
    keys = audit.chain(signer)
    audit.signed(head, keys)
    if not head.note.signed_by(signer):
        raise LedgerBroken("the checkpoint is not signed by the ledger's key")
    if key is not None:
        audit.trust(key, keys)
    if since is not None:
        audit.follows(since, keys)
    cosigned, stamped = others.get(manifest.COSIGNED), others.get(manifest.STAMPED)
    if cosigned is not None:
        audit.follows(cosigned, keys, "the co-signed checkpoint")
    if stamped is not None:
        audit.follows(stamped, keys, "the stamped checkpoint")
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
        given=audit.given,
        absent=tuple(audit.absent),
        gap=audit.gap,
        backs=tuple(audit.backs),
        asked=asked,
        cosigned=_cosigned(cosigned, witnesses),
        stamped=stamped.head.size if stamped else None,
    )


def _cosigned(given: Checkpoint | None, witnesses: Sequence[WitnessKey]) -> Cosigned | None:
    """Who of `witnesses` has co-signed, and when. Raises LedgerBroken when one has not."""
    found = []
    for witness in witnesses:
        at = cosignature.signed_at(given.note, witness) if given is not None else None
        if at is None:
            raise LedgerBroken(
                f"the witness {witness.name} has not co-signed it",
                advice="Ask the operator for a co-signed bundle, and the witness what it has seen.",
            )
        found.append((witness, at))
    if given is None:
        return None
    checked = {(witness.name, witness.id) for witness in witnesses}
    unchecked = [
        s.name for s in given.note.signatures if len(s.signature) == note.COSIGNATURE and (s.name, s.id) not in checked
    ]
    return Cosigned(given.head.size, tuple(found), tuple(unchecked))


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


def _witness(text: str) -> WitnessKey:
    try:
        return WitnessKey.parse(text)
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
    parser.add_argument(
        "--witness",
        type=_witness,
        metavar="VKEY",
        action="append",
        default=[],
        help="a witness that must have co-signed",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args(arguments)
    say: Callable[[str], int] = sys.stdout.write
    try:
        since = checkpoint.parse(given.since.read_bytes()) if given.since else None
        with given.bundle.open("rb") as file:
            report = verify_bundle(file, given.key, since, given.witness)
    except LedgerBroken as error:
        say(json.dumps({"ok": False, "error": error.as_json()}) if given.json else f"DOES NOT VERIFY: {error.message}")
        say(f"\n{error.advice}\n" if error.advice and not given.json else "\n")
        return 1
    except LedgerUnavailable as error:
        sys.stderr.write(f"cannot be read: {error.message}\n{error.advice}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"cannot be read: {error.filename}: {error.strerror}\n")
        return 2
    say((json.dumps(report.as_json()) if given.json else report.as_text()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
