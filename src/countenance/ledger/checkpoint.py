"""Checkpoints: a signed note that states a log's origin, size and root (https://c2sp.org/tlog-checkpoint)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from countenance.domain.errors import LedgerBroken
from countenance.ledger import note
from countenance.ledger.merkle import HASH

_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")


@dataclass(frozen=True, slots=True)
class TreeHead:
    """What a checkpoint states: `size` entries under the 32 bytes of `root`, in the log called `origin`."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{note.encode_base64(self.root)}\n"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A parsed checkpoint; `note` still has to be asked whose signature it carries."""

    head: TreeHead
    note: note.Note


def sign(head: TreeHead, signers: Iterable[note.Signer]) -> str:
    """The checkpoint's text, signed by each of `signers` in order."""
    return note.sign(head.text, signers)


def parse_head(text: str, *, extensions: bool = False) -> tuple[TreeHead, list[str]]:
    """Read a checkpoint's text into its head and its extension lines.

    Raises LedgerBroken when it is not one, or has extension lines and they were not asked for.
    """
    origin, *rest = text.removesuffix("\n").split("\n")
    if len(rest) < 2 or (len(rest) > 2 and not extensions) or not note.valid_name(origin) or "" in rest:
        raise LedgerBroken("a checkpoint has three lines: origin, size and root")
    root = note.decode_base64(rest[1])
    if not _SIZE.fullmatch(rest[0]) or root is None or len(root) != HASH:
        raise LedgerBroken("a checkpoint with a size or root that is not in its one valid form")
    return TreeHead(origin, int(rest[0]), root), rest[2:]


def parse(raw: bytes, *, foreign: bool = False) -> Checkpoint:
    """Read a checkpoint without extension lines; with `foreign` it may bear signatures of kinds unknown here.

    Raises LedgerBroken when it is not one; checks no signature.
    """
    parsed = note.parse(raw, foreign=foreign)
    return Checkpoint(parse_head(parsed.text)[0], parsed)
