"""An analysis as the PDF's template takes it: chosen, ordered, cut to a length that can be read, and fit to be printed.

Everything that comes from a log, a profile or a person goes through :func:`printable` here. The template shows values
as text and holds no rule of its own.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from heapq import nsmallest
from typing import Any

from countenance.reports import proxylog_plots as plots
from countenance.reports.plain import breakable, printable
from countenance.reports.proxylog_words import CEILINGS, CLASSES, FITS, NEVER, bounds, order, places, when

FINDINGS = 500
"""Sessions told one by one."""
LINES = 30
"""Lines of one session in the appendix."""
ALL_LINES = 3_000
"""Lines in the whole appendix."""
REJECTED = 200
"""Rejected lines listed one by one."""
GAPS = 60
SENTENCE = 1_000


def sheet(body: dict[str, Any]) -> dict[str, Any]:
    """JSON values for `typst/proxylog.typ`."""
    detailed = nsmallest(FINDINGS, body["sessions"], key=order)
    classes = Counter(session["class"] for session in body["sessions"])
    classes.subtract(session["class"] for session in detailed)
    coverage = body["coverage"]["sentences"]
    gaps = [gap for gap in body["coverage"]["gaps"] if gap["unusual"]]
    appendix, lines_left = _appendix(detailed)
    titles = {site["site"]: site["title"] for site in body["sites"]}
    answer, *more = [line for line in body["summary"] if line not in coverage] or ["There is nothing to report."]
    return {
        "analysis": printable(body["analysis"]),
        "answer": printable(answer, SENTENCE),
        "more": [printable(line, SENTENCE) for line in more],
        "coverage": [printable(line, SENTENCE) for line in coverage],
        "remedies": [printable(line, SENTENCE) for line in body["coverage"]["remedies"]],
        "gaps": [[when(gap["from"]), when(gap["to"]), _n(gap["usual_lines"])] for gap in gaps[:GAPS]],
        "gaps_more": _n(len(gaps) - GAPS) if len(gaps) > GAPS else "",
        "bounds": {"svg": plots.svg(body, "bounds", theme="print"), "words": plots.words(body, "bounds")},
        "timeline": {"svg": plots.svg(body, "timeline", theme="print"), "words": plots.words(body, "timeline")},
        "has_sessions": bool(detailed),
        "sites": [_site(site) for site in body["sites"]],
        "classes": [
            [word.title, word.meaning, _n(body["totals"]["by_class"].get(code, 0))] for code, word in CLASSES.items()
        ],
        "ceilings": [[code, shows, highest] for code, (shows, highest) in CEILINGS.items()],
        "never": list(NEVER),
        "sessions_rule": _rule(body["options"]),
        "options": [_option(*one) for one in sorted(body["options"].items())],
        "profiles": [_profile(profile) for profile in body["profiles"]],
        "inputs": [_input(one) for one in body["input"]],
        "findings": [_finding(session, titles) for session in detailed],
        "findings_more": _left(classes),
        "reverse": _reverse(body["reverse_image"]),
        "rejected": _rejected(body["rejected"]),
        "appendix": appendix,
        "appendix_more": _n(lines_left),
    }


def _n(number: int) -> str:
    return f"{number:,}"


def _rule(options: dict[str, Any]) -> str:
    who = {"user": "user", "address": "address", "both": "user and address"}.get(options.get("by", ""), "user")
    gap = printable(str(options.get("gap_minutes", 30)))
    return (
        f"One {who} on one site makes one session, which ends after {gap} minutes without a request. A request through"
        " a tunnel counts with that tunnel, repeated polls and retries count once, parts of a page go with their page,"
        " and a line that stands in the logs twice counts once."
    )


def _option(name: str, value: Any) -> list[str]:
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return [printable(name.replace("_", " ")), "not given" if value in (None, []) else printable(said)]


def _site(site: dict[str, Any]) -> list[str]:
    return [
        printable(site["title"], 60),
        "face" if site["category"] == "face" else "same picture",
        _n(site["requests"]),
        _n(site["sessions"]),
        _n(site["users"]),
        bounds(site["searches"]),
        _n(site["indeterminate_requests"]),
    ]


def _profile(profile: dict[str, Any]) -> dict[str, Any]:
    row = [
        printable(profile["title"], 60),
        "face" if profile["category"] == "face" else "same picture",
        printable(str(profile["version"]), 40),
        printable(str(profile["checked"]), 40),
        printable(str(profile["stale_after"]), 40),
    ]
    return {"row": row, "stale": bool(profile["stale"])}


def _input(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "file": breakable(printable(one["file"])),
        "sha256": breakable(printable(one["sha256"], 64)),
        "format": printable(one["format"], 60),
        "lines": _n(one["lines"]),
        "rejected": _n(one["rejected"]),
        "fault": printable(one["fault"], SENTENCE) if one.get("fault") else "",
    }


def _finding(session: dict[str, Any], titles: dict[str, str]) -> dict[str, Any]:
    left = session["evidence_left_out"]
    return {
        "id": printable(session["id"], 40),
        "user": printable(session["user"], 40),
        "site": printable(titles.get(session["site"], session["site"]), 60),
        "class": session["class"],
        "title": CLASSES[session["class"]].title,
        "ceiling": session["ceiling"],
        "times": f"{when(session['start'])} to {when(session['end'])}",
        "requests": _n(session["requests"]),
        "searches": bounds(session["searches"]),
        "attempted": _n(session["attempted"]) if session["attempted"] else "",
        "reasons": [printable(line, SENTENCE) for line in session["reasons"]],
        "would": [printable(line, SENTENCE) for line in session["would_change"]],
        "authorised": f"{FITS[session['authorised']['fit']]}. {printable(session['authorised']['words'], SENTENCE)}",
        "stale": bool(session["stale"]),
        "places": [breakable(printable(text, 600)) for text in places(session["evidence"])],
        "left": _n(left) if left else "",
    }


def _left(classes: Mapping[str, int]) -> list[list[str]]:
    """How many sessions of each class are not told one by one."""
    counts = [(word.title, classes.get(code, 0)) for code, word in CLASSES.items()]
    return [[title, _n(number)] for title, number in counts if number]


def _reverse(part: dict[str, Any]) -> dict[str, Any]:
    totals = part["totals"]
    more = totals["sessions"] - FINDINGS
    return {
        "requests": _n(totals["requests"]) if totals["requests"] else "",
        "sessions": _n(totals["sessions"]),
        "users": _n(totals["users"]),
        "searches": bounds(totals["searches"]),
        "rows": [
            [
                printable(s["id"], 40),
                printable(s["user"], 40),
                printable(s["site"], 60),
                CLASSES[s["class"]].title,
                s["ceiling"],
                when(s["start"]),
                bounds(s["searches"]),
            ]
            for s in nsmallest(FINDINGS, part["sessions"], key=order)
        ],
        "more": _n(more) if more > 0 else "",
    }


def _rejected(part: dict[str, Any]) -> dict[str, Any]:
    reasons = sorted(part["by_reason"].items(), key=lambda item: (-item[1], item[0]))
    listed = part["listed"][:REJECTED]
    return {
        "total": _n(part["total"]) if part["total"] else "",
        "by_reason": [[printable(reason, 80), _n(number)] for reason, number in reasons],
        "listed": [[_place(line, 120), printable(line["reason"], 80)] for line in listed],
        "more": _n(part["total"] - len(listed)) if part["total"] > len(listed) else "",
    }


def _appendix(sessions: Iterable[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
    """Lines of the sessions, each with its place, and how many of the stored ones did not fit in."""
    room, left, found = ALL_LINES, 0, []
    for session in sessions:
        shown = session["evidence"][: min(LINES, room)]
        room -= len(shown)
        left += len(session["evidence"]) - len(shown)
        if shown:
            rows = [
                [_place(line, 60), when(line["at"]), printable(line["role"], 80), breakable(printable(line["shown"]))]
                for line in shown
            ]
            found.append({"id": printable(session["id"], 40), "title": CLASSES[session["class"]].title, "rows": rows})
    return found, left


def _place(line: dict[str, Any], most: int) -> str:
    return breakable(f"{printable(line['file'], most)}:{int(line['line'])}")
