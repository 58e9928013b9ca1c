"""Personal parts of an entry, sealed item by item, so that they can be erased from a log that is never altered.

Each item (a sighting, a probe, a free-text note) has a key of its own, which is kept outside the ledger. Destroying it
leaves the entry's bytes and every proof as they were, and nothing personal in them that anyone can read: neither the
sealed text, nor a digest that could be guessed and compared, because digests appear only as commitments under the key.

From the item's 32 random bytes HKDF-SHA256 (RFC 5869) makes one key for ChaCha20-Poly1305 (RFC 8439) and one for the
commitments, HMAC-SHA256. Sealed text is padded to a multiple of 64 bytes, so that its length tells little after that.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from countenance.domain.errors import BadInput, KeyTrouble, LedgerBroken
from countenance.ledger.note import decode_base64, encode_base64

ALGORITHM = "chacha20-poly1305+pad64"
_NONCE = 12
_PAD = 64


@dataclass(frozen=True, slots=True)
class ItemKey:
    """The key of one item: a random public name, and 32 secret bytes whose destruction erases the item."""

    item: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != 32 or not self.item:
            raise ValueError("an item's key has a name and 32 bytes")

    @classmethod
    def generate(cls) -> ItemKey:
        """A new key, from the operating system's generator."""
        return cls(secrets.token_hex(16), secrets.token_bytes(32))


def _derive(key: ItemKey, use: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=b"countenance ledger " + use).derive(key.secret)


def _bound(key: ItemKey, aad: bytes) -> bytes:
    return key.item.encode() + b"\x00" + aad


def seal(key: ItemKey, aad: bytes, value: Any) -> dict[str, str]:
    """Seal a JSON value: ``{"item", "alg", "ct"}``, where `ct` is base64 of nonce and ciphertext.

    `aad` says what the item belongs to (like ``b"search:42"``); opening it needs the same. Raises BadInput when `value`
    is not JSON.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError) as error:
        raise BadInput("what is to be sealed is not a JSON value") from error
    text += b" " * (-len(text) % _PAD)
    nonce = os.urandom(_NONCE)
    sealed = ChaCha20Poly1305(_derive(key, b"sealing")).encrypt(nonce, text, _bound(key, aad))
    return {"item": key.item, "alg": ALGORITHM, "ct": encode_base64(nonce + sealed)}


def open_sealed(key: ItemKey, aad: bytes, sealed: Mapping[str, Any]) -> Any:
    """The JSON value that `seal` was given.

    Raises KeyTrouble when key or `aad` are not those of the item or it was altered, LedgerBroken when it is no item.
    """
    text = sealed.get("ct")
    data = decode_base64(text) if isinstance(text, str) else None
    if sealed.get("alg") != ALGORITHM or data is None or len(data) <= _NONCE:
        raise LedgerBroken("not a sealed item of a kind known to this program")
    if sealed.get("item") != key.item:
        raise KeyTrouble("this is the key of another item")
    try:
        plain = ChaCha20Poly1305(_derive(key, b"sealing")).decrypt(data[:_NONCE], data[_NONCE:], _bound(key, aad))
    except InvalidTag as error:
        raise KeyTrouble("the sealed item does not open with this key and purpose") from error
    return json.loads(plain)


def commit(key: ItemKey, digest: bytes) -> str:
    """A commitment to `digest`, in hex: HMAC-SHA256 under a key derived from the item's, meaningless without it."""
    return hmac.digest(_derive(key, b"commitment"), digest, "sha256").hex()


def commits_to(key: ItemKey, digest: bytes, commitment: str) -> bool:
    """Whether `commitment` is that of `digest` under the item's key."""
    return hmac.compare_digest(commit(key, digest), commitment)
