"""Rules on which faces were looked for: one case over unlike faces, one face under many cases or by many people."""

from __future__ import annotations

from collections import defaultdict

from countenance.domain.acts import Acts, FaceLabels, Search
from countenance.domain.misuse.flag import Flag, Tunables, joined


def case_over_unlike_faces(acts: Acts, faces: FaceLabels, tunables: Tunables) -> list[Flag]:
    """One person, one case number, and many faces that surely differ.

    A number typed onto other people's searches gathers faces that have nothing to do with each other. Cases with
    several people in them are ordinary, and large ones look like this too: a face that a colleague looked for under the
    same number belongs to the case and is not counted, and where three or more people have as many faces under one
    number, it is a large case and no sign.
    """
    counts: dict[tuple[str, str], dict[int, list[Search]]] = defaultdict(lambda: defaultdict(list))
    seekers: dict[tuple[str, int], set[str]] = defaultdict(set)
    for one in acts.searches:
        if one.case and one.search in faces.apart:
            counts[one.who, one.case][faces.apart[one.search]].append(one)
            seekers[one.case, faces.apart[one.search]].add(one.who)
    flags = []
    for (who, case), every in sorted(counts.items()):
        groups = {label: searches for label, searches in every.items() if seekers[case, label] == {who}}
        if len(groups) < tunables.unlike_faces:
            continue
        searches = [one for group in groups.values() for one in group]
        shared = sum(1 for one in acts.searches if one.case == case and one.who != who)
        if sum(len(theirs) >= tunables.unlike_faces for (_, other), theirs in counts.items() if other == case) > 2:
            continue
        reason = (
            f"{who} searched for at least {len(groups)} different faces under the one case {case}, in "
            f"{len(searches)} searches; " + (f"others made {shared} under it" if shared else "nobody else used it")
        )
        severity = "look" if len(groups) < 2 * tunables.unlike_faces else "urgent"
        flags.append(Flag("case-over-unlike-faces", severity, reason, _entries(searches), (who,), (case,)))
    return flags


def face_under_many_cases(acts: Acts, faces: FaceLabels, tunables: Tunables) -> list[Flag]:
    """One face that one person searched for under several case numbers: a private interest needs a fresh number every
    time, an offender known to everybody comes up under several officers' cases instead."""
    flags = []
    for searches in _by_face(acts, faces):
        by_person: dict[str, list[Search]] = defaultdict(list)
        for one in searches:
            by_person[one.who].append(one)
        for who, own in sorted(by_person.items()):
            cases = tuple(dict.fromkeys(one.case for one in own if one.case))
            if len(cases) >= tunables.face_cases:
                reason = f"{who} searched for one face under {len(cases)} cases: {joined(cases)}"
                severity = "urgent" if len(cases) >= 2 * tunables.face_cases else "look"
                flags.append(Flag("face-under-many-cases", severity, reason, _entries(own), (who,), cases))
    return flags


def face_by_many_people(acts: Acts, faces: FaceLabels, tunables: Tunables) -> list[Flag]:
    """One face that several people searched for, most of them under a case that they share with none of the others:
    somebody known, or somebody's neighbour. A face that mostly was found is one that the collection holds, and comes up
    in case after case by itself: that is no sign."""
    flags = []
    for searches in _by_face(acts, faces):
        people = tuple(dict.fromkeys(one.who for one in searches))
        users: dict[str, set[str]] = defaultdict(set)
        for one in searches:
            users[one.case].add(one.who)
        alone = {who for who in people if all(users[one.case] == {who} for one in searches if one.who == who)}
        found = sum(one.shown is not None and one.shown.groups > 0 and one.shown.reliable for one in searches)
        if len(alone) >= tunables.face_people and 2 * found < len(searches):
            cases = tuple(dict.fromkeys(one.case for one in searches if one.case))
            reason = (
                f"{len(people)} people searched for one face, {len(alone)} of them each under a case that nobody else "
                f"of them used: {joined(people)}"
            )
            flags.append(Flag("face-by-many-people", "look", reason, _entries(searches), people, cases))
    return flags


def _by_face(acts: Acts, faces: FaceLabels) -> list[list[Search]]:
    groups: dict[int, list[Search]] = defaultdict(list)
    for one in acts.searches:
        if one.search in faces.alike:
            groups[faces.alike[one.search]].append(one)
    return [groups[label] for label in sorted(groups)]


def _entries(searches: list[Search]) -> tuple[int, ...]:
    return tuple(sorted(one.seq for one in searches))
