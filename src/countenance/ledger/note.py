"""Signed notes with Ed25519 keys, as C2SP *signed-note* lays them down (https://c2sp.org/signed-note).

A note is text that ends in a newline, an empty line, and signature lines ``— NAME BASE64``, where the base64 is of
the four bytes of the key's id and the signature. The id is ``SHA-256(NAME ‖ 0x0A ‖ 0x01 ‖ public key)[:4]``.
Unlike the format, which lets a reader ignore signatures by keys unknown to it, `Note.signatures` keeps them all, so
that a strict reader can refuse what it does not know.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from countenance.domain.errors import LedgerBroken

ED25519 = b"\x01"
COSIGNER = b"\x04"
SIGNATURE = 64
COSIGNATURE = 72
"""Length of a co-signature: a time of 8 bytes and a signature (https://c2sp.org/tlog-cosignature)."""
MAX_NOTE = 64 * 1024
MAX_SIGNATURES = 16

_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]{1,200}")
_SIGNATURE_LINE = re.compile(r"— (\S+) (\S+)")


def decode_base64(text: str) -> bytes | None:
    """The bytes of standard base64, or None unless the text is their one canonical spelling."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        return None
    return data if base64.b64encode(data).decode("ascii") == text else None


def encode_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def valid_name(name: str) -> bool:
    """Whether `name` may name a key: no white space, no plus sign, no control character."""
    return _NAME.fullmatch(name) is not None


def key_id(name: str, public: bytes, kind: bytes = ED25519) -> bytes:
    """The four bytes that stand before a signature."""
    return sha256(name.encode() + b"\n" + kind + public).digest()[:4]


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A name and a public key of 32 bytes."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read ``NAME+ID+BASE64``. Raises ValueError when it is not exactly that."""
        name, plus, rest = text.partition("+")
        hexid, plus2, encoded = rest.partition("+")
        data = decode_base64(encoded)
        if not (plus and plus2) or not valid_name(name) or data is None or len(data) != 33 or data[:1] != ED25519:
            raise ValueError("not a verifier key: it reads NAME+ID+BASE64")
        key = cls(name, data[1:])
        if key.id.hex() != hexid:
            raise ValueError("not a verifier key: its id is not that of its name and public key")
        return key

    @property
    def id(self) -> bytes:
        return key_id(self.name, self.public)

    @property
    def text(self) -> str:
        """``NAME+ID+BASE64``, the form that is given to verifiers."""
        return f"{self.name}+{self.id.hex()}+{encode_base64(ED25519 + self.public)}"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the public key in hex, to be read out over another channel."""
        return sha256(self.public).hexdigest()

    def verifies(self, message: bytes, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signer:
    """A name and a private key; `path` is the file that it came from, None when it lives in memory only."""

    name: str
    private: Ed25519PrivateKey = field(repr=False)
    path: Path | None = None

    @classmethod
    def generate(cls, name: str) -> Signer:
        """A new key from the operating system's generator."""
        if not valid_name(name):
            raise ValueError("a key's name holds no white space, no plus sign and no control character")
        return cls(name, Ed25519PrivateKey.generate())

    @property
    def verifier(self) -> VerifierKey:
        return VerifierKey(self.name, self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def signature_line(self, text: str) -> str:
        """The line that signs `text`, with its newline."""
        signed = self.verifier.id + self.private.sign(text.encode())
        return f"— {self.name} {encode_base64(signed)}\n"


@dataclass(frozen=True, slots=True)
class NoteSignature:
    name: str
    id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A parsed note. Nothing in it is to be believed before `signed_by` said True."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def signed_by(self, key: VerifierKey) -> bool:
        """Whether a signature line is by `key`, and every line that claims so verifies."""
        own = [s for s in self.signatures if s.name == key.name and s.id == key.id]
        return bool(own) and all(key.verifies(self.text.encode(), s.signature) for s in own)

    def signed_only_by(self, keys: Collection[VerifierKey]) -> bool:
        """Whether every signature line is by one of `keys` and verifies."""
        message = self.text.encode()
        return all(
            any((s.name, s.id) == (key.name, key.id) and key.verifies(message, s.signature) for key in keys)
            for s in self.signatures
        )


def without_cosignatures(note: Note) -> Note:
    """The note with the signatures of plain keys alone."""
    return Note(note.text, tuple(s for s in note.signatures if len(s.signature) == SIGNATURE))


def sign(text: str, signers: Iterable[Signer]) -> str:
    """A signed note over `text`, which ends in a newline; one line for each signer, in order."""
    if not text.endswith("\n"):
        raise ValueError("a note's text ends in a newline")
    return text + "\n" + "".join(signer.signature_line(text) for signer in signers)


def parse_signatures(lines: str, *, foreign: bool = False) -> tuple[NoteSignature, ...]:
    """Read signature lines, each with its newline: Ed25519 signatures and co-signatures, and with `foreign` such of any
    other kind. Raises LedgerBroken when they are not in the one valid form."""
    if not lines.endswith("\n"):
        raise LedgerBroken("a signature line is cut off")
    rows = lines[:-1].split("\n")
    if len(rows) > MAX_SIGNATURES:
        raise LedgerBroken("a note with too many signatures")
    found = []
    for row in rows:
        match = _SIGNATURE_LINE.fullmatch(row)
        data = decode_base64(match[2]) if match else None
        if match is None or data is None or len(data) <= 4 or not valid_name(match[1]):
            raise LedgerBroken("a signature line is not in the form of a signed note")
        if not foreign and len(data) not in (4 + SIGNATURE, 4 + COSIGNATURE):
            raise LedgerBroken("a signature line is not in the form of a signed note")
        found.append(NoteSignature(match[1], data[:4], data[4:]))
    return tuple(found)


def parse(raw: bytes, *, foreign: bool = False) -> Note:
    """Read a signed note; `foreign` as in `parse_signatures`. Raises LedgerBroken when it is not one; checks no
    signature."""
    if len(raw) > MAX_NOTE:
        raise LedgerBroken("a signed note that is too long")
    try:
        whole = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LedgerBroken("a signed note that is not UTF-8") from error
    if any(ord(char) < 0x20 and char != "\n" for char in whole):
        raise LedgerBroken("a signed note with control characters")
    text, blank, lines = whole.rpartition("\n\n")
    if not blank or not text:
        raise LedgerBroken("not a signed note: no text, or no signature under it")
    return Note(text + "\n", parse_signatures(lines, foreign=foreign))
