"""Accounts and roles: what each may do, and that nobody gets there by editing rows."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import timedelta

import pytest

from countenance.access import roles
from countenance.app import Countenance
from countenance.domain.authority import Actor, Authority
from countenance.domain.errors import (
    AlreadyThere,
    BadInput,
    NoAuthority,
    NotSignedIn,
    Refused,
    RoleMissing,
    UnknownThing,
)
from countenance.domain.people import PERSONAL, Document
from countenance.services import recovery, tokens
from countenance.services.authorise import NewAuthority
from countenance.services.people import system_actor
from countenance.services.sign_in import key_of
from countenance.store import moments
from tests import databases
from tests.places import TESTER, Place, grant, kinds, register
from tests.teams import HERE, PASSWORD, Team, organisation, team_at


@pytest.fixture
def team(place: Place) -> Team:
    return team_at(place)


def rows(place: Place) -> AbstractContextManager[databases.Hand]:
    """The database, as an administrator with a shell has it."""
    return databases.by_hand(place.home)


def test_the_table_of_roles() -> None:
    """Written out, so that a role that grows by mistake is noticed."""
    may = {role: roles.acts_of([role]) for role in roles.ROLES}
    assert not may["administrator"] & {
        "search", "export", "ledger:read", "authorities:read", "authorities:write", "authorities:request",
        "proxylog:read", "proxylog:unmask", "proxylog:analyse",
    }  # fmt: skip
    assert not {act for act in may["auditor"] if act.endswith((":write", ":request"))}
    assert not may["auditor"] & {"search", "export", "ingest", "erase", "keys", "tokens", "retention", "serve"}
    assert [role for role in may if "search" in may[role]] == ["requester"]
    assert [role for role in may if "authorities:write" in may[role]] == ["authoriser"]
    assert [role for role in may if "ledger:read" in may[role]] == ["auditor"]
    assert [role for role in may if "accounts:write" in may[role]] == ["administrator"]
    assert may["subject"] == frozenset()
    assert frozenset().union(*may.values()) == frozenset(roles.ACTS), "an act that nobody may do is no act"


def test_a_misspelt_act_opens_nothing(team: Team) -> None:
    with pytest.raises(KeyError):
        roles.may("auditor", "ledger:raed")
    with pytest.raises(KeyError):
        team.product.people.admit(team.actor("auditor"), "ledger:raed")


def test_each_may_do_its_thing_and_nothing_else(team: Team) -> None:
    for role in roles.ROLES:
        if role == "subject":
            continue
        for act in roles.ACTS:
            if roles.may(role, act):
                assert team.product.people.admit(team.actor(role), act).user == team.account(role).user
            else:
                with pytest.raises(RoleMissing) as caught:
                    team.product.people.admit(team.actor(role), act)
                assert caught.value.details["act"] == act


def test_roles_that_somebody_claims_are_not_believed(team: Team) -> None:
    liar = Actor(team.account("requester").user, "page", roles=("administrator", "auditor"))
    with pytest.raises(RoleMissing):
        team.product.people.admit(liar, "ledger:read")
    nobody = Actor("user:000000000000", "page", roles=("administrator",))
    with pytest.raises(RoleMissing):
        team.product.people.admit(nobody, "accounts:write")


def test_the_system_user_is_nobody_until_linked(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    people, other = team.product.people, Actor("os:somebody-else", "command")
    assert people.known(system_actor("command")).user == team.account("administrator").user
    with pytest.raises(RoleMissing) as caught:
        people.admit(other, "search")
    assert "countenance user link" in caught.value.advice
    people.link("requester", team.actor("administrator"), system_user="somebody-else")
    assert people.admit(other, "search").user == team.account("requester").user
    with pytest.raises(AlreadyThere):
        people.link("reviewer", team.actor("administrator"), system_user="somebody-else")
    people.unlink("requester", team.actor("administrator"), system_user="somebody-else")
    with pytest.raises(RoleMissing):
        people.admit(other, "search")


def test_the_first_account_and_no_second_first(place: Place) -> None:
    product = place.open(making=organisation())
    people, me = product.people, system_actor("command")
    with pytest.raises(Refused):
        people.add("anna", ["requester"], me)
    with pytest.raises(Refused):
        people.add("anna", ["administrator"], Actor(me.user, "page"))
    people.add("anna", ["administrator"], me)
    with rows(place) as c:
        for table in ("credentials", "browser_sessions", "tokens"):
            c.execute(f"DELETE FROM {table}")
    stranger = Actor("os:stranger", "command")
    with pytest.raises(RoleMissing):
        people.add("mallory", ["administrator"], stranger)
    again = place.open()
    with pytest.raises(RoleMissing):
        again.people.add("mallory", ["administrator"], stranger)


def test_names_and_roles_that_do_not_do(team: Team) -> None:
    people, admin = team.product.people, team.actor("administrator")
    for name in ("", "   ", "a" * 81, "user:x", "two\x00"):
        with pytest.raises(BadInput):
            people.add(name, ["requester"], admin)
    for given in ([], ["king"], ["administrator", "requester"], ["auditor", "reviewer"]):
        with pytest.raises(BadInput):
            people.add("new", given, admin)
    with pytest.raises(AlreadyThere):
        people.add("  Requester ", ["requester"], admin)
    with pytest.raises(UnknownThing):
        people.disable("nobody", admin)
    assert people.add("both", ["requester", "authoriser"], admin)[0].roles == ("requester", "authoriser")


def test_nobody_raises_themselves_nor_goes_as_the_last(team: Team) -> None:
    people, admin = team.product.people, team.actor("administrator")
    for act in (
        lambda: people.set_roles("administrator", ["requester"], admin),
        lambda: people.disable("administrator", admin),
        lambda: people.reset("administrator", admin),
        lambda: people.link("administrator", admin, system_user="x"),
    ):
        with pytest.raises(Refused):
            act()
    people.set_roles("reviewer", ["administrator"], admin)
    second = team.actor("reviewer")
    people.disable("administrator", second)
    assert team.actor("administrator").roles == ()
    with pytest.raises(Refused, match="their own"):
        people.disable("reviewer", second)


def test_a_change_of_roles_holds_at_once_and_everywhere(team: Team, place: Place) -> None:
    other = place.open()
    requester = team.actor("requester")
    assert other.people.admit(requester, "search")
    team.product.people.set_roles("requester", ["reviewer"], team.actor("administrator"))
    with pytest.raises(RoleMissing):
        other.people.admit(requester, "search")


def test_names_are_sealed_in_the_ledger(team: Team, place: Place) -> None:
    team.product.people.add("zenobia@example.org", ["auditor"], team.actor("administrator"))
    assert b"zenobia" not in (place.home / "ledger" / "entries.jsonl").read_bytes()
    assert team.account("ZENOBIA@example.org").name == "zenobia@example.org"


# Nobody gets anywhere by editing rows


def test_a_password_written_into_the_database_opens_nothing(team: Team, place: Place) -> None:
    """The administrator copies the row of a password that they know over the authoriser's."""
    team.sign_in("authoriser")
    with rows(place) as c:
        (mine,) = c.execute(
            "SELECT body FROM credentials WHERE account = ?", (team.account("administrator").id,)
        ).fetchone()
        c.execute("UPDATE credentials SET body = ? WHERE account = ?", (mine, team.account("authoriser").id))
    with pytest.raises(NotSignedIn):
        team.sign_in("authoriser")
    team.sign_in("administrator")


def test_an_old_password_put_back_opens_nothing(team: Team, place: Place) -> None:
    with rows(place) as c:
        before = c.execute("SELECT * FROM credentials WHERE account = ?", (team.account("auditor").id,)).fetchone()
    door = team.product.people.door
    door.put_password(team.account("auditor"), "another lantern drives at night", team.actor("auditor"))
    with rows(place) as c:
        c.execute("DELETE FROM credentials WHERE account = ?", (team.account("auditor").id,))
        c.execute(f"INSERT INTO credentials VALUES ({', '.join('?' * len(before))})", before)
    with pytest.raises(NotSignedIn):
        team.sign_in("auditor")


def test_a_session_written_into_the_database_opens_nothing(team: Team, place: Place) -> None:
    mine = team.sign_in("administrator")
    door = team.product.people.door
    assert door.session(mine.secret).name == "administrator"
    authoriser = team.account("authoriser").id
    with rows(place) as c:
        c.execute("UPDATE browser_sessions SET account = ? WHERE key = ?", (authoriser, key_of(mine.secret)))
    for product in (team.product, place.open()):
        with pytest.raises(NotSignedIn):
            product.people.door.session(mine.secret)
    theirs = team.sign_in("authoriser")
    with rows(place) as c:
        c.execute("UPDATE browser_sessions SET key = ? WHERE key = ?", (key_of("a" * 43), key_of(theirs.secret)))
    with pytest.raises(NotSignedIn):
        door.session("a" * 43)


def test_a_session_that_was_made_longer_opens_nothing(team: Team, place: Place) -> None:
    mine = team.sign_in("requester")
    with rows(place) as c:
        c.execute("UPDATE browser_sessions SET until = until + 86400000000")
    with pytest.raises(NotSignedIn):
        team.product.people.door.session(mine.secret)


@pytest.mark.parametrize(
    "edit",
    [
        """UPDATE tokens SET scopes = '["search", "ledger:read"]'""",
        "UPDATE tokens SET account = (SELECT account FROM credentials WHERE account != tokens.account LIMIT 1)",
        "UPDATE tokens SET account = NULL",
        "UPDATE tokens SET seq = NULL",
        "UPDATE tokens SET seq = NULL, account = NULL",
        "UPDATE tokens SET seq = 0",
        "UPDATE tokens SET expires_at = 9000000000000000, revoked_at = NULL",
    ],
)
def test_a_token_that_was_edited_opens_nothing(team: Team, place: Place, edit: str) -> None:
    secret = team.token("requester", "search")
    token, actor = tokens.check(team.product.people, secret)
    assert (actor.user, actor.via) == (team.account("requester").user, f"token:{token.id}")
    with rows(place) as c:
        c.execute(edit)
    for product in (team.product, place.open()):
        with pytest.raises(NotSignedIn):
            tokens.check(product.people, secret)


def test_an_authority_written_into_the_database_opens_nothing(house: Place) -> None:
    """With a role, an account and a row of their own making, all by hand."""
    product = house.open()
    authority = grant(product, "album")
    product.people.set_profile(
        "organisation", Document("P", organisation().policy.until), Document("D", organisation().policy.until),
        system_actor("command"),
    )  # fmt: skip
    people = product.people
    people.add("anna", ["administrator"], system_actor("command"))
    anna = Actor(people.account("anna").user, "page")
    account, _ = people.add("rita", ["requester"], anna)
    rita = people.known(Actor(account.user, "page"))
    with pytest.raises(NoAuthority):
        product.check_authority(authority.id, None, rita)
    with rows(house) as c:
        c.execute("UPDATE authorities SET holder = ?, self_approved = false", (rita.user,))
    for one in (product, house.open()):
        with pytest.raises(NoAuthority) as caught:
            one.check_authority(authority.id, None, rita)
        assert caught.value.details["reason"] == "not-in-ledger"


# Tokens


def test_a_token_reaches_no_further_than_its_owner(team: Team) -> None:
    with pytest.raises(BadInput):
        team.token("requester", "ledger:read")
    with pytest.raises(RoleMissing):
        team.token("auditor", "ledger:read")
    secret = team.token("requester", "search", "export")
    team.product.people.set_roles("requester", ["reviewer"], team.actor("administrator"))
    _, actor = tokens.check(team.product.people, secret)
    assert actor.roles == ("reviewer",)
    team.product.people.disable("requester", team.actor("administrator"))
    with pytest.raises(NotSignedIn):
        tokens.check(team.product.people, secret)


def test_tokens_are_their_owners(team: Team) -> None:
    team.token("requester", "search")
    (mine,) = team.product.tokens(team.actor("requester"))
    assert team.product.tokens(team.actor("reviewer")) == []
    assert [token.id for token in team.product.tokens(team.actor("administrator"))] == [mine.id]
    with pytest.raises(Refused):
        team.product.revoke_token(mine.id, team.actor("reviewer"))
    assert team.product.revoke_token(mine.id, team.actor("requester")).revoked_at


def test_a_token_from_before_is_good_in_a_personal_home_alone(place: Place) -> None:
    product = place.open()
    _, secret = product.create_token("old", ["status:read"], None, TESTER)
    with rows(place) as c:
        c.execute("UPDATE tokens SET seq = NULL")
    assert tokens.check(product.people, secret)[1].user.startswith("os:")
    until = moments.now().date() + timedelta(days=90)
    product.people.set_profile("organisation", Document("P", until), Document("D", until), system_actor("command"))
    with pytest.raises(NotSignedIn):
        tokens.check(product.people, secret)


# Two people


def test_who_grants_is_not_who_searches(house: Place) -> None:
    product = house.open()
    until = moments.now().date() + timedelta(days=90)
    own = grant(product, "album")
    assert own.self_approved
    product.people.set_profile("organisation", Document("P", until), Document("D", until), system_actor("command"))
    people = product.people
    people.add("adam", ["administrator"], system_actor("command"))
    adam = Actor(people.account("adam").user, "page")
    for name, given in (("rita", ["requester"]), ("otto", ["authoriser"]), ("both", ["requester", "authoriser"])):
        people.add(name, given, adam)
    otto, both = (Actor(people.account(name).user, "page") for name in ("otto", "both"))
    with pytest.raises(NoAuthority) as caught:
        product.check_authority(own.id, None, Actor(people.account("rita").user, "page"))
    assert caught.value.details["reason"] == "not-holder"
    with pytest.raises(Refused):
        _grant(product, both, "both")
    with pytest.raises(Refused):
        _grant(product, both, None)
    for holder in ("os:tester", "rita", "otto", "nobody", None):
        with pytest.raises(Refused):
            _grant(product, otto, holder)
    with pytest.raises(RoleMissing):
        _grant(product, Actor(people.account("rita").user, "page"), "rita")


def _grant(product: Countenance, actor: Actor, holder: str | None) -> Authority:
    new = NewAuthority("p", "own", "C-1", ("album",), moments.now() + timedelta(days=1), 5, "Me", holder=holder)
    return product.grant(new, actor)


def test_the_last_resort_takes_both_secrets(team: Team, place: Place) -> None:
    people = team.product.people
    first, second = recovery.make(people, team.actor("administrator"))
    text = (place.home / "ledger" / "entries.jsonl").read_bytes()
    assert first.encode() not in text
    assert second.encode() not in text
    stranger = Actor("os:stranger", "command")
    for pair in ((first, first), (second, second), (first, "ctr_x"), ("", "")):
        with pytest.raises(NotSignedIn):
            recovery.use(people, *pair, "administrator", stranger)
    account, code = recovery.use(people, second, first, "administrator", stranger)
    assert (account.roles, account.state) == (("administrator",), "waiting")
    with pytest.raises(NotSignedIn):
        team.sign_in("administrator")
    assert people.door.set_up(code, PASSWORD, HERE).account.name == "administrator"
    with pytest.raises(Refused):
        recovery.use(people, first, second, "administrator", stranger)
    said = kinds(team.product)
    assert said.count("people.recovery-refused") == 4
    assert said.count("people.recovery-used") == 1
    assert recovery.used_lately(people) is not None
    assert any("recovery secrets were used" in f["what"] for f in team.product.examine()["findings"])


def test_the_last_resort_makes_an_account_where_there_is_none(team: Team) -> None:
    people = team.product.people
    pair = recovery.make(people, team.actor("administrator"))
    account, _ = recovery.use(people, *pair, "somebody new", Actor("os:stranger", "command"))
    assert (account.name, account.roles) == ("somebody new", ("administrator",))
    with pytest.raises(RoleMissing):
        recovery.make(people, team.actor("auditor"))


def test_a_personal_home_is_one_persons(place: Place) -> None:
    product = place.open()
    people, me = product.people, system_actor("command")
    assert people.profile.name == PERSONAL
    source = register(product, "mine", place.photos)
    assert source.basis == "own"
    account, _ = people.add("me", [], me)
    assert frozenset(account.roles) == roles.EVERY_ROLE
    assert people.known(me).user == account.user
    with pytest.raises(Refused):
        people.add("you", ["requester"], me)


def test_authorities_of_the_system_user_are_those_of_its_account(house: Place) -> None:
    product = house.open()
    me = system_actor("command")
    authority = _grant(product, me, None)
    product.people.add("me", [], me)
    account = Actor(product.people.account("me").user, "page")
    assert product.check_authority(authority.id, None, account).holder == me.user
