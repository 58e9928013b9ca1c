"""Two server processes of an organisation on one home, with either database: what one is told holds at the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest

from countenance.access.lockout import FREE
from countenance.services.register import NewSource
from tests import pretend
from tests.places import Place
from tests.teams import HERE, PASSWORD, Team, team_at
from tests.web.conftest import wait_for
from tests.web.test_several_servers import serving

ADDRESS = {"headers": {"Accept": "text/html"}, "timeout": 60}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Team, list[str]]]:
    """The team, at the machine, and the addresses of the two servers."""
    place = Place(tmp_path_factory.mktemp("office"))
    place.put("album/ada.png", pretend.photograph("ada", note="one"))
    team = team_at(place)
    source = NewSource("album", "folder", str(place.photos / "album"), "Tests", "public-task", basis_document="POL-7")
    team.product.add_source(source, team.actor("administrator"))
    with ExitStack() as stack:
        yield team, [stack.enter_context(serving(place)) for _ in range(2)]
    place.drop()


@pytest.fixture
def browsers(office: tuple[Team, list[str]]) -> Iterator[list[httpx.Client]]:
    """One at each server; a cookie that one gets is shown to the other by `carried`."""
    with ExitStack() as stack:
        yield [stack.enter_context(httpx.Client(base_url=address, **ADDRESS)) for address in office[1]]


def sign_in(browser: httpx.Client, name: str, password: str = PASSWORD) -> int:
    headers = {"Origin": str(browser.base_url).rstrip("/"), "Accept": "application/json"}
    return browser.post("/sign-in", json={"name": name, "password": password}, headers=headers).status_code


def carried(one: httpx.Client, other: httpx.Client) -> None:
    """The browser goes on at the other server, as a proxy that shares out requests has it do."""
    for cookie in one.cookies.jar:
        assert cookie.value is not None
        other.cookies.set(cookie.name, cookie.value)


def csrf(browser: httpx.Client) -> dict[str, str]:
    text = browser.get("/account").text
    token = text.split('name="csrf" content="')[1].split('"')[0]
    return {"Countenance-CSRF": token, "Origin": str(browser.base_url).rstrip("/")}


def test_a_session_of_one_is_a_session_of_both_until_it_ends_at_either(browsers: list[httpx.Client]) -> None:
    one, two = browsers
    assert sign_in(one, "auditor") == 204
    carried(one, two)
    assert two.get("/oversight").status_code == 200
    given = csrf(two)
    left = two.post("/leave", headers=given, data={"csrf": given["Countenance-CSRF"]})
    assert (left.status_code, left.headers["location"]) == (303, "/sign-in")
    for browser in (one, two):
        shown = browser.get("/oversight")
        assert (shown.status_code, urlsplit(shown.headers["location"]).path) == (303, "/sign-in")


def test_a_role_that_is_taken_at_one_is_gone_at_both_at_once(
    office: tuple[Team, list[str]], browsers: list[httpx.Client]
) -> None:
    team, _ = office
    one, two = browsers
    account, code = team.product.people.add("second", ["requester", "reviewer"], team.actor("administrator"))
    team.product.people.door.set_up(code, PASSWORD, HERE)
    assert sign_in(one, "second") == 204
    carried(one, two)
    for browser in browsers:
        assert browser.get("/search").status_code == 200
    with httpx.Client(base_url=two.base_url, **ADDRESS) as boss:
        assert sign_in(boss, "administrator") == 204
        taken = boss.post(f"/api/v1/accounts/{account.id}/roles", json={"roles": ["reviewer"]}, headers=csrf(boss))
        assert taken.status_code == 200, taken.text
    for browser in browsers:
        assert browser.get("/search").status_code == 403
        assert browser.get("/review").status_code == 200


def test_a_run_that_was_started_at_one_is_followed_at_the_other(browsers: list[httpx.Client]) -> None:
    one, two = browsers
    assert sign_in(one, "administrator") == 204
    carried(one, two)
    begun = one.post("/api/v1/sources/album/runs", headers=csrf(one))
    assert begun.status_code == 202, begun.text
    with httpx.Client(base_url=f"{two.base_url}/api/v1".replace("//api", "/api"), cookies=two.cookies) as program:
        seen = program.get(f"/runs/{begun.json()['id']}")
        assert (seen.status_code, seen.json()["source"]) == (200, "album")
        done = wait_for(program, begun.json()["id"])
    assert (done["state"], done["report"]["faces"]) == ("done", 1)


def test_failures_at_one_are_failures_at_the_other(browsers: list[httpx.Client]) -> None:
    """Last: it locks the tests' own address out."""
    answers = [sign_in(browsers[n % 2], "reviewer", "not the password at all") for n in range(FREE["account"] + 3)]
    assert answers[: FREE["account"]] == [401] * FREE["account"]
    assert answers[-1] == 429
    assert [sign_in(browser, "reviewer") for browser in browsers] == [429, 429], "the right one does not open it either"
