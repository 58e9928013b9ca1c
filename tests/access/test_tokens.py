"""Bearer tokens: a secret shown once, scopes, an end, and a revocation that holds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from countenance.access import scopes, tokens
from countenance.domain.errors import BadInput, NotSignedIn, UnknownThing
from countenance.store.database import Database
from tests import databases

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database.open(databases.place(tmp_path / "countenance.db"))
    yield made
    made.close()
    databases.drop(tmp_path)


def make(database: Database, *wanted: str, expires_at: datetime | None = None) -> tuple[tokens.Token, str]:
    with database.write() as c:
        return tokens.create(c, "nightly", wanted or ("search",), now=NOW, expires_at=expires_at)


def check(database: Database, secret: str, now: datetime = NOW) -> tokens.Token:
    with database.read() as c:
        return tokens.check(c, secret, now=now)[0]


def test_a_secret_opens_its_own_token_and_no_other(database: Database) -> None:
    first, first_secret = make(database, "search", "ledger:read")
    second, second_secret = make(database, "export")
    assert check(database, first_secret) == first
    assert check(database, second_secret) == second
    assert first.scopes == ("search", "ledger:read")
    assert first_secret != second_secret
    assert len(first_secret) == len("ctn_") + 43
    assert first_secret.startswith("ctn_")


def test_the_secret_is_nowhere_in_the_database(database: Database, tmp_path: Path) -> None:
    _, secret = make(database)
    database.truncate_journal()
    file = tmp_path / "countenance.db"
    stored = b"".join(databases.files(tmp_path).values()) or file.read_bytes()
    assert secret.encode() not in stored
    assert secret.removeprefix("ctn_").encode() not in stored
    assert hashlib.sha256(secret.encode()).digest() in stored


@pytest.mark.parametrize("change", ["", "ctn_", "ctn_" + "A" * 43, "x", "ctn_" + "A" * 44, "ctn_é" + "A" * 42])
def test_anything_else_opens_nothing(database: Database, change: str) -> None:
    make(database)
    with pytest.raises(NotSignedIn):
        check(database, change)


def test_a_secret_must_be_whole(database: Database) -> None:
    _, secret = make(database)
    for wrong in (secret[:-1], secret + "\n", secret.upper(), secret[4:]):
        with pytest.raises(NotSignedIn):
            check(database, wrong)


def test_a_token_ends_at_its_moment(database: Database) -> None:
    _, secret = make(database, expires_at=NOW + timedelta(hours=1))
    check(database, secret, NOW + timedelta(minutes=59, seconds=59))
    with pytest.raises(NotSignedIn):
        check(database, secret, NOW + timedelta(hours=1))


def test_a_revoked_token_is_dead_at_once_and_stays_so(database: Database) -> None:
    token, secret = make(database)
    other, other_secret = make(database)
    with database.write() as c:
        revoked = tokens.revoke(c, token.id, now=NOW + timedelta(seconds=1))
        again = tokens.revoke(c, token.id, now=NOW + timedelta(days=1))
    assert revoked == again
    assert revoked.state(NOW) == "revoked"
    with pytest.raises(NotSignedIn):
        check(database, secret)
    assert check(database, other_secret) == other


def test_revoking_what_is_not_there(database: Database) -> None:
    with database.write() as c, pytest.raises(UnknownThing):
        tokens.revoke(c, "token-000000000000", now=NOW)


def test_what_cannot_be_made(database: Database) -> None:
    with database.write() as c:
        for name, wanted, expires_at in (
            ("", ["search"], None),
            ("  ", ["search"], None),
            ("x" * 201, ["search"], None),
            ("nightly", [], None),
            ("nightly", ["everything"], None),
            ("nightly", ["search"], NOW),
        ):
            with pytest.raises(BadInput):
                tokens.create(c, name, wanted, now=NOW, expires_at=expires_at)
        assert tokens.listed(c) == []


def test_the_list_says_how_each_stands_and_never_a_secret(database: Database) -> None:
    token, secret = make(database, expires_at=NOW + timedelta(hours=1))
    with database.read() as c:
        shown = [t.as_json(NOW + timedelta(hours=2)) for t in tokens.listed(c)]
    assert [t["state"] for t in shown] == ["expired"]
    assert shown[0]["id"] == token.id
    assert secret not in str(shown)


def test_scopes_are_kept_once_and_in_one_order() -> None:
    assert scopes.checked(["ledger:read", "search", "search"]) == ("search", "ledger:read")
