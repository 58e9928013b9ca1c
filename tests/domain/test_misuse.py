"""Each sign of misuse: planted misuse is flagged, and its innocent neighbour is not."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from countenance.domain.acts import Acts, Closed, FaceLabels, Search
from countenance.domain.misuse import shares, times, words
from countenance.domain.misuse.flag import (
    LEAST_SPREAD,
    MOST_SPREAD,
    Shift,
    Tunables,
    poisson_tail,
    spread_of,
    tail,
)
from countenance.domain.misuse.rules import RULES, look
from tests.domain.acting import (
    COLLEAGUES,
    MONDAY,
    PLAIN,
    SCREEN,
    SELFIE,
    acts,
    deed,
    grant,
    in_vain,
    labels,
    rules,
    search,
)

USUAL = Tunables()
NIGHT = MONDAY.replace(hour=2) + timedelta(days=1)


# Times


def test_a_search_at_night_alone_and_not_in_an_urgent_one() -> None:
    alone = search(1, at=NIGHT)
    urgent = [search(10 + n, who, at=NIGHT + timedelta(days=7)) for n, who in enumerate(COLLEAGUES[:3])]
    late = search(20, at=MONDAY.replace(hour=19, minute=45))
    found = times.outside_shift(acts([alone, *urgent, late]), USUAL)
    assert [f.entries for f in found] == [(1,)]


def test_a_face_that_the_case_is_about_by_day_is_work_at_night_too() -> None:
    day, night, other = search(1), search(2, at=NIGHT), search(3, at=NIGHT + timedelta(days=7))
    of_case = labels(apart={"S-1": 1, "S-2": 1, "S-3": 2})
    assert [f.entries for f in times.outside_shift(acts([day, night, other]), USUAL, of_case)] == [(3,)]
    assert [f.entries for f in times.outside_shift(acts([day, night, other]), USUAL, labels())] == [(2, 3)]


def test_nights_within_four_weeks_are_one_matter() -> None:
    nights = [search(n, at=NIGHT + timedelta(days=14 * n)) for n in range(4)]
    found = times.outside_shift(acts(nights), USUAL)
    assert [f.entries for f in found] == [(0, 1), (2, 3)]
    assert "in 2 sittings within four weeks" in found[0].reason


def test_two_foreign_faces_by_night_want_a_person_and_one_can_wait() -> None:
    one, other = in_vain([search(1, at=NIGHT), search(2, at=NIGHT + timedelta(days=3))])
    day = search(3)
    two = {"S-1": 1, "S-2": 2, "S-3": 3}

    def graded(searches: list, apart: dict[str, int]) -> list[str]:
        return [f.severity for f in times.outside_shift(acts(searches), USUAL, labels(apart=apart))]

    assert graded([one, other, day], two) == ["look"]
    assert graded([one, day], two) == ["notice"]
    assert graded([one, other, day], two | {"S-2": 1}) == ["notice"], "one face twice"
    assert graded([one, other, day], two | {"S-2": 3}) == ["notice"], "known from working hours"
    assert graded([one, search(2, at=other.at), day], two) == ["notice"], "found"
    assert graded([one, other, day], {}) == ["notice"], "nobody can tell whether they are two"


def test_the_night_team_works_at_night() -> None:
    night = replace(USUAL, shifts={"os:ann": Shift(time(19), time(7), frozenset(range(7)))})
    assert times.outside_shift(acts([search(1, at=NIGHT)]), night) == []
    noon = search(2, at=MONDAY.replace(hour=12))
    assert rules(times.outside_shift(acts([noon]), night)) == ["outside-shift"]


def test_after_a_case_was_closed_but_not_on_its_last_day() -> None:
    closed = Closed(1, MONDAY, "C-1")
    late, tidying = search(5, at=MONDAY + timedelta(days=9)), search(4, "os:bea", at=MONDAY + timedelta(hours=3))
    other = search(6, case="C-2", at=MONDAY + timedelta(days=9))
    found = times.after_closing(acts([tidying, late, other], closed=(closed,)), USUAL)
    assert [(f.entries, f.people) for f in found] == [((1, 5), ("os:ann",))]
    assert "9 days after" in found[0].reason


def test_after_closing_a_face_of_the_case_can_wait_and_a_new_one_cannot() -> None:
    closed = Closed(1, MONDAY + timedelta(days=1), "C-1")
    before = search(2, at=MONDAY)
    court, new = (search(n, at=MONDAY + timedelta(days=9 + n)) for n in (3, 4))
    of_case = labels(apart={"S-2": 1, "S-3": 1, "S-4": 2})
    (asked,) = times.after_closing(acts([before, court], closed=(closed,)), USUAL, of_case)
    (private,) = times.after_closing(acts([before, court, new], closed=(closed,)), USUAL, of_case)
    assert (asked.severity, private.severity) == ("notice", "look")
    assert times.after_closing(acts([before, court], closed=(closed,)), USUAL)[0].severity == "look"


def test_a_burst_against_a_slow_pace_but_not_of_one_who_is_always_quick() -> None:
    slow = [search(n, at=MONDAY + timedelta(days=n)) for n in range(40)]
    burst = [search(100 + n, at=MONDAY + timedelta(days=50, minutes=n)) for n in range(15)]
    quick = [
        search(1000 + 20 * d + n, "os:bea", at=MONDAY + timedelta(days=d, minutes=2 * n))
        for d in range(30)
        for n in range(15)
    ]
    found = times.bursts(acts(slow + burst + quick), USUAL)
    assert [f.people for f in found] == [("os:ann",)]
    assert found[0].entries == tuple(range(100, 115))


def test_a_training_day_is_no_burst() -> None:
    def trainee(k: int) -> list:
        start = MONDAY + timedelta(days=50, minutes=k)
        who = COLLEAGUES[k]
        own = [search(1000 * k + n, who, f"C-{k}", at=MONDAY + timedelta(days=n)) for n in range(40)]
        return own + [search(1000 * k + 100 + n, who, "T", at=start + timedelta(minutes=n)) for n in range(15)]

    assert times.bursts(acts(trainee(0) + trainee(1) + trainee(2)), USUAL) == []
    assert len(times.bursts(acts(trainee(0)), USUAL)) == 1


# Words


@pytest.mark.parametrize(("cases", "severities"), [(2, []), (3, ["notice"]), (4, ["look"])])
def test_few_cases_with_one_text_can_wait(cases: int, severities: list[str]) -> None:
    copied = tuple(grant(n, "Identify suspect", f"C-{n}") for n in range(cases))
    assert [f.severity for f in words.repeated_words(acts(grants=copied), USUAL)] == severities


def test_one_text_for_many_cases_and_not_texts_with_particulars() -> None:
    copied = [grant(n, f"Identify suspect, ref {1000 + n}", f"C-{n}") for n in range(4)]
    written = [
        grant(10, "Stills of a man leaving the chemist in Mill Lane after the burglary", "D-1", "os:bea"),
        grant(11, "Passenger who struck the driver of the 14 bus, taken from its camera", "D-2", "os:bea"),
        grant(12, "Woman who paid with the stolen card at the station kiosk", "D-3", "os:bea"),
    ]
    found = words.repeated_words(acts(grants=tuple(copied + written)), USUAL)
    assert [(f.people, f.entries) for f in found] == [(("os:ann",), (0, 1, 2, 3))]


def test_the_reasons_are_read_where_they_were_opened_and_both_have_to_repeat() -> None:
    worth = "One photograph is compared once, and whoever is not the one is not kept."
    empty = "It is necessary to identify the subject for the purposes of the ongoing investigation"
    copied = [replace(grant(n, f"purpose {n}", f"C-{n}"), reasons=(f"{empty} {n}.", worth)) for n in range(4)]
    written = [
        replace(grant(10 + n, "the same", f"D-{n}", "os:bea"), reasons=(text, worth))
        for n, text in enumerate(
            ("The man at the kiosk left a bag.", "A driver fled by night.", "She paid with a card.")
        )
    ]
    found = words.repeated_words(acts(grants=tuple(copied + written)), USUAL)
    assert [(f.people, f.entries) for f in found] == [(("os:ann",), (0, 1, 2, 3))]
    assert "It is necessary" in found[0].reason


def test_one_case_may_have_one_text() -> None:
    again = tuple(grant(n, "Identify the man in the stills", "C-1") for n in range(5))
    assert words.repeated_words(acts(grants=again), USUAL) == []


@given(st.text(max_size=80), st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_text_in_which_only_the_number_changes_is_the_same(text: str, one: int, other: int) -> None:
    assert words.shingles(f"{text} {one}") == words.shingles(f"{text} {other}")


@given(st.text(max_size=60), st.text(max_size=60))
def test_similarity_is_a_share_and_has_no_direction(one: str, other: str) -> None:
    a, b = words.shingles(one), words.shingles(other)
    assert 0 <= words.similarity(a, b) == words.similarity(b, a) <= 1
    assert words.similarity(a, a) == 1


# Shares


def crowd(seq: int, each: int = 20, **more: object) -> list:
    """The colleagues' ordinary searches."""
    return [search(seq + 100 * i + n, who, **more) for i, who in enumerate(COLLEAGUES) for n in range(each)]


@pytest.mark.parametrize(("rule", "trait"), [(shares.screenshots, SCREEN), (shares.selfies, SELFIE)])
def test_one_whose_probes_are_screenshots_or_selfies(rule, trait) -> None:
    theirs = [search(n, traits=(trait if n % 2 else PLAIN,)) for n in range(12)]
    usual = [replace(one, traits=(trait if one.seq % 20 == 0 else PLAIN,)) for one in crowd(1000)]
    found = rule(acts(theirs + usual), USUAL)
    assert [f.people for f in found] == [("os:ann",)]
    assert found[0].entries == (1, 3, 5, 7, 9, 11)


@pytest.mark.parametrize("begun", [0, 7, 14, 21])
def test_what_took_a_month_is_told_once_whenever_it_began(begun: int) -> None:
    def year(who: str, seq: int) -> list:
        return [search(seq + n, who, at=MONDAY + timedelta(days=2 * n), traits=(PLAIN,)) for n in range(100)]

    own = year("os:ann", 0)
    odd = {n for n in range(100) if begun <= 2 * n - 56 < begun + 28}
    own = [replace(one, traits=(SCREEN,)) if one.seq in odd else one for one in own]
    usual = [one for i, who in enumerate(COLLEAGUES) for one in year(who, 1000 * (i + 1))]
    usual = [replace(one, traits=(SCREEN,)) if one.seq % 20 == 0 else one for one in usual]
    found = shares.screenshots(acts(own + usual), USUAL)
    assert [f.people for f in found] == [("os:ann",)]
    assert len(odd.intersection(found[0].entries)) >= 10


@pytest.mark.parametrize(("rule", "trait"), [(shares.screenshots, SCREEN), (shares.selfies, SELFIE)])
def test_where_everybody_works_from_screenshots_nobody_stands_out(rule, trait) -> None:
    usual = [replace(one, traits=(trait if one.seq % 3 else PLAIN,)) for one in crowd(1000)]
    assert rule(acts(usual + [search(n, traits=(trait,)) for n in range(4)]), USUAL) == []


def test_one_who_finds_nobody_and_one_who_had_bad_luck() -> None:
    nothing = [search(n, shown=None) for n in range(3)]
    vain = [replace(search(n), shown=replace(search(n).shown, reliable=False)) for n in range(10, 32)]
    unlucky = [replace(one, who="os:jon") for one in vain[:4]]
    usual = [replace(one, shown=replace(one.shown, reliable=bool(one.seq % 3))) for one in crowd(1000)]
    found = shares.no_results(acts(nothing + vain + [*unlucky, search(60, "os:jon")] + usual), USUAL)
    assert [f.people for f in found] == [("os:ann",)]


def test_one_who_looks_and_never_judges_and_one_who_forgot() -> None:
    def judged(one, yes: bool):
        done = (deed("opened", one.seq + 5000), *((deed("verdict", one.seq + 6000),) if yes else ()))
        return replace(one, deeds=done)

    looked = [judged(search(n), yes=False) for n in range(9)]
    usual = [judged(one, yes=one.seq % 15 > 0) for one in crowd(1000)]
    found = shares.never_adjudicated(acts(looked + usual, adjudicates=True), USUAL)
    assert [f.people for f in found] == [("os:ann",)]
    fresh = replace(acts(looked + usual, adjudicates=True), until=MONDAY + timedelta(days=10))
    assert shares.never_adjudicated(fresh, USUAL) == []


def test_an_export_on_which_nothing_followed() -> None:
    idle = search(1, deeds=(deed("exported", 2, words="a friend"),))
    judged = search(3, deeds=(deed("exported", 4, words="the court"), deed("verdict", 5)))
    acted = search(6, deeds=(deed("exported", 7, words="the court"), deed("action", 8)))
    fresh = search(9, deeds=(deed("exported", 10, at=MONDAY + timedelta(days=95)),))
    found = shares.idle_exports(acts([idle, judged, acted, fresh], adjudicates=True), USUAL)
    assert [f.entries for f in found] == [(1, 2)]
    assert "a friend" in found[0].reason


def exported(seq: int, who: str = "os:ann", case: str = "C-1") -> Search:
    return search(seq, who, case, deeds=(deed("exported", 100 + seq, who=who),))


def test_an_export_is_judged_with_its_face_whoever_judged_it() -> None:
    judged = search(2, "os:bea", deeds=(deed("verdict", 5, who="os:bea"),))

    def graded(other: Search, face: FaceLabels) -> list[str]:
        return [f.severity for f in shares.idle_exports(acts([exported(1), other], adjudicates=True), USUAL, face)]

    surely = labels({"S-1": 1, "S-2": 1}, {"S-1": 1, "S-2": 1})
    assert graded(judged, surely) == []
    assert graded(replace(judged, deeds=(deed("action", 5),)), surely) == []
    assert graded(replace(judged, case="C-2"), surely) == ["look"], "another case's verdict is none on this one"
    assert graded(replace(judged, deeds=()), surely) == ["notice"], "the case is about this face"
    assert graded(judged, labels(apart={"S-1": 1, "S-2": 1})) == ["notice"], "it may be another face"
    assert graded(judged, labels({"S-1": 1, "S-2": 2}, {"S-1": 1, "S-2": 2})) == ["look"]
    assert graded(judged, labels()) == ["look"]


def test_two_exports_of_one_face_are_one_matter() -> None:
    both, of_another = [exported(1), exported(2)], exported(3, "os:bea")
    face = labels({"S-1": 1, "S-2": 1, "S-3": 1}, {"S-1": 1, "S-2": 1, "S-3": 1})
    found = shares.idle_exports(acts([*both, of_another], adjudicates=True), USUAL, face)
    assert [(f.entries, f.people) for f in found] == [((1, 2, 101, 102), ("os:ann",)), ((3, 103), ("os:bea",))]


# The little statistics


@given(st.integers(0, 40), st.integers(1, 40), st.integers(0, 200), st.integers(0, 200))
def test_a_tail_is_a_chance_and_falls_with_k(k: int, n: int, hits: int, misses: int) -> None:
    k = min(k, n)
    here, more = tail(k, n, hits, hits + misses), tail(min(k + 1, n), n, hits, hits + misses)
    assert 0 <= more <= here + 1e-9 <= 1 + 1e-6


def test_the_tail_is_that_of_drawn_numbers() -> None:
    """Against a million draws, so that a wrong sign or a lost term in the formula shows."""
    rng = np.random.default_rng(1)
    rates = rng.beta(30 * 20.5 / 101, 30 * 80.5 / 101, 1_000_000)
    drawn = rng.binomial(12, rates)
    for k in (2, 4, 7):
        assert tail(k, 12, 20, 100) == pytest.approx(float((drawn >= k).mean()), rel=0.02)


def test_how_much_shares_differ_by_themselves_is_told_from_them() -> None:
    rng = np.random.default_rng(4)

    def drawn(rates: np.ndarray) -> list[tuple[int, int, float]]:
        return [(int(rng.binomial(20, rate)), 20, 0.3) for rate in rates]

    same, differing = drawn(np.full(900, 0.3)), drawn(rng.beta(0.3 * 12, 0.7 * 12, 900))
    assert spread_of(same) == MOST_SPREAD
    assert spread_of(differing) == LEAST_SPREAD
    assert LEAST_SPREAD < spread_of(drawn(rng.beta(0.3 * 50, 0.7 * 50, 5000))) < MOST_SPREAD
    assert spread_of(same[:20]) == LEAST_SPREAD, "too few to tell"
    hidden = [*same, *[(20, 20, 0.3)] * 10]
    assert spread_of(hidden) == MOST_SPREAD, "what is looked for does not hide itself"


def test_one_of_one_is_never_remarkable() -> None:
    assert tail(1, 1, 3, 100) > 0.01


def test_a_poisson_tail_is_that_of_drawn_numbers() -> None:
    drawn = np.random.default_rng(2).poisson(2.5, 1_000_000)
    assert poisson_tail(6, 2.5) == pytest.approx(float((drawn >= 6).mean()), rel=0.02)
    assert poisson_tail(1, 0) == 0
    assert poisson_tail(0, 0) == 1


@given(st.integers(0, 364 * 1440), st.integers(0, 23), st.integers(0, 23))
def test_a_shift_and_its_outside_fill_the_week(minute: int, start: int, end: int) -> None:
    at = MONDAY + timedelta(minutes=minute)
    shift = Shift(time(start), time(end), frozenset(range(7)))
    length = (end - start) % 24 or 24
    within = (at.hour - start) % 24 < length
    assert (shift.minutes_outside(at) == 0) == within
    assert shift.minutes_outside(at) <= (24 - length) * 60 / 2 + 1


# All together


def test_rules_without_anything_to_go_by_say_so() -> None:
    found = look(acts([search(1)]), None, USUAL)
    assert set(found.silent) == {
        *("case-over-unlike-faces", "face-under-many-cases", "face-by-many-people", "after-closing"),
        *("screenshots", "selfies", "never-adjudicated", "idle-export"),
    }
    assert set(found.silent) <= set(RULES)


@given(st.randoms(use_true_random=False))
def test_the_order_of_entries_read_changes_no_flag(rng: random.Random) -> None:
    some = [search(n, case=f"C-{n % 4}", at=MONDAY + timedelta(hours=7 * n)) for n in range(30)]
    alike = {one.search: n % 3 for n, one in enumerate(some)}
    apart = {one.search: n % 6 for n, one in enumerate(some)}
    mixed = some[:]
    rng.shuffle(mixed)

    def found(these: list) -> set:
        result = look(acts(these), FaceLabels(alike, apart), USUAL)
        return {(f.rule, f.entries, f.people) for f in result.flags}

    assert found(mixed) == found(some)


def test_nothing_is_found_in_nothing() -> None:
    empty = Acts(since=datetime(2026, 1, 1, tzinfo=UTC), until=datetime(2027, 1, 1, tzinfo=UTC))
    assert look(empty, FaceLabels(), USUAL).flags == ()
