"""The list of a bundle's members with their digests, which the ledger's key signs.

::

    countenance-ledger-bundle/1
    origin ORIGIN
    key VKEY
    checkpoint SIZE SHA256
    leaves SIZE SHA256
    entries.jsonl SIZE SHA256

The member ``manifest.sig`` holds the signature line. Manifest, an empty line and signature line are a signed note; its
first two lines keep it from being taken for a checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping

from countenance.domain.errors import LedgerBroken
from countenance.ledger.note import VerifierKey

FORMAT = "countenance-ledger-bundle/1"
DIGESTED = ("checkpoint", "leaves", "entries.jsonl")
MEMBERS = (*DIGESTED, "manifest", "manifest.sig")
"""The members of a bundle, in their order."""

LIMIT = 4096


def text(origin: str, key: VerifierKey, members: Mapping[str, tuple[int, str]]) -> str:
    """The one manifest for these members, each given as its size and the SHA-256 of its bytes in hex."""
    lines = [FORMAT, f"origin {origin}", f"key {key.text}"]
    lines += [f"{name} {members[name][0]} {members[name][1]}" for name in DIGESTED]
    return "\n".join(lines) + "\n"


def key_of(raw: bytes) -> VerifierKey:
    """The key that a manifest names. Raises LedgerBroken when it is no manifest of this format."""
    try:
        lines = raw.decode().split("\n")
        if lines[0] != FORMAT or not lines[2].startswith("key "):
            raise ValueError
        return VerifierKey.parse(lines[2].removeprefix("key "))
    except (ValueError, IndexError) as error:
        raise LedgerBroken("the manifest is not that of a ledger bundle known to this program") from error
