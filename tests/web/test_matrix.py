"""Every route with every role: one declared matrix, in which a new route has to be written down."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from starlette.routing import Mount

from countenance.access import roles
from countenance.access.scopes import SCOPES
from countenance.services.sign_in import csrf_of
from tests.places import Place
from tests.teams import ROLES, Team, team_at
from tests.web.conftest import Served, serve
from tests.web.test_scopes import EXAMPLES, WANTED

ANYONE = "anyone"
SIGNED_IN = "whoever is signed in"
OWN = "one's own"
"""A receipt is an auditor's to see, or that of whoever did what it proves."""

PAGES = {
    ("GET", "/"): "status:read",
    ("GET", "/search"): "search",
    ("GET", "/sources"): "sources:read",
    ("GET", "/sources/{name}"): "sources:read",
    ("GET", "/authorities"): "authorities:read",
    ("GET", "/requests"): "authorities:read",
    ("GET", "/requests/{id}"): "authorities:read",
    ("GET", "/review"): "reviews:judge",
    ("GET", "/reviews"): "reviews:read",
    ("GET", "/inspections"): "inspections:read",
    ("GET", "/inspections/{inspection}"): "inspections:read",
    ("GET", "/follow-ups"): "inspections:answer",
    ("GET", "/oversight"): "oversight:read",
    ("GET", "/oversight/acts"): "oversight:read",
    ("GET", "/oversight/acts/{search}"): "oversight:read",
    ("GET", "/oversight/report"): "oversight:read",
    ("GET", "/breach"): "oversight:read",
    ("POST", "/breach"): "oversight:read",
    ("GET", "/retention"): "retention:read",
    ("GET", "/retention/receipts/{seq}"): "retention:read",
    ("POST", "/retention/holds"): "holds:write",
    ("POST", "/retention/holds/{id}/release"): "holds:write",
    ("GET", "/ledger"): "ledger:read",
    ("GET", "/ledger/checkpoint"): "ledger:read",
    ("GET", "/ledger/receipts/{seq}"): OWN,
    ("GET", "/proxylog"): "proxylog:read",
    ("GET", "/proxylog/{analysis}"): "proxylog:read",
    ("GET", "/proxylog/{analysis}/sessions/{session}"): "proxylog:read",
    ("GET", "/subject"): "subject",
    ("POST", "/subject/reports"): "subject",
    ("POST", "/subject/reports/{search}/pdf"): "subject",
    ("GET", "/tokens"): "tokens",
    ("POST", "/tokens"): "tokens",
    ("POST", "/tokens/revoke"): "tokens",
    ("GET", "/accounts"): "accounts:read",
    ("GET", "/account"): SIGNED_IN,
    ("GET", "/account/authenticator.svg"): SIGNED_IN,
    ("POST", "/account/password"): SIGNED_IN,
    ("POST", "/account/authenticator"): SIGNED_IN,
    ("POST", "/account/authenticator/confirm"): SIGNED_IN,
    ("POST", "/account/authenticator/remove"): SIGNED_IN,
    ("POST", "/account/codes"): SIGNED_IN,
    ("POST", "/account/passkeys/begin"): SIGNED_IN,
    ("POST", "/account/passkeys"): SIGNED_IN,
    ("POST", "/account/passkeys/remove"): SIGNED_IN,
    ("POST", "/account/sessions/end"): SIGNED_IN,
    ("POST", "/leave"): SIGNED_IN,
    ("GET", "/enter"): ANYONE,
    ("POST", "/enter"): ANYONE,
    ("GET", "/sign-in"): ANYONE,
    ("POST", "/sign-in"): ANYONE,
    ("POST", "/sign-in/passkey/begin"): ANYONE,
    ("POST", "/sign-in/passkey"): ANYONE,
    ("GET", "/sign-in/provider"): ANYONE,
    ("GET", "/sign-in/provider/back"): ANYONE,
    ("GET", "/set-up"): ANYONE,
    ("POST", "/set-up"): ANYONE,
    ("GET", "/static"): ANYONE,
    ("GET", "/api/v1/openapi.json"): ANYONE,
}
MATRIX = PAGES | {(method.upper(), f"/api/v1{path}"): act for (method, path), act in WANTED.items()}


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    place = Place(tmp_path_factory.mktemp("team"))
    yield team_at(place)
    place.close()


@pytest.fixture(scope="module")
def served(team: Team) -> Iterator[Served]:
    yield from serve(team.product)


def routes(served: Served) -> Iterator[tuple[str, str]]:
    """Every route that the application has, whoever added it."""

    def walk(found: list[object], before: str) -> Iterator[tuple[str, str]]:
        for route in found:
            path = before + getattr(route, "path", "")
            if isinstance(route, Mount):
                yield "GET", path
            elif inner := getattr(getattr(route, "original_router", None), "routes", None):
                prefix = getattr(getattr(route, "include_context", None), "prefix", "")
                yield from walk(inner, before + prefix)
            else:
                yield from ((m, path) for m in sorted(getattr(route, "methods", None) or {"?"}) if m != "HEAD")

    return walk(served.web.routes, "")


def test_every_route_is_in_the_matrix(served: Served) -> None:
    assert sorted(set(routes(served)), key=str) == sorted(MATRIX, key=str)


def test_every_act_of_the_matrix_is_one(served: Served) -> None:
    assert set(MATRIX.values()) - {ANYONE, SIGNED_IN, OWN} <= set(roles.ACTS)
    assert set(SCOPES) - set(MATRIX.values()) == set(), "a scope that opens nothing"


def ask(client: httpx.Client, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
    """With a body that nobody reads far enough to do anything."""
    body = {"content": b"no JSON"} if method == "POST" else {}
    return client.request(method, path.format(**EXAMPLES), headers=headers, **body)


@pytest.mark.parametrize("role", ROLES)
def test_each_role_opens_its_own_doors_alone(team: Team, served: Served, role: str) -> None:
    opened = team.sign_in(role)
    headers = {"Origin": served.address, "Content-Type": "text/plain", "Accept": "application/json"}
    trusted = headers | {"Countenance-CSRF": csrf_of(opened.secret)}
    before = team.product.ledger_size
    with httpx.Client(base_url=served.address, cookies={"countenance": opened.secret}) as browser:
        for (method, path), act in MATRIX.items():
            if path.endswith(("/ledger/bundle", "/ledger/verify")):
                continue
            # Without the page's own token for what is one's own: it is refused before it does anything.
            answer = ask(browser, method, path, headers if act == SIGNED_IN else trusted)
            problem = answer.json() if "json" in answer.headers.get("content-type", "") else {}
            refused = answer.status_code == 403 and problem.get("code") == "role-missing"
            if act in (ANYONE, SIGNED_IN):
                assert not refused, (role, method, path)
                assert act == ANYONE or answer.status_code != 401, (role, method, path)
            else:
                # Entry 0 is of the administrator's own: they made the home.
                allowed = role in ("administrator", "auditor") if act == OWN else roles.may(role, act)
                assert refused != allowed, (role, method, path, answer.status_code, answer.text[:200])
                assert answer.status_code != 401, (role, method, path)
    done = [e["type"] for e in team.product.ledger_entries(before, team.product.ledger_size)]
    # A wrong one-time link is a sign-in that failed, and reading the ledger is an act.
    assert set(done) <= {"session.refused", "ledger.read"}, done


def test_strangers_open_nothing_but_the_door(team: Team, served: Served) -> None:
    headers = {"Origin": served.address, "Content-Type": "text/plain", "Accept": "application/json"}
    with httpx.Client(base_url=served.address) as stranger:
        for (method, path), act in MATRIX.items():
            if act != ANYONE:
                assert ask(stranger, method, path, headers).status_code == 401, (method, path)


def test_a_receipt_is_shown_to_whoever_did_what_it_proves(team: Team, served: Served) -> None:
    opened = team.sign_in("requester")
    mine = team.product.ledger_size - 1
    with httpx.Client(base_url=served.address, cookies={"countenance": opened.secret}) as browser:
        assert browser.get(f"/ledger/receipts/{mine}", headers={"Accept": "text/html"}).status_code == 200
        refused = browser.get(f"/ledger/receipts/{mine}x", headers={"Accept": "application/json"})
        assert refused.status_code == 422
        assert browser.get("/ledger/receipts/0", headers={"Accept": "text/html"}).status_code == 403


def test_the_navigation_shows_what_one_may_see(team: Team, served: Served) -> None:
    shown = {}
    for role in ("administrator", "requester", "auditor"):
        secret = team.sign_in(role).secret
        with httpx.Client(base_url=served.address, cookies={"countenance": secret}) as browser:
            page = browser.get("/", headers={"Accept": "text/html"}).text
            shown[role] = [
                name for name in ("search", "authorities", "ledger", "accounts") if f'href="/{name}"' in page
            ]
    assert shown == {
        "administrator": ["accounts"],
        "requester": ["search", "authorities"],
        "auditor": ["authorities", "ledger", "accounts"],
    }
