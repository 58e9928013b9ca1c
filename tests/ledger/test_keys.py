"""The key file: made once, readable by its owner only, and every fault of it named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from countenance.domain.errors import KeyTrouble
from countenance.ledger import keys
from countenance.ledger.disk import Disk
from countenance.ledger.note import Signer


def test_a_key_is_made_once_and_read_again(key_path: Path, signer: Signer) -> None:
    assert key_path.stat().st_mode & 0o777 == 0o600
    assert key_path.parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in key_path.parent.iterdir()] == ["ledger.key"]
    again = keys.load(key_path)
    assert again.verifier == signer.verifier
    assert again.path == key_path
    with pytest.raises(KeyTrouble):
        keys.create(key_path, "other")
    assert keys.load(key_path).verifier == signer.verifier


def test_keys_differ() -> None:
    assert Signer.generate("a").verifier != Signer.generate("a").verifier


def test_a_signer_does_not_print_its_key(signer: Signer) -> None:
    assert keys.encode(signer).rpartition("+")[2] not in repr(signer)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o606])
def test_a_key_open_to_others_is_refused(key_path: Path, signer: Signer, mode: int) -> None:
    key_path.chmod(mode)
    with pytest.raises(KeyTrouble) as caught:
        keys.load(key_path)
    assert "chmod 600" in caught.value.advice


def test_a_missing_key_is_named(key_path: Path) -> None:
    with pytest.raises(KeyTrouble) as caught:
        keys.load(key_path)
    assert "missing" in caught.value.message
    assert caught.value.advice


def test_every_damage_is_noticed(key_path: Path, signer: Signer) -> None:
    raw = key_path.read_bytes()
    for place in range(len(raw)):
        changed = bytearray(raw)
        changed[place] ^= 1
        key_path.write_bytes(bytes(changed))
        with pytest.raises(KeyTrouble):
            keys.load(key_path)
    key_path.write_bytes(raw[:-10])
    with pytest.raises(KeyTrouble):
        keys.load(key_path)


def test_a_link_and_a_pipe_are_not_opened(key_path: Path, signer: Signer) -> None:
    link = key_path.with_name("link")
    link.symlink_to(key_path)
    pipe = key_path.with_name("pipe")
    os.mkfifo(pipe, 0o600)
    for path in (link, pipe, key_path.parent):
        with pytest.raises(KeyTrouble):
            keys.load(path)


def test_a_full_disk_leaves_no_half_key(key_path: Path) -> None:
    class Full(Disk):
        def sync(self, fd: int) -> None:
            raise OSError(28, "No space left on device")

    with pytest.raises(KeyTrouble):
        keys.create(key_path, "name", disk=Full())
    assert not key_path.exists()
    assert keys.create(key_path, "name").name == "name"
