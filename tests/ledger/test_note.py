"""Signed notes and checkpoints in the forms that foreign programs read."""

from __future__ import annotations

import pytest

from countenance.domain.errors import LedgerBroken
from countenance.ledger import checkpoint, keys, merkle, note
from countenance.ledger.checkpoint import TreeHead
from countenance.ledger.note import Signer, VerifierKey

# The example of Go's package golang.org/x/mod/sumdb/note, which introduced the format.
SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
LINE = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"


def test_the_format_is_that_of_other_programs() -> None:
    signer = keys.decode(SKEY)
    assert signer.verifier.text == VKEY
    assert keys.encode(signer) == SKEY
    assert note.sign(TEXT, [signer]) == f"{TEXT}\n{LINE}"
    assert note.parse(f"{TEXT}\n{LINE}".encode()).signed_by(VerifierKey.parse(VKEY))


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "PeterNeumann",
        VKEY.replace("c74f20a3", "c74f20a4"),
        VKEY.replace("c74f20a3", "C74F20A3"),
        VKEY.replace("ARpc", "AhpC"),
        VKEY + "=",
        VKEY + "\n",
        VKEY.replace("PeterNeumann", "Peter Neumann"),
        VKEY[:-4],
    ],
)
def test_a_key_that_is_not_exactly_a_key_is_refused(bad: str) -> None:
    with pytest.raises(ValueError):
        VerifierKey.parse(bad)
    with pytest.raises(ValueError):
        keys.decode(bad)


@pytest.mark.parametrize("bit", range(8))
def test_no_bit_of_a_note_is_free(bit: int) -> None:
    key = VerifierKey.parse(VKEY)
    raw = f"{TEXT}\n{LINE}".encode()
    for place in range(len(raw)):
        changed = bytearray(raw)
        changed[place] ^= 1 << bit
        try:
            accepted = note.parse(bytes(changed)).signed_by(key)
        except LedgerBroken:
            continue
        assert not accepted, place


def test_base64_has_one_spelling() -> None:
    assert note.decode_base64("QQ==") == b"A"
    for text in ("QR==", "QQ", "QQ=", "Q Q==", "QQ==\n", "QQ==QQ==", "Q-==", "é"):
        assert note.decode_base64(text) is None


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"text\n",
        b"text\n\n",
        "text\n\n— name\n".encode(),
        "\n\n— PeterNeumann AAAA\n".encode(),
        f"{TEXT}\r\n\n{LINE}".encode(),
        f"{TEXT}\n{LINE}".encode()[:-1],
        f"{TEXT}\n{LINE * 17}".encode(),
        b"\xff" + f"{TEXT}\n{LINE}".encode(),
        b"x" * 70000 + f"{TEXT}\n{LINE}".encode(),
    ],
)
def test_what_is_no_note_is_refused(raw: bytes) -> None:
    with pytest.raises(LedgerBroken):
        note.parse(raw)


def test_text_may_hold_empty_lines() -> None:
    signer = Signer.generate("a/b")
    parsed = note.parse(note.sign("one\n\ntwo\n", [signer]).encode())
    assert parsed.text == "one\n\ntwo\n"
    assert parsed.signed_by(signer.verifier)


def test_two_keys_sign_and_a_stranger_does_not() -> None:
    first, second, third = (Signer.generate("a/b") for _ in range(3))
    parsed = note.parse(note.sign("text\n", [first, second]).encode())
    assert parsed.signed_by(first.verifier)
    assert parsed.signed_by(second.verifier)
    assert not parsed.signed_by(third.verifier)
    assert parsed.signed_only_by([second.verifier, first.verifier, third.verifier])
    assert not parsed.signed_only_by([first.verifier])


def test_a_line_that_claims_a_key_and_does_not_verify_spoils_the_note() -> None:
    signer = Signer.generate("a/b")
    good = note.sign("text\n", [signer])
    bad = signer.signature_line("other\n")
    assert not note.parse((good + bad).encode()).signed_by(signer.verifier)


def test_names_of_keys() -> None:
    for name in ("", "a b", "a+b", "a\u2003b", "a\nb", "x" * 201):
        assert not note.valid_name(name)
        with pytest.raises(ValueError):
            Signer.generate(name)


def test_a_checkpoint_says_three_things() -> None:
    signer = Signer.generate("a.example/log")
    head = TreeHead("a.example/log", 0, merkle.EMPTY_ROOT)
    text = checkpoint.sign(head, [signer])
    assert text.startswith("a.example/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— a.example/log ")
    parsed = checkpoint.parse(text.encode())
    assert parsed.head == head
    assert parsed.note.signed_by(signer.verifier)


@pytest.mark.parametrize(
    "text",
    [
        "a/log\n5\n",
        "a/log\n05\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "a/log\n+5\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "a/log\n٥\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "a/log\n5\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=\n",
        "a/log\n5\nQQ==\n",
        "a log\n5\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "a/log\n5\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nmore\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    signed = note.sign(text, [Signer.generate("a/log")])
    with pytest.raises(LedgerBroken):
        checkpoint.parse(signed.encode())
