"""Rules on when searches were made: outside shift, after a case was closed, in bursts."""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta

from countenance.domain.acts import Acts, FaceLabels, Search
from countenance.domain.misuse.flag import MATTER, Flag, Tunables, found_reliably, poisson_tail

_SITTING = timedelta(hours=4)
"""Searches of one person that lie closer together are told in one flag."""


def outside_shift(acts: Acts, tunables: Tunables, faces: FaceLabels | None = None) -> list[Flag]:
    """Searches far from anybody's working hours and alone. A night on which `company` others are at work outside their
    own shifts too is an urgent one, and no sign; neither is one on which nothing but faces are looked for that the same
    case is about in working hours as well.

    Nights of one person within four weeks are one matter. A lone call-out can wait for a sample; what wants a person is
    that `night_faces` of the faces were found nowhere, and are none that their case is about in working hours.
    """
    outside: dict[str, list[Search]] = defaultdict(list)
    for one in acts.searches:
        shift = tunables.shifts.get(one.who, tunables.shift)
        if shift.minutes_outside(one.at.astimezone(tunables.zone)) > tunables.grace_minutes:
            outside[one.who].append(one)
    late = {one.seq for searches in outside.values() for one in searches}
    by_day = _faces_of(acts, faces, lambda one: one.seq not in late)
    everybody = sorted((one.at, who) for who, searches in outside.items() for one in searches)
    flags = []
    for who, searches in sorted(outside.items()):
        sittings = [
            sitting
            for sitting in _sittings(searches)
            if _company(everybody, sitting, who) < tunables.company
            and not all((one.case, _label(faces, one)) in by_day for one in sitting)
        ]
        for matter in _matters(sittings):
            made = [one for sitting in matter for one in sitting]
            # Faces that nobody can tell apart count as one in each case.
            foreign = {(one.case, _label(faces, one)) for one in made if not found_reliably(one)} - by_day
            local = made[0].at.astimezone(tunables.zone)
            reason = (
                f"{who} made {_n(len(made))} outside shift, from {local:%A %d %B, %H:%M}"
                + (f", in {len(matter)} sittings within four weeks" if len(matter) > 1 else "")
                + ", when hardly anybody else was at work outside theirs"
            )
            if foreign:
                known = "was found nowhere and is" if len(foreign) == 1 else "were found nowhere and are"
                reason += f"; {len(foreign)} of the faces {known} not known from working hours"
            severity = "look" if len(foreign) >= tunables.night_faces else "notice"
            flags.append(Flag("outside-shift", severity, reason, _entries(made), (who,), _cases(made)))
    return flags


def after_closing(acts: Acts, tunables: Tunables, faces: FaceLabels | None = None) -> list[Flag]:
    """Searches under a case that had been closed for longer than the grace. Where nothing but faces are looked for that
    the case was about before, a court has asked once more: that can wait for a sample."""
    closed = {}
    for one in acts.closed:
        closed[one.case] = one
    before = _faces_of(acts, faces, lambda one: one.case in closed and one.at <= closed[one.case].at)
    late: dict[tuple[str, str], list[Search]] = defaultdict(list)
    for search in acts.searches:
        end = closed.get(search.case)
        if end is not None and search.at - end.at > timedelta(hours=tunables.closed_grace_hours):
            late[search.who, search.case].append(search)
    flags = []
    for (who, case), searches in sorted(late.items()):
        days = (searches[0].at - closed[case].at).days
        reason = f"{who} made {_n(len(searches))} under the case {case}, the first {days} days after it was closed"
        entries = (closed[case].seq, *_entries(searches))
        known = all((case, _label(faces, one)) in before for one in searches)
        if known:
            reason += ", for whom the case was about before"
        flags.append(Flag("after-closing", "notice" if known else "look", reason, entries, (who,), (case,)))
    return flags


def bursts(acts: Acts, tunables: Tunables) -> list[Flag]:
    """So many searches in so short a time that the person's own pace does not explain them.

    The pace is that of the hours in which the person searches at all, this one left out; a count whose chance under it
    is less than one in a million is a burst. Where `company` others are at the same case in the same hours it is a
    raid, an appeal or a training day, and no sign.
    """
    by_person: dict[str, list[Search]] = defaultdict(list)
    by_case: dict[str, list[Search]] = defaultdict(list)
    for one in acts.searches:
        by_person[one.who].append(one)
        by_case[one.case].append(one)
    width = timedelta(minutes=tunables.burst_minutes)
    flags = []
    for who, searches in sorted(by_person.items()):
        searches.sort(key=lambda one: one.at)
        times = [one.at for one in searches]
        at = 0
        while at < len(times):
            end = bisect.bisect_right(times, times[at] + width)
            count = end - at
            if count < tunables.burst_least:
                at += 1
                continue
            while end < len(times) and times[end] - times[end - 1] <= width / 3:
                end += 1
            rest = times[:at] + times[end:]
            hours = len({(moment.date(), moment.hour) for moment in rest})
            mean = (len(rest) + 1) / (hours + 1) * tunables.burst_minutes / 60
            part = searches[at:end]
            if poisson_tail(count, mean) < 1e-6 and not _together(by_case, part, tunables.company):
                reason = (
                    f"{who} made {_n(len(part))} from {times[at].astimezone(tunables.zone):%A %d %B, %H:%M}, up to "
                    f"{count} of them within {tunables.burst_minutes} minutes, where {mean:.1f} are usual"
                )
                flags.append(Flag("burst", "look", reason, _entries(part), (who,), _cases(part)))
            at = end
    return flags


def _label(faces: FaceLabels | None, one: Search) -> int | None:
    return faces.apart.get(one.search) if faces is not None else None


def _faces_of(acts: Acts, faces: FaceLabels | None, where: Callable[[Search], bool]) -> set[tuple[str, int | None]]:
    """(case, face) of the searches that are so; of those whose face nobody can tell, none."""
    return {(one.case, label) for one in acts.searches if (label := _label(faces, one)) is not None and where(one)}


def _sittings(searches: list[Search]) -> list[list[Search]]:
    found: list[list[Search]] = []
    for one in sorted(searches, key=lambda one: one.at):
        if found and one.at - found[-1][-1].at <= _SITTING:
            found[-1].append(one)
        else:
            found.append([one])
    return found


def _matters(sittings: list[list[Search]]) -> list[list[list[Search]]]:
    found: list[list[list[Search]]] = []
    for sitting in sittings:
        if found and sitting[0].at - found[-1][0][0].at < MATTER:
            found[-1].append(sitting)
        else:
            found.append([sitting])
    return found


def _company(everybody: list[tuple[datetime, str]], sitting: list[Search], who: str) -> int:
    first = bisect.bisect_left(everybody, (sitting[0].at - _SITTING, ""))
    last = bisect.bisect_right(everybody, (sitting[-1].at + _SITTING, "\U0010ffff"))
    return len({name for _, name in everybody[first:last]} - {who})


def _together(by_case: dict[str, list[Search]], part: list[Search], company: int) -> bool:
    same = [other for case in {one.case for one in part} for other in by_case[case]]
    first, last = part[0].at - _SITTING / 2, part[-1].at + _SITTING / 2
    return len({o.who for o in same if first <= o.at <= last} - {part[0].who}) >= company


def _cases(searches: list[Search]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.case for one in searches if one.case))


def _entries(searches: list[Search]) -> tuple[int, ...]:
    return tuple(sorted(one.seq for one in searches))


def _n(count: int) -> str:
    return f"{count} search" if count == 1 else f"{count} searches"
