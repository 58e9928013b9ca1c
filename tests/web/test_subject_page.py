"""Subject access on a page: a look-up with a receipt, exemptions by a person, somebody else taken out, a PDF."""

from __future__ import annotations

import io
from typing import Any

from playwright.sync_api import expect
from pypdf import PdfReader

from countenance.services.search import SearchRequest
from tests.places import kinds
from tests.web.conftest import ACTOR, Served
from tests.web.windows import windowed


def test_a_report_is_looked_at_before_it_is_written(folk: Served, grant: Any, people: Any) -> None:
    product = folk.product
    portrait = people("P001", "studio_portrait")
    authority = grant(purpose="subject access")
    product.search(SearchRequest((portrait,), authority), ACTOR)
    with windowed(folk, excused="422") as page:
        page.goto(f"{folk.address}/subject")
        page.get_by_label("Authority").select_option(authority)
        page.get_by_label("Photographs of the person").set_input_files(
            {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": portrait}
        )
        page.get_by_label("Searches that looked for the person’s face").check()
        page.get_by_role("button", name="Look up").click()
        expect(page.get_by_role("alert")).to_contain_text("kept back for a reason")
        page.get_by_label("Photographs of the person").set_input_files(
            {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": portrait}
        )
        page.get_by_label("Which exemption").fill("an inquiry would be prejudiced")
        size = product.ledger_size
        page.get_by_role("button", name="Look up").click()
        expect(page.get_by_role("heading", name="What is held")).to_be_visible()
        assert kinds(product)[size:][-1] == "subject.shown"
        assert page.locator(".matches img").count() >= 1
        assert page.evaluate("[...document.images].every((i) => i.naturalWidth > 0)")
        page.get_by_role("checkbox", name="This is somebody else").first.check()
        with page.expect_download() as loading:
            page.get_by_role("button", name="Make the report").click()
        pdf = PdfReader(io.BytesIO(loading.value.path().read_bytes()))
    assert kinds(product)[-1] == "subject.corrected"
    text = " ".join(" ".join(sheet.extract_text() for sheet in pdf.pages).split())
    assert "Somebody else, whom the machine took for you" in text
    assert "The law allows some information to be kept back" in text
    assert sum(len(sheet.images) for sheet in pdf.pages) >= 1
