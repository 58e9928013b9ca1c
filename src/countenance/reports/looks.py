"""The colours and letters of pictures: on the light page, on the dark one, in print."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Look:
    """Colours and letters."""

    ink: str
    soft: str
    line: str
    sure: str
    gap: str
    classes: dict[str, str]
    font: str
    came: dict[str, str]
    """What came of searches, as `services.figures.CAME` tells it apart."""
    heat: str
    """What fills a cell the more, the more there are."""


_SANS = "Inter, ui-sans-serif, system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"
_LIGHT = {
    "RESULTS_VIEWED": "#7d1d3f",
    "SEARCH_SUBMITTED": "#c2452d",
    "UPLOAD": "#e39a3b",
    "INDETERMINATE": "#8d8f98",
    "OPT_OUT": "#7a6bb0",
    "BLOCKED": "#3a3f47",
    "VISIT": "#3f9e8e",
    "BACKGROUND": "#b9d6cf",
}
_DARK = {
    "RESULTS_VIEWED": "#ff8fb0",
    "SEARCH_SUBMITTED": "#f47c5d",
    "UPLOAD": "#f0be62",
    "INDETERMINATE": "#868b95",
    "OPT_OUT": "#b3a4ee",
    "BLOCKED": "#dcdcd7",
    "VISIT": "#4fae9d",
    "BACKGROUND": "#2f5951",
}
_CAME = {"reliable": "#0b6a5d", "unreliable": "#e0a04a", "none": "#a9adb5", "cut_off": "#5b4f8f"}
LOOKS: dict[str, Look] = {
    "light": Look("#1e2329", "#5d6570", "#dfdad0", "#0b6a5d", "#efece4", _LIGHT, _SANS, _CAME, "#0b6a5d"),
    "dark": Look("#eceae4", "#a3a9b1", "#30343b", "#5fcdb9", "#272b31", _DARK, _SANS, _CAME, "#5fcdb9"),
    "print": Look("#1e2329", "#5d6570", "#d5d5d5", "#0b6a5d", "#ececec", _LIGHT, "Libertinus Serif", _CAME, "#0b6a5d"),
    # A picture that stands in the page itself takes the page's colours, light or dark, as they are now.
    "page": Look(
        "var(--ink)",
        "var(--soft)",
        "var(--line)",
        "var(--accent)",
        "var(--sunken)",
        _LIGHT,
        _SANS,
        {code: f"var(--came-{code.replace('_', '-')})" for code in _CAME},
        "var(--accent)",
    ),
}
