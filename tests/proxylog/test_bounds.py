"""How many searches there were, at least and at most, in the cases that invite a wrong count."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.proxylog import flows
from tests.proxylog.flows import FACE, FOUR, PHOTO, PIM, Maker, judged, one, total


def bounds(w: Maker, **options: Any) -> tuple[int, int]:
    return total(judged(w.lines, **options))


@pytest.mark.parametrize(
    ("status", "outcome", "expected", "attempted"),
    [
        (200, "allowed", (1, 1), 0),
        (201, "allowed", (1, 1), 0),
        (302, "allowed", (0, 1), 0),
        (400, "allowed", (0, 0), 1),
        (429, "allowed", (0, 0), 1),
        (503, "allowed", (0, 0), 1),
        (403, "denied", (0, 0), 1),
        (504, "failed", (0, 0), 1),
        (None, "failed", (0, 1), 0),
        (None, "allowed", (0, 1), 0),
        (None, None, (0, 1), 0),
        (200, None, (0, 1), 0),
    ],
)
def test_a_submission_counts_by_what_became_of_it(
    status: int | None, outcome: str | None, expected: tuple[int, int], attempted: int
) -> None:
    w = Maker()
    w(0, "POST", "/api/search/new", status=status, outcome=outcome)
    assert bounds(w) == expected
    assert one(w.lines).attempted == attempted


def test_searches_are_submissions_not_sessions_and_not_uploads() -> None:
    w = Maker()
    flows.search(w, 0)
    flows.upload(w, 60)
    flows.search(w, 120)
    assert one(w.lines).searches.as_json() == {"at_least": 2, "at_most": 2}


@pytest.mark.parametrize("missing", ["method", "path", "status"])
def test_a_line_that_lacks_a_column_could_be_a_search(missing: str) -> None:
    w = Maker()
    w(0, "POST", "/api/search/new", **({missing: None} if missing == "status" else {}))
    lines = [replace(r, **{missing: None}) for r in w.lines]
    assert total(judged(lines)) == (0, 1)


def test_asking_before_sending_is_no_submission() -> None:
    w = Maker()
    w(0, "OPTIONS", "/api/search/new", status=204)
    w(1, "HEAD", "/api/search/new")
    assert bounds(w) == (0, 0)


# -- a site that is asked again until it is done


def polls(w: Maker, *moments: float, **other: Any) -> None:
    for at in moments:
        w(at, "POST", "/api/search", FACE, **other)


def sent(w: Maker, *moments: float, **other: Any) -> None:
    for at in moments:
        w(at, "POST", "/api/upload_pic", FACE, sent=PHOTO, **other)


def test_questions_for_progress_are_one_search() -> None:
    w = Maker()
    sent(w, 0)
    polls(w, *range(3, 300, 3))
    assert bounds(w) == (1, 1)
    sent(w, 310)
    polls(w, 313, 316)
    assert bounds(w) == (2, 2)


def test_after_a_pause_without_an_upload_it_may_be_a_search() -> None:
    w = Maker()
    sent(w, 0)
    polls(w, 3, 6, 6 + 590)
    assert bounds(w) == (1, 1)
    polls(w, 6 + 590 + 610, 6 + 590 + 612)
    assert bounds(w) == (1, 2)


def test_without_an_upload_it_may_be_an_old_search_opened_again() -> None:
    w = Maker()
    polls(w, 0, 3, 6)
    assert bounds(w) == (0, 1)


def test_several_photographs_before_one_search() -> None:
    w = Maker()
    sent(w, 0, 1, 2)
    polls(w, 5, 8)
    assert bounds(w) == (1, 3)


def test_refused_and_unsure_there() -> None:
    w = Maker()
    sent(w, 0)
    polls(w, 2, 4, 6, status=402)
    assert bounds(w) == (0, 0)
    assert one(w.lines).attempted == 1
    w = Maker()
    sent(w, 0, status=413)
    assert (bounds(w), one(w.lines).attempted) == ((0, 0), 1)
    w = Maker()
    sent(w, 0, status=None)
    polls(w, 2)
    assert bounds(w) == (0, 2)


def test_lines_of_one_search_under_two_names_are_not_two() -> None:
    w = Maker()
    sent(w, 0)
    polls(w, 3, 6)
    w.user = None
    sent(w, 1)
    polls(w, 4, 7)
    least, most = bounds(w)
    assert least == 1
    assert most >= 2


def test_a_stranger_s_question_between_two_photographs_makes_no_second_search() -> None:
    w = Maker(user=None)
    sent(w, 0, 4)
    polls(w, 2, 8)
    assert bounds(w) == (1, 2)
    w.user = "ada"
    sent(w, 5000, 5004)
    polls(w, 5002, 5008)
    assert [s.searches.at_least for s in judged(w.lines) if s.who == "ada"] == [2]


def test_an_upload_whose_search_may_stand_under_no_name() -> None:
    w = Maker()
    sent(w, 0)
    assert bounds(w) == (0, 0)
    w(9, "GET", "/", FACE, user=None)
    assert bounds(w) == (0, 1)


# -- behind TLS


@pytest.mark.parametrize(("seconds", "most"), [(0.0, 1), (12.0, 1), (13.0, 2), (60.0, 5), (600.0, 41), (None, 41)])
def test_a_tunnel_holds_a_search_for_every_fastest_search(seconds: float | None, most: int) -> None:
    w = Maker()
    w.tunnel(0, seconds)
    assert bounds(w) == (0, most)


def test_one_person_s_tunnels_hold_no_more_than_their_time_together() -> None:
    w = Maker()
    for _ in range(8):
        w.tunnel(0, 40)
    assert bounds(w) == (0, 3)
    assert bounds(w, by="address") == (0, 24), "of an address, they may be eight people's"
    w = Maker()
    w.tunnel(0, 1)
    w.tunnel(900, 1)
    assert bounds(w) == (0, 2), "far apart they hold one each"


def test_bytes_bound_it_too() -> None:
    w = Maker()
    w.tunnel(0, 600, 25_000)
    assert bounds(w) == (0, 2)
    w.tunnel(0, 600, 10_000)
    assert bounds(w) == (0, 2)
    w.tunnel(0, 600, None)
    assert bounds(w) == (0, 41), "one that does not say how much bounds nothing"


def test_how_long_a_name_was_asked_for_bounds_nothing() -> None:
    said = Maker()
    said(0, None, None, kind="dns", sent=60, seconds=0.02)
    unsaid = Maker()
    unsaid(0, None, None, kind="dns", sent=None, seconds=None)
    assert bounds(said) == bounds(unsaid)
    assert bounds(said)[1] > 0


def test_bytes_exclude_a_search_only_where_a_photograph_has_to_be_sent() -> None:
    for host, most in ((PIM, 0), ("lenso.ai", 5), ("tineye.com", 13)):
        w = Maker()
        w.tunnel(0, 60, 3_000, host)
        assert bounds(w) == (0, most)


@pytest.mark.parametrize("outcome", ["denied", "failed"])
def test_a_tunnel_that_was_not_opened_holds_nothing(outcome: str) -> None:
    w = Maker()
    w.tunnel(0, 60, status=503, outcome=outcome)
    assert bounds(w) == (0, 0)
    w = Maker()
    w.tunnel(0, 60, status=None, outcome="failed")
    assert bounds(w) == (0, 5), "one that was broken off was open"


def test_a_look_up_of_the_name_counts_only_alone() -> None:
    w = Maker()
    w(0, None, None, kind="dns", sent=None, seconds=None)
    assert bounds(w) == (0, 41)
    flows.visit(w, 1)
    assert bounds(w) == (0, 0)


def test_a_host_of_results_is_at_most_one_search_and_hides_no_other() -> None:
    w = Maker()
    w.tunnel(0, 600, host="jsc07.pimeyes.com")
    assert bounds(w) == (0, 1)
    w = Maker()
    w(0, "POST", "/api/search/new")
    w.tunnel(10, 600, host="jsc07.pimeyes.com")
    assert bounds(w) == (1, 1)


# -- results, unknown paths, sites whose calls all look alike


def test_results_before_any_submission_are_at_most_one_a_link() -> None:
    w = Maker()
    for at, link in enumerate(("a_a", "a_a", "b_b")):
        w(at * 10, "GET", f"/en/results/{link}")
        w(at * 10 + 1, "POST", "/get_results", "jsc07.pimeyes.com")
    assert bounds(w) == (0, 2)
    flows.search(w, 5000)
    w(9000, "GET", "/en/results/c_c")
    w(9001, "GET", "/static/x.css")
    assert bounds(w) == (1, 3), "after one's own search a link widens nothing"


def test_paths_that_the_profile_does_not_know_widen_by_their_time_together() -> None:
    w = Maker()
    for at in range(0, 60, 2):
        w(at, "POST", "/api/v9/beat")
    assert bounds(w) == (0, 5)
    assert bounds(w, by="address") == (0, 30)


def test_calls_that_all_look_alike() -> None:
    w = Maker()
    for at, size in ((0, 900), (30, 2_000)):
        w(at, "POST", "/api/json-rpc/v1", FOUR, sent=size)
    assert bounds(w) == (0, 0)
    w(60, "POST", "/api/json-rpc/v1", FOUR, sent=PHOTO)
    assert bounds(w) == (0, 3)
    assert total(judged([replace(r, sent=None) for r in w.lines])) == (0, 3)
    assert total(judged([replace(r, status=500) for r in w.lines])) == (0, 0)


def test_an_upload_that_may_have_searched() -> None:
    w = Maker()
    w(0, "POST", "/images-apphost/image-download", "yandex.com", sent=PHOTO)
    assert bounds(w) == (0, 1)


def test_on_lenso_pages_of_one_search_are_one_search() -> None:
    w = Maker()
    w(0, "POST", "/api/upload", "lenso.ai", sent=PHOTO)
    w(1, "GET", "/en/results/abc", "lenso.ai")
    for at in (2, 4, 40, 90):
        w(at, "POST", "/api/search", "lenso.ai", sent=400)
    assert bounds(w)[0] == 1
    assert total(judged(w.lines))[1] <= 2
    program = Maker()
    for at in (0, 5):
        program(at, "POST", "/search", "api.eyematch.ai", sent=PHOTO)
    assert bounds(program) == (0, 2)


def test_two_people_behind_one_address() -> None:
    w = Maker(user=None)
    flows.search(w, 0)
    flows.search(w, 3)
    assert bounds(w) == (2, 2)
    hidden = Maker(user=None)
    hidden.tunnel(0, 10, PHOTO * 2)
    hidden.tunnel(1, 10, PHOTO * 2)
    assert bounds(hidden) == (0, 2)
