"""The file that holds the ledger's signing key.

It is one line, ``PRIVATE+KEY+NAME+ID+BASE64``, readable by its owner only (0600), in the key folder and never in the
home. A key that is about to take over waits beside it with the ending ``.next`` until the ledger has announced it.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from countenance.domain.errors import KeyTrouble
from countenance.ledger.disk import Disk, write_file
from countenance.ledger.note import ED25519, Signer, decode_base64, encode_base64, key_id, valid_name

_PREFIX = "PRIVATE+KEY+"
_RESTORE = (
    "Restore it from your copy of the key folder; if there is none, follow 'When the key is lost' in docs/ledger.md."
)


def encode(signer: Signer) -> str:
    """The private key's line, without a newline."""
    seed = signer.private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return f"{_PREFIX}{signer.name}+{signer.verifier.id.hex()}+{encode_base64(ED25519 + seed)}"


def decode(line: str, path: Path | None = None) -> Signer:
    """Read what `encode` wrote. Raises ValueError when it is not exactly that."""
    name, _, rest = line.removeprefix(_PREFIX).partition("+")
    hexid, _, encoded = rest.partition("+")
    data = decode_base64(encoded)
    if not line.startswith(_PREFIX) or not valid_name(name) or data is None or len(data) != 33 or data[:1] != ED25519:
        raise ValueError("not a signing key")
    signer = Signer(name, Ed25519PrivateKey.from_private_bytes(data[1:]), path)
    if key_id(name, signer.verifier.public).hex() != hexid:
        raise ValueError("not a signing key: its id is not that of its name and key")
    return signer


def create(path: Path, name: str, *, disk: Disk | None = None) -> Signer:
    """Make a new key from the operating system's generator and keep it at `path`, durably.

    Raises KeyTrouble when there is a file already, or when it cannot be written.
    """
    disk = disk or Disk()
    if os.path.lexists(path):
        raise KeyTrouble(f"there is a signing key already: {path}", advice="Keep it, or rotate it.")
    signer = Signer.generate(name)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        disk.make_folder(path.parent)
        write_file(disk, fresh, f"{encode(signer)}\n".encode())
        os.link(fresh, path)  # unlike a rename, it fails when another process was quicker
        fresh.unlink()
        disk.sync_folder(path.parent)
    except FileExistsError as error:
        raise KeyTrouble(f"there is a signing key already: {path}", advice="Keep it, or rotate it.") from error
    except OSError as error:
        raise KeyTrouble(
            f"the signing key cannot be written: {error.strerror}", advice="Check the key folder."
        ) from error
    return Signer(name, signer.private, path)


def load(path: Path) -> Signer:
    """Read the key at `path`.

    Raises KeyTrouble when it is missing, unreadable, damaged, not a plain file, or open to other users.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise KeyTrouble(f"the ledger's signing key is missing: {path}", advice=_RESTORE) from error
    except OSError as error:
        raise KeyTrouble(f"the ledger's signing key cannot be read: {error.strerror}", advice=_RESTORE) from error
    try:
        about = os.fstat(fd)
        line = os.read(fd, 4096) if stat.S_ISREG(about.st_mode) else b""
    except OSError as error:
        raise KeyTrouble(f"the ledger's signing key cannot be read: {error.strerror}", advice=_RESTORE) from error
    finally:
        os.close(fd)
    if not stat.S_ISREG(about.st_mode):
        raise KeyTrouble(f"the ledger's signing key is not a plain file: {path}", advice=_RESTORE)
    if about.st_mode & 0o077:
        raise KeyTrouble(
            f"the ledger's signing key is open to other users: {path}",
            advice=f"Run: chmod 600 '{path}'. If others may have read it, rotate it.",
        )
    try:
        return decode(line.decode("utf-8").removesuffix("\n"), path)
    except ValueError as error:
        raise KeyTrouble(f"the ledger's signing key is damaged: {path}", advice=_RESTORE) from error


def _waiting(path: Path) -> Path:
    return path.with_name(path.name + ".next")


def waiting(path: Path) -> Signer | None:
    """The key that waits to take over from the one at `path`, if there is one."""
    following = _waiting(path)
    if not os.path.lexists(following):
        return None
    signer = load(following)
    return Signer(signer.name, signer.private, path)


def prepare(path: Path, disk: Disk) -> Signer:
    """Make the key that is to take over, durably, and let it wait. Replaces one that never took over."""
    following = Signer.generate(load(path).name)
    write_file(disk, _waiting(path), f"{encode(following)}\n".encode())
    return Signer(following.name, following.private, path)


def promote(path: Path, disk: Disk) -> None:
    """Let the waiting key take over; the old private key is gone with this."""
    disk.replace(_waiting(path), path)
    disk.sync_folder(path.parent)
