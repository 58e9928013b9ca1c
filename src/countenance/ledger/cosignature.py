"""Co-signatures of witnesses on a checkpoint: Ed25519 with a time (https://c2sp.org/tlog-cosignature, version 1).

What is signed are the lines ``cosignature/v1`` and ``time SECONDS``, and the checkpoint's three lines; it says that
this was the largest consistent tree that the witness had seen of the log at that time. A signature line holds the key's
id, the time in 8 bytes, and the signature.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from countenance.ledger import note
from countenance.ledger.note import COSIGNER, Note, NoteSignature, Signer, VerifierKey, decode_base64, encode_base64

_TIME = 8


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """The name of a witness and its public key, 32 bytes."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, text: str) -> WitnessKey:
        """Read ``NAME+ID+BASE64`` of a co-signer's kind. Raises ValueError when it is not exactly that."""
        name, _, rest = text.partition("+")
        hexid, _, encoded = rest.partition("+")
        data = decode_base64(encoded)
        if not note.valid_name(name) or data is None or len(data) != 33 or data[:1] != COSIGNER:
            raise ValueError("not the key of a witness: it reads NAME+ID+BASE64")
        key = cls(name, data[1:])
        if key.id.hex() != hexid:
            raise ValueError("not the key of a witness: its id is not that of its name and public key")
        return key

    @property
    def id(self) -> bytes:
        return note.key_id(self.name, self.public, COSIGNER)

    @property
    def text(self) -> str:
        """``NAME+ID+BASE64``, the form that is given to others."""
        return f"{self.name}+{self.id.hex()}+{encode_base64(COSIGNER + self.public)}"


def of(signer: Signer) -> WitnessKey:
    """The public key under which `signer` co-signs."""
    return WitnessKey(signer.name, signer.verifier.public)


def message(text: str, seconds: int) -> bytes:
    """What is signed over a checkpoint's `text` at a POSIX time."""
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def line(signer: Signer, text: str, seconds: int) -> str:
    """The line by which `signer` co-signs a checkpoint's text, with its newline."""
    signed = of(signer).id + seconds.to_bytes(_TIME, "big") + signer.private.sign(message(text, seconds))
    return f"— {signer.name} {encode_base64(signed)}\n"


def line_of(signature: NoteSignature) -> str:
    """A signature as its line, with its newline."""
    return f"— {signature.name} {encode_base64(signature.id + signature.signature)}\n"


def seconds_of(signature: NoteSignature) -> int:
    """The time that a co-signature states."""
    return int.from_bytes(signature.signature[:_TIME], "big")


def signed_at(given: Note, key: WitnessKey) -> datetime | None:
    """When the witness co-signed the note; None when it has not, or when a line that claims so does not verify."""
    own = [s for s in given.signatures if (s.name, s.id) == (key.name, key.id)]
    plain = VerifierKey(key.name, key.public)
    for found in own:
        signed = message(given.text, seconds_of(found))
        if len(found.signature) != note.COSIGNATURE or not plain.verifies(signed, found.signature[_TIME:]):
            return None
    try:
        return max((datetime.fromtimestamp(seconds_of(found), UTC) for found in own), default=None)
    except (OverflowError, OSError, ValueError):
        return None
