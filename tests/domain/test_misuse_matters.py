"""Signs that hang together are one matter, told once, the gravest first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from countenance.domain.misuse.flag import SEVERITIES, Flag
from countenance.domain.misuse.matters import matters_of


def flag(rule: str, severity: str, *entries: int, who: str = "os:ann") -> Flag:
    return Flag(rule, severity, f"{who} did it", entries, (who,))


def told(*flags: Flag) -> list[list[str]]:
    return [[one.rule for one in matter.flags] for matter in matters_of(flags)]


def test_signs_that_rest_on_a_common_entry_are_one_matter() -> None:
    first, second, third = flag("a", "look", 1, 2), flag("b", "notice", 2, 3), flag("c", "notice", 4)
    assert told(first, second, third) == [["a", "b"], ["c"]]
    assert told(first, third, flag("d", "urgent", 2, 4)) == [["d", "a", "c"]], "a third joins them"


def test_what_two_people_did_is_two_matters() -> None:
    assert told(flag("a", "look", 1), flag("b", "look", 1, who="os:bea")) == [["a"], ["b"]]


def test_the_gravest_comes_first_and_then_that_on_which_most_signs_agree() -> None:
    alone, agreed = flag("a", "look", 1), (flag("b", "look", 7), flag("c", "notice", 7))
    assert told(flag("d", "notice", 0), alone, *agreed, flag("e", "urgent", 9)) == [["e"], ["b", "c"], ["a"], ["d"]]


@given(
    st.lists(
        st.builds(
            flag,
            st.sampled_from("abc"),
            st.sampled_from(SEVERITIES),
            st.integers(0, 9),
            st.integers(0, 9),
            who=st.sampled_from(("os:ann", "os:bea")),
        ),
        unique=True,
        max_size=12,
    ),
    st.randoms(use_true_random=False),
)
def test_every_sign_is_in_one_matter_whatever_the_order(flags: list[Flag], rng) -> None:
    found = matters_of(flags)
    assert sorted(map(repr, flags)) == sorted(repr(one) for matter in found for one in matter.flags)
    mixed = flags[:]
    rng.shuffle(mixed)
    assert {frozenset(map(repr, matter.flags)) for matter in matters_of(mixed)} == {
        frozenset(map(repr, matter.flags)) for matter in found
    }
    entries = [(matter.people, seq) for matter in found for seq in matter.entries]
    assert len(entries) == len(set(entries)), "no two matters share what somebody did"
