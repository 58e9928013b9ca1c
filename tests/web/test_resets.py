"""An administrator who resets an account, or links one, could come in by it: the person and the overseers are told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from countenance.services.resets import TOLD
from countenance.store import moments
from tests.places import Place
from tests.teams import HERE, PASSWORD, Team, team_at
from tests.web.conftest import Served, serve
from tests.web.test_two_servers import sign_in

OVERSIGHT = "/oversight?reading=lawfulness"


@contextmanager
def signed_in(served: Served, name: str, password: str = PASSWORD) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.address, headers={"Accept": "text/html"}, timeout=60) as browser:
        assert sign_in(browser, name, password) == 204
        yield browser


def told(served: Served, name: str, path: str, password: str = PASSWORD) -> str:
    with signed_in(served, name, password) as browser:
        answer = browser.get(path)
        assert answer.status_code == 200, answer.text
        return " ".join(answer.text.split())


def test_a_reset_is_told_to_overseers_and_to_whoever_comes_in_next(place: Place) -> None:
    team: Team = team_at(place)
    people, admin = team.product.people, team.actor("administrator")
    for served in serve(team.product):
        assert "was reset" not in told(served, "requester", "/")
        assert "Accounts that were reset" not in told(served, "auditor", OVERSIGHT)
        _, code = people.reset("requester", admin)
        seen = told(served, "auditor", OVERSIGHT)
        assert "requester, by administrator" in seen
        assert "not opened since" in seen
        # Somebody uses the code; whoever it was, both are told.
        people.door.set_up(code, "another brass lantern drives", HERE)
        assert "first opened with the code" in told(served, "auditor", OVERSIGHT)
        seen = told(served, "requester", "/", "another brass lantern drives")
        assert "Your account was reset</strong> by administrator" in seen
        assert "first opened with the new code" in seen
        assert "was reset" not in told(served, "reviewer", "/"), "nobody else's affair"
    team.product.close()
    place.opened.clear()
    again = place.open()
    (one,) = again.resets.lately()
    entries = [again.ledger_entries(seq, seq + 1)[0]["type"] for seq in (one.entry, one.opened or 0)]
    assert entries == ["people.reset", "session.begun"], "a server that is started anew tells the same"


def test_a_link_that_somebody_else_made_is_told_and_whoever_comes_in_by_it_opens_a_reset_account(place: Place) -> None:
    team: Team = team_at(place)
    people, resets, admin = team.product.people, team.product.resets, team.actor("administrator")
    assert resets.lately() == [], "whoever makes the first account links themselves"
    # No code is used: the administrator comes in with a sign-in of their own at the provider.
    people.reset("requester", admin)
    people.link("requester", admin, subject="0" * 64)
    assert resets.lately()[1].opened is None
    people.door.by_subject("0" * 64, HERE)
    linked, reset = resets.lately(team.account("requester").id)
    assert (linked.kind, reset.kind, reset.how) == ("people.subject-linked", "people.reset", "provider")
    assert team.product.ledger_entries(reset.opened or 0, (reset.opened or 0) + 1)[0]["type"] == "session.begun"
    # Nor is a reset needed.
    people.link("authoriser", admin, subject="1" * 64)
    people.link("reviewer", admin, system_user="mallory")
    for served in serve(team.product):
        seen = told(served, "auditor", OVERSIGHT)
        assert "first opened without the code (provider)" in seen
        assert "authoriser, sign-in of the provider linked by administrator" in seen
        assert "reviewer, system user mallory linked by administrator" in seen
        seen = told(served, "authoriser", "/")
        assert "A sign-in of the identity provider was linked to your account</strong> by administrator" in seen
        assert "was reset" not in seen
        assert "The system user mallory was linked to your account</strong>" in told(served, "reviewer", "/")
        assert "was linked" not in told(served, "auditor", "/"), "nobody else's affair"


def test_after_a_month_it_is_told_no_more(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    team = team_at(place)
    team.product.people.reset("requester", team.actor("administrator"))
    assert len(team.product.resets.lately(team.account("requester").id)) == 1
    assert team.product.resets.lately(team.account("reviewer").id) == []
    later = moments.now() + TOLD
    monkeypatch.setattr(moments, "now", lambda: later)
    assert team.product.resets.lately() == []
