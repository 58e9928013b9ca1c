"""Signing in through an identity provider: a real one, in a process of its own, as a browser goes there and back."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from countenance.access import oidc
from countenance.domain.errors import NotSignedIn, Refused, Unavailable
from countenance.services.people import subject_digest
from countenance.settings import OidcSettings
from tests.places import ROOT, Place, kinds
from tests.teams import Team, team_at
from tests.web.conftest import Served, serve

BACK = "http://127.0.0.1:1/sign-in/provider/back"


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.provider"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    process.terminate()
    process.communicate(timeout=10)


def settings_of(provider: str) -> OidcSettings:
    return OidcSettings(issuer=provider, client_id="house", client_secret=SecretStr("a secret"), title="the ID")


@pytest.fixture(scope="module")
def team(provider: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    place = Place(tmp_path_factory.mktemp("provider"))
    yield team_at(
        place, oidc={"issuer": provider, "client_id": "house", "client_secret": "a secret", "title": "the ID"}
    )
    place.close()


@pytest.fixture(scope="module")
def served(team: Team) -> Iterator[Served]:
    yield from serve(team.product)


def agree(address: str, subject: str) -> str:
    """What a person does at the provider: say who they are. Returns where the provider sends them."""
    answer = httpx.post(address, data={"sub": subject})
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


@contextmanager
def went(served: Served, subject: str) -> Iterator[tuple[httpx.Client, httpx.Response]]:
    """There and back, in one browser."""
    with httpx.Client(base_url=served.address, headers={"Accept": "text/html"}) as browser:
        away = browser.get("/sign-in/provider")
        assert away.status_code == 303
        assert "countenance-waiting" in away.headers["set-cookie"]
        assert "samesite=lax" in away.headers["set-cookie"].lower()
        yield browser, browser.get(agree(away.headers["location"], subject))


def test_there_and_back(team: Team, served: Served, provider: str) -> None:
    people = team.product.people
    with httpx.Client(base_url=served.address) as stranger:
        assert "Go through the ID" in stranger.get("/sign-in", headers={"Accept": "text/html"}).text
    before = len(people.accounts())
    with went(served, "rita-4711") as (browser, answer):
        assert answer.status_code == 403
        assert "countenance" not in browser.cookies, "a provider makes no account, and no role"
    assert len(people.accounts()) == before
    shown = re.search(r"--subject ([0-9a-f]{64})", answer.text)
    assert shown
    assert shown[1] == subject_digest(provider, "rita-4711")

    people.link("requester", team.actor("administrator"), subject=shown[1])
    with went(served, "rita-4711") as (browser, answer):
        assert answer.status_code == 200
        assert "/static/go_on.js" in answer.text
        page = browser.get("/account")
        assert page.status_code == 200
        assert "requester" in page.text
        assert browser.get("/ledger").status_code == 403
    assert kinds(team.product)[-1] == "session.begun"
    assert "rita-4711" not in (team.product.home / "ledger" / "entries.jsonl").read_text()


def test_what_is_asked_of_the_provider(provider: str) -> None:
    address, pending = oidc.begin(settings_of(provider), BACK)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert (asked["response_type"], asked["scope"], asked["code_challenge_method"]) == ("code", "openid", "S256")
    assert (asked["redirect_uri"], asked["client_id"]) == (BACK, "house")
    assert asked["state"] == pending["state"]
    assert asked["nonce"] == pending["nonce"]
    assert pending["verifier"] not in address
    assert oidc.begin(OidcSettings(issuer=provider), BACK)[1] != pending


@pytest.mark.parametrize("change", ["state", "verifier", "nonce", "iss", "code", "error", "audience"])
def test_an_answer_that_was_bent_opens_nothing(provider: str, change: str) -> None:
    settings = settings_of(provider)
    address, pending = oidc.begin(settings, BACK)
    query = urlsplit(agree(address, "rita-4711")).query
    if change in pending:
        pending[change] = "x" * 43
    elif change == "iss":
        query += "&iss=https://elsewhere.example"
    elif change == "code":
        query = re.sub("code=[^&]+", "code=made-up", query)
    elif change == "error":
        query = re.sub("code=[^&]+", "error=access_denied", query)
    else:
        settings = settings.model_copy(update={"client_id": "another house"})
    with pytest.raises(NotSignedIn):
        oidc.finish(settings, BACK, query, pending)


def test_a_right_answer_is_good_once(provider: str) -> None:
    settings = settings_of(provider)
    address, pending = oidc.begin(settings, BACK)
    query = urlsplit(agree(address, "rita-4711")).query
    assert oidc.finish(settings, BACK, query, pending) == "rita-4711"
    with pytest.raises(NotSignedIn):
        oidc.finish(settings, BACK, query, pending)


def test_another_browser_cannot_finish_what_one_began(served: Served) -> None:
    with httpx.Client(base_url=served.address, headers={"Accept": "text/html"}) as one:
        back = agree(one.get("/sign-in/provider").headers["location"], "rita-4711")
    with httpx.Client(base_url=served.address, headers={"Accept": "application/json"}) as other:
        assert other.get(back).status_code == 401


def test_an_answer_that_was_bent_is_a_sign_in_that_failed(team: Team, served: Served) -> None:
    before = team.product.ledger_size
    with httpx.Client(base_url=served.address, headers={"Accept": "application/json"}) as browser:
        browser.get("/sign-in/provider")
        assert browser.get("/sign-in/provider/back?state=another&code=made-up").status_code == 403
    assert kinds(team.product)[before:] == ["session.refused"]


def test_a_provider_that_is_away_or_another(provider: str) -> None:
    with pytest.raises(Unavailable):
        oidc.begin(OidcSettings(issuer="http://127.0.0.1:9"), BACK)
    with pytest.raises(Refused):
        oidc.begin(OidcSettings(issuer=provider + "/"), BACK)


def test_without_a_provider_there_is_no_such_page(place: Place) -> None:
    team = team_at(place)
    for served in serve(team.product):
        with httpx.Client(base_url=served.address) as stranger:
            for path in ("/sign-in/provider", "/sign-in/provider/back"):
                assert stranger.get(path).status_code == 404
            assert "Go through" not in stranger.get("/sign-in").text
