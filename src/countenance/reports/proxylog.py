"""The report of an analysis as a PDF, fit to be handed to a regulator."""

from __future__ import annotations

from typing import Any

from countenance.reports.paper import printed
from countenance.reports.proxylog_sheet import sheet


def pdf(body: dict[str, Any], *, demo: bool = False) -> bytes:
    """A PDF of a stored analysis. Raises Unavailable when the extra `reports` is not installed."""
    return printed("proxylog", sheet(body) | {"demo": demo})
