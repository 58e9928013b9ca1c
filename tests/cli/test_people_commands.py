"""Homes, accounts and the last resort, from the command line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from countenance.store import moments
from tests.places import Answer, Place
from tests.teams import HERE, PASSWORD

Run = Callable[..., Answer]
NEXT_YEAR = (moments.now() + timedelta(days=365)).date().isoformat()
DOCUMENTS = ("--policy", "POL-7", "--policy-until", NEXT_YEAR, "--dpia", "D-4", "--dpia-until", NEXT_YEAR)


@pytest.fixture
def run(place: Place, at: Callable[[Place], Run]) -> Run:
    """The command on a home that is not there yet."""
    return at(place)


def test_a_home_is_made_once(run: Run) -> None:
    made = run("init", "--json").json
    assert (made["profile"], made["policy"]) == ("personal", None)
    again = run("init", "--json")
    assert (again.code, again.json["error"]["code"]) == (2, "already-there")
    assert run("status", "--json").json["profile"]["profile"] == "personal"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--profile", "monarchy"), "bad-input"),
        (("--profile", "organisation"), "refused"),
        (("--profile", "organisation", "--policy", "P"), "bad-input"),
        (("--profile", "organisation", *DOCUMENTS[:4]), "refused"),
        (("--profile", "organisation", *DOCUMENTS[:7], "2001-01-01"), "refused"),
        (DOCUMENTS, "bad-input"),
    ],
)
def test_a_home_that_is_not_made(run: Run, place: Place, words: tuple[str, ...], code: str) -> None:
    assert run("init", *words, "--json").json["error"]["code"] == code
    assert not place.where.is_home()


def test_an_organisation_from_nothing(run: Run, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "anna")
    assert "Next: countenance user add" in run("init", "--profile", "organisation", *DOCUMENTS).out
    assert run("status", "--json").json["error"]["code"] == "role-missing"
    assert run("user", "add", "x", "--role", "requester", "--json").json["error"]["code"] == "refused"
    first = run("user", "add", "Anna", "--role", "administrator", "--json").json
    assert (first["roles"], first["system_users"], first["state"]) == (["administrator"], ["anna"], "waiting")
    rita = run("user", "add", "Rita", "--role", "requester")
    assert "shown this once" in rita.out
    code = rita.out.splitlines()[1]
    with place.open() as product:
        assert product.people.door.set_up(code, PASSWORD, HERE).account.name == "Rita"
    listed = run("user", "list", "--json").json["accounts"]
    assert [(a["name"], a["state"]) for a in listed] == [("Anna", "waiting"), ("Rita", "live")]
    assert "setup" not in str(listed)
    assert "Rita" in run("user", "list").out

    linked = run("user", "link", "Rita", "--system-user", "rita", "--json").json
    assert linked["system_users"] == ["rita"]
    monkeypatch.setenv("LOGNAME", "rita")
    mine = run("token", "create", "mine", "--scope", "search", "--json").json
    assert mine["account"] == linked["id"]
    beyond = run("token", "create", "more", "--scope", "ledger:read", "--json")
    assert beyond.json["error"]["code"] == "bad-input"
    assert run("user", "list", "--json").json["error"]["code"] == "role-missing"

    monkeypatch.setenv("LOGNAME", "anna")
    for words in (("link", "Rita"), ("unlink", "Rita"), ("link", "Rita", "--system-user", "x", "--subject", "y")):
        assert run("user", *words, "--json").json["error"]["code"] == "bad-input"
    assert run("user", "unlink", "Rita", "--system-user", "rita", "--json").json["system_users"] == []
    assert run("user", "roles", "Rita", "--role", "reviewer").out == "Rita is now: reviewer.\n"
    assert run("user", "disable", "Rita", "--json").json["state"] == "disabled"
    assert run("user", "enable", "Rita", "--json").json["state"] == "live"
    assert len(run("user", "reset", "Rita", "--json").json["setup_code"]) == 32
    assert run("user", "disable", "Anna", "--json").json["error"]["code"] == "refused"
    with place.open() as product:
        users = {e["actor"]["authenticated"] for e in product.ledger_entries(3, product.ledger_size)}
        assert not any(user.startswith("os:") for user in users), "commands act as accounts"


def test_the_profile_is_shown_and_changed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "anna")
    assert run("profile", "show", "--json").json["profile"] == "personal"
    asked = run("profile", "set", "organisation", *DOCUMENTS, "--json")
    assert "no way back" in asked.json["error"]["message"]
    assert run("profile", "set", "organisation", *DOCUMENTS, "--yes", "--json").json["policy"]["id"] == "POL-7"
    run("user", "add", "Anna", "--role", "administrator")
    assert run("profile", "set", "personal", "--json").json["error"]["code"] == "refused"
    soon = (moments.now() + timedelta(days=3)).date().isoformat()
    run("profile", "set", "organisation", "--policy", "POL-8", "--policy-until", soon)
    shown = run("profile", "show", "--json").json
    assert shown["lapsing"] == [f"the policy document POL-8 lapses on {soon}"]
    assert "POL-8 lapses on" in run("status").err
    assert "POL-8 lapses on" in run("doctor", "--offline").out


def test_the_last_resort(run: Run, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "anna")
    run("init", "--profile", "organisation", *DOCUMENTS)
    run("user", "add", "Anna", "--role", "administrator")
    first, second = run("recovery", "make", "--json").json["secrets"]
    (place.root / "one").write_text(first + "\n")
    (place.root / "two").write_text(second)
    monkeypatch.setenv("LOGNAME", "somebody-with-a-shell")
    files = ("--first-file", place.root / "one", "--second-file", place.root / "two")
    assert run("recovery", "use", "Berta", "--json").json["error"]["code"] == "bad-input"
    wrong = ("--first-file", place.root / "one", "--second-file", place.root / "one")
    assert run("recovery", "use", "Berta", *wrong, "--json").json["error"]["code"] == "not-signed-in"
    done = run("recovery", "use", "Berta", *files, "--json")
    assert (done.json["name"], done.json["roles"]) == ("Berta", ["administrator"])
    assert run("recovery", "use", "Berta", *files, "--json").json["error"]["code"] == "refused"
    monkeypatch.setenv("LOGNAME", "anna")
    assert "recovery secrets were used" in run("status").err
    run("recovery", "make")
    assert "recovery secrets were used" in run("status").err, "new secrets do not hush it up"


def test_the_server_of_an_organisation_without_its_documents(
    run: Run, monkeypatch: pytest.MonkeyPatch, place: Place
) -> None:
    monkeypatch.setenv("LOGNAME", "anna")
    today = moments.now().date().isoformat()
    words = ("--policy", "P", "--policy-until", today, "--dpia", "D", "--dpia-until", NEXT_YEAR)
    run("init", "--profile", "organisation", *words)
    run("user", "add", "Anna", "--role", "administrator")
    then = moments.now() + timedelta(days=2)
    monkeypatch.setattr(moments, "now", lambda: then)
    answer = run("serve", "--port", "0", "--json")
    assert answer.json["error"]["code"] == "refused"
    assert "the policy document P lapsed on" in answer.json["error"]["message"]
