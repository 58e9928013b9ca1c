"""The reference pages say what the code says."""

from __future__ import annotations

import pytest

from tools import references


@pytest.mark.parametrize("name", sorted(references.PAGES))
def test_a_reference_page_is_what_the_code_says(name: str) -> None:
    written = (references.FOLDER / name).read_text(encoding="utf-8")
    assert written == references.PAGES[name](), "run: python -m tools.references"


def test_every_setting_and_option_is_explained() -> None:
    pages = references.settings() + references.commands()
    assert "None |" not in pages.replace("`None` |", "")
    assert "|  |" not in pages
