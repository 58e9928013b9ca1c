"""The overseer's console on paper. The same body gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from countenance.reports import oversight_plots as plots
from countenance.reports.paper import printed
from countenance.reports.plain import printable

SIGNS = 40
ROWS = 25
PICTURES: tuple[plots.Picture, ...] = ("time", "people", "purposes", "bases", "hours")


def report_of(body: dict[str, Any], name_of: Callable[[str], str], *, demo: bool = False) -> bytes:
    """The summary as PDF/A-2a and PDF/UA-1, with people's names. Raises Unavailable when the extra `reports` is not
    installed."""
    signs = [named(flag, name_of) for flag in body["gravest"]]
    sheet = _sheet(body | {"gravest": signs, "figures": titled(body["figures"], name_of)}, name_of)
    return printed("oversight", sheet | {"demo": demo})


def named(flag: dict[str, Any], name_of: Callable[[str], str]) -> dict[str, Any]:
    """A sign whose reason has people's names in place of their ids."""
    reason = flag["reason"]
    for user in flag["people"]:
        reason = reason.replace(user, name_of(user))
    return flag | {"reason": reason}


def titled(figures: dict[str, Any], name_of: Callable[[str], str]) -> dict[str, Any]:
    """The figures with a title for each row of each breakdown."""
    words: dict[str, Callable[[str], str]] = {"people": name_of, "purposes": str, "bases": str, "cases": str}
    return figures | {
        name: [row | {"title": say(row["key"]) or "not known"} for row in figures[name]] for name, say in words.items()
    }


def _sheet(body: dict[str, Any], name_of: Callable[[str], str]) -> dict[str, Any]:
    figures, led = body["figures"], body["led_anywhere"]
    return {
        "from": (body["since"] or "the beginning")[:16].replace("T", " "),
        "to": body["until"][:16].replace("T", " "),
        "entry": str(body["read"]),
        "numbers": [
            ["Searches", _n(body["searches"])],
            ["People who searched", _n(body["people"])],
            ["Cases", _n(body["cases"])],
            ["With a reliable candidate", _n(led["with_a_reliable_candidate"])],
            ["Of which a picture was opened", _n(led["opened"])],
            ["Of which a candidate was judged", _n(led["adjudicated"])],
            ["Exported", _n(led["exported"])],
            ["Self-approved", _n(body["self_approved"])],
            ["Refused", _n(sum(body["refused"].values()))],
            ["Erasures", _n(body["erasures"])],
        ],
        "signs": [[one["severity"], printable(one["reason"], 400), _entries(one)] for one in body["gravest"][:SIGNS]],
        "silent": [f"{printable(what, 80)}: {printable(why, 200)}" for what, why in body["silent"].items()],
        "overdue": [
            [one["search"], printable(name_of(one["by"]), 60), printable(one["case"], 60), str(one["opened"])]
            for one in body["overdue"][:SIGNS]
        ],
        "pictures": {
            name: {
                "title": plots.TITLES[name],
                "svg": plots.svg(figures, name, theme="print"),
                "words": plots.words(figures, name),
            }
            for name in PICTURES
        },
        "tables": [
            {
                "title": title,
                "rows": [
                    [printable(row["title"], 80), _n(row["searches"]), _n(row["reliable"])]
                    for row in figures[name][:ROWS]
                ],
                "more": _n(max(0, len(figures[name]) - ROWS)),
            }
            for name, title in (("people", "Person"), ("purposes", "Purpose"), ("bases", "Basis"), ("cases", "Case"))
            if figures[name]
        ],
    }


def _entries(flag: dict[str, Any]) -> str:
    shown = ", ".join(map(str, flag["entries"][:8]))
    return shown + (f" and {len(flag['entries']) - 8} more" if len(flag["entries"]) > 8 else "")


def _n(value: int) -> str:
    return f"{value:,}"
