"""The door: passwords, codes, sessions that end, and failures that lock out strangers alone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pyotp
import pytest

from countenance.access import authenticator
from countenance.domain.errors import BadInput, NotSignedIn, SecondFactorNeeded, TooManyAttempts
from countenance.services.sign_in import IDLE, SignIn, Visitor
from countenance.store import moments
from tests import databases
from tests.places import Place, kinds
from tests.teams import HERE, PASSWORD, Team, team_at
from tests.traces import left

ELSEWHERE = Visitor("198.51.100.9")


@pytest.fixture(scope="module")
def _team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    place = Place(tmp_path_factory.mktemp("door"))
    yield team_at(place)
    place.close()


@pytest.fixture
def team(_team: Team) -> Team:
    """Shared, with no failures counted."""
    with databases.by_hand(_team.product.home) as c:
        c.execute("DELETE FROM attempts")
        c.execute("DELETE FROM browser_sessions")
    return _team


@pytest.fixture
def door(team: Team) -> SignIn:
    return team.product.people.door


class Clock:
    """Moments that go on when they are told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = timedelta(0)
        real = moments.now
        monkeypatch.setattr(moments, "now", lambda: real() + self.ahead)

    def go(self, step: timedelta) -> datetime:
        self.ahead += step
        return moments.now()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_in_and_out(team: Team, door: SignIn) -> None:
    opened = team.sign_in("requester")
    assert door.session(opened.secret).name == "requester"
    for wrong in (opened.secret[:-1], "", opened.device):
        with pytest.raises(NotSignedIn):
            door.session(wrong)
    door.sign_out(opened.secret)
    with pytest.raises(NotSignedIn):
        door.session(opened.secret)
    begun, ended = list(team.product.ledger_entries(team.product.ledger_size - 2, team.product.ledger_size))
    assert (begun["type"], ended["type"]) == ("session.begun", "session.ended")
    assert begun["actor"]["authenticated"] == team.account("requester").user
    assert begun["body"]["session"] == ended["body"]["session"]
    assert opened.secret not in str(begun)


def test_failures_are_entries_without_what_was_typed(team: Team, door: SignIn) -> None:
    before = team.product.ledger_size
    for name, password in (("requester", "guess-4711"), ("nobody-4711", PASSWORD)):
        with pytest.raises(NotSignedIn) as caught:
            door.by_password(name, password, None, HERE)
        assert caught.value.message == "that did not open an account"
    known, unknown = team.product.ledger_entries(before, team.product.ledger_size)
    assert known["body"] == {"account": team.account("requester").id, "what": "password", "via": "page"}
    assert unknown["body"] == {"account": None, "what": "password", "via": "page"}
    assert "4711" not in str([known, unknown])


def test_a_session_ends_when_it_is_idle_and_when_it_is_old(team: Team, door: SignIn, clock: Clock) -> None:
    idle, used = team.sign_in("requester"), team.sign_in("requester")
    for _ in range(3):
        clock.go(IDLE / 2)
        door.session(used.secret)
    with pytest.raises(NotSignedIn):
        door.session(idle.secret)
    for _ in range(20):
        clock.go(IDLE / 2)
        try:
            door.session(used.secret)
        except NotSignedIn:
            break
    assert timedelta(hours=8) <= clock.ahead < timedelta(hours=9)


def test_a_new_password_ends_every_session(team: Team, door: SignIn) -> None:
    mine = team.sign_in("reviewer")
    door.put_password(team.account("reviewer"), PASSWORD, team.actor("reviewer"))
    with pytest.raises(NotSignedIn):
        door.session(mine.secret)
    assert door.session(team.sign_in("reviewer").secret)


def test_whoever_is_disabled_is_out_at_once(team: Team, door: SignIn) -> None:
    mine = team.sign_in("reviewer")
    team.product.people.disable("reviewer", team.actor("administrator"))
    with pytest.raises(NotSignedIn):
        door.session(mine.secret)
    with pytest.raises(NotSignedIn):
        team.sign_in("reviewer")
    team.product.people.enable("reviewer", team.actor("administrator"))
    with pytest.raises(NotSignedIn):
        door.session(mine.secret)
    team.sign_in("reviewer")


def test_ending_all_sessions(team: Team, door: SignIn) -> None:
    opened = [team.sign_in("auditor") for _ in range(3)]
    assert len(door.sessions(team.account("auditor"))) == 3
    door.end_all(team.account("auditor"), team.actor("auditor"))
    for one in opened:
        with pytest.raises(NotSignedIn):
            door.session(one.secret)
    assert door.sessions(team.account("auditor")) == []


def test_a_set_up_code_is_good_once_and_not_for_ever(place: Place, clock: Clock) -> None:
    team = team_at(place)
    people = team.product.people
    _, code = people.add("late", ["requester"], team.actor("administrator"))
    with pytest.raises(BadInput):
        people.door.set_up(code, "short", HERE)
    clock.go(timedelta(days=8))
    with pytest.raises(NotSignedIn):
        people.door.set_up(code, PASSWORD, HERE)
    _, code = people.reset("late", team.actor("administrator"))
    assert people.door.set_up(code, PASSWORD, HERE).account.name == "late"
    with pytest.raises(NotSignedIn):
        people.door.set_up(code, "another lantern drives at night", HERE)
    for wrong in ("", code[:-1], "x" * 200):
        with pytest.raises(NotSignedIn):
            people.door.set_up(wrong, PASSWORD, HERE)


# Failing


def guess(door: SignIn, name: str, visitor: Visitor, times: int) -> int:
    """Guess wrongly, so often or until it is refused; returns how often it was judged."""
    for n in range(times):
        try:
            door.by_password(name, "wrong lantern drives slowly", None, visitor)
        except TooManyAttempts:
            return n
        except NotSignedIn:
            continue
    return times


def test_strangers_are_slowed_down_and_the_owner_is_not(team: Team, door: SignIn, clock: Clock) -> None:
    mine = team.sign_in("requester")
    known = Visitor("203.0.113.1", mine.device)
    assert guess(door, "requester", ELSEWHERE, 50) == 5
    with pytest.raises(TooManyAttempts) as caught:
        team.sign_in("requester", ELSEWHERE)
    assert 0 < caught.value.details["seconds"] <= 31
    # From the browser in which they were signed in before, the owner gets in all the same, also from the same address.
    assert team.sign_in("requester", known)
    assert team.sign_in("requester", Visitor(ELSEWHERE.address, mine.device))
    # Somebody else who signs in there does not make the browser forget the owner.
    team.sign_in("auditor", Visitor("203.0.113.2", mine.device))
    assert team.sign_in("requester", known)
    # A device's secret that was made up, or is another account's, is no known browser.
    for device in ("x" * 43, team.sign_in("auditor", Visitor("203.0.113.2")).device):
        with pytest.raises(TooManyAttempts):
            team.sign_in("requester", Visitor("203.0.113.3", device))
    waits = []
    for _ in range(6):
        clock.go(timedelta(seconds=caught.value.details["seconds"]))
        assert guess(door, "requester", ELSEWHERE, 50) == 1
        with pytest.raises(TooManyAttempts) as caught:
            team.sign_in("requester", ELSEWHERE)
        waits.append(caught.value.details["seconds"])
    assert waits == sorted(waits)
    assert waits[-1] == pytest.approx(900, abs=1)
    assert "session.locked" in kinds(team.product)
    clock.go(timedelta(days=2))
    assert team.sign_in("requester", ELSEWHERE)


def test_an_address_that_goes_through_many_names_is_slowed_down(team: Team, door: SignIn) -> None:
    judged = 0
    for n in range(60):
        judged += guess(door, f"name-{n}", ELSEWHERE, 1)
    assert judged == 20
    assert team.sign_in("requester", HERE)


def test_many_guesses_at_once_are_many(team: Team, door: SignIn) -> None:
    with ThreadPoolExecutor(16) as pool:
        judged = sum(pool.map(lambda _: guess(door, "auditor", ELSEWHERE, 1), range(40)))
    assert judged == 5


def test_being_right_forgives_the_account_but_not_the_address(team: Team, door: SignIn) -> None:
    """Whoever has an account of their own may not buy guesses at others' with it."""
    judged = 0
    for n in range(30):
        judged += guess(door, f"name-{n}", ELSEWHERE, 1)
        if n < 19:
            team.sign_in("reviewer", ELSEWHERE)
    assert judged == 20


# A second factor


@pytest.fixture
def armed(place: Place) -> tuple[Team, str, list[str]]:
    """The requester has an authenticator: its secret, and the recovery codes."""
    team = team_at(place)
    own, account = team.product.people.own, team.account("requester")
    own.begin_authenticator(account)
    secret = own.waiting_secret(account)
    with pytest.raises(BadInput):
        own.confirm_authenticator(account, "000000", team.actor("requester"))
    assert team.account("requester").totp is None
    codes = own.confirm_authenticator(account, pyotp.TOTP(secret).now(), team.actor("requester"))
    return team, secret, codes


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> float:
    at = time.time() + seconds
    monkeypatch.setattr(time, "time", lambda: at)
    return at


def test_a_code_is_needed_and_good_once(armed: tuple[Team, str, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    team, secret, _ = armed
    with pytest.raises(SecondFactorNeeded):
        team.sign_in("requester")
    with pytest.raises(NotSignedIn, match="did not open"):
        team.sign_in("requester", code=pyotp.TOTP(secret).now())  # the one it was confirmed with
    code = pyotp.TOTP(secret).at(int(later(monkeypatch, 60)))
    assert team.sign_in("requester", code=code).account.name == "requester"
    with pytest.raises(NotSignedIn):
        team.sign_in("requester", code=code)
    later(monkeypatch, 60)
    for wrong in ("123456", "12345", "x", code):
        with pytest.raises((NotSignedIn, TooManyAttempts)):
            team.sign_in("requester", code=wrong)


def test_recovery_codes_are_good_once_each(armed: tuple[Team, str, list[str]], place: Place) -> None:
    team, _, codes = armed
    assert len(set(codes)) == authenticator.CODES
    assert team.sign_in("requester", code=codes[0].upper().replace("-", " "))
    with pytest.raises(NotSignedIn):
        team.sign_in("requester", code=codes[0])
    with pytest.raises(NotSignedIn):
        place.open().people.door.by_password("requester", PASSWORD, codes[0], ELSEWHERE)
    assert len(team.account("requester").codes) == authenticator.CODES - 1
    text = (place.home / "ledger" / "entries.jsonl").read_text()
    assert not any(authenticator.plain(code) in text for code in codes)
    new = team.product.people.own.new_codes(team.account("requester"), team.actor("requester"))
    with pytest.raises(NotSignedIn):
        team.sign_in("requester", code=codes[1])
    assert team.sign_in("requester", code=new[1])


def test_beside_an_authenticator_a_shorter_password_will_do(
    armed: tuple[Team, str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    team, secret, _ = armed
    people, short = team.product.people, "wry otter 8"
    people.door.put_password(team.account("requester"), short, team.actor("requester"))
    with pytest.raises(BadInput):
        people.own.remove_authenticator(team.account("requester"), team.actor("requester"))
    code = pyotp.TOTP(secret).at(int(later(monkeypatch, 90)))
    assert people.door.by_password("requester", short, code, HERE)
    people.door.put_password(team.account("requester"), PASSWORD, team.actor("requester"))
    people.own.remove_authenticator(team.account("requester"), team.actor("requester"))
    assert team.sign_in("requester")


def test_an_authenticators_secret_is_sealed_and_its_row_borne_out(
    armed: tuple[Team, str, list[str]], place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    team, secret, _ = armed
    team.product.database.truncate_journal()
    assert left(place, {"secret": secret.encode()}) == []
    mine = authenticator.new_secret()
    key = team.product.people._factor_key
    sealed = authenticator.seal(key, team.account("requester").id, mine)
    with databases.by_hand(place.home) as c:
        c.execute("UPDATE credentials SET body = ? WHERE kind = 'totp'", (json.dumps({"sealed": sealed}),))
    code = pyotp.TOTP(mine).at(int(later(monkeypatch, 60)))
    with pytest.raises(NotSignedIn):
        team.sign_in("requester", code=code)


def test_taking_the_authenticators_row_away_does_not_take_the_need_away(
    armed: tuple[Team, str, list[str]], place: Place
) -> None:
    team, _, _ = armed
    with databases.by_hand(place.home) as c:
        c.execute("DELETE FROM credentials WHERE kind = 'totp'")
    with pytest.raises(SecondFactorNeeded):
        team.sign_in("requester")


def test_a_provider_opens_what_was_linked_to_it(team: Team, door: SignIn) -> None:
    people = team.product.people
    with pytest.raises(NotSignedIn) as caught:
        door.by_subject("a" * 64, HERE)
    assert "a" * 64 in caught.value.advice
    people.link("auditor", team.actor("administrator"), subject="a" * 64)
    assert door.by_subject("a" * 64, HERE).account.name == "auditor"
    people.unlink("auditor", team.actor("administrator"), subjects=True)
    with pytest.raises(NotSignedIn):
        door.by_subject("a" * 64, HERE)
