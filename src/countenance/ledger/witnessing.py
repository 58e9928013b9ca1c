"""The log's side of witnessing: ask a witness to co-sign the latest checkpoint, and hear what it says of earlier ones.

The protocol is C2SP *tlog-witness* (https://c2sp.org/tlog-witness).
"""

from __future__ import annotations

import http.client
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from countenance.domain.errors import FetchFailed, LedgerBroken
from countenance.ledger import cosignature, note, witness
from countenance.ledger.checkpoint import TreeHead
from countenance.ledger.cosignature import WitnessKey

SECONDS = 20
_MOST = 64 * 1024

Proof = Callable[[int], list[bytes]]
"""The proof that the checkpoint continues the tree of so many entries."""


@dataclass(frozen=True, slots=True)
class Cosignature:
    """The line by which a witness has co-signed, and the time that it states."""

    line: str
    at: datetime


def ask(url: str, key: WitnessKey, head: TreeHead, text: str, proof: Proof, known: int = 0) -> Cosignature:
    """Let the witness at `url` co-sign the checkpoint `text`, which states `head`. `known` is the size that it is
    thought to have seen last.

    Raises LedgerBroken when it has seen another history of this ledger, or a longer one; FetchFailed when it does not
    answer, does not know the ledger, or answers with anything but a co-signature of `key`.
    """
    old = known if known <= head.size else 0
    for _ in range(3):
        status, body = _post(url, key, witness.request(old, proof(old), text))
        if status == 409:
            old = _size(body, key)
            if old > head.size:
                raise LedgerBroken(
                    f"the witness {key.name} has seen {old} entries of this ledger, and there are {head.size}: "
                    "it was rolled back",
                    advice="Write nothing to it. Find out who put an earlier state of the home in its place.",
                    details={"witness": key.name, "seen": old, "size": head.size},
                )
            continue
        if status == 422:
            raise LedgerBroken(
                f"the witness {key.name} has seen another history of this ledger's first {old} entries",
                advice="Write nothing to it. Compare it with your exported bundles, and ask the witness for its state.",
                details={"witness": key.name, "seen": old, "size": head.size},
            )
        if status == 200:
            return _read(body, key, text)
        words = {404: "does not know this ledger", 403: "has another key of this ledger"}
        raise FetchFailed(
            f"the witness {key.name} {words.get(status, f'answered with {status}')}",
            advice="Give its keeper the key that `countenance ledger key` prints.",
        )
    raise FetchFailed(f"the witness {key.name} names another size each time", advice="Ask its keeper.")


def _size(body: str, key: WitnessKey) -> int:
    text = body.removesuffix("\n")
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise FetchFailed(f"the witness {key.name} names a size that is none", advice="Ask its keeper.")
    return int(text)


def _read(body: str, key: WitnessKey, text: str) -> Cosignature:
    try:
        lines = note.parse_signatures(body, foreign=True)
    except LedgerBroken as error:
        raise FetchFailed(f"the witness {key.name} answered with no co-signature", advice="Ask its keeper.") from error
    signed = text.rpartition("\n\n")[0] + "\n"
    own = tuple(found for found in lines if (found.name, found.id) == (key.name, key.id))
    at = cosignature.signed_at(note.Note(signed, own), key)
    if at is None:
        raise FetchFailed(
            f"the witness {key.name} answered with a co-signature by another key", advice="Compare its key."
        )
    return Cosignature(cosignature.line_of(own[0]), at)


def _post(url: str, key: WitnessKey, body: bytes) -> tuple[int, str]:
    parts = urllib.parse.urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    path = f"{parts.path.rstrip('/')}/add-checkpoint"
    try:
        connection = kind(parts.hostname or "", parts.port, timeout=SECONDS)
        try:
            connection.request("POST", path, body, {"Content-Type": "text/plain; charset=utf-8"})
            answer = connection.getresponse()
            raw = answer.read(_MOST + 1)
            return answer.status, raw[:_MOST].decode("utf-8")
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise FetchFailed(
            f"the witness {key.name} cannot be reached: {error}", advice="See whether it runs, then try again."
        ) from None
