"""The description of the API against the API: Schemathesis sends what it says, and what it says must not be sent."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.generation import GenerationMode

from tests.web.conftest import Served
from tests.web.test_scopes import WANTED

SEED = 20260501

CANNOT_BE_WRONG = {"/status", "/collections", "/sources", "/authorities", "/ledger"}
"""Nothing is asked there, so that nothing can be asked wrongly."""

CODES_OF_RULES = {"422"}
"""Whether a photograph shows a face, or a basis has its document, is for a rule to say and not for a schema."""


@pytest.fixture(scope="module")
def schema(folk: Served) -> Any:
    config = schemathesis.Config.from_dict(
        {
            "seed": SEED,
            "checks": {
                "positive_data_acceptance": {
                    "expected-statuses": ["2xx", "401", "403", "404", "409", *sorted(CODES_OF_RULES)]
                }
            },
        }
    )
    return schemathesis.openapi.from_url(f"{folk.address}/api/v1/openapi.json", config=config)


def test_the_description_is_complete(folk: Served) -> None:
    with folk.stranger() as stranger:
        described = stranger.get("/api/v1/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert operation["description"], (method, path)
            for status, answer in operation["responses"].items():
                kind = "application/problem+json" if int(status) >= 400 else None
                assert answer["content"], (method, path, status)
                assert kind is None or list(answer["content"]) == [kind], (method, path, status)
                for content in answer["content"].values():
                    assert content["schema"], (method, path, status)
    assert "HTTPValidationError" not in described["components"]["schemas"]


@pytest.fixture(scope="module")
def token(folk: Served) -> str:
    return folk.token()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.name)
@pytest.mark.parametrize(("method", "path"), WANTED, ids=lambda part: part)
def test_the_api_is_as_described(schema: Any, token: str, method: str, path: str, mode: GenerationMode) -> None:
    operation = schema[f"/api/v1{path}"][method.upper()]
    if mode is GenerationMode.NEGATIVE and path in CANNOT_BE_WRONG:
        return
    headers = {"Authorization": f"Bearer {token}"}

    @seed(SEED)
    @settings(
        max_examples=15, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=[*HealthCheck]
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        case.call_and_validate(headers=headers, timeout=60)

    check()
