"""A receipt: proof, checkable without the ledger, that an entry is in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from countenance.domain.errors import LedgerBroken
from countenance.ledger import checkpoint, cosignature, entry, merkle
from countenance.ledger.cosignature import WitnessKey
from countenance.ledger.note import VerifierKey


@dataclass(frozen=True, slots=True)
class Receipt:
    """An entry with its place in the tree that `checkpoint` signs.

    `entry` is the entry's canonical text, `leaf` the hash of it, `inclusion` the audit path of RFC 6962, and
    `checkpoint` a C2SP checkpoint that covers the entry. Nothing in it is secret beyond what the entry itself says.
    """

    seq: int
    leaf: bytes
    entry: str
    inclusion: tuple[bytes, ...]
    checkpoint: str

    def as_json(self) -> dict[str, Any]:
        """The form that is shown and kept: hashes in hex."""
        return {
            "seq": self.seq,
            "leaf": self.leaf.hex(),
            "entry": self.entry,
            "inclusion": [step.hex() for step in self.inclusion],
            "checkpoint": self.checkpoint,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Receipt:
        """Read what `as_json` wrote. Raises LedgerBroken when it is not exactly that."""
        try:
            seq, text, signed, path = value["seq"], value["entry"], value["checkpoint"], value["inclusion"]
            leaf = _hash(value["leaf"])
            steps = tuple(map(_hash, path))
        except (KeyError, TypeError, ValueError) as error:
            raise LedgerBroken("not a receipt: a part is missing or malformed") from error
        if type(seq) is not int or not isinstance(text, str) or not isinstance(signed, str) or len(value) != 5:
            raise LedgerBroken("not a receipt: a part is of the wrong kind")
        return cls(seq, leaf, text, steps, signed)


def _hash(text: str) -> bytes:
    data = bytes.fromhex(text)
    if len(data) != merkle.HASH or data.hex() != text:
        raise ValueError("not a hash in lower-case hex")
    return data


def verify_receipt(receipt: str | bytes | Mapping[str, Any], *keys: str, witnesses: Sequence[str] = ()) -> entry.Entry:
    """Check a receipt offline against verifier keys, and return the entry that it proves.

    The checkpoint must be signed by one of `keys` (``NAME+ID+BASE64``) and co-signed by each of `witnesses`, and the
    entry must be in its tree.
    Raises LedgerBroken when the receipt does not prove its entry, ValueError when a key is not a key.
    """
    known = [VerifierKey.parse(key) for key in keys]
    witnessing = [WitnessKey.parse(key) for key in witnesses]
    try:
        value = json.loads(receipt) if isinstance(receipt, (str, bytes)) else receipt
    except ValueError as error:
        raise LedgerBroken("not a receipt: it is not JSON") from error
    if not isinstance(value, Mapping):
        raise LedgerBroken("not a receipt: it is not an object")
    given = Receipt.from_json(value)
    signed = checkpoint.parse(given.checkpoint.encode())
    if not any(signed.note.signed_by(key) for key in known):
        raise LedgerBroken("the receipt's checkpoint is not signed by a key that you trust")
    for witness in witnessing:
        if cosignature.signed_at(signed.note, witness) is None:
            raise LedgerBroken(f"the receipt's checkpoint is not co-signed by the witness {witness.name}")
    try:
        raw = given.entry.encode()
    except UnicodeEncodeError as error:
        raise LedgerBroken("the receipt's entry is not text") from error
    leaf, head = merkle.leaf_hash(raw), signed.head
    if leaf != given.leaf or not merkle.verify_inclusion(given.seq, head.size, leaf, given.inclusion, head.root):
        raise LedgerBroken(f"entry {given.seq} is not in the tree that the checkpoint signs")
    return entry.parse(raw, given.seq)
