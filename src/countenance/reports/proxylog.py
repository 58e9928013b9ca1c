"""The report of an analysis as a PDF, fit to be handed to a regulator.

The same analysis gives the same bytes: no clock is read, the time stamp is fixed, fonts are those that typst carries.
The file is PDF/A-2a and PDF/UA-1: it can be kept, searched, and read aloud.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from countenance.reports.needed import needed
from countenance.reports.proxylog_sheet import sheet

TEMPLATES = Path(__file__).parent / "typst"
STAMP = 0
"""Seconds since 1970 that the file says it was made at. When the analysis was made is in its ledger entry."""


def pdf(body: dict[str, Any], *, demo: bool = False) -> bytes:
    """A PDF of a stored analysis. Raises Unavailable when the extra `reports` is not installed.

    What the logs say reaches the template as JSON values, which it shows as text and never reads as markup or code. It
    can open no file outside of its own folder, and it imports no package.
    """
    with needed():
        import typst
    found: Any = typst.compile(
        str(TEMPLATES / "proxylog.typ"),
        root=str(TEMPLATES),
        font_paths=fonts(),
        sys_inputs={"data": json.dumps(sheet(body) | {"demo": demo}, ensure_ascii=False)},
        pdf_standards=["a-2a", "ua-1"],
        package_path=str(TEMPLATES),
        package_cache_path=str(TEMPLATES),
        timestamp=STAMP,
    )
    return bytes(found)


@cache
def fonts() -> Any:
    """The fonts that typst carries, and none of this machine's."""
    import typst

    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)
