"""Profiles: one person's home, an organisation's, the way from one to the other, and homes from before."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countenance.domain.basis import BASES
from countenance.domain.errors import AlreadyThere, BadInput, Refused
from countenance.domain.people import ORGANISATION, PERSONAL, WARN, Document, Profile
from countenance.services import profile as profiles
from countenance.services.people import document, system_actor
from countenance.store import moments
from tests import databases, pretend
from tests.places import Place, ask, grant, kinds, register
from tests.teams import team_at

ME = system_actor("command")


def day(days: int) -> date:
    return moments.now().date() + timedelta(days=days)


def test_a_new_home_is_one_persons_as_its_first_entry_says(place: Place) -> None:
    product = place.open()
    first = product.ledger_entries(0, 1)[0]
    assert (first["type"], first["body"]["profile"]) == ("home.created", PERSONAL)
    assert product.status()["profile"] == {
        "profile": PERSONAL, "kept_bases": [], "policy": None, "dpia": None, "entry": 0, "notices": [],
    }  # fmt: skip
    assert kinds(product) == ["home.created"]


def test_one_persons_bases(place: Place) -> None:
    product = place.open()
    for basis in BASES:
        name = f"from-{basis}"
        if basis in ("own", "consent"):
            register(product, name, place.photos, basis=basis)
            continue
        with pytest.raises(BadInput):
            register(product, name, place.photos, basis=basis)
        with pytest.raises(Refused) as caught:
            register(product, name, place.photos, basis=basis, basis_document="P-1")
        assert "profile set organisation" in caught.value.advice
        with pytest.raises(Refused):
            grant(product, "from-own", basis=basis, basis_document="P-1")
    assert grant(product, "from-own").self_approved


def test_an_organisation_names_its_documents(place: Place) -> None:
    for policy, dpia in ((None, None), (Document("P", day(9)), None), (Document("P", day(-1)), Document("D", day(9)))):
        with pytest.raises(Refused) as caught:
            profiles.made(ORGANISATION, policy, dpia)
        assert "--policy" in caught.value.advice
    product = place.open(making=profiles.made(ORGANISATION, Document("P", day(0)), Document("D", day(0))))
    assert product.people.profile.two_people
    with pytest.raises(AlreadyThere):
        place.open(making=Profile(PERSONAL))
    assert place.open().people.profile.policy == Document("P", day(0))


@given(st.none() | st.integers(-400, 400), st.none() | st.integers(-400, 400))
def test_what_lapses(policy: int | None, dpia: int | None) -> None:
    today = date(2026, 6, 1)

    def named(days: int | None) -> Document | None:
        return None if days is None else Document("X", today + timedelta(days=days))

    found = Profile(ORGANISATION, (), named(policy), named(dpia))
    missing = [days for days in (policy, dpia) if days is None or days < 0]
    assert len(found.lapsed(today)) == len(missing)
    soon = [days for days in (policy, dpia) if days is not None and 0 <= days <= WARN.days]
    assert len(found.lapsing(today)) == len(soon)
    alone = Profile(PERSONAL, (), named(policy), named(dpia))
    assert alone.lapsed(today) == alone.lapsing(today) == []


def test_lapsed_documents_stop_what_rests_on_them(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    team = team_at(place)
    people = team.product.people
    assert people.admit(team.actor("requester"), "search")
    then = moments.now() + timedelta(days=401)
    monkeypatch.setattr(moments, "now", lambda: then)
    for role, act in (("requester", "search"), ("authoriser", "authorities:write"), ("administrator", "serve")):
        with pytest.raises(Refused, match="lapsed"):
            people.admit(team.actor(role), act)
    assert people.admit(team.actor("auditor"), "ledger:read"), "what is to be overseen stays to be seen"
    findings = [f for f in team.product.examine()["findings"] if "lapsed" in f["what"]]
    assert [f["severity"] for f in findings] == ["fault", "fault"]
    admin, until = team.actor("administrator"), then.date() + timedelta(days=10)
    people.set_profile(ORGANISATION, Document("POL-8", until), Document("DPIA-5", until), admin)
    assert people.admit(team.actor("requester"), "search")
    assert [f["severity"] for f in team.product.examine()["findings"] if "lapses on" in f["what"]] == ["advice"] * 2


def test_there_is_a_way_to_an_organisation_and_none_back(place: Place) -> None:
    product = place.open()
    people = product.people
    people.add("me", [], ME)
    me = people.known(ME)
    with pytest.raises(Refused):
        people.set_profile(ORGANISATION, None, None, me)
    assert people.profile.name == PERSONAL
    people.set_profile(ORGANISATION, Document("P", day(90)), Document("D", day(90)), me)
    assert people.account("me").roles == ("administrator",), "every role in one hand is more than anybody may hold"
    assert place.open().people.profile.two_people
    with pytest.raises(Refused):
        people.set_profile(PERSONAL, None, None, people.known(ME))
    said = [e for e in product.ledger_entries(0, product.ledger_size) if e["type"] == "people.profile-set"]
    assert [(e["body"]["before"], e["body"]["profile"]) for e in said] == [(PERSONAL, ORGANISATION)]


def test_editing_rows_does_not_bring_one_persons_home_back(place: Place) -> None:
    """There is no row of it to edit; and one that somebody adds says nothing."""
    team = team_at(place)
    with databases.by_hand(place.home) as c:
        c.execute("INSERT INTO meta VALUES ('profile', 'personal')")
        c.execute("UPDATE meta SET value = replace(value, 'organisation', 'personal')")
    assert place.open().people.profile.two_people
    assert team.product.people.profile.two_people


def test_a_document_that_is_not_named_stays(place: Place) -> None:
    team = team_at(place)
    before = team.product.people.profile
    after = team.product.people.set_profile(ORGANISATION, None, Document("D-9", day(99)), team.actor("administrator"))
    assert (after.policy, after.dpia) == (before.policy, Document("D-9", day(99)))
    assert document(None, None, "policy") is None
    for id, until in (("P", None), (None, day(1)), (" ", day(1))):
        with pytest.raises(BadInput):
            document(id, until, "policy")


def test_a_home_from_before_goes_on_and_says_so(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first entry names no profile, and its sources rest on what a personal home does not take."""
    with monkeypatch.context() as patch:
        patch.setattr(profiles, "body_of", lambda _: {})
        patch.setattr(profiles, "settle", lambda *_: None)
        patch.setattr(Profile, "allows", lambda *_: True)
        with place.open() as old:
            register(old, "task", place.photos, basis="public-task", basis_document="P-7")
            register(old, "mine", place.photos)
            grant(old, "mine", basis="law-enforcement", basis_document="L-1")
            assert old.people.record.people.read(old.people.record).profile is None
    place.opened.clear()
    product = place.open()
    assert product.people.profile.name == PERSONAL
    assert product.people.profile.kept_bases == ("law-enforcement", "public-task")
    assert kinds(product)[-1] == "people.profile-set"
    assert any("law-enforcement, public-task" in f["what"] for f in product.examine()["findings"])
    register(product, "more", place.photos, basis="public-task", basis_document="P-7")
    with pytest.raises(Refused):
        register(product, "other", place.photos, basis="contract", basis_document="P-7")
    size = product.ledger_size
    assert place.open().ledger_size == size, "said once"


def test_searches_of_websites_that_the_searcher_approved_are_counted(house: Place) -> None:
    product = house.open()
    authority = grant(product, "album")
    assert product.self_approved_on_websites() == 0
    ask(product, authority, pretend.photograph("ada", note="probe"))
    assert product.self_approved_on_websites() == 0
    with databases.by_hand(house.home) as c:
        c.execute("UPDATE sources SET kind = 'website' WHERE name = 'album'")
    assert product.self_approved_on_websites() == 1


def test_settings_do_not_name_the_profile(place: Place, tmp_path: Path) -> None:
    place.home.mkdir(parents=True)
    (place.home / "countenance.toml").write_text('profile = "organisation"\n')
    assert place.open().people.profile.name == PERSONAL
