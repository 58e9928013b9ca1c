"""Passwords: kept as argon2id, long, and in no list."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from argon2 import extract_parameters
from hypothesis import given
from hypothesis import strategies as st

from countenance.access import lockout, passwords
from countenance.domain.errors import BadInput, Unavailable

GOOD = "copper lantern drives slowly"


def test_what_is_kept() -> None:
    kept = passwords.hashed(GOOD)
    found = extract_parameters(kept)
    assert kept.startswith("$argon2id$")
    assert (found.memory_cost, found.time_cost, found.parallelism) == (19456, 2, 1)
    assert passwords.verify(kept, GOOD)
    assert kept != passwords.hashed(GOOD)
    for wrong in (GOOD + " ", GOOD.upper(), "", "x" * 10_000):
        assert not passwords.verify(kept, wrong)
    assert not passwords.verify(None, GOOD)
    assert not passwords.verify(None, "nobody's")
    assert not passwords.verify("not a hash", GOOD)


def test_the_same_letters_are_the_same_password() -> None:
    assert passwords.verify(passwords.hashed("Zürich é coûte ﬁn"), "Zürich é coûte fin")


@pytest.mark.parametrize(
    ("password", "second", "fits"),
    [
        (GOOD, False, True),
        ("x7#pQ9!zLm2$wR", False, False),
        ("x7#pQ9!zLm2$wRt", False, True),
        ("x7#pQ9!z", True, True),
        ("x7#pQ9!", True, False),
        ("passwordpassword", False, False),
        ("aaaaaaaaaaaaaaaaaaaa", False, False),
        ("qwertyuiopasdfgh", False, False),
        ("123456789012345", False, False),
        ("password", True, False),
        ("anna@example.org", False, False),
        ("only small letters here and there", False, True),
        ("ぱすわーどではないながいことばです", False, True),
        ("x" * 257, False, False),
    ],
)
def test_which_will_do(password: str, second: bool, fits: bool) -> None:
    if fits:
        passwords.check(password, second_factor=second, own_words=("anna@example.org",))
    else:
        with pytest.raises(BadInput):
            passwords.check(password, second_factor=second, own_words=("anna@example.org",))


@pytest.mark.parametrize("leaked", [["one"], ["one", "two"], [f"word {n}" for n in range(1000)]])
@pytest.mark.parametrize("counts", [True, False])
def test_every_line_of_a_list_is_found_and_no_other(tmp_path: Path, leaked: list[str], counts: bool) -> None:
    digests = sorted(hashlib.sha1(word.encode()).hexdigest().upper() for word in leaked)
    file = tmp_path / "leaked.txt"
    file.write_text("".join(f"{one}:{n}\r\n" if counts else f"{one}\n" for n, one in enumerate(digests)))
    for word in leaked:
        assert passwords._in_file(hashlib.sha1(word.encode()).hexdigest(), file), word
    for word in ("three", "0", GOOD, "word 1000"):
        assert not passwords._in_file(hashlib.sha1(word.encode()).hexdigest(), file), word
    for edge in ("0" * 40, "F" * 40):
        assert not passwords._in_file(edge, file)


def test_a_leaked_password_will_not_do(tmp_path: Path) -> None:
    file = tmp_path / "leaked.txt"
    file.write_text(hashlib.sha1(GOOD.encode()).hexdigest().upper() + ":3\n")
    with pytest.raises(BadInput, match="leaked"):
        passwords.check(GOOD, second_factor=False, breached=file)
    with pytest.raises(Unavailable):
        passwords.check(GOOD, second_factor=False, breached=tmp_path / "gone")
    (tmp_path / "empty").touch()
    passwords.check(GOOD, second_factor=False, breached=tmp_path / "empty")


@given(st.sampled_from(sorted(lockout.FREE)), st.integers(0, 500))
def test_waiting_never_gets_shorter_and_never_ends(kind: str, failures: int) -> None:
    assert lockout.wait(kind, failures) <= lockout.wait(kind, failures + 1) <= lockout.LONGEST
    assert bool(lockout.wait(kind, failures)) == (failures >= lockout.FREE[kind])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("nonsense", "", True),
    ],
)
def test_what_counts_as_one_address(one: str, other: str, same: bool) -> None:
    assert (lockout.address_key(one) == lockout.address_key(other)) is same
