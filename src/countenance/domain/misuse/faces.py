"""Rules on which faces were looked for: one case over unlike faces, one face under many cases or by many people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta

from countenance.domain.acts import Acts, FaceLabels, Search
from countenance.domain.misuse.flag import STEADY, Flag, Tunables, found_reliably, joined

_ByFace = dict[int, list[Search]]


def case_over_unlike_faces(
    acts: Acts, faces: FaceLabels, tunables: Tunables, told: frozenset[int] = frozenset()
) -> list[Flag]:
    """One person, one case number, and many faces that surely differ.

    A number typed onto other people's searches gathers faces that have nothing to do with each other. Cases with
    several people in them are ordinary, and large ones look like this too: a face that a colleague looked for under the
    same number belongs to the case and is not counted, and where three or more people have as many faces under one
    number, it is a large case and no sign. Entries in `told` are a burst's, which says so itself.

    How many faces there are can wait. What wants a person is that so many of them were sought in vain, and more than
    this person's faces usually are: those of a case are now and then found, those of a private interest are in no
    lawful collection.
    """
    counts: dict[tuple[str, str], _ByFace] = defaultdict(lambda: defaultdict(list))
    seekers: dict[tuple[str, int], set[str]] = defaultdict(set)
    for one in acts.searches:
        if one.case and one.search in faces.apart:
            counts[one.who, one.case][faces.apart[one.search]].append(one)
            seekers[one.case, faces.apart[one.search]].add(one.who)
    usual = _usually_vain(counts)
    flags = []
    for (who, case), every in sorted(counts.items()):
        groups = {
            label: rest
            for label, searches in every.items()
            if seekers[case, label] == {who} and (rest := [one for one in searches if one.seq not in told])
        }
        vain = sum(_in_vain(searches) for searches in groups.values())
        wants = vain >= tunables.vain_faces and vain > usual(who, case) * len(groups)
        if len(groups) < tunables.unlike_faces and not wants:
            continue
        if sum(len(theirs) >= tunables.unlike_faces for (_, other), theirs in counts.items() if other == case) > 2:
            continue
        searches = [one for group in groups.values() for one in group]
        shared = sum(1 for one in acts.searches if one.case == case and one.who != who)
        reason = (
            f"{who} searched for at least {len(groups)} different faces under the one case {case}, in "
            f"{len(searches)} searches, {vain} of the faces in vain; "
            + (f"others made {shared} under it" if shared else "nobody else used it")
        )
        severity = "notice" if not wants else "look" if vain < 2 * tunables.vain_faces else "urgent"
        flags.append(Flag("case-over-unlike-faces", severity, reason, _entries(searches), (who,), (case,)))
    return flags


def face_under_many_cases(acts: Acts, faces: FaceLabels, tunables: Tunables) -> list[Flag]:
    """One face that one person searched for under several case numbers: a private interest needs a fresh number every
    time. A face that `face_people` others searched for too may be an offender known to everybody: one grade lower."""
    flags = []
    for searches in _by_face(acts, faces):
        by_person: dict[str, list[Search]] = defaultdict(list)
        for one in searches:
            by_person[one.who].append(one)
        for who, own in sorted(by_person.items()):
            cases = tuple(dict.fromkeys(one.case for one in own if one.case))
            if len(cases) < tunables.face_cases:
                continue
            others = len(by_person) - 1
            reason = f"{who} searched for one face under {len(cases)} cases: {joined(cases)}"
            reason += f"; {others} others searched for it too" if others else "; nobody else searched for it"
            grade = 1 + (len(cases) >= 2 * tunables.face_cases) - (others >= tunables.face_people)
            severity = ("notice", "look", "urgent")[grade]
            flags.append(Flag("face-under-many-cases", severity, reason, _entries(own), (who,), cases))
    return flags


def face_by_many_people(acts: Acts, faces: FaceLabels, tunables: Tunables) -> list[Flag]:
    """One face that several people searched for, most of them under a case that they share with none of the others:
    somebody known, or somebody's neighbour. A face that mostly was found is one that the collection holds, and comes up
    in case after case by itself: that is no sign. A rumour has its time: where they did so one after another over
    months, it may be an offender whom nobody can name yet, and can wait."""
    flags = []
    for searches in _by_face(acts, faces):
        people = tuple(dict.fromkeys(one.who for one in searches))
        users: dict[str, set[str]] = defaultdict(set)
        for one in searches:
            users[one.case].add(one.who)
        alone = {who for who in people if all(users[one.case] == {who} for one in searches if one.who == who)}
        found = sum(found_reliably(one) for one in searches)
        if len(alone) >= tunables.face_people and 2 * found < len(searches):
            cases = tuple(dict.fromkeys(one.case for one in searches if one.case))
            soon = _most_within([one for one in searches if one.who in alone], timedelta(days=tunables.face_days))
            reason = (
                f"{len(people)} people searched for one face, {len(alone)} of them each under a case that nobody else "
                f"of them used, {soon} of these within {tunables.face_days} days: {joined(people)}"
            )
            severity = "look" if soon >= tunables.face_people else "notice"
            flags.append(Flag("face-by-many-people", severity, reason, _entries(searches), people, cases))
    return flags


def _usually_vain(counts: dict[tuple[str, str], _ByFace]) -> Callable[[str, str], float]:
    """What share of a person's faces is sought in vain under their other cases, with STEADY faces at everybody's rate
    added: a function of (who, case)."""
    vain = {key: sum(_in_vain(searches) for searches in groups.values()) for key, groups in counts.items()}
    of_person: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for key, groups in counts.items():
        of_person[key[0]][0] += vain[key]
        of_person[key[0]][1] += len(groups)
    rate = sum(vain.values()) / max(1, sum(len(groups) for groups in counts.values()))

    def usual(who: str, case: str) -> float:
        k, n = of_person[who]
        return (k - vain[who, case] + STEADY * rate) / (n - len(counts[who, case]) + STEADY)

    return usual


def _in_vain(searches: list[Search]) -> bool:
    """Whether searches for one face were answered, and none of them found somebody reliably."""
    return any(one.shown is not None for one in searches) and not any(found_reliably(one) for one in searches)


def _most_within(searches: list[Search], width: timedelta) -> int:
    """The most people who searched within so long."""
    return max(len({one.who for one in searches if first.at <= one.at <= first.at + width}) for first in searches)


def _by_face(acts: Acts, faces: FaceLabels) -> list[list[Search]]:
    groups: _ByFace = defaultdict(list)
    for one in acts.searches:
        if one.search in faces.alike:
            groups[faces.alike[one.search]].append(one)
    return [groups[label] for label in sorted(groups)]


def _entries(searches: list[Search]) -> tuple[int, ...]:
    return tuple(sorted(one.seq for one in searches))
