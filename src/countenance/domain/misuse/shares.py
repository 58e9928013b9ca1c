"""Rules that compare a person with colleagues: kinds of probes, searches that found nothing, results left lying.

Each counts k of a person's n, and asks how often somebody like the others would have as many: the tail of a
beta-binomial about the others' rate. Small numbers are never remarkable, and a rule that looks at fifty people asks
each for a fiftieth of the chance.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta

from countenance.domain.acts import Acts, Search
from countenance.domain.misuse.flag import Flag, Tunables, tail


def screenshots(acts: Acts, tunables: Tunables) -> list[Flag]:
    """Probes that look like pictures of a screen, of an account or a chat rather than of a case."""
    return _probes(acts, tunables, "screenshots", lambda one: any(t.screenshot for t in one.traits), "of a screen")


def selfies(acts: Acts, tunables: Tunables) -> list[Flag]:
    """Probes that look like pictures that people take of themselves."""
    return _probes(acts, tunables, "selfies", lambda one: any(t.selfie for t in one.traits), "taken of oneself")


def no_results(acts: Acts, tunables: Tunables) -> list[Flag]:
    """An unusual share of searches without a reliable candidate: people who are in no lawful collection are looked for
    in vain."""
    answered = [one for one in acts.searches if one.shown is not None]
    flags = []
    for who, part, own, others in _unusual(answered, tunables, lambda one: not _found(one)):
        if len(own) < tunables.small:
            continue
        reason = (
            f"{len(part)} of {len(own)} searches of {who} found nobody reliably ({len(part) / len(own):.0%}, where "
            f"{others:.0%} are usual)"
        )
        flags.append(Flag("no-results", "notice", reason, _entries(part), (who,)))
    return flags


def never_adjudicated(acts: Acts, tunables: Tunables) -> list[Flag]:
    """Results that were opened and never judged: somebody was looked at, and nothing was to come of it."""
    due = timedelta(days=tunables.due_days)
    looked = [one for one in acts.searches if (opened := one.done("opened")) and acts.until - opened[0].at > due]
    flags = []
    for who, part, own, others in _unusual(looked, tunables, lambda one: not one.done("verdict")):
        if len(part) < tunables.left_least:
            continue
        reason = (
            f"{who} opened pictures in {len(own)} searches and {len(part)} of them were never adjudicated "
            f"({len(part) / len(own):.0%}, where {others:.0%} are usual; {tunables.due_days} days are allowed)"
        )
        entries = tuple(sorted({seq for one in part for seq in (one.seq, *(d.seq for d in one.done("opened")))}))
        flags.append(Flag("never-adjudicated", "look", reason, entries, (who,)))
    return flags


def idle_exports(acts: Acts, tunables: Tunables) -> list[Flag]:
    """Exports on which nothing followed: no verdict before or after, no action, in the days that are allowed."""
    due = timedelta(days=tunables.due_days)
    flags = []
    for one in acts.searches:
        exports = one.done("exported")
        if not exports or one.done("verdict") or one.done("action") or acts.until - exports[0].at <= due:
            continue
        first = exports[0]
        reason = (
            f"{first.who} exported a search for {first.words or 'nobody named'}, and no verdict or action is recorded "
            f"of it in the {(acts.until - first.at).days} days since"
        )
        entries = (one.seq, *(deed.seq for deed in exports))
        cases = (one.case,) if one.case else ()
        flags.append(Flag("idle-export", "look", reason, entries, tuple(dict.fromkeys(d.who for d in exports)), cases))
    return flags


def _found(one: Search) -> bool:
    return one.shown is not None and one.shown.groups > 0 and one.shown.reliable


def _probes(acts: Acts, tunables: Tunables, rule: str, like: Callable[[Search], bool], words: str) -> list[Flag]:
    known = [one for one in acts.searches if one.traits]
    flags = []
    for who, part, own, others in _unusual(known, tunables, like):
        if len(part) < tunables.probe_least:
            continue
        reason = (
            f"{len(part)} of {len(own)} probes of {who} look like pictures {words} ({len(part) / len(own):.0%}, where "
            f"{others:.0%} are usual)"
        )
        cases = tuple(dict.fromkeys(one.case for one in part if one.case))
        flags.append(Flag(rule, "look", reason, _entries(part), (who,), cases))
    return flags


def _unusual(
    searches: list[Search], tunables: Tunables, like: Callable[[Search], bool]
) -> list[tuple[str, list[Search], list[Search], float]]:
    """(person, those like that, all of theirs, the others' rate) of everybody who has more than chance explains.

    The others' rate is a middle one: whoever stands out most is left out of it, so that one person's excess does not
    hide another's.
    """
    own: dict[str, list[Search]] = defaultdict(list)
    for one in searches:
        own[one.who].append(one)
    part = {who: [one for one in theirs if like(one)] for who, theirs in own.items()}
    ranked = sorted(own, key=lambda who: len(part[who]) / len(own[who]))
    kept = ranked[: max(1, len(ranked) - len(ranked) // 10)]
    found = []
    for who in sorted(own):
        others = [name for name in kept if name != who]
        k, n = sum(len(part[name]) for name in others), sum(len(own[name]) for name in others)
        if n and tail(len(part[who]), len(own[who]), k, n) <= tunables.chance / len(own):
            found.append((who, part[who], own[who], k / n))
    return found


def _entries(searches: list[Search]) -> tuple[int, ...]:
    return tuple(sorted(one.seq for one in searches))
