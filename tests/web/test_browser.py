"""A person at the pages, in Debian's chromium: with a mouse, with the keyboard alone, in the dark, on a small screen.

Every test ends by asking the console: nothing may have broken the Content-Security-Policy or failed.
"""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from countenance.app import system_actor
from countenance.ledger.receipt import verify_receipt
from demo.people import PEOPLE, photograph
from tests.web.conftest import Served
from tests.web.walking import faults

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    found = shutil.which("chromium")
    assert found, "chromium is missing: apt-get install -y chromium"
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=[*ARGUMENTS])
        yield browser
        browser.close()


@pytest.fixture
def enter(folk: Served, chromium: Browser) -> Iterator[Open]:
    """Opens a browser window through the one-time link; afterwards its console must be clean."""
    said: list[str] = []
    contexts = []

    def opened(**options: Any) -> Page:
        context = chromium.new_context(**({"viewport": {"width": 1280, "height": 860}} | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda m: said.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("requestfailed", lambda r: said.append(f"{r.url} {r.failure}") if failed(r) else None)
        page.goto(f"{folk.address}/enter#{folk.sessions.mint_link()}")
        page.wait_for_url(f"{folk.address}/")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert said == []


@pytest.fixture
def authority(grant: Callable[..., str]) -> str:
    return grant(purpose="In a browser", case="B-1")


def failed(request: Request) -> bool:
    """Whether a request failed; one that a new page cut off did not."""
    return request.failure != "net::ERR_ABORTED" and not request.url.startswith("blob:")


def give(page: Page, person: str, asset: str) -> None:
    page.set_input_files("#pick", photograph(person, asset))


def choose_authority(page: Page, id: str) -> None:
    page.locator(f"input[name=authority][value='{id}']").check()


def test_what_was_shown_closes_before_ones_eyes_when_its_authority_is_revoked(
    folk: Served, chromium: Browser, authority: str, tmp_path: Path
) -> None:
    page = chromium.new_page()
    page.goto(f"{folk.address}/enter#{folk.sessions.mint_link()}")
    page.wait_for_url(f"{folk.address}/")
    page.goto(f"{folk.address}/search")
    give(page, "P002", "studio_posture")
    choose_authority(page, authority)
    page.locator("#go").click()
    expect(page.locator("#groups .group").first).to_be_visible()
    folk.product.revoke(authority, system_actor("browser"))
    page.get_by_role("button", name="Compare candidate 1").click()
    page.locator("#detail").get_by_role("button", name="Open it").click()
    expect(page.locator("#detail")).to_contain_text(
        "The authority of this search was revoked: what it showed is closed."
    )
    page.screenshot(path=tmp_path / "revoked.png")
    page.close()


def test_from_the_link_to_an_export(folk: Served, enter: Open, authority: str, tmp_path: Path) -> None:
    page = enter()
    page.get_by_role("navigation").get_by_role("link", name="Search").click()
    expect(page.locator("#go")).to_be_disabled()

    give(page, "P002", "studio_posture")
    expect(page.locator(".overlay .chosen")).to_have_count(1)
    expect(page.locator(".probe-state")).to_have_text("One face.")
    choose_authority(page, authority)
    page.locator("#go").click()

    groups = page.locator("#groups .group")
    expect(groups.first).to_be_visible()
    expect(page.locator("#results-title")).to_contain_text("Candidates in")
    expect(groups.first.locator(".strangers")).to_contain_text("stranger")
    expect(groups.first.locator(".dates")).to_contain_text("1 page. Seen")
    expect(page.locator(f"[data-left='{authority}']")).to_have_text("999 searches left")
    assert page.locator("#groups").inner_text().count("likeness") == groups.count()
    for word in ("match", "identified", "is the person"):
        assert word not in page.locator("#results").inner_text().lower()

    page.screenshot(path=tmp_path / "results.png", full_page=True)
    assert faults(page) == []
    groups.first.get_by_role("button", name="Compare candidate 1").click()
    detail = page.locator("#detail")
    expect(detail).to_be_visible()
    expect(detail.locator("h2")).to_have_text(f"Candidate 1 of {groups.count()}")
    assert faults(page) == []
    expect(detail.locator("#candidate-face")).to_have_js_property("complete", True)
    yours, theirs = (detail.locator(f".square > {part}").bounding_box() for part in ("canvas", "img"))
    assert yours is not None
    assert theirs is not None
    assert (yours["width"], yours["height"], yours["y"]) == (theirs["width"], theirs["height"], theirs["y"])
    assert drawn(page, "#probe-face") > 8, "the canvas shows a face, not one colour"
    expect(detail.locator(".sighting-page")).to_contain_text("file://")
    assert detail.locator(".sighting-page a").count() == 0, "a file's address is no link"

    before = folk.product.ledger_size
    detail.get_by_role("button", name="Open it").click()
    expect(detail.locator("#whole")).to_be_visible()
    expect(detail.locator("#whole rect.box")).to_have_count(1)
    expect(detail.locator("#whole-why")).to_have_text("The ledger says that you opened it.")
    last = folk.product.ledger_entries(before, folk.product.ledger_size)
    assert [entry["type"] for entry in last] == ["picture.opened"]
    box, image = (detail.locator(f"#whole {part}").bounding_box() for part in ("rect.box", "img"))
    assert box is not None
    assert image is not None
    asset = Path(detail.locator(".sighting.shown dd").last.inner_text()).stem.removeprefix("P002-")
    x, y, height = PEOPLE["P002"].faces[asset]
    assert (box["x"] + box["width"] / 2 - image["x"]) / image["width"] == pytest.approx(x, abs=0.05)
    assert (box["y"] + box["height"] / 2 - image["y"]) / image["height"] == pytest.approx(y, abs=0.05)
    assert box["height"] / image["height"] == pytest.approx(height, rel=0.25)
    page.keyboard.press("Escape")
    expect(detail).to_be_hidden()

    page.locator("#receipt summary").click()
    page.get_by_role("button", name="Check this receipt").click()
    expect(page.locator("#receipt-checked")).to_have_text("Proven: this entry is in the signed ledger.")
    expect(page.locator("#receipt-line")).to_contain_text("self-approved")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save the receipt").click()
    entry = verify_receipt(json.loads(saved.value.path().read_text()), folk.product.vkey)
    assert (entry.kind, entry.body["authority"], entry.body["via"]) == ("search.shown", authority, "page")

    page.get_by_role("button", name="Export…").click()
    export = page.locator("#export")
    assert faults(page) == []
    export.get_by_role("button", name="Export").click()
    expect(export).to_be_visible()
    export.get_by_label("Recipient").fill("  ")
    export.get_by_label("What for").fill("A test")
    export.get_by_role("button", name="Export").click()
    expect(export.locator("input:invalid")).to_have_count(1)
    expect(export).to_be_visible()
    export.get_by_label("Recipient").fill("The court")
    with page.expect_download() as exported:
        export.get_by_role("button", name="Export").click()
    with zipfile.ZipFile(io.BytesIO(exported.value.path().read_bytes())) as archive:
        assert json.loads(archive.read("search.json"))["disclosure"]["recipient"] == "The court"


def drawn(page: Page, canvas: str) -> int:
    """How many different colours a canvas shows, of a few that are looked at."""
    script = """canvas => {
        const look = canvas.getContext("2d"), seen = new Set();
        const row = look.getImageData(0, 240, 480, 1).data;
        for (let n = 1; n < 12; n++) seen.add(row.slice(n * 160, n * 160 + 4).join());
        return seen.size;
    }"""
    return int(page.locator(canvas).evaluate(script))


def test_with_the_keyboard_alone(enter: Open, authority: str) -> None:
    page = enter()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.goto(page.url + "search")
    give(page, "P001", "emotions_sheet")
    faces = page.locator(".overlay .face")
    expect(faces).to_have_count(16)
    expect(page.locator(".probe-state")).to_have_text("16 faces. Choose the one to look for.")
    expect(page.locator("#readiness")).to_have_text("Choose a face in each photograph.")
    expect(page.locator("#go")).to_be_disabled()

    tab_to(page, ".overlay [data-n='1']")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".overlay .chosen")).to_have_attribute("data-n", "2")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".overlay [aria-checked=true]")).to_have_attribute("data-n", "16")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".probe-state")).to_have_text("Face 1 of 16 chosen.")

    tab_to(page, "input[name=authority]")
    while not page.locator(f"input[name=authority][value='{authority}']").is_checked():
        page.keyboard.press("ArrowDown")
    tab_to(page, "#go")
    page.keyboard.press("Enter")
    expect(page.locator("#results")).to_be_focused()
    expect(page.locator("#announcer")).to_contain_text("found.")
    tab_to(page, ".group .compare")
    page.keyboard.press("Enter")
    expect(page.locator("#detail-title")).to_contain_text("Candidate 1 of")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#detail-title")).to_contain_text("Candidate 2 of")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#detail-title")).to_contain_text("Candidate 1 of")
    page.keyboard.press("Escape")
    expect(page.locator(".group .compare").first).to_be_focused()


def tab_to(page: Page, target: str) -> None:
    for _ in range(60):
        if page.evaluate("selector => document.activeElement.matches(selector)", target):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{target} cannot be reached with Tab")


def test_dropped_pasted_and_taken(folk: Served, enter: Open, authority: str) -> None:
    page = enter(permissions=["camera"])
    page.goto(f"{folk.address}/search")
    data = list(photograph("P003", "studio_portrait").read_bytes())
    script = """([data, kind]) => {
        const files = new DataTransfer();
        files.items.add(new File([new Uint8Array(data)], "given.jpg", { type: "image/jpeg" }));
        const event = kind === "drop" ? new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true })
            : new ClipboardEvent("paste", { clipboardData: files, bubbles: true });
        document.querySelector("#drop").dispatchEvent(event);
    }"""
    page.evaluate(script, [data, "drop"])
    expect(page.locator(".overlay .chosen")).to_have_count(1)
    page.evaluate(script, [data, "paste"])
    expect(page.locator(".overlay .chosen")).to_have_count(2)
    page.get_by_role("button", name="Remove").first.click()
    expect(page.locator(".probe")).to_have_count(1)

    page.get_by_role("button", name="Use the camera").click()
    page.get_by_role("button", name="Take the photograph").click()
    expect(page.locator(".probe-name").nth(1)).to_have_text("From the camera")
    expect(page.locator(".probe-state").nth(1)).to_have_text("No face was found.")
    expect(page.locator("#readiness")).to_have_text("Remove the photographs without a usable face.")


def test_what_cannot_be_read_is_said(folk: Served, chromium: Browser, enter: Open, tmp_path: Path) -> None:
    (tmp_path / "no.jpg").write_bytes(b"not a picture")
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{folk.address}/enter#{folk.sessions.mint_link()}")
    page.wait_for_url(f"{folk.address}/")
    page.goto(f"{folk.address}/search")
    page.set_input_files("#pick", tmp_path / "no.jpg")
    expect(page.locator(".failed .probe-state")).to_contain_text("not a picture of a known format")
    expect(page.locator("#go")).to_be_disabled()
    context.close()


def test_a_reload_shows_the_candidates_again_and_not_the_photograph(folk: Served, enter: Open, authority: str) -> None:
    page = enter()
    page.goto(f"{folk.address}/search")
    give(page, "P003", "studio_posture")
    choose_authority(page, authority)
    page.locator("#go").click()
    expect(page.locator("#groups .group").first).to_be_visible()
    shown = page.locator("#groups .likeness-number").all_inner_texts()
    page.reload()
    expect(page.locator("#groups .group").first).to_be_visible()
    assert page.locator("#groups .likeness-number").all_inner_texts() == shown
    expect(page.locator(".probe")).to_have_count(0)
    page.get_by_role("button", name="Compare candidate 1").click()
    expect(page.locator(".square.missing")).to_have_count(1)


def test_a_source_is_registered_and_read_with_progress(
    folk: Served, enter: Open, tmp_path: Path, people: Callable[[str, str], bytes]
) -> None:
    (tmp_path / "lio.jpg").write_bytes(people("P008", "studio_portrait"))
    (tmp_path / "broken.jpg").write_bytes(b"not a picture")
    page = enter()
    page.goto(f"{folk.address}/sources")
    page.get_by_role("button", name="Register a source").click()
    form = page.locator("#add-form")
    form.get_by_label("Name").fill("by-hand")
    form.get_by_label("Place").fill(str(tmp_path))
    form.get_by_label("Who answers for it").fill("A Tester")
    form.get_by_label("Legal basis").select_option("public-task")
    form.get_by_role("button", name="Register").click()
    expect(form).to_be_visible()
    form.get_by_label("Document it rests on").fill("P-7")
    form.get_by_role("button", name="Register").click()
    expect(page.locator("#flash")).to_have_text("by-hand is registered. Nothing was read yet.")

    card = page.locator("[data-source=by-hand]")
    card.get_by_role("button", name="Read it").click()
    expect(card.locator(".run")).to_be_visible()
    expect(page.locator("#flash")).to_have_text("by-hand was read: 1 picture, 1 searchable face.", timeout=90_000)
    page.get_by_role("link", name="by-hand", exact=True).click()
    expect(page.get_by_role("cell", name="not a picture")).to_be_visible()


def test_an_authority_is_granted_and_revoked(folk: Served, enter: Open) -> None:
    page = enter()
    page.goto(f"{folk.address}/authorities")
    page.get_by_role("button", name="Grant an authority").click()
    form = page.locator("#grant-form")
    form.get_by_label("Purpose").fill("From a page")
    form.get_by_label("Case").fill("C-9")
    form.get_by_label("Your name").fill("A Tester")
    for box in form.locator("[name=collections]").all():
        box.uncheck()
    form.get_by_role("button", name="Grant").click()
    expect(form.locator(".form-error")).to_have_text("Choose at least one collection.")
    form.get_by_label("folk").check()
    form.get_by_role("button", name="Grant").click()
    expect(page.locator("#flash")).to_contain_text("marked as self-approved")
    card = page.locator(".authority", has_text="From a page")
    expect(card.locator(".tag-live")).to_have_count(1)
    card.get_by_role("button", name="Revoke").click()
    page.locator("#revoke-form").get_by_role("button", name="Revoke").click()
    expect(page.locator(".authority", has_text="From a page").locator(".tag-revoked")).to_have_count(1)


def test_the_ledger_is_checked_and_taken_away(folk: Served, enter: Open, tmp_path: Path) -> None:
    from countenance.ledger.verify import main

    page = enter()
    page.goto(f"{folk.address}/ledger")
    page.get_by_role("button", name="Check it all").click()
    expect(page.locator("#verified")).to_contain_text("Sound: every entry")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download").click()
    saved.value.save_as(tmp_path / "bundle.zip")
    assert main([str(tmp_path / "bundle.zip"), "--key", folk.product.vkey]) == 0


def test_dark_light_and_small(folk: Served, enter: Open) -> None:
    for scheme in ("light", "dark"):
        page = enter(color_scheme=scheme, viewport={"width": 380, "height": 800})
        for path in ("/", "/search", "/sources", "/sources/folk", "/authorities", "/ledger", "/ledger/receipts/0"):
            page.goto(folk.address + path)
            wide, body = page.evaluate("[innerWidth, document.documentElement.scrollWidth]")
            assert body <= wide, f"{path} must not be wider than a small screen"
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (paper == "rgb(247, 245, 240)") == (scheme == "light")
        page.get_by_role("button", name="Colours: as the system").click()
        page.get_by_role("button", name="Colours: light").click()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 22, 26)"
        page.reload()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 22, 26)"


def test_a_used_link_says_so_and_a_session_ends(folk: Served, chromium: Browser) -> None:
    context = chromium.new_context()
    page = context.new_page()
    code = folk.sessions.mint_link()
    page.goto(f"{folk.address}/enter#{code}")
    page.wait_for_url(f"{folk.address}/")
    assert code not in page.evaluate("JSON.stringify(performance.getEntries()) + document.referrer + location.href")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{folk.address}/enter")
    page.goto(f"{folk.address}/search")
    page.wait_for_url(f"{folk.address}/enter")
    page.goto(f"{folk.address}/enter?again#{code}")
    expect(page.locator("#entering")).to_have_text("This link was used already or is too old.")
    page.get_by_label("Link or code").fill(f"{folk.address}/enter#{folk.sessions.mint_link()}")
    page.get_by_role("button", name="Enter").click()
    page.wait_for_url(f"{folk.address}/")
    context.close()
