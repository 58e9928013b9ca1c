"""The overseer's pictures: searches over time, by person, purpose and basis, and by hour of the week.

One specification for page and report, drawn with fixed places, so that the same numbers give the same bytes. In a page
they stand in the page itself and take its colours, so that they are light or dark with it.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import datetime
from typing import Any, Literal

from countenance.reports.looks import LOOKS, Look
from countenance.reports.needed import needed
from countenance.reports.plain import printable
from countenance.reports.plots import drawn, dressed, milliseconds

Picture = Literal["time", "people", "purposes", "bases", "hours"]
Shape = Literal["wide", "narrow"]

ROWS = 10
"""People, purposes or bases in a picture; the table has more."""

TITLES: dict[str, str] = {
    "time": "Searches over time",
    "people": "By whom",
    "purposes": "For what",
    "bases": "On which basis",
    "hours": "At which hours",
}
CAME = {
    "reliable": "A reliable candidate",
    "unreliable": "None better than strangers",
    "none": "No candidate",
    "cut_off": "Nothing shown",
}
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def svg(figures: dict[str, Any], picture: Picture, *, theme: Literal["page", "print"], shape: Shape = "wide") -> str:
    """A picture as SVG, without a background. `figures` as `services.figures` has them, with a `title` for each row of
    a breakdown. Raises Unavailable when the extra `reports` is not installed."""
    look, narrow = LOOKS[theme], shape == "narrow"
    with needed():
        if picture == "time":
            chart = _time(figures["time"], look, narrow)
        elif picture == "hours":
            chart = _hours(figures["hours"], look, narrow)
        else:
            chart = _bars(figures[picture], look, narrow)
    return drawn(dressed(chart.configure(aria=False) if theme == "page" else chart, look))


def inline(picture: str, shape: Shape) -> str:
    """The SVG as it may stand in a page: shapes and text only, nothing that is run, styled, named or fetched.

    Raises ValueError for anything else. Vega escapes the text that people wrote; this makes sure of it.
    """
    root = ET.fromstring(picture)  # noqa: S314  # drawn here a moment ago
    for element in root.iter():
        tag = element.tag.removeprefix(_SVG)
        if tag not in _TAGS or any(name not in _ATTRIBUTES for name in element.attrib):
            raise ValueError(f"a picture has what none should have: {tag} {sorted(element.attrib)}")
        for name in ("role", "aria-roledescription", "aria-hidden", "aria-label", "class", "pointer-events"):
            element.attrib.pop(name, None)
    # How large it is the page says: as wide as its place, and never wider than it was drawn.
    root.attrib.pop("width")
    root.attrib.pop("height")
    root.set("class", f"drawn drawn-{shape}")
    root.set("aria-hidden", "true")
    root.set("focusable", "false")
    ET.register_namespace("", _SVG[1:-1])
    return re.sub(r' xmlns(:\w+)?="[^"]*"', "", ET.tostring(root, encoding="unicode"))


_LETTERS = 44
_SVG = "{http://www.w3.org/2000/svg}"
_TAGS = frozenset({"svg", "g", "path", "rect", "line", "text", "tspan"})
_ATTRIBUTES = frozenset(
    "version class width height viewBox fill stroke stroke-width stroke-miterlimit stroke-dasharray stroke-opacity "  # noqa: SIM905
    "fill-opacity opacity transform role aria-roledescription aria-hidden aria-label d x y x2 y2 dx dy display "
    "pointer-events text-anchor font-family font-size font-weight".split()
)


def words(figures: dict[str, Any], picture: Picture) -> str:
    """What a picture shows, for those who do not see it."""
    if picture == "time":
        spans = figures["time"]["spans"]
        if not spans:
            return "There is no search to be shown in time."
        most = max(spans, key=lambda span: int(span["searches"]))
        return (
            f"Searches a {figures['time']['unit']} by what came of them, {_day(spans[0]['from'])} to "
            f"{_day(spans[-1]['from'])}. The most in one: {most['searches']:,}, from {_day(most['from'])} on."
        )
    if picture == "hours":
        cells = [(count, day, hour) for day, row in enumerate(figures["hours"]) for hour, count in enumerate(row)]
        count, day, hour = max(cells, key=lambda cell: (cell[0], -cell[1], -cell[2]))
        if not count:
            return "There is no search to be shown by hour."
        return (
            f"Searches by weekday and hour, {figures['zone']}. The most: {count:,} on {DAYS[day]}s from {hour}:00 on."
        )
    rows = figures[picture]
    told = "; ".join(
        f"{printable(row['title'], 60)}: {row['searches']:,}, {row['reliable']:,} led" for row in rows[:ROWS]
    )
    return f"{TITLES[picture]}: searches, and how many led to a reliable candidate. {told or 'None'}."


def _day(moment: str) -> str:
    at = datetime.fromisoformat(moment)
    return f"{at.day} {at:%B %Y}"


def _time(time: dict[str, Any], look: Look, narrow: bool) -> Any:
    """Piles by day, week or month: what led at the bottom."""
    import altair as alt

    spans = [(datetime.fromisoformat(s["from"]), datetime.fromisoformat(s["to"]), s["came"]) for s in time["spans"]]
    width, bars, highest = (330 if narrow else 700), [], 1
    for start, end, came in spans:
        height, inset = 0, (end - start) * 0.08
        for code in CAME:
            if number := came[code]:
                ends = {"x": milliseconds(start + inset), "x2": milliseconds(end - inset)}
                bars.append(ends | {"y": height, "y2": height + number, "came": code})
                height += number
        highest = max(highest, height)
    domain = [milliseconds(spans[0][0]), milliseconds(spans[-1][1])] if spans else [0, 1]
    axis = alt.Axis(
        title=None,
        format={"day": "%-d %b", "week": "%-d %b %Y", "month": "%b %Y"}[time["unit"]],
        tickCount=(3 if time["unit"] == "week" else 4) if narrow else 8,
        grid=False,
        minExtent=22,
        maxExtent=22,
        labelOverlap=False,
        labelFlush=False,
    )
    y_axis = alt.Axis(
        title=f"Searches a {time['unit']} (UTC)",
        values=list(range(0, highest + 1, -(-highest // 4))),
        format=",d",
        minExtent=40,
        maxExtent=40,
    )
    colours = alt.Scale(domain=list(CAME), range=[look.came[code] for code in CAME])
    plot = (
        alt.Chart(alt.Data(values=bars))
        .mark_rect()
        .encode(
            x=alt.X("x:T", scale=alt.Scale(type="utc", domain=domain, nice=False), axis=axis),
            x2="x2:T",
            y=alt.Y("y:Q", scale=alt.Scale(domain=[0, highest * 1.06], nice=False), axis=y_axis),
            y2="y2:Q",
            color=alt.Color("came:N", scale=colours, legend=None),
        )
        .properties(width=width, height=180)
    )
    return alt.vconcat(plot, _legend(look, narrow, width), spacing=14)


def _legend(look: Look, narrow: bool, width: int) -> Any:
    import altair as alt

    places = (0, 150) if narrow else (0, 165, 380, 520)
    marks = [
        {
            "x": places[n % len(places)] + 7,
            "y": n // len(places) * 22 + 9,
            "title": title,
            "colour": look.came[code],
        }
        for n, (code, title) in enumerate(CAME.items())
    ]
    height = 22 * -(-len(marks) // len(places))
    x = alt.X("x:Q", scale=alt.Scale(domain=[0, width], nice=False), axis=None)
    y = alt.Y("y:Q", scale=alt.Scale(domain=[0, height], reverse=True, nice=False), axis=None)
    base = alt.Chart(alt.Data(values=marks)).encode(x=x, y=y)
    return alt.layer(
        base.mark_point(shape="square", size=130, filled=True, opacity=1).encode(
            color=alt.Color("colour:N", scale=None)
        ),
        base.mark_text(align="left", dx=14, color=look.ink, fontSize=12).encode(text="title:N"),
    ).properties(width=width, height=height)


def _bars(rows: list[dict[str, Any]], look: Look, narrow: bool) -> Any:
    """A bar a row: all of it the searches, the full part those that led to a reliable candidate."""
    import altair as alt

    step, width = 48 if narrow else 40, 330 if narrow else 400
    values = [
        {
            "head": n + 0.26,
            "bar": n + 0.66,
            "zero": 0,
            "reliable": row["reliable"],
            "searches": row["searches"],
            "title": _cut(printable(row["title"])),
            "told": f"{row['searches']:,}, {row['reliable']:,} led",
        }
        for n, row in enumerate(rows[:ROWS])
    ]
    data = alt.Data(values=values)
    top = max((row["searches"] for row in values), default=1) * (1.6 if narrow else 1.5)
    down = alt.Scale(domain=[0, max(1, len(values))], reverse=True, nice=False, padding=0)
    across = alt.Scale(domain=[0, top], nice=False)
    base = alt.Chart(data)

    def x(field: str) -> Any:
        return alt.X(f"{field}:Q", scale=across, axis=None)

    def y(field: str) -> Any:
        return alt.Y(f"{field}:Q", scale=down, axis=None)

    return alt.layer(
        base.mark_bar(size=13, color=look.came["none"]).encode(x=x("zero"), x2="searches:Q", y=y("bar")),
        base.mark_bar(size=13, color=look.came["reliable"]).encode(x=x("zero"), x2="reliable:Q", y=y("bar")),
        base.mark_text(align="left", color=look.ink, fontSize=13).encode(x=alt.value(0), y=y("head"), text="title:N"),
        base.mark_text(align="left", dx=7, color=look.soft, fontSize=12).encode(
            x=x("searches"), y=y("bar"), text="told:N"
        ),
    ).properties(width=width, height=step * max(1, len(values)))


def _cut(title: str) -> str:
    return title if len(title) <= _LETTERS else f"{title[: _LETTERS - 1]}…"


def _hours(grid: list[list[int]], look: Look, narrow: bool) -> Any:
    """A cell an hour of the week; how full it is filled says how many."""
    import altair as alt

    most = max(1, *(count for row in grid for count in row))
    width = 300 if narrow else 700
    cells = [
        {
            "x": hour + 0.06,
            "x2": hour + 0.94,
            "y": day + 0.06,
            "y2": day + 0.94,
            "share": count / most,
        }
        for day, row in enumerate(grid)
        for hour, count in enumerate(row)
    ]
    names = [{"my": day + 0.5, "title": name[:3]} for day, name in enumerate(DAYS)]
    across, down = alt.Scale(domain=[0, 24], nice=False), alt.Scale(domain=[0, 7], reverse=True, nice=False)
    axis = alt.Axis(
        title=None,
        values=[0, 6, 12, 18, 24],
        labelExpr="datum.value + ':00'",
        grid=False,
        labelOverlap=False,
        ticks=False,
        domain=False,
    )
    base = alt.Chart(alt.Data(values=cells))
    sides = {
        "x": alt.X("x:Q", scale=across, axis=axis),
        "x2": "x2:Q",
        "y": alt.Y("y:Q", scale=down, axis=None),
        "y2": "y2:Q",
    }
    layers = [
        base.mark_rect(color=look.gap).encode(**sides),
        base.transform_filter("datum.share > 0")
        .mark_rect(color=look.heat)
        .encode(**sides, opacity=alt.Opacity("share:Q", scale=alt.Scale(domain=[0, 1], range=[0.12, 1]), legend=None)),
    ]
    plot = alt.layer(*layers).properties(width=width, height=7 * (22 if narrow else 26))
    days = (
        alt.Chart(alt.Data(values=names))
        .mark_text(align="right", color=look.soft, fontSize=12)
        .encode(x=alt.value(30), y=alt.Y("my:Q", scale=down, axis=None), text="title:N")
        .properties(width=30, height=7 * (22 if narrow else 26))
    )
    return alt.hconcat(days, plot, spacing=8)
