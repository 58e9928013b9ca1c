"""The table of docs/misuse.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from countenance.domain.misuse.rules import EXACT, RULES
from tools.misusesim.year import Score, Scores, Year

PAGE = "docs/misuse.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


_HEAD = (
    "| sign | a year | right | of other misuse | honest work | precision | of any misuse | recall |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
)


def table(years: Sequence[Year], scores: Scores, seeds: Sequence[int]) -> str:
    """Markdown: how many searches, then a line a rule, once for the flags that want a person and once for all."""
    searches = sum(len(year.stage.faces) for year in years) / len(years)
    people = len(years[0].organisation.people)
    lines = [
        f"Seeds {', '.join(map(str, seeds))}: each a year of {people} people with about {searches:,.0f} searches.",
        "",
        "Flags that want a person (*look*, *urgent*):",
        "",
        *_HEAD,
        *_lines(scores.wanting, len(years)),
        "",
        _folded(scores.matters, sum(score.flags for score in scores.wanting.values()), len(years)),
        "",
        "All flags, with those that can wait for a sample (*notice*):",
        "",
        *_HEAD,
        *_lines(scores.every, len(years)),
    ]
    return "\n".join(lines)


def _lines(scores: dict[str, Score], years: int) -> list[str]:
    return [
        f"| {words} | {s.flags / years:.1f} | {s.right} | {s.other} | {s.honest} | {_share(s.right, s.flags)} | "
        f"{_share(s.right + s.other, s.flags)} | {_share(s.found, s.planted)} |"
        for rule, words in RULES.items()
        if rule not in EXACT and (s := scores[rule])
    ]


def _folded(matters: Score, flags: int, years: int) -> str:
    return (
        f"Folded into matters, these {flags / years:.1f} flags a year are {matters.flags / years:.1f} matters, of "
        f"which {_share(matters.right, matters.flags)} rest on planted misuse; they touch "
        f"{_share(matters.found, matters.planted)} of all that was planted."
    )


def put(text: str) -> None:
    """Replace the table in the page."""
    page = Path(__file__).resolve().parents[2] / PAGE
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2f} ({part} of {whole})" if whole else "–"
