"""Urgent use that nobody stood by afterwards."""

from __future__ import annotations

from collections import defaultdict

from countenance.domain.acts import Acts
from countenance.domain.misuse.flag import Flag


def unapproved(acts: Acts) -> list[Flag]:
    """Searches made before approval, and declined or left without a word until their time was over."""
    grants = {grant.authority: grant for grant in acts.grants}
    made_under: dict[str, list[int]] = defaultdict(list)
    for one in acts.searches if acts.lapses else ():
        made_under[one.authority].append(one.seq)
    flags = []
    for lapse in acts.lapses:
        grant = grants.get(lapse.authority)
        if grant is None:
            continue
        made = made_under[lapse.authority]
        what = "declined" if lapse.declined else "not approved in time"
        reason = (
            f"{grant.holder} searched in {grant.case or 'no case'} before anybody approved, and it was {what}; "
            "what it found was deleted"
        )
        severity = "look" if lapse.declined else "urgent"
        entries = tuple(sorted({grant.seq, *made, lapse.seq}))
        flags.append(Flag("urgent-unapproved", severity, reason, entries, (grant.holder,), (grant.case,)))
    return flags
