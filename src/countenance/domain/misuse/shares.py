"""Rules that compare a person with colleagues: kinds of probes, searches that found nothing, results left lying.

Each counts k of a person's n, in all and in every four weeks, and asks how often somebody like the others, or like
themselves in the other weeks, would have as many: the tail of a beta-binomial. Small numbers are never remarkable, and
a rule that makes fifty comparisons asks for a fiftieth of the chance in each. Four weeks begin every two, so that what
took a month is not cut in two; of those that overlap, the most remarkable is told.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from countenance.domain.acts import Acts, FaceLabels, Search
from countenance.domain.misuse.flag import STEADY, Flag, Tunables, found_reliably, spread_of, tail

_WEEKS, _STEP = timedelta(days=28), timedelta(days=14)


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
    for odd in _unusual(answered, tunables, lambda one: not found_reliably(one)):
        if len(odd.own) < tunables.small:
            continue
        reason = (
            f"{len(odd.part)} of {len(odd.own)} searches of {odd.who}{odd.when} found nobody reliably ({odd.shares})"
        )
        flags.append(Flag("no-results", "look", reason, _entries(odd.part), (odd.who,)))
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


def idle_exports(acts: Acts, tunables: Tunables, faces: FaceLabels | None = None) -> list[Flag]:
    """Exports on which nothing followed: no verdict before or after, no action, in the days that are allowed.

    A verdict or an action on another search for surely the same face under the same case counts, whoever recorded it.
    A face for which the case has other searches is one that the case is about, and its export can wait for a sample;
    one that came up this once, in order to be exported, wants a person.
    """
    due = timedelta(days=tunables.due_days)
    labels = faces or FaceLabels()
    alike, apart = _same_face(acts, labels.alike), _same_face(acts, labels.apart)
    matters: dict[tuple[str, str], list[Search]] = defaultdict(list)
    for one in acts.searches:
        exports, same = one.done("exported"), alike(one)
        if not exports or acts.until - exports[0].at <= due or any(o.done("verdict") or o.done("action") for o in same):
            continue
        matters[one.who, min(o.search for o in same)].append(one)
    flags = []
    for searches in matters.values():
        exports = tuple(deed for one in searches for deed in one.done("exported"))
        first, case = exports[0], searches[0].case
        again = {one.search for one in apart(searches[0])} - {one.search for one in searches}
        reason = (
            f"{first.who} exported a search for {first.words or 'nobody named'}, and no verdict or action is recorded "
            f"of it in the {(acts.until - first.at).days} days since"
        )
        reason += f"; the case {case} has {len(again)} more for what may be the same face" if again else ""
        entries = tuple(sorted({*(one.seq for one in searches), *(deed.seq for deed in exports)}))
        people = tuple(dict.fromkeys(deed.who for deed in exports))
        severity = "notice" if again else "look"
        flags.append(Flag("idle-export", severity, reason, entries, people, (case,) if case else ()))
    return flags


def _same_face(acts: Acts, labels: Mapping[str, int]) -> Callable[[Search], list[Search]]:
    """A function from a search to those of the same label under the same case, itself among them."""
    groups: dict[tuple[str, int], list[Search]] = defaultdict(list)
    for one in acts.searches:
        if one.search in labels:
            groups[one.case, labels[one.search]].append(one)
    return lambda one: groups[one.case, labels[one.search]] if one.search in labels else [one]


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
        hits = []
        for number, window in enumerate(windows[who]):
            odd = [one for one in window if like(one)]
            usual, rest = usual_of[who, number], len(own[who]) - len(window) + STEADY
            if (p := tail(len(odd), len(window), usual * rest, rest, spread=steady)) <= chance:
                when = f" in the four weeks from {window[0].at:%d %B %Y}"
                hits.append((p, number, _Odd(who, odd, window, usual, when)))
        found += _apart([odd for _, _, odd in sorted(hits, key=lambda hit: hit[:2])])
    return found


def _apart(hits: list[_Odd]) -> list[_Odd]:
    """Those that share no time with an earlier one, in the order of time."""
    kept: list[_Odd] = []
    for hit in hits:
        if all(hit.own[-1].at < one.own[0].at or one.own[-1].at < hit.own[0].at for one in kept):
            kept.append(hit)
    return sorted(kept, key=lambda hit: hit.own[0].at)


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
            found[who, number] = (len(part[who]) - odd + STEADY * k / n) / (len(own[who]) - len(window) + STEADY)
    return found


def _windows(searches: list[Search]) -> list[list[Search]]:
    """One person's searches in order, in stretches of four weeks that begin every two; none when they fill only one."""
    times = [one.at for one in searches]
    found: list[list[Search]] = []
    start = times[0]
    while times[-1] - times[0] >= _WEEKS and start <= times[-1]:
        window = searches[bisect_left(times, start) : bisect_left(times, start + _WEEKS)]
        if window and (not found or window != found[-1]):
            found.append(window)
        start += _STEP
    return found


def _entries(searches: list[Search]) -> tuple[int, ...]:
    return tuple(sorted(one.seq for one in searches))
