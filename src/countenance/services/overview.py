"""The overseer's one page in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from countenance.domain.acts import Acts, Search
from countenance.domain.misuse.flag import SEVERITIES
from countenance.domain.misuse.matters import matters_of
from countenance.domain.misuse.rules import RULES, Found

MATTERS = 50
"""More than anybody works through at a sitting."""


def overview(acts: Acts, found: Found, due_days: int) -> dict[str, Any]:
    """Counts over acts as JSON values, largest first; what is overdue names its entries. Of the `matters` that signs
    fold into the first `MATTERS` are told, the gravest first, and how many there are of each grade."""
    searches, matters = acts.searches, matters_of(found.flags)
    due = timedelta(days=due_days)
    overdue = [
        {"search": one.search, "by": one.who, "case": one.case, "opened": opened[0].seq, "entry": one.seq}
        for one in searches
        if (opened := one.done("opened")) and not one.done("verdict") and acts.until - opened[0].at > due
    ]
    return {
        "entries": acts.entries,
        "searches": len(searches),
        "people": len({one.who for one in searches}),
        "cases": len({one.case for one in searches if one.case}),
        "self_approved": sum(one.self_approved for one in searches),
        "refused": _counted(refusal.reason for refusal in acts.refusals),
        "by_person": _by(searches, "who"),
        "by_purpose": _by(searches, "purpose"),
        "by_collection": _counted(name for one in searches for name in one.collections),
        "led_anywhere": {
            "shown": sum(one.shown is not None for one in searches),
            "with_candidates": sum(one.shown is not None and one.shown.groups > 0 for one in searches),
            "with_a_reliable_candidate": sum(one.shown is not None and one.shown.reliable for one in searches),
            "opened": sum(bool(one.done("opened")) for one in searches),
            "adjudicated": sum(bool(one.done("verdict")) for one in searches),
            "exported": sum(bool(one.done("exported")) for one in searches),
        },
        "overdue": overdue if acts.adjudicates else [],
        "erasures": len(acts.erasures),
        "looks_wrong": {RULES[rule]: count for rule, count in Counter(f.rule for f in found.flags).most_common()},
        "graded": {name: sum(one.severity == name for one in matters) for name in reversed(SEVERITIES)},
        "matters": [one.as_json() for one in matters[:MATTERS]],
        "gravest": [flag.as_json() for flag in found.flags[:10]],
        "silent": {RULES[rule]: why for rule, why in sorted(found.silent.items())},
    }


def _by(searches: Iterable[Search], name: str) -> dict[str, int]:
    return _counted(str(getattr(one, name)) or "not known" for one in searches)


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items(), key=lambda item: (-item[1], item[0])))
