"""Which token opens which door: every operation of the API against every scope."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from countenance.access.scopes import SCOPES
from tests.places import kinds
from tests.web.conftest import Served

EXAMPLES = {
    "name": "folk",
    "run": "run-000000000000",
    "authority": "A-000000000000",
    "search": "S-0000000000000000",
    "sighting": "sighting-1",
    "rank": "1",
    "seq": "0",
    "analysis": "L-000000000000",
    "session": "V-000000000000",
    "picture": "bounds",
    "account": "000000000000",
    "request": "R-000000000000",
    "review": "J-000000000000",
    "id": "R-000000000000",
    "inspection": "I-000000000000",
    "draw": "D-000000000000",
    "side": "probe",
    "hold": "H-000000000000",
    "read": "0",
    "part": "breach.json",
}
FREE = {("get", "/api/v1/openapi.json")}

WANTED = {
    ("get", "/status"): "status:read",
    ("get", "/collections"): "sources:read",
    ("get", "/sources"): "sources:read",
    ("post", "/sources"): "sources:write",
    ("get", "/sources/{name}"): "sources:read",
    ("get", "/sources/{name}/runs"): "sources:read",
    ("get", "/sources/{name}/skipped"): "sources:read",
    ("post", "/sources/{name}/runs"): "ingest",
    ("get", "/runs/{run}"): "sources:read",
    ("get", "/authorities"): "authorities:read",
    ("post", "/authorities"): "authorities:write",
    ("get", "/authorities/{authority}"): "authorities:read",
    ("post", "/authorities/{authority}/revoke"): "authorities:write",
    ("get", "/authority-requests"): "authorities:read",
    ("post", "/authority-requests"): "authorities:request",
    ("get", "/authority-requests/{request}"): "authorities:read",
    ("post", "/authority-requests/{request}/approve"): "authorities:write",
    ("post", "/authority-requests/{request}/decline"): "authorities:write",
    ("post", "/authority-requests/{request}/withdraw"): "authorities:request",
    ("post", "/faces"): "search",
    ("post", "/searches"): "search",
    ("get", "/searches/{search}"): "search",
    ("get", "/searches/{search}/candidates/{rank}"): "search",
    ("get", "/searches/{search}/crops/{sighting}"): "search",
    ("post", "/searches/{search}/pictures/{sighting}"): "search",
    ("post", "/searches/{search}/exports"): "export",
    ("post", "/searches/{search}/reviews"): "search",
    ("get", "/reviews"): "reviews:read",
    ("get", "/reviewers"): "reviews:read",
    ("post", "/reviews/next"): "reviews:judge",
    ("post", "/reviews/{review}/verdicts"): "reviews:judge",
    ("get", "/reviews/{review}/{side}"): "reviews:judge",
    ("get", "/inspections"): "inspections:read",
    ("post", "/inspections/draws"): "inspections:draw",
    ("get", "/inspections/draws/{draw}/check"): "inspections:read",
    ("post", "/inspections/{inspection}/file"): "inspections:judge",
    ("post", "/inspections/{inspection}/assign"): "inspections:draw",
    ("post", "/inspections/{inspection}/finding"): "inspections:judge",
    ("post", "/inspections/{inspection}/follow-up"): "inspections:judge",
    ("post", "/inspections/{inspection}/done"): "inspections:answer",
    ("get", "/inspections/follow-ups"): "inspections:answer",
    ("post", "/oversight/flags"): "oversight:read",
    ("post", "/oversight/summary"): "oversight:read",
    ("post", "/oversight/acts"): "oversight:read",
    ("post", "/oversight/acts/{search}"): "oversight:read",
    ("post", "/oversight/report"): "oversight:read",
    ("post", "/oversight/transparency"): "oversight:read",
    ("post", "/oversight/verdicts"): "oversight:read",
    ("post", "/breaches"): "oversight:read",
    ("get", "/breaches/{read}/{part}"): "oversight:read",
    ("get", "/holds"): "holds:read",
    ("post", "/holds"): "holds:write",
    ("get", "/holds/{hold}"): "holds:read",
    ("post", "/holds/{hold}/release"): "holds:write",
    ("post", "/subject-reports"): "subject",
    ("post", "/subject-reports/{search}/corrections"): "subject",
    ("get", "/subject-reports/{search}/pdf"): "subject",
    ("get", "/retention"): "retention:read",
    ("get", "/retention/receipts/{seq}"): "retention:read",
    ("get", "/ledger"): "ledger:read",
    ("get", "/ledger/entries"): "ledger:read",
    ("get", "/ledger/receipts/{seq}"): "ledger:read",
    ("post", "/ledger/check-receipt"): "ledger:read",
    ("post", "/ledger/verify"): "ledger:read",
    ("post", "/ledger/bundle"): "ledger:read",
    ("get", "/ledger/checkpoint"): "ledger:read",
    ("get", "/ledger/key"): "ledger:read",
    ("get", "/proxylog/analyses"): "proxylog:read",
    ("get", "/proxylog/analyses/{analysis}"): "proxylog:read",
    ("get", "/proxylog/analyses/{analysis}/report"): "proxylog:read",
    ("get", "/proxylog/analyses/{analysis}/sessions.csv"): "proxylog:read",
    ("get", "/proxylog/analyses/{analysis}/pictures/{picture}"): "proxylog:read",
    ("get", "/proxylog/analyses/{analysis}/sessions/{session}"): "proxylog:read",
    ("post", "/proxylog/analyses/{analysis}/sessions/{session}/unmask"): "proxylog:unmask",
    ("get", "/accounts"): "accounts:read",
    ("post", "/accounts"): "accounts:write",
    ("post", "/accounts/{account}/roles"): "accounts:write",
    ("post", "/accounts/{account}/disable"): "accounts:write",
    ("post", "/accounts/{account}/enable"): "accounts:write",
    ("post", "/accounts/{account}/reset"): "accounts:write",
    ("post", "/accounts/{account}/link"): "accounts:write",
}
"""Written out here, so that a scope that changes by mistake is noticed."""


def operations(served: Served) -> dict[tuple[str, str], dict[str, Any]]:
    with served.stranger() as stranger:
        paths = stranger.get("/api/v1/openapi.json").json()["paths"]
    return {
        (method, path.removeprefix("/api/v1")): operation
        for path, methods in paths.items()
        for method, operation in methods.items()
    }


def ask(client: httpx.Client, method: str, path: str) -> httpx.Response:
    body = {"content": b"not even JSON", "headers": {"Content-Type": "text/plain"}} if method == "post" else {}
    return client.request(method, path.format(**EXAMPLES), **body)


def test_every_operation_is_here_and_says_its_scope(folk: Served) -> None:
    found = operations(folk)
    assert found.keys() == WANTED.keys()
    for key, operation in found.items():
        said = re.search(r"Scope: `([^`]+)`", operation["description"])
        assert said, key
        assert said.group(1) == WANTED[key], key
        assert {"token": []} in operation["security"], key


@pytest.mark.parametrize("scope", SCOPES)
def test_a_token_opens_its_own_doors_alone(folk: Served, scope: str) -> None:
    before = folk.product.ledger_size
    with folk.program(scope) as program:
        for (method, path), wanted in WANTED.items():
            if path == "/ledger/bundle" and wanted == scope:
                continue
            answer = ask(program, method, path)
            refused = answer.status_code == 403 and answer.json().get("code") == "scope-missing"
            assert refused == (wanted != scope), (method, path, answer.status_code, answer.text)
            if refused:
                assert answer.json()["scope"] == wanted
    allowed_to_start = scope == "ingest"
    if not allowed_to_start:
        done = kinds(folk.product)[before:]
        read = ["ledger.read"] if scope == "ledger:read" else []
        assert done == ["token.created", *read], "the token's own entry, that of reading, and no other"


def test_without_a_token_nothing_opens(folk: Served) -> None:
    with httpx.Client(base_url=f"{folk.address}/api/v1") as stranger:
        for method, path in WANTED:
            answer = ask(stranger, method, path)
            assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in"), (method, path)


def test_a_revoked_token_opens_nothing(folk: Served) -> None:
    from tests.web.conftest import ACTOR

    token, secret = folk.product.create_token("short", ["status:read"], None, ACTOR)
    headers = {"Authorization": f"Bearer {secret}"}
    with folk.stranger() as stranger:
        assert stranger.get("/api/v1/status", headers=headers).status_code == 200
        folk.product.revoke_token(token.id, ACTOR)
        assert stranger.get("/api/v1/status", headers=headers).status_code == 401
