"""Sealed items open with their own key and purpose only, and tell nothing without it."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countenance.domain.errors import BadInput, KeyTrouble, LedgerBroken
from countenance.ledger import seal
from countenance.ledger.note import decode_base64
from countenance.ledger.seal import ItemKey

KEY = ItemKey("item", bytes(range(32)))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES, st.binary(max_size=20))
def test_what_was_sealed_comes_back(value: object, aad: bytes) -> None:
    assert seal.open_sealed(KEY, aad, seal.seal(KEY, aad, value)) == value


def test_the_same_value_is_never_sealed_alike() -> None:
    assert seal.seal(KEY, b"", "x")["ct"] != seal.seal(KEY, b"", "x")["ct"]


def test_only_its_own_key_and_purpose_open_it() -> None:
    sealed = seal.seal(KEY, b"search:1", {"name": "Ada Lovelace"})
    assert "Ada" not in str(sealed)
    assert b"Ada" not in (decode_base64(sealed["ct"]) or b"")
    other, renamed = ItemKey("item", bytes(32)), ItemKey("other", KEY.secret)
    for key, aad in ((other, b"search:1"), (KEY, b"search:2"), (renamed, b"search:1")):
        with pytest.raises(KeyTrouble):
            seal.open_sealed(key, aad, sealed)
    with pytest.raises(KeyTrouble):
        seal.open_sealed(renamed, b"search:1", sealed | {"item": "other"})


def test_an_altered_item_does_not_open() -> None:
    sealed = seal.seal(KEY, b"", "secret")
    ct = sealed["ct"]
    with pytest.raises(KeyTrouble):
        seal.open_sealed(KEY, b"", sealed | {"ct": ct[:40] + ("A" if ct[40] != "A" else "B") + ct[41:]})
    for wrong in ({"ct": ""}, {"ct": ct + "="}, {"ct": None}, {"alg": "none"}, {"ct": "QUFB"}):
        with pytest.raises(LedgerBroken):
            seal.open_sealed(KEY, b"", sealed | wrong)


def test_the_length_of_an_address_does_not_show() -> None:
    assert len({len(seal.seal(KEY, b"", "x" * n)["ct"]) for n in range(62)}) == 1


def test_what_is_not_json_is_refused() -> None:
    for value in (float("nan"), {1, 2}, b"bytes"):
        with pytest.raises(BadInput):
            seal.seal(KEY, b"", value)


def test_keys_are_random_and_do_not_print_their_secret() -> None:
    first, second = ItemKey.generate(), ItemKey.generate()
    assert first.secret != second.secret
    assert first.item != second.item
    assert first.secret.hex() not in repr(first)
    assert repr(first.secret) not in repr(first)
    with pytest.raises(ValueError):
        ItemKey("item", b"short")


def test_a_commitment_binds_and_hides() -> None:
    digest = bytes(32)
    commitment = seal.commit(KEY, digest)
    assert seal.commits_to(KEY, digest, commitment)
    assert not seal.commits_to(KEY, bytes(31) + b"\x01", commitment)
    assert not seal.commits_to(ItemKey("item", bytes(32)), digest, commitment)
    assert commitment != digest.hex()


def test_the_commitment_is_what_the_documentation_says() -> None:
    """Fixed for ever, because commitments in old entries must stay checkable: HKDF (RFC 5869) and HMAC by hand."""

    def mac(key: bytes, data: bytes) -> bytes:
        return hmac.digest(key, data, "sha256")

    derived = mac(mac(bytes(32), KEY.secret), b"countenance ledger commitment\x01")
    assert seal.commit(KEY, b"digest") == mac(derived, b"digest").hex()
