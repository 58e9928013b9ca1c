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

An extract, in which not every entry is given, and a bundle with a checkpoint that witnesses have co-signed or a
time-stamp, say ``countenance-ledger-bundle/2``. An extract has a line ``asked JSON`` after the key: what was chosen, in
canonical JSON. The other members stand between ``checkpoint`` and ``leaves``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from countenance.domain.errors import LedgerBroken
from countenance.ledger.entry import canonical
from countenance.ledger.note import VerifierKey

FORMAT = "countenance-ledger-bundle/1"
FORMAT_2 = "countenance-ledger-bundle/2"
COSIGNED, STAMPED, TIMESTAMP = "cosigned", "stamped", "timestamp.tsr"
OPTIONAL = frozenset({COSIGNED, STAMPED, TIMESTAMP})
DIGESTED = ("checkpoint", COSIGNED, STAMPED, TIMESTAMP, "leaves", "entries.jsonl")
MEMBERS = (*DIGESTED, "manifest", "manifest.sig")
"""The members of a bundle, in their order."""

LIMIT = 8192
_ASKED = frozenset({"from", "to", "user", "case", "entries"})


@dataclass(frozen=True, slots=True)
class Stated:
    """What a manifest names: the key, and for an extract what was chosen."""

    key: VerifierKey
    asked: Mapping[str, str] | None


def text(
    origin: str, key: VerifierKey, members: Mapping[str, tuple[int, str]], asked: Mapping[str, str] | None = None
) -> str:
    """The one manifest for these members, each given as its size and the SHA-256 of its bytes in hex."""
    plain = asked is None and not OPTIONAL & set(members)
    lines = [FORMAT if plain else FORMAT_2, f"origin {origin}", f"key {key.text}"]
    if asked is not None:
        lines.append(f"asked {canonical(dict(asked)).decode()}")
    lines += [f"{name} {members[name][0]} {members[name][1]}" for name in DIGESTED if name in members]
    return "\n".join(lines) + "\n"


def read(raw: bytes) -> Stated:
    """What a manifest names. Raises LedgerBroken when it is no manifest of this format."""
    try:
        lines = raw.decode().split("\n")
        if lines[0] not in (FORMAT, FORMAT_2) or not lines[2].startswith("key "):
            raise ValueError
        asked = None
        if lines[3].startswith("asked "):
            asked = json.loads(lines[3].removeprefix("asked "))
            if type(asked) is not dict or not _ASKED.issuperset(asked):
                raise ValueError
            if not all(type(value) is str for value in asked.values()):
                raise ValueError
        return Stated(VerifierKey.parse(lines[2].removeprefix("key ")), asked)
    except (ValueError, IndexError, RecursionError) as error:
        raise LedgerBroken("the manifest is not that of a ledger bundle known to this program") from error
