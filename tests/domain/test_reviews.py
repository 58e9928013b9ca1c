"""What verdicts come to."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from countenance.domain.reviews import (
    DIFFERENT,
    ENOUGH,
    SAME,
    UNSURE,
    VERDICTS,
    Review,
    Verdict,
    outcome_of,
    reviewers,
    wilson,
)

AT = datetime(2026, 11, 1, tzinfo=UTC)


def said(by: str, verdict: str, seconds: float = 20.0) -> Verdict:
    return Verdict(by, verdict, seconds, AT, 7)


def test_two_who_agree_decide_and_a_third_decides_between_two_who_do_not() -> None:
    assert outcome_of([]) is None
    for one in VERDICTS:
        assert outcome_of([one]) is None
        assert outcome_of([one, one]) == one
    for one, other, third in product(VERDICTS, repeat=3):
        if one != other:
            assert outcome_of([one, other]) is None
            assert outcome_of([one, other, third]) == (third if third in (one, other) else UNSURE)


@given(st.lists(st.sampled_from(list(VERDICTS)), max_size=3))
def test_nothing_is_the_same_on_one_word(verdicts: list[str]) -> None:
    if outcome_of(verdicts) == SAME:
        assert verdicts.count(SAME) >= 2


def test_nobody_is_asked_twice_nor_about_their_own_search() -> None:
    review = Review("J-1", 3, "user:a", AT, control=False, verdicts=(said("user:b", SAME),))
    assert not review.may_judge({"user:a", "os:a"})
    assert review.may_judge({"user:a"}, alone=True)
    assert not review.may_judge({"os:b", "user:b"}, alone=True)
    assert review.may_judge({"user:c"})
    decided = Review("J-1", 3, "user:a", AT, control=False, verdicts=(said("user:b", SAME), said("user:c", SAME)))
    assert not decided.may_judge({"user:d"})


def test_who_accepts_everything_is_told_from_who_judges() -> None:
    truths = {f"J-{n}": SAME if n % 2 else DIFFERENT for n in range(ENOUGH)}
    controls = [
        Review(id, 1, "user:admin", AT, True, verdicts=(said("user:yes", SAME, 1.5), said("user:good", truth)))
        for id, truth in truths.items()
    ]
    found = {one.by: one for one in reviewers(controls, truths)}
    yes, good = found["user:yes"], found["user:good"]
    assert (yes.controls, yes.errors, good.errors) == (ENOUGH, ENOUGH // 2, 0)
    assert [notice.split(":")[0] for notice in yes.notices()] == ["accepts everything", "hasty", "errs"]
    assert good.notices() == []


def test_a_control_whose_answer_is_gone_counts_as_nothing() -> None:
    (one,) = reviewers([Review("J-1", 1, "user:a", AT, True, verdicts=(said("user:b", SAME),))], {})
    assert (one.verdicts, one.controls, one.errors, one.error_rate) == (1, 0, 0, None)


@given(st.integers(0, 500), st.integers(0, 500))
def test_the_interval_holds_the_share(a: int, b: int) -> None:
    low, high = wilson(a, a + b)
    assert 0 <= low <= high <= 1
    if a + b:
        assert low - 1e-12 <= a / (a + b) <= high + 1e-12


def test_the_interval_of_published_figures() -> None:
    # 10 false of 2,077 alerts: 0.48 %, 95 % 0.26 to 0.88 by Wilson.
    low, high = wilson(10, 2077)
    assert (round(100 * low, 2), round(100 * high, 2)) == (0.26, 0.88)
