"""Signs of misuse in which faces were looked for: planted misuse is flagged, and its innocent neighbour is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from countenance.domain.misuse import faces
from countenance.domain.misuse.flag import Tunables
from countenance.domain.misuse.rules import look
from tests.domain.acting import COLLEAGUES, MONDAY, acts, in_vain, labels, rules, search

USUAL = Tunables()


def test_one_case_over_faces_that_have_nothing_to_do_with_each_other() -> None:
    typed = [search(n, case="C-7") for n in range(6)]
    honest = [search(10 + n, "os:bea", "C-8") for n in range(6)]
    found = faces.case_over_unlike_faces(
        acts(typed + honest),
        labels(apart={f"S-{n}": n for n in range(6)} | {f"S-{10 + n}": n % 2 for n in range(6)}),
        USUAL,
    )
    assert [(f.people, f.cases, f.entries) for f in found] == [(("os:ann",), ("C-7",), (0, 1, 2, 3, 4, 5))]
    assert "6 different faces" in found[0].reason


def test_a_large_case_that_a_team_works_on() -> None:
    searches = [search(10 * i + n, who, "C-7") for i, who in enumerate(COLLEAGUES[:3]) for n in range(6)]
    apart = {one.search: one.seq for one in searches}
    assert faces.case_over_unlike_faces(acts(searches), labels(apart=apart), USUAL) == []


def test_a_face_that_a_colleague_sought_under_the_same_number_belongs_to_the_case() -> None:
    own = [search(n, case="C-7") for n in range(7)]
    shared = [search(20 + n, "os:bea", "C-7") for n in range(2)]
    apart = {f"S-{n}": n for n in range(7)} | {f"S-{20 + n}": n for n in range(2)}
    assert faces.case_over_unlike_faces(acts(own + shared), labels(apart=apart), USUAL) == []
    (found,) = faces.case_over_unlike_faces(acts(own + shared[:1]), labels(apart=apart), USUAL)
    assert found.entries == (1, 2, 3, 4, 5, 6)


def test_unlike_faces_want_a_person_when_they_were_sought_in_vain() -> None:
    def graded(vain: int, faces_under: int = 6, elsewhere: list = ()) -> list[str]:
        own = [search(n, case="C-7") for n in range(faces_under)]
        own = in_vain(own[:vain]) + own[vain:] + [search(200 + n, "os:bea", f"E-{n}") for n in range(40)]
        apart = labels(apart={one.search: one.seq for one in [*own, *elsewhere]})
        return [f.severity for f in faces.case_over_unlike_faces(acts([*own, *elsewhere]), apart, USUAL)]

    assert graded(3) == ["notice"]
    assert graded(4) == ["look"]
    assert graded(8, 9) == ["urgent"]
    assert graded(3, 4) == []
    assert graded(4, 4) == ["look"], "a few are enough when all were sought in vain"
    unlucky = in_vain([search(100 + n, case=f"D-{n}") for n in range(60)])
    assert graded(4, elsewhere=unlucky) == ["notice"], "who hardly ever finds anybody is no sign"
    assert graded(4, elsewhere=[replace(one, who="os:bea") for one in unlucky[:9]]) == ["look"]


def test_a_face_that_was_found_at_the_second_try_was_not_sought_in_vain() -> None:
    tried = in_vain([search(n, case="C-7") for n in range(6)]) + [search(10 + n, case="C-7") for n in range(3)]
    apart = {f"S-{n}": n for n in range(6)} | {f"S-{10 + n}": n for n in range(3)}
    (found,) = faces.case_over_unlike_faces(acts(tried), labels(apart=apart), USUAL)
    assert found.severity == "notice"
    assert "3 of the faces in vain" in found.reason


def test_a_burst_is_told_by_its_own_sign_alone() -> None:
    slow = [search(n, at=MONDAY + timedelta(days=n), case="C-0") for n in range(40)]
    burst = [search(100 + n, at=MONDAY + timedelta(days=50, minutes=n), case="C-7") for n in range(15)]
    apart = labels(apart={one.search: one.seq for one in burst})
    over_days = [replace(one, at=MONDAY + timedelta(days=one.seq - 60)) for one in burst]

    def told(searches: list) -> set[str]:
        return set(rules(list(look(acts(searches), apart, USUAL).flags))) & {"burst", "case-over-unlike-faces"}

    assert told(slow + burst) == {"burst"}
    assert told(slow + over_days) == {"case-over-unlike-faces"}


def test_a_face_under_many_cases_of_one_person_and_not_of_several() -> None:
    hunted = [search(n, case=f"C-{n}") for n in range(3)]
    offender = [search(10 + n, COLLEAGUES[n], f"D-{n}") for n in range(3)]
    alike = {f"S-{n}": 1 for n in range(3)} | {f"S-{10 + n}": 2 for n in range(3)}
    found = faces.face_under_many_cases(acts(hunted + offender), labels(alike), USUAL)
    assert [(f.entries, f.severity) for f in found] == [((0, 1, 2), "look")]


@pytest.mark.parametrize(
    ("cases", "others", "severity"), [(3, 3, "look"), (3, 4, "notice"), (6, 3, "urgent"), (6, 4, "look")]
)
def test_a_face_that_everybody_comes_across_is_one_grade_lower(cases: int, others: int, severity: str) -> None:
    own = [search(n, case=f"C-{n}") for n in range(cases)]
    theirs = [search(10 + n, COLLEAGUES[n], f"D-{n}") for n in range(others)]
    alike = {one.search: 1 for one in own + theirs}
    (found,) = faces.face_under_many_cases(acts(own + theirs), labels(alike), USUAL)
    assert (found.people, found.severity) == (("os:ann",), severity)


def test_a_face_by_many_people_who_share_no_case() -> None:
    neighbour = [search(n, COLLEAGUES[n], f"C-{n}", shown=None) for n in range(4)]
    offender = [search(20 + n, COLLEAGUES[n], f"E-{n}") for n in range(4)]
    team = [search(10 + n, COLLEAGUES[n], "D-1") for n in range(6)]
    alike = {f"S-{n}": 1 for n in range(4)} | {f"S-{10 + n}": 2 for n in range(6)}
    alike |= {f"S-{20 + n}": 3 for n in range(4)}
    found = faces.face_by_many_people(acts(neighbour + offender + team), labels(alike), USUAL)
    assert [f.entries for f in found] == [(0, 1, 2, 3)]


def test_a_rumour_has_its_time_and_an_offender_at_large_keeps_coming_up() -> None:
    def graded(days: int) -> list[str]:
        some = [search(n, COLLEAGUES[n], f"C-{n}", at=MONDAY + timedelta(days=days * n), shown=None) for n in range(5)]
        alike = labels({one.search: 1 for one in some})
        return [f.severity for f in faces.face_by_many_people(acts(some), alike, USUAL)]

    assert (graded(1), graded(20), graded(21)) == (["look"], ["look"], ["notice"])
