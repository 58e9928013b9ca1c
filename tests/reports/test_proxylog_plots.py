"""The pictures: what stands in them, and that they are the same every time."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from countenance.reports import proxylog_plots as plots
from tests.reports.sample import body, session, totals

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]


def fills(svg: str, colour: str) -> int:
    return sum(element.get("fill") == colour for element in ET.fromstring(svg).iter())


def with_sessions(*sessions: dict[str, Any]) -> dict[str, Any]:
    made = body(1)
    return made | {"sessions": list(sessions), "totals": totals(list(sessions))}


@pytest.mark.parametrize("shape", ["wide", "narrow"])
@pytest.mark.parametrize("picture", ["bounds", "timeline"])
def test_the_same_analysis_gives_the_same_picture(picture: Any, shape: Any) -> None:
    drawn = [plots.svg(body(60), picture, theme=theme, shape=shape) for theme in ("light", "light", "dark")]  # type: ignore[arg-type]
    assert drawn[0] == drawn[1] != drawn[2]


def test_the_bounds_are_written_beside_their_bars() -> None:
    analysis = body(120)
    said = texts(plots.svg(analysis, "bounds"))
    for part in (analysis["totals"], *analysis["sites"]):
        searches = part["searches"]
        assert f"{searches['at_least']} to {searches['at_most']}" in said
        assert f"{part['indeterminate_requests']:,} of {part['requests']:,} hits" in said
    assert {"All sites", "PimEyes", "FaceCheck.ID", "search4faces"} <= set(said)
    alternative = plots.words(analysis, "bounds")
    assert all(title in alternative for title in ("All sites", "PimEyes"))


def test_many_sites_stay_a_picture() -> None:
    analysis = body(10)
    site = analysis["sites"][0]
    analysis["sites"] = [site | {"title": f"Site {n}"} for n in range(50)] + [site | {"category": "reverse-image"}]
    said = texts(plots.svg(analysis, "bounds"))
    assert sum(text.startswith("Site ") for text in said) == plots.ROWS - 1


def test_an_empty_analysis_has_pictures_too() -> None:
    analysis = with_sessions() | {"sites": []}
    assert "none" in texts(plots.svg(analysis, "bounds"))
    plots.svg(analysis, "timeline")
    assert "no session" in plots.words(analysis, "timeline")


def test_missing_hours_are_shaded() -> None:
    analysis = body(30)
    gap = plots.LOOKS["light"].gap
    shaded = plots.svg(analysis, "timeline")
    assert "No line where usual" in texts(shaded)
    assert "1 stretch without a line" in plots.words(analysis, "timeline")
    analysis["coverage"]["gaps"] = []
    clear = plots.svg(analysis, "timeline")
    assert fills(shaded, gap) == fills(clear, gap) + 2, "the stretch itself, and its mark in the legend"


@pytest.mark.parametrize(
    ("start", "unit"),
    [("2026-03-02T09:00:00.000Z", "hour"), ("2026-03-09T09:00:00.000Z", "day"), ("2026-12-02T09:00:00.000Z", "week")],
)
def test_the_unit_follows_the_span(start: str, unit: str) -> None:
    first = session(1, "VISIT") | {"start": "2026-03-01T23:59:59.999Z"}
    analysis = with_sessions(first, session(2, "SEARCH_SUBMITTED") | {"start": start})
    analysis["coverage"] = {"sentences": [], "remedies": [], "gaps": []}
    svg = plots.svg(analysis, "timeline")
    assert f"Sessions a {unit} (UTC)" in texts(svg)
    look = plots.LOOKS["light"].classes
    assert fills(svg, look["VISIT"]) == fills(svg, look["SEARCH_SUBMITTED"]) == 2, (
        "a bar each, and a mark in the legend"
    )


def test_hostile_titles_stay_text() -> None:
    analysis = body(5)
    analysis["sites"][0]["title"] = "</text><script>'\"&{{datum}}\u202e"
    svg = plots.svg(analysis, "bounds")
    assert "<script>" not in svg
    assert any("<script>" in text for text in texts(svg)), "as text"


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from countenance.domain.errors import Unavailable

    monkeypatch.setitem(__import__("sys").modules, "vl_convert", None)
    with pytest.raises(Unavailable) as caught:
        plots.svg(body(1), "bounds")
    assert "countenance[reports]" in caught.value.advice


@pytest.mark.parametrize("shape", ["wide", "narrow"])
@pytest.mark.parametrize("picture", ["bounds", "timeline"])
def test_a_page_can_keep_its_place(picture: Any, shape: Any) -> None:
    for sessions in (1, 200):
        analysis = body(sessions)
        drawn = ET.fromstring(plots.svg(analysis, picture, shape=shape))
        wide, high = plots.size(analysis, picture, shape)
        assert float(drawn.attrib["width"]) == pytest.approx(wide, abs=60)
        assert float(drawn.attrib["height"]) == pytest.approx(high, abs=25)


def test_one_site_is_not_drawn_twice() -> None:
    analysis = body(10)
    analysis["sites"] = analysis["sites"][:1]
    assert "All sites" not in texts(plots.svg(analysis, "bounds"))
