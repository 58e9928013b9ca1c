"""How classes, ceilings and counts of an analysis read to people, in report and page alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Word:
    """A class: its code, its title, what it means."""

    code: str
    title: str
    meaning: str


CLASSES: dict[str, Word] = {
    word.code: word
    for word in (
        Word("RESULTS_VIEWED", "Results viewed", "A search was submitted or led to, and a page of results was opened."),
        Word(
            "SEARCH_SUBMITTED", "Search submitted", "The request that starts a search was sent, and the site took it."
        ),
        Word(
            "UPLOAD", "Upload", "A photograph was sent, or probably sent, and no request that starts a search is seen."
        ),
        Word("INDETERMINATE", "Cannot be told", "The lines show too little to say what was done there."),
        Word("OPT_OUT", "Opt-out", "The site’s own form for being left out was used, which takes a photograph too."),
        Word("BLOCKED", "Blocked", "The proxy refused every request that matters."),
        Word("VISIT", "Visit", "Pages were looked at."),
        Word("BACKGROUND", "Background", "No person need have been there: prefetch, a link scanner, an embedded part."),
    )
}
"""By code, in the order in which findings are told: what comes closest to a search first."""

CEILINGS: dict[str, tuple[str, str]] = {
    "V0": ("a name was looked up", "Visit or Cannot be told"),
    "V1": ("a host was reached", "Visit or Cannot be told"),
    "V2": ("a host was reached and so many bytes were sent", "Upload, and only as probable, with its error"),
    "V3": ("method, path and status of each request", "every class"),
    "V4": ("the body, or the name of the file that was sent", "every class"),
}
"""By code: what such a line shows, and the highest class that a session of such lines can have."""

NEVER = (
    "That a session was a search, where the log shows names, hosts or bytes alone.",
    "Who was searched for, what the photograph showed, or what the site answered.",
    "Who sat at the keyboard: a log names an account or an address, and both can be shared or borrowed.",
    "Why it was done, or whether it was right. That is for people to find out, and to hear the other side.",
    "That something did not happen, in hours and on ways that these logs do not cover.",
)
"""What no analysis claims, whatever it finds."""

FITS = {
    "search": "Fits an authorised search",
    "authority": "An authority was in force",
    "none": "Fits no authority",
    "unknown": "Cannot be compared",
}
"""How a session lies beside the organisation's own authorities, in short."""


def order(session: dict[str, Any]) -> tuple[int, str, str]:
    """Sorts sessions as findings are told: by class, then by start."""
    return list(CLASSES).index(session["class"]), session["start"], session["id"]


def counted(number: int, one: str, many: str | None = None) -> str:
    """ "1 search", "2 searches"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def bounds(searches: dict[str, int]) -> str:
    """Bounds of searches in words: "none", "exactly 3", "9 to 31"."""
    least, most = searches["at_least"], searches["at_most"]
    if most == 0:
        return "none"
    return f"exactly {least:,}" if least == most else f"{least:,} to {most:,}"


def when(moment: str) -> str:
    """A time for people: "2026-03-01 10:00:03", UTC."""
    return datetime.fromisoformat(moment).strftime("%Y-%m-%d %H:%M:%S")


def places(evidence: list[dict[str, Any]], file: int = 60) -> list[str]:
    """Where lines stand, short: "access.log:3, 7–9", one text a file, in the files' order."""
    by_file: dict[str, list[int]] = {}
    for line in evidence:
        by_file.setdefault(line["file"], []).append(line["line"])
    return [f"{_middle(name, file)}:{_runs(sorted(set(numbers)))}" for name, numbers in sorted(by_file.items())]


def _middle(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most // 2]}…{text[-(most // 2) :]}"


def _runs(numbers: list[int]) -> str:
    """ "3, 7–9" for 3, 7, 8, 9."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], number]
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)
