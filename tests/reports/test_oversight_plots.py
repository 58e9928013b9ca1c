"""The overseer's pictures: what stands in them, in a page and on paper, whatever people called their purposes."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pypdf import PdfReader

from countenance.domain.acts import Acts
from countenance.domain.misuse.flag import Flag
from countenance.domain.misuse.rules import Found
from countenance.reports import oversight_plots as plots
from countenance.reports.oversight import report_of, titled
from countenance.services.figures import figures
from countenance.services.overview import overview
from tests.domain.acting import MONDAY, acts, grant, search

HOSTILE = '<script>alert(1)</script>" onload="x'
LONDON = ZoneInfo("Europe/London")


def sample(days: int = 12) -> Acts:
    made = [
        search(n, who="user:a" if n % 3 else "user:b", at=MONDAY + timedelta(days=n), purpose=HOSTILE)
        for n in range(days)
    ]
    made[0] = replace(made[0], shown=None)
    made[1] = replace(made[1], shown=replace(made[1].shown, groups=0, reliable=False))  # type: ignore[type-var]
    return acts(made, grants=(replace(grant(0, "p", "C-1"), authority="A-C-1"),))


def drawn(made: Acts) -> dict[str, Any]:
    return titled(figures(made, LONDON), lambda user: f"{user} & co <b>")


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter() if element.tag.endswith("text")]


def test_counts_by_span_person_basis_and_hour() -> None:
    told = figures(sample(), LONDON)
    assert told["came"] == {"reliable": 10, "unreliable": 0, "none": 1, "cut_off": 1}
    spans = told["time"]["spans"]
    assert (told["time"]["unit"], len(spans), spans[0]["came"]["cut_off"], spans[1]["came"]["none"]) == (
        "day",
        12,
        1,
        1,
    )
    assert [(row["key"], row["searches"], row["reliable"]) for row in told["people"]] == [
        ("user:a", 8, 7),
        ("user:b", 4, 3),
    ]
    assert told["bases"] == [{"key": "consent", "searches": 12, "reliable": 10}]
    assert sum(map(sum, told["hours"])) == 12
    assert told["hours"][0][9] == 2, "Mondays at nine, local time"


@pytest.mark.parametrize(("days", "unit"), [(61, "day"), (62, "week"), (402, "month")])
def test_spans_follow_one_another_and_lose_nothing(days: int, unit: str) -> None:
    time = figures(sample(days), LONDON)["time"]
    assert time["unit"] == unit
    assert all(a["to"] == b["from"] for a, b in zip(time["spans"], time["spans"][1:], strict=False))
    assert sum(span["searches"] for span in time["spans"]) == days


@pytest.mark.parametrize("picture", ["time", "people", "purposes", "bases", "hours"])
def test_a_picture_in_a_page_holds_nothing_but_shapes_and_text(picture: Any) -> None:
    told = drawn(sample())
    for shape in ("wide", "narrow"):
        svg = plots.svg(told, picture, theme="page", shape=shape)  # type: ignore[arg-type]
        assert svg == plots.svg(told, picture, theme="page", shape=shape)  # type: ignore[arg-type]
        inline = plots.inline(svg, shape)  # type: ignore[arg-type]
        assert "<script" not in inline
        for word in ("style=", "href", "url(", " id=", "<image", "http:"):
            assert word not in inline
        assert "var(--" in inline
    assert plots.words(told, picture)


def test_what_is_no_shape_is_refused() -> None:
    for bad in ("<script/>", '<g onclick="x"/>', '<path style="x"/>', '<image href="x"/>', '<a href="x"/>'):
        with pytest.raises(ValueError, match="none should have"):
            plots.inline(f'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1">{bad}</svg>', "wide")


def test_bars_say_their_numbers() -> None:
    said = texts(plots.svg(drawn(sample()), "people", theme="print"))
    assert {"user:a & co <b>", "8, 7 led", "4, 3 led"} <= set(said)


def test_nothing_to_draw_is_drawn_too() -> None:
    told = drawn(acts())
    for picture in ("time", "people", "hours"):
        plots.inline(plots.svg(told, picture, theme="page"), "wide")  # type: ignore[arg-type]
        assert plots.words(told, picture)  # type: ignore[arg-type]


def test_the_report_is_the_page_on_paper() -> None:
    made = sample()
    flag = Flag("burst", "look", "user:a made 8 searches", (1, 2), ("user:a",))
    body = overview(made, Found((flag,), {"selfies": "nothing"}), 14)
    body |= {"figures": figures(made, LONDON), "read": 7, "since": None, "until": made.until.isoformat()}
    pdf = report_of(body, lambda user: {"user:a": "Ann"}.get(user, user))
    assert pdf == report_of(body, lambda user: {"user:a": "Ann"}.get(user, user))
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    assert "Ann made 8 searches" in text
    assert "reading is entry 7" in text
    assert "<script>" in text, "as text"
