"""Codes of an authenticator (TOTP, RFC 6238: SHA-1, six digits, 30 seconds), and recovery codes."""

from __future__ import annotations

import base64
import os
import secrets

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

STEP = 30
CODES = 10
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""31 signs that nobody takes for one another: 20 of them are 99 bits."""


def new_secret() -> str:
    """160 random bits in base32, for a new authenticator."""
    return pyotp.random_base32(32)


def address(secret: str, name: str, issuer: str) -> str:
    """The otpauth:// address that an authenticator reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=issuer)


def picture(text: str) -> bytes:
    """A QR code of a text, as SVG on white."""
    import io

    import segno

    file = io.BytesIO()
    segno.make(text, error="m").save(file, kind="svg", scale=5, border=4, dark="#000", light="#fff", omitsize=True)
    return file.getvalue()


def step_of(secret: str, code: str, at: float) -> int | None:
    """The time step whose code this is: now, the one before or the one after; None when it is none of them."""
    code = code.replace(" ", "")
    if len(code) != 6 or not (code.isascii() and code.isdigit()):
        return None
    one = pyotp.TOTP(secret)
    now = int(at) // STEP
    return next(
        (step for step in (now, now - 1, now + 1) if pyotp.utils.strings_equal(one.generate_otp(step), code)), None
    )


def seal(key: bytes, account: str, secret: str) -> str:
    """The secret as a row keeps it, under a key that lies outside the home. ChaCha20-Poly1305 (RFC 8439)."""
    nonce = os.urandom(12)
    return base64.b64encode(nonce + ChaCha20Poly1305(key).encrypt(nonce, secret.encode(), account.encode())).decode()


def unseal(key: bytes, account: str, sealed: str) -> str | None:
    """The secret again; None when it was sealed under another key or for another account."""
    raw = base64.b64decode(sealed)
    try:
        return ChaCha20Poly1305(key).decrypt(raw[:12], raw[12:], account.encode()).decode()
    except InvalidTag:
        return None


def recovery_codes() -> list[str]:
    """Ten codes of 99 bits in groups of five, each good once."""
    return ["-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4)) for _ in range(CODES)]


def plain(code: str) -> str:
    """A recovery code as it is compared: small letters, without what people put between."""
    return "".join(sign for sign in code.lower() if sign in _ALPHABET)
