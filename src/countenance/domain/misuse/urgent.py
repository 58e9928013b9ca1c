"""Urgent use that nobody stood by afterwards."""

from __future__ import annotations

from countenance.domain.acts import Acts
from countenance.domain.misuse.flag import Flag


def unapproved(acts: Acts) -> list[Flag]:
    """Searches made before approval, and declined or left without a word until their time was over."""
    grants = {grant.authority: grant for grant in acts.grants}
    flags = []
    for lapse in acts.lapses:
        grant = grants.get(lapse.authority)
        if grant is None:
            continue
        made = [one.seq for one in acts.searches if one.authority == lapse.authority]
        what = "declined" if lapse.declined else "not approved in time"
        reason = (
            f"{grant.holder} searched in {grant.case or 'no case'} before anybody approved, and it was {what}; "
            "what it found was deleted"
        )
        severity = "look" if lapse.declined else "urgent"
        entries = tuple(sorted({grant.seq, *made, lapse.seq}))
        flags.append(Flag("urgent-unapproved", severity, reason, entries, (grant.holder,), (grant.case,)))
    return flags
