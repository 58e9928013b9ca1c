"""What the pictures of all reports have in common: their look, and that nothing is fetched to draw them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from countenance.reports.looks import Look
from countenance.reports.needed import needed


def drawn(chart: Any) -> str:
    """A chart of Altair's as SVG. Raises Unavailable when the extra `reports` is not installed."""
    with needed():
        import vl_convert
    # Nothing is fetched: the data stand in the specification, and no address is allowed.
    return str(vl_convert.vegalite_to_svg(chart.to_dict(), vl_version="6.4", allowed_base_urls=[]))


def dressed(chart: Any, look: Look) -> Any:
    """The chart in this look, on no background, each of its panels with scales of its own."""
    return (
        chart.configure(font=look.font, background="transparent", padding=4)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=look.soft,
            titleColor=look.soft,
            gridColor=look.line,
            domainColor=look.line,
            tickColor=look.line,
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
            labelFont=look.font,
            titleFont=look.font,
        )
        .configure_text(font=look.font)
        .resolve_scale(x="independent", y="independent", color="independent")
    )


def milliseconds(at: datetime) -> int:
    """Since 1970, as Vega has times."""
    return round(at.timestamp() * 1000)
