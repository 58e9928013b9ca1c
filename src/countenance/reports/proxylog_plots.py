"""The pictures of an analysis: how many searches there were at least and at most, and when the sessions were.

One specification for page and report. Every place in it is fixed, and none follows from the width of a text, so that
the picture is the same on a machine with other fonts; the same analysis gives the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from countenance.reports.looks import LOOKS, Look
from countenance.reports.needed import needed
from countenance.reports.plain import printable
from countenance.reports.plots import drawn, dressed, milliseconds
from countenance.reports.proxylog_words import CLASSES, bounds, counted

if TYPE_CHECKING:
    import altair as alt

Picture = Literal["bounds", "timeline"]
Theme = Literal["light", "dark", "print"]
Shape = Literal["wide", "narrow"]

ROWS = 12
"""Sites in the picture of bounds; the table has all."""


def svg(body: dict[str, Any], picture: Picture, *, theme: Theme = "light", shape: Shape = "wide") -> str:
    """A picture as SVG, without a background. Raises Unavailable when the extra `reports` is not installed."""
    with needed():
        chart = {"bounds": _bounds, "timeline": _timeline}[picture](body, LOOKS[theme], shape == "narrow")
    return drawn(chart)


def words(body: dict[str, Any], picture: Picture) -> str:
    """What a picture shows, for those who do not see it."""
    if picture == "bounds":
        rows = "; ".join(f"{row.title}: {row.words}, {row.unclear_words}" for row in _rows(body))
        return f"Searches, at least and at most, and hits that cannot be told. {rows}."
    unit, spans = _spans(body)
    if not spans:
        return "There is no session to be shown in time."
    parts = [
        counted(n, f"session: {CLASSES[code].title.lower()}", f"sessions: {CLASSES[code].title.lower()}")
        for code, n in body["totals"]["by_class"].items()
        if n
    ]
    gaps = gaps_of(body)
    without = (
        f" {counted(len(gaps), 'stretch', 'stretches')} without a line, where lines are usual, shaded." if gaps else ""
    )
    return (
        f"Sessions a {unit} by class, {spans[0][0]:%d %b %Y} to {spans[-1][0]:%d %b %Y}. {'; '.join(parts)}.{without}"
    )


def size(body: dict[str, Any], picture: Picture, shape: Shape) -> tuple[int, int]:
    """About how wide and high it is, so that a page can keep its place before it is there."""
    if picture == "bounds":
        rows = len(_rows(body))
        return (700, 30 * rows + 45) if shape == "wide" else (319, 92 * rows + 102)
    marks = len(_marked(body)) + bool(gaps_of(body))
    return (760, 214 + 20 * -(-marks // 4)) if shape == "wide" else (404, 214 + 20 * -(-marks // 2))


def gaps_of(body: dict[str, Any]) -> list[tuple[datetime, datetime]]:
    """Stretches without any line where lines are usual, in order: a quiet night is none."""
    return [(_at(gap["from"]), _at(gap["to"])) for gap in body["coverage"]["gaps"] if gap["unusual"]]


# Bounds


@dataclass(frozen=True, slots=True)
class _Row:
    title: str
    least: int
    most: int
    requests: int
    unclear: int

    @property
    def words(self) -> str:
        return bounds({"at_least": self.least, "at_most": self.most})

    @property
    def unclear_words(self) -> str:
        return f"{self.unclear:,} of {counted(self.requests, 'hit')}"


def _rows(body: dict[str, Any]) -> list[_Row]:
    """The total first, unless there is one site alone; then the sites with the most searches."""
    sites = [site for site in body["sites"] if site["category"] == "face"]
    sites.sort(key=lambda s: (-s["searches"]["at_most"], -s["searches"]["at_least"], -s["requests"], s["title"]))
    found = [(printable(s["title"], 20), s) for s in sites[: ROWS - 1]]
    if len(found) != 1:
        found.insert(0, ("All sites", body["totals"]))
    return [
        _Row(title, t["searches"]["at_least"], t["searches"]["at_most"], t["requests"], t["indeterminate_requests"])
        for title, t in found
    ]


def _bounds(body: dict[str, Any], look: Look, narrow: bool) -> Any:
    """Two panels that share their rows: searches, sure and possible, and hits that cannot be told."""
    import altair as alt

    found = _rows(body)
    step = 46 if narrow else 30
    rows: list[dict[str, Any]] = [
        {
            # Where the bar and (in the narrow picture) the title above it stand, in rows from the top.
            "bar": n + (0.68 if narrow else 0.5),
            "head": n + 0.24,
            "title": row.title,
            "zero": 0,
            "least": row.least,
            "most": row.most,
            "bounds": row.words,
            "unclear": row.unclear,
            "of": row.unclear_words,
        }
        for n, row in enumerate(found)
    ]
    data = alt.Data(values=rows)
    height = step * len(rows)
    down = alt.Scale(domain=[0, len(rows)], reverse=True, nice=False, padding=0)

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", scale=down, axis=None)

    def panel(width: int, title: str, colour: str, begin: str, end: str, label: str) -> Any:
        # Room is left at the right for the words behind the longest bar.
        top = max(1, *(row[end] for row in rows)) * (2.4 if begin == "zero" else 1.5)
        axis = alt.Axis(title=title, tickMinStep=1, tickCount=4, format=",d", minExtent=22, maxExtent=22)
        across = alt.Scale(domain=[0, top], nice=False)
        possible = {"fillOpacity": 0.22, "stroke": colour, "strokeDash": [3, 2], "strokeWidth": 1}
        chart = alt.Chart(data)
        layers: list[Any] = [
            chart.mark_bar(size=14, color=colour, **possible).encode(
                x=alt.X(f"{begin}:Q", scale=across, axis=axis), x2=f"{end}:Q", y=y("bar")
            ),
            chart.mark_bar(size=14, color=colour).encode(x=alt.X("zero:Q", scale=across), x2=f"{begin}:Q", y=y("bar")),
            chart.mark_text(align="left", dx=7, color=look.ink, fontSize=13).encode(
                x=alt.X(f"{end}:Q", scale=across), y=y("bar"), text=f"{label}:N"
            ),
        ]
        if narrow:
            layers.append(
                chart.mark_text(align="left", color=look.soft, fontSize=12).encode(
                    x=alt.value(0), y=y("head"), text="title:N"
                )
            )
        return alt.layer(*layers).properties(width=width, height=height)

    unclear = look.classes["INDETERMINATE"]
    left = panel(310, "Searches: at least (full) to at most", look.sure, "least", "most", "bounds")
    right = panel(310 if narrow else 220, "Hits that cannot be told", unclear, "zero", "unclear", "of")
    if narrow:
        return dressed(alt.vconcat(left, right, spacing=20), look)
    names = (
        alt.Chart(data)
        .mark_text(align="right", color=look.ink, fontSize=13)
        .encode(x=alt.value(136), y=y("bar"), text="title:N")
        .properties(width=136, height=height)
    )
    return dressed(alt.hconcat(names, left, right, spacing=12), look)


# Timeline


def _spans(body: dict[str, Any]) -> tuple[str, list[tuple[datetime, datetime]]]:
    """The unit of the timeline (hour, day or week) and each stretch from the first to the last session or gap."""
    moments = [_at(s["start"]) for s in body["sessions"]]
    if not moments:
        return "day", []
    moments += [end for gap in gaps_of(body) for end in gap]
    first, last = min(moments), max(moments)
    days = (last - first).days
    unit, step = (
        ("week", timedelta(days=7))
        if days > 120
        else ("day", timedelta(days=1))
        if days > 2
        else ("hour", timedelta(hours=1))
    )
    begin = first.replace(minute=0, second=0, microsecond=0)
    if unit != "hour":
        begin = begin.replace(hour=0)
    if unit == "week":
        begin -= timedelta(days=begin.weekday())
    spans = []
    while begin <= last:
        spans.append((begin, begin + step))
        begin += step
    return unit, spans


def _timeline(body: dict[str, Any], look: Look, narrow: bool) -> Any:
    import altair as alt

    unit, spans = _spans(body)
    width = 330 if narrow else 690
    counts: dict[tuple[int, str], int] = {}
    for session in body["sessions"]:
        n = int((_at(session["start"]) - spans[0][0]) / (spans[0][1] - spans[0][0]))
        counts[n, session["class"]] = counts.get((n, session["class"]), 0) + 1
    bars, highest = [], 1
    for n, (start, end) in enumerate(spans):
        height = 0
        # The bottom of a pile is what comes closest to a search.
        for code in CLASSES:
            if number := counts.get((n, code), 0):
                inset = (end - start) * 0.06
                bars.append(
                    {
                        "x": milliseconds(start + inset),
                        "x2": milliseconds(end - inset),
                        "y": height,
                        "y2": height + number,
                        "class": code,
                    }
                )
                height += number
        highest = max(highest, height)
    begin, finish = (
        (spans[0][0], spans[-1][1]) if spans else (datetime(2000, 1, 1, tzinfo=UTC), datetime(2000, 1, 2, tzinfo=UTC))
    )
    gaps = (
        [{"x": milliseconds(max(a, begin)), "x2": milliseconds(min(b, finish))} for a, b in gaps_of(body)]
        if spans
        else []
    )
    format = {"hour": "%-d %b %H:00", "day": "%-d %b", "week": "%-d %b %Y"}[unit]
    x = alt.X(
        "x:T",
        scale=alt.Scale(type="utc", domain=[milliseconds(begin), milliseconds(finish)], nice=False),
        axis=alt.Axis(
            title=None,
            format=format,
            tickCount=4 if narrow else 8,
            grid=False,
            minExtent=22,
            maxExtent=22,
            labelOverlap=False,
            labelFlush=False,
        ),
    )
    y_scale = alt.Scale(domain=[0, highest * 1.06], nice=False)
    y_axis = alt.Axis(
        title=f"Sessions a {unit} (UTC)", tickMinStep=1, tickCount=4, format=",d", minExtent=38, maxExtent=38
    )
    colours = alt.Scale(domain=list(CLASSES), range=[look.classes[code] for code in CLASSES])
    layers = [
        alt.Chart(alt.Data(values=gaps)).mark_rect(color=look.gap).encode(x=x, x2="x2:T"),
        alt.Chart(alt.Data(values=bars))
        .mark_rect()
        .encode(
            x=x,
            x2="x2:T",
            y=alt.Y("y:Q", scale=y_scale, axis=y_axis),
            y2="y2:Q",
            color=alt.Color("class:N", scale=colours, legend=None),
        ),
    ]
    plot = alt.layer(*layers).properties(width=width, height=170)
    return dressed(alt.vconcat(plot, _legend(_marked(body), bool(gaps), look, narrow, width), spacing=14), look)


def _marked(body: dict[str, Any]) -> list[str]:
    return [code for code in CLASSES if body["totals"]["by_class"].get(code)]


def _legend(present: list[str], gaps: bool, look: Look, narrow: bool, width: int) -> alt.LayerChart:
    import altair as alt

    names = [(CLASSES[code].title, look.classes[code]) for code in present]
    if gaps:
        names.append(("No line where usual", look.gap))
    columns = 2 if narrow else 4
    marks = [
        {"x": n % columns * width / columns + 7, "y": n // columns * 20 + 9, "title": title, "colour": colour}
        for n, (title, colour) in enumerate(names)
    ]
    height = 20 * (1 + max(0, len(names) - 1) // columns)
    x = alt.X("x:Q", scale=alt.Scale(domain=[0, width], nice=False), axis=None)
    y = alt.Y("y:Q", scale=alt.Scale(domain=[0, height], reverse=True, nice=False), axis=None)
    base = alt.Chart(alt.Data(values=marks)).encode(x=x, y=y)
    return alt.layer(
        base.mark_point(shape="square", size=130, filled=True, opacity=1, stroke=look.soft, strokeWidth=0.5).encode(
            color=alt.Color("colour:N", scale=None)
        ),
        base.mark_text(align="left", dx=11, color=look.ink, fontSize=12.5).encode(text="title:N"),
    ).properties(width=width, height=height)


def _at(moment: str) -> datetime:
    return datetime.fromisoformat(moment)
