"""Reviews by the API and on their pages."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.places import kinds
from tests.web.conftest import Served
from tests.web.test_browser import photograph
from tests.web.windows import choose, windowed

AUTHORITY = {
    "purpose": "testing", "basis": "own", "case": "T-1", "collections": ["folk"], "expires": "2100-01-01T00:00:00Z",
    "searches": 100, "stated_by": "A Tester",
}  # fmt: skip


def searched(folk: Served) -> tuple[dict[str, Any], str]:
    """What a search showed, and the photograph in base64."""
    content = base64.b64encode(photograph("P002", "studio_portrait").read_bytes()).decode()
    with folk.program() as program:
        authority = program.post("/authorities", json=AUTHORITY).json()["id"]
        asked = {"photographs": [content], "authority": authority, "face": "largest"}
        answer = program.post("/searches", json=asked)
    assert answer.status_code == 201, answer.text
    return answer.json(), content


def test_asked_for_shown_judged_and_then_told(folk: Served) -> None:
    found, content = searched(folk)
    one = found["groups"][0]["sightings"][0]
    headers = {"Countenance-Handle": found["handle"]}
    with folk.program() as program:
        asked = {"sighting": one["id"], "photograph": content, "face": "largest"}
        opened = program.post(f"/searches/{found['search']}/reviews", json=asked, headers=headers)
        assert opened.status_code == 201, opened.text
        other = program.post(
            f"/searches/{found['search']}/reviews", json=asked | {"photograph": "AAAA"}, headers=headers
        )
        assert other.status_code in (403, 422)
        pair = program.post("/reviews/next").json()["pair"]
        assert pair["id"] == opened.json()["id"]
        for side in ("probe", "candidate"):
            assert program.get(f"/reviews/{pair['id']}/{side}").content.startswith(b"\xff\xd8")
        bad = program.post(f"/reviews/{pair['id']}/verdicts", json={"verdict": "maybe", "reason": "x"})
        assert bad.status_code == 422
        told = program.post(f"/reviews/{pair['id']}/verdicts", json={"verdict": "same", "reason": "the ears"}).json()
        assert told["likeness"] == pytest.approx(one["likeness"], abs=1e-6)
        assert program.get(f"/reviews/{pair['id']}/probe").status_code == 403
        (reviewer,) = program.get("/reviewers").json()["reviewers"]
    assert reviewer["verdicts"] >= 1
    assert kinds(folk.product)[-3:] == ["review.opened", "review.shown", "verdict.given"]


@pytest.fixture
def window(folk: Served) -> Iterator[Page]:
    """A browser's window, signed in."""
    with windowed(folk) as page:
        yield page


def test_a_candidate_is_sent_to_review_and_judged_in_the_browser(folk: Served, window: Page) -> None:
    with folk.program() as program:
        authority = program.post("/authorities", json=AUTHORITY).json()["id"]
    window.goto(f"{folk.address}/search")
    window.set_input_files("#pick", photograph("P003", "studio_portrait"))
    window.locator(f"input[name=authority][value='{authority}']").check()
    window.locator("#go").click()
    window.get_by_role("button", name="Compare").first.click()
    window.locator("#ask-review").click()
    expect(window.locator("#review-words")).to_contain_text("Two others judge it")
    window.locator("#close-detail").click()
    choose(window, "Review", "Judging")
    window.get_by_role("button", name="Take a pair").click()
    expect(window.locator("#pair-title")).to_be_focused()
    boxes = [window.locator(f"#{side}").bounding_box() for side in ("probe", "candidate")]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert (boxes[0]["width"], boxes[0]["height"]) == (boxes[1]["width"], boxes[1]["height"])
    assert "likeness of" not in window.locator("main").inner_text()
    window.get_by_label("The same person").check()
    window.get_by_label("What it rests on").fill("they are made up")
    window.get_by_role("button", name="Judge").click()
    expect(window.locator("#told-words")).to_contain_text("likeness of")
    choose(window, "Reviews", "Judging")
    expect(window.get_by_role("heading", name="How reviewers judge")).to_be_visible()
