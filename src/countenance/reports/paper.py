"""From values to a PDF: one way for every report.

The same values give the same bytes: no clock is read, the time stamp is fixed, fonts are those that typst carries. The
file is PDF/A-2a and PDF/UA-1: it can be kept, searched, and read aloud. What a template is given it shows as text and
never reads as markup or code; it can open no file outside of its own folder, and it imports no package.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from countenance.reports.needed import needed

_TEMPLATES = Path(__file__).parent / "typst"
_STAMP = 0
"""Seconds since 1970 that the file says it was made at. When a report was made is in its ledger entry."""


def printed(template: str, values: dict[str, Any]) -> bytes:
    """The PDF of a template (its name without ``.typ``) and JSON values. Raises Unavailable when the extra `reports` is
    not installed."""
    with needed():
        import typst
    found: Any = typst.compile(
        str(_TEMPLATES / f"{template}.typ"),
        root=str(_TEMPLATES),
        font_paths=_fonts(),
        sys_inputs={"data": json.dumps(values, ensure_ascii=False)},
        pdf_standards=["a-2a", "ua-1"],
        package_path=str(_TEMPLATES),
        package_cache_path=str(_TEMPLATES),
        timestamp=_STAMP,
    )
    return bytes(found)


@cache
def _fonts() -> Any:
    """The fonts that typst carries, and none of this machine's."""
    import typst

    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)
