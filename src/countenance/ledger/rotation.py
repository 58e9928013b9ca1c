"""How one signing key follows another, in entries that a verifier can check.

``ledger.key-rotated`` has the body ``{"old": VKEY, "new": VKEY, "note": NOTE}``. The note states the tree as it is
before the entry, in the three lines of a checkpoint, and in a fourth that the new key takes over. It is signed by the
old key and by the new one, so that whoever trusts the old key can go on to the new. ``ledger.key-lost`` is the same
without the old key's signature: it proves nothing to those who trust the old key; they need the new one from the
operator.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from countenance.domain.errors import LedgerBroken
from countenance.ledger import checkpoint, note
from countenance.ledger.checkpoint import TreeHead
from countenance.ledger.entry import LOST, ROTATED, Entry
from countenance.ledger.note import Signer, VerifierKey

KINDS = frozenset({ROTATED, LOST})
_LINE = "countenance-new-key "


def body(before: TreeHead, old: VerifierKey, new: Signer, signers: Sequence[Signer]) -> dict[str, Any]:
    """The body of the entry with which `new` takes over from `old`, when the tree before it is `before`."""
    text = f"{before.text}{_LINE}{new.verifier.text}\n"
    return {"old": old.text, "new": new.verifier.text, "note": note.sign(text, signers)}


def check(entry: Entry, before: TreeHead) -> tuple[VerifierKey, VerifierKey]:
    """Check a handover against the tree before it; returns the old key and the new.

    Raises LedgerBroken when a signature is missing or wrong, or when the note speaks of another tree.
    """
    try:
        old, new = VerifierKey.parse(entry.body["old"]), VerifierKey.parse(entry.body["new"])
        stated = note.parse(entry.body["note"].encode())
        head, extensions = checkpoint.parse_head(stated.text, extensions=True)
    except (KeyError, TypeError, AttributeError, ValueError, LedgerBroken) as error:
        raise _broken(entry, "it is not a handover of keys") from error
    if len(entry.body) != 3 or head != before or extensions != [_LINE + new.text]:
        raise _broken(entry, "its note speaks of another tree or key")
    if not stated.signed_by(new) or not stated.signed_only_by((old, new)):
        raise _broken(entry, "the new key has not signed it")
    if entry.kind == ROTATED and not stated.signed_by(old):
        raise _broken(entry, "the old key has not signed it")
    return old, new


def _broken(entry: Entry, why: str) -> LedgerBroken:
    return LedgerBroken(f"entry {entry.seq} does not hand the key over: {why}", details={"entry": entry.seq})
