"""Rules that compare a person with colleagues: kinds of probes, searches that found nothing, results left lying.

Each counts k of a person's n, in all and in every four weeks, and asks how often somebody like the others, or like
themselves in the other weeks, would have as many: the tail of a beta-binomial. Small numbers are never remarkable, and
a rule that makes fifty comparisons asks for a fiftieth of the chance in each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from countenance.domain.acts import Acts, Search
from countenance.domain.misuse.flag import Flag, Tunables, spread_of, tail

_WEEKS = timedelta(days=28)
_STEADY = 15
"""With few searches of their own to go by, a person counts as having made so many more at the colleagues' rate."""


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
    for odd in _unusual(answered, tunables, lambda one: not _found(one)):
        if len(odd.own) < tunables.small:
            continue
        reason = (
            f"{len(odd.part)} of {len(odd.own)} searches of {odd.who}{odd.when} found nobody reliably ({odd.shares})"
        )
        flags.append(Flag("no-results", "notice", reason, _entries(odd.part), (odd.who,)))
    return flags


def never_adjudicated(acts: Acts, tunables: Tunables) -> list[Flag]:
    """Results that were opened and never judged: somebody was looked at, and nothing was to come of it."""
    due = timedelta(days=tunables.due_days)
    looked = [one for one in acts.searches if (opened := one.done("opened")) and acts.until - opened[0].at > due]
    flags = []
    for odd in _unusual(looked, tunables, lambda one: not one.done("verdict")):
        if len(odd.part) < tunables.left_least:
            continue
        reason = (
            f"{odd.who} opened pictures in {len(odd.own)} searches{odd.when} and {len(odd.part)} of them were never "
            f"adjudicated ({odd.shares}; {tunables.due_days} days are allowed)"
        )
        entries = tuple(sorted({seq for one in odd.part for seq in (one.seq, *(d.seq for d in one.done("opened")))}))
        flags.append(Flag("never-adjudicated", "look", reason, entries, (odd.who,)))
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
    for odd in _unusual(known, tunables, like):
        if len(odd.part) < tunables.probe_least:
            continue
        reason = (
            f"{len(odd.part)} of {len(odd.own)} probes of {odd.who}{odd.when} look like pictures {words} ({odd.shares})"
        )
        cases = tuple(dict.fromkeys(one.case for one in odd.part if one.case))
        flags.append(Flag(rule, "look", reason, _entries(odd.part), (odd.who,), cases))
    return flags


@dataclass(frozen=True, slots=True)
class _Odd:
    """More than chance explains: `part` of `own` searches of one person, where the share `usual` was to be expected."""

    who: str
    part: list[Search]
    own: list[Search]
    usual: float
    when: str

    @property
    def shares(self) -> str:
        return f"{len(self.part) / len(self.own):.0%}, where {self.usual:.0%} are usual"


def _unusual(searches: list[Search], tunables: Tunables, like: Callable[[Search], bool]) -> list[_Odd]:
    """Everybody who has more like that than colleagues do, in all, or in some weeks more than they themselves do.

    Whoever stands out most is left out of the colleagues' rate, so that one person's excess does not hide another's. A
    person's own rate is what they did in the other weeks, with a few searches at the colleagues' rate added; how much
    weeks differ by themselves is told from everybody's weeks.
    """
    own: dict[str, list[Search]] = defaultdict(list)
    for one in sorted(searches, key=lambda one: one.at):
        own[one.who].append(one)
    part = {who: [one for one in theirs if like(one)] for who, theirs in own.items()}
    ranked = sorted(own, key=lambda who: len(part[who]) / len(own[who]))
    kept = ranked[: max(1, len(ranked) - len(ranked) // 10)]
    windows = {who: _windows(theirs) for who, theirs in own.items()}
    chance = tunables.false_flags / max(1, sum(1 + len(those) for those in windows.values()))
    usual_of = _usual(own, part, windows, kept)
    steady = spread_of(
        (sum(like(one) for one in window), len(window), usual_of[who, n])
        for who, those in windows.items()
        for n, window in enumerate(those)
        if (who, n) in usual_of
    )
    found = []
    for who in sorted(own):
        others = [name for name in kept if name != who]
        k, n = sum(len(part[name]) for name in others), sum(len(own[name]) for name in others)
        if not n:
            continue
        if tail(len(part[who]), len(own[who]), k, n) <= chance:
            found.append(_Odd(who, part[who], own[who], k / n, ""))
            continue
        for number, window in enumerate(windows[who]):
            odd = [one for one in window if like(one)]
            usual, rest = usual_of[who, number], len(own[who]) - len(window) + _STEADY
            if tail(len(odd), len(window), usual * rest, rest, spread=steady) <= chance:
                when = f" in the four weeks from {window[0].at:%d %B %Y}"
                found.append(_Odd(who, odd, window, usual, when))
    return found


def _usual(
    own: dict[str, list[Search]], part: dict[str, list[Search]], windows: dict[str, list[list[Search]]], kept: list[str]
) -> dict[tuple[str, int], float]:
    """The share to be expected of each stretch (person, number): the person's own in the others, with a few searches
    at the colleagues' rate added."""
    found = {}
    for who, those in windows.items():
        others = [name for name in kept if name != who]
        k, n = sum(len(part[name]) for name in others), sum(len(own[name]) for name in others)
        like = {one.seq for one in part[who]}
        for number, window in enumerate(those if n else ()):
            odd = sum(one.seq in like for one in window)
            found[who, number] = (len(part[who]) - odd + _STEADY * k / n) / (len(own[who]) - len(window) + _STEADY)
    return found


def _windows(searches: list[Search]) -> list[list[Search]]:
    """One person's searches in order, cut into stretches of four weeks; none when they fill only one."""
    found: list[list[Search]] = []
    for one in searches:
        if found and one.at - found[-1][0].at < _WEEKS:
            found[-1].append(one)
        else:
            found.append([one])
    return found if len(found) > 1 else []


def _entries(searches: list[Search]) -> tuple[int, ...]:
    return tuple(sorted(one.seq for one in searches))
