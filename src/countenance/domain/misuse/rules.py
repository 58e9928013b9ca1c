"""Every rule, and which of them can speak about the acts at hand."""

from __future__ import annotations

from dataclasses import dataclass

from countenance.domain.acts import Acts, FaceLabels
from countenance.domain.misuse import faces, shares, times, urgent, words
from countenance.domain.misuse.flag import Flag, Tunables
from countenance.domain.misuse.matters import worst_first

RULES = {
    "case-over-unlike-faces": "one case number over unlike faces",
    "face-under-many-cases": "one face under many cases",
    "face-by-many-people": "one face by many people",
    "outside-shift": "searches outside shift",
    "after-closing": "searches after a case was closed",
    "burst": "bursts",
    "screenshots": "probes that look like screenshots",
    "selfies": "probes that look like selfies",
    "repeated-justification": "near-duplicate justifications",
    "no-results": "unusual share of searches without a result",
    "never-adjudicated": "results opened and never adjudicated",
    "idle-export": "exports without action",
    "urgent-unapproved": "urgent use that nobody approved",
}
"""By name, in words."""

EXACT = frozenset({"urgent-unapproved"})
"""Rules that repeat what one entry says: there is nothing to be right or wrong about."""


@dataclass(frozen=True, slots=True)
class Found:
    """The flags, the gravest first, and the rules that had nothing to go by: absence of a flag is no all-clear
    there."""

    flags: tuple[Flag, ...]
    silent: dict[str, str]


def look(acts: Acts, labels: FaceLabels | None, tunables: Tunables) -> Found:
    """Every rule over these acts. `labels` are None when the probes were not compared."""
    bursts = times.bursts(acts, tunables)
    flags: list[Flag] = []
    silent: dict[str, str] = {}
    why = labels.why_none if labels else "the probes were not compared"
    if labels is not None and labels.apart:
        flags += faces.case_over_unlike_faces(acts, labels, tunables, told=_entries(bursts))
    else:
        silent["case-over-unlike-faces"] = why
    if labels is not None and labels.alike:
        flags += faces.face_under_many_cases(acts, labels, tunables)
        flags += faces.face_by_many_people(acts, labels, tunables)
    else:
        silent |= dict.fromkeys(("face-under-many-cases", "face-by-many-people"), why)
    flags += times.outside_shift(acts, tunables, labels) + bursts + urgent.unapproved(acts)
    if acts.closed:
        flags += times.after_closing(acts, tunables, labels)
    else:
        silent["after-closing"] = "no case is recorded as closed"
    if any(one.traits for one in acts.searches):
        flags += shares.screenshots(acts, tunables) + shares.selfies(acts, tunables)
    else:
        why = "no probe's traits are known" if acts.opened else "what is sealed was not opened"
        silent |= dict.fromkeys(("screenshots", "selfies"), why)
    flags += words.repeated_words(acts, tunables) + shares.no_results(acts, tunables)
    if acts.adjudicates:
        flags += shares.never_adjudicated(acts, tunables) + shares.idle_exports(acts, tunables, labels)
    else:
        silent |= dict.fromkeys(("never-adjudicated", "idle-export"), "no verdict is recorded in this ledger")
    return Found(tuple(worst_first(flags)), silent)


def _entries(flags: list[Flag]) -> frozenset[int]:
    return frozenset(seq for flag in flags for seq in flag.entries)
