"""Addresses become people only where the list leaves no doubt."""

from __future__ import annotations

from datetime import timedelta, timezone
from pathlib import Path

import pytest

from countenance.domain.errors import BadInput
from countenance.domain.proxy import WebRequest
from countenance.proxylog import people

NOON = 1_772_366_400.0  # 2026-03-01T12:00:00Z


def listed(folder: Path, text: str) -> Path:
    file = folder / "leases.csv"
    file.write_text(text, encoding="utf-8")
    return file


def asked(at: float, *, user: str | None = None, address: str | None = "10.0.0.5") -> WebRequest:
    return WebRequest("log", 1, at, "tunnel", "pimeyes.com", user=user, address=address)


def test_a_lease_names_its_user_from_its_start_until_just_before_its_end(tmp_path: Path) -> None:
    text = "ip,name,from,to\n10.0.0.5,u1,2026-03-01T12:00:00Z,2026-03-01T13:00:00+00:00\n"
    known = people.load(listed(tmp_path, text))
    assert known.named(asked(NOON)).user == "u1"
    assert known.named(asked(NOON + 3599.9)).user == "u1"
    assert known.named(asked(NOON - 0.1)).user is None
    assert known.named(asked(NOON + 3600)).user is None
    assert known.named(asked(NOON, address="10.0.0.6")).user is None


def test_the_log_s_own_user_stays_and_a_doubt_names_nobody(tmp_path: Path) -> None:
    known = people.load(
        listed(tmp_path, "address,user\n10.0.0.5,u1\n10.0.0.7,u1\n10.0.0.7,u2\n10.0.0.8,u3\n10.0.0.8,u3\n")
    )
    assert known.named(asked(NOON, user="own")).user == "own"
    assert known.named(asked(NOON, address="10.0.0.7")).user is None
    assert known.named(asked(NOON, address="10.0.0.8")).user == "u3"
    assert known.named(asked(NOON, address=None)).user is None


def test_a_time_without_an_offset_is_in_the_zone_of_the_caller(tmp_path: Path) -> None:
    text = "user,address,from,to\nu1,10.0.0.5,2026-03-01T14:00:00,1772370000\n"
    known = people.load(listed(tmp_path, text), timezone(timedelta(hours=2)))
    assert known.user_of("10.0.0.5", NOON) == "u1"
    assert known.user_of("10.0.0.5", NOON - 1) is None


def test_addresses_are_compared_as_addresses(tmp_path: Path) -> None:
    known = people.load(listed(tmp_path, "address,user\n2001:DB8:0:0::1,u1\nLAPTOP-7,u2\n"))
    assert known.user_of("2001:db8::1", NOON) == "u1"
    assert known.user_of("laptop-7", NOON) == "u2"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "columns"),
        ("address,mail\n10.0.0.5,x\n", "columns"),
        ("address,user\n10.0.0.5\n", "line 2"),
        ("address,user,from\n10.0.0.5,u1,yesterday\n", "line 2"),
        ("address,user,from,to\n10.0.0.5,u1,20,10\n", "line 2"),
    ],
)
def test_a_list_that_cannot_be_used_says_where(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        people.load(listed(tmp_path, text))


def test_a_list_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        people.load(tmp_path / "nothing.csv")
