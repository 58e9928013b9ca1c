"""A keyed rotation of templates at rest: cosines stay, and another deployment's vectors mean nothing here.

This is pseudonymisation, not encryption. The same rotation is applied to every template of a pack, so that whoever
knows a few hundred templates with their rotated forms solves for it, and whoever holds enough rotated ones estimates it
from their covariance. It makes a stolen vector file useless against another deployment's, and no more: encrypt the
disk too.

The matrix is orthonormal and uniformly distributed (Haar): the Q of a QR decomposition of independent normal numbers,
with the signs of R's diagonal moved into it (Mezzadri, "How to generate random matrices from the classical compact
groups", 2007). Its numbers come from the operating system's generator.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from countenance.domain.errors import KeyTrouble
from countenance.domain.faces import Vectors

_MAGIC = b"countenance rotation 1\n"
_ADVICE = "restore it from your copy of the key folder (`countenance keys import`)"


@dataclass(frozen=True, slots=True, eq=False)
class Rotation:
    """An orthonormal matrix, (dimension, dimension) float64, and the short name that vector files carry."""

    matrix: NDArray[np.float64]
    key_id: str

    @property
    def dimension(self) -> int:
        """How long its templates are."""
        return int(self.matrix.shape[0])

    def rotate(self, templates: Vectors) -> Vectors:
        """(n, dimension) float32 in and out; unit rows stay unit rows and cosines stay as they are to 1e-6."""
        return np.asarray(templates.astype(np.float64) @ self.matrix, dtype=np.float32)

    def unrotate(self, templates: Vectors) -> Vectors:
        """The way back."""
        return np.asarray(templates.astype(np.float64) @ self.matrix.T, dtype=np.float32)


def generate(dimension: int) -> Rotation:
    """A new rotation from the operating system's generator."""
    count = dimension * dimension
    # Box and Muller: two uniform numbers to two normal ones. 53 bits each, never zero.
    raw = np.frombuffer(os.urandom(16 * ((count + 1) // 2)), dtype="<u8").reshape(2, -1)
    uniform = ((raw >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53
    radius, angle = np.sqrt(-2.0 * np.log(uniform[0])), 2.0 * np.pi * uniform[1]
    normal = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:count].reshape(dimension, dimension)
    q, r = np.linalg.qr(normal)
    return _named(q * np.sign(np.diag(r)))


def from_one_to_another(old: Rotation, new: Rotation, templates: Vectors) -> Vectors:
    """Templates that `old` protects, protected by `new`: (n, dimension) float32."""
    return np.asarray(templates.astype(np.float64) @ (old.matrix.T @ new.matrix), dtype=np.float32)


def save(rotation: Rotation, path: Path) -> None:
    """Write the key durably, readable by its owner alone. Raises KeyTrouble when there is one, or on a full disk."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(encode(rotation))
            file.flush()
            os.fsync(file.fileno())
        os.link(fresh, path)  # unlike a rename, it fails when another process was quicker
        fresh.unlink()
        folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except FileExistsError:
        fresh.unlink(missing_ok=True)
        raise KeyTrouble("there is a key for templates already", advice="keep it, or rotate it") from None
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise KeyTrouble(f"the key for templates cannot be written: {error.strerror}", advice=_ADVICE) from None


def load(path: Path, *, dimension: int) -> Rotation:
    """Read the key. Raises KeyTrouble when it is missing, open to other users, damaged, or of another dimension."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(len(_MAGIC) + 32 + 8 * dimension * dimension + 1)
    except OSError as error:
        raise KeyTrouble(
            f"the key that protects the templates cannot be read: {error.strerror}", advice=_ADVICE
        ) from None
    if not stat.S_ISREG(mode) or mode & 0o077:
        raise KeyTrouble("the key that protects the templates is open to other users", advice=f"run: chmod 600 {path}")
    return decode(content, dimension=dimension)


def encode(rotation: Rotation) -> bytes:
    """The file's content: a line, the SHA-256 of the matrix, the matrix as little-endian float64."""
    body = rotation.matrix.astype("<f8").tobytes()
    return _MAGIC + hashlib.sha256(body).digest() + body


def decode(content: bytes, *, dimension: int) -> Rotation:
    """Read what `encode` wrote. Raises KeyTrouble."""
    body = content[len(_MAGIC) + 32 :]
    if (
        not content.startswith(_MAGIC)
        or len(body) != 8 * dimension * dimension
        or hashlib.sha256(body).digest() != content[len(_MAGIC) : len(_MAGIC) + 32]
    ):
        raise KeyTrouble("the key that protects the templates is damaged, or of another model pack", advice=_ADVICE)
    return _named(np.frombuffer(body, dtype="<f8").reshape(dimension, dimension))


def _named(matrix: NDArray[np.float64]) -> Rotation:
    """The name is a digest, so that it gives nothing of the matrix away."""
    digest = hashlib.sha256(b"countenance rotation id\n" + matrix.astype("<f8").tobytes())
    return Rotation(matrix, digest.hexdigest()[:16])
