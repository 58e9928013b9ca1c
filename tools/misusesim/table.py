"""The table of docs/misuse.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from countenance.domain.misuse.rules import EXACT, RULES
from tools.misusesim.year import Score, Year

PAGE = "docs/misuse.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def table(years: Sequence[Year], scores: dict[str, Score], seeds: Sequence[int]) -> str:
    """Markdown: how many searches, then a line a rule."""
    searches = sum(len(year.stage.faces) for year in years) / len(years)
    people = len(years[0].organisation.people)
    lines = [
        f"Seeds {', '.join(map(str, seeds))}: each a year of {people} people with about {searches:,.0f} searches.",
        "",
        "| sign | flags a year | right | of other misuse | honest work | precision | recall |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for rule, words in ((rule, words) for rule, words in RULES.items() if rule not in EXACT):
        s = scores[rule]
        lines.append(
            f"| {words} | {s.flags / len(years):.1f} | {s.right} | {s.other} | {s.honest} | "
            f"{_share(s.right, s.flags)} | {_share(s.found, s.planted)} |"
        )
    return "\n".join(lines)


def put(text: str) -> None:
    """Replace the table in the page."""
    page = Path(__file__).resolve().parents[2] / PAGE
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2f} ({part} of {whole})" if whole else "–"
