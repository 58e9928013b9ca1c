"""The class of a session, what it rests on, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from countenance.domain.proxy import Ceiling, Grade, Session
from countenance.proxylog.profiles import SHIPPED, parse
from countenance.proxylog.sessions import judge
from tests.proxylog import flows
from tests.proxylog.flows import FACE, FOUR, PHOTO, Maker, judged, one


def of(*acts: Callable[[Maker, float], int], **maker: Any) -> Session:
    w = Maker(**maker)
    for number, act in enumerate(acts):
        act(w, number * 100)
    return one(w.lines)


@pytest.mark.parametrize(
    ("acts", "grade"),
    [
        ((flows.visit,), Grade.VISIT),
        ((flows.search,), Grade.RESULTS_VIEWED),
        ((flows.search_newer_and_twice,), Grade.SEARCH_SUBMITTED),
        ((flows.polled,), Grade.SEARCH_SUBMITTED),
        ((flows.upload,), Grade.UPLOAD),
        ((flows.refused,), Grade.UPLOAD),
        ((flows.opt_out,), Grade.OPT_OUT),
        ((flows.polled_removal,), Grade.OPT_OUT),
        ((flows.blocked,), Grade.BLOCKED),
        ((flows.embedded,), Grade.BACKGROUND),
        ((flows.preflight,), Grade.BACKGROUND),
        ((flows.blocked, flows.visit), Grade.VISIT),
        ((flows.visit, flows.embedded), Grade.VISIT),
        ((flows.opt_out, flows.upload), Grade.UPLOAD),
        ((flows.opt_out, flows.search), Grade.RESULTS_VIEWED),
        ((flows.shared_link,), Grade.RESULTS_VIEWED),
        ((flows.never_answered,), Grade.UPLOAD),
        ((flows.on_an_unknown_path,), Grade.INDETERMINATE),
        ((flows.reopened,), Grade.INDETERMINATE),
    ],
)
def test_acts_and_their_class(acts: tuple[Callable[[Maker, float], int], ...], grade: Grade) -> None:
    session = of(*acts)
    assert session.grade is grade
    assert session.ceiling is Ceiling.V3


def test_an_opt_out_upload_is_no_search_and_a_search_after_it_is() -> None:
    assert of(flows.opt_out).searches.at_most == 0
    roles = [e.role for e in of(flows.opt_out).evidence]
    assert roles == ["opt-out", "upload for the opt-out", "opt-out"]
    w = Maker()
    flows.opt_out(w, 0)
    w(60, "POST", "/api/search/new")
    assert one(w.lines).searches.at_least == 1


@pytest.mark.parametrize(
    ("page", "referrer", "grade"),
    [
        ("/en/opt-out-request-form", None, Grade.OPT_OUT),
        ("/en/opt-out-request-form", "", Grade.OPT_OUT),
        ("/en/opt-out-request-form", "https://pimeyes.com/en/premium", Grade.UPLOAD),
        ("/en", "https://pimeyes.com/en/opt-out-request-form", Grade.OPT_OUT),
        ("/en", None, Grade.UPLOAD),
        ("/en", "", Grade.UPLOAD),
    ],
)
def test_which_form_an_upload_belongs_to(page: str, referrer: str | None, grade: Grade) -> None:
    w = Maker()
    w(0, "GET", page)
    w(1, "GET", "/static/form.js")
    w(9, "POST", "/api/upload/file", sent=PHOTO, referrer=referrer)
    assert one(w.lines).grade is grade


def test_within_a_second_the_form_comes_before_its_upload() -> None:
    w = Maker()
    w(0, "POST", "/api/upload/file", sent=PHOTO)
    w(0, "GET", "/en/opt-out-request-form")
    assert one(w.lines).grade is Grade.OPT_OUT


def test_looking_at_the_opt_out_form_is_a_visit() -> None:
    w = Maker()
    w(0, "GET", "/en/opt-out-request-form")
    w(1, "GET", "/static/form.js")
    assert one(w.lines).grade is Grade.VISIT


@pytest.mark.parametrize(
    ("agent", "assets", "grade"),
    [
        ("", 0, Grade.BACKGROUND),
        ("", 1, Grade.VISIT),
        (None, 0, Grade.VISIT),
        (flows.BROWSER, 0, Grade.VISIT),
        ("Slackbot-LinkExpanding 1.0", 3, Grade.BACKGROUND),
    ],
)
def test_a_page_fetched_by_a_program(agent: str | None, assets: int, grade: Grade) -> None:
    w = Maker(agent=agent)
    w(0, "GET", "/en")
    for number in range(assets):
        w(1, "GET", f"/static/{number}.js")
    assert one(w.lines).grade is grade


@pytest.mark.parametrize("agent", ["Slackbot-LinkExpanding 1.0", "", None])
def test_an_agent_excuses_no_search(agent: str | None) -> None:
    assert of(flows.search, agent=agent).grade is Grade.RESULTS_VIEWED
    assert of(flows.upload, agent=agent).grade is Grade.UPLOAD


def test_a_link_to_results_fetched_alone_shows_no_person() -> None:
    for agent, grade, most in ((flows.BROWSER, Grade.INDETERMINATE, 1), ("Slackbot 1.0", Grade.BACKGROUND, 0)):
        w = Maker(agent=agent)
        w(0, "GET", "/en/results/zz_zz")
        session = one(w.lines)
        assert (session.grade, session.searches.at_most) == (grade, most)
    w = Maker()
    w(0, "POST", "/api/search/new")
    w(4000, "GET", "/en/results/zz_zz")
    assert [s.grade for s in judged(w.lines)] == [Grade.SEARCH_SUBMITTED, Grade.RESULTS_VIEWED]


def test_a_shared_link_is_results_and_no_search_of_one_s_own() -> None:
    session = of(flows.shared_link)
    assert session.searches.as_json() == {"at_least": 0, "at_most": 1}
    assert "can be shared" in session.reasons[0]


# -- what lesser logs can show


def test_behind_tls_it_cannot_be_told() -> None:
    w = Maker()
    w.tunnel(0, 60)
    session = one(w.lines)
    assert (session.grade, session.ceiling) == (Grade.INDETERMINATE, Ceiling.V1)
    assert any("bytes that the client sent" in said for said in session.would_change)
    assert any("Inspection" in said for said in session.would_change)
    w = Maker()
    w(0, None, None, kind="dns", sent=None, seconds=None)
    assert (one(w.lines).grade, one(w.lines).ceiling) == (Grade.INDETERMINATE, Ceiling.V0)


def test_a_host_of_results_makes_it_probable_and_no_more() -> None:
    w = Maker()
    w.tunnel(0, 60, 900, host="jsc07.pimeyes.com")
    session = one(w.lines)
    assert session.grade is Grade.INDETERMINATE
    assert session.reasons[0].startswith("Probably results")
    w.tunnel(0, 60, 900)
    assert one(w.lines).grade is Grade.INDETERMINATE


@pytest.mark.parametrize(
    ("sent", "grade"),
    [(10_000, Grade.VISIT), (12_000, Grade.INDETERMINATE), (59_000, Grade.INDETERMINATE), (61_000, Grade.UPLOAD)],
)
def test_bytes_alone_make_an_upload_probable_at_most(sent: int, grade: Grade) -> None:
    w = Maker()
    w.tunnel(0, 60, sent)
    session = one(w.lines)
    assert (session.grade, session.ceiling) == (grade, Ceiling.V2)
    assert session.searches.at_least == 0
    if grade is Grade.UPLOAD:
        assert session.reasons[0].startswith("Probably an upload, by bytes alone")
        assert "5%" in session.reasons[0]
        assert "assumption" in session.reasons[0].lower()


def test_bytes_say_nothing_of_a_tunnel_whose_outcome_is_not_known() -> None:
    w = Maker()
    w.tunnel(0, 60, 900_000, outcome=None, status=None)
    assert one(w.lines).grade is Grade.INDETERMINATE


def test_bytes_say_nothing_where_requests_may_stand_under_no_name() -> None:
    w = Maker()
    w.tunnel(0, 60, 900_000)
    w(30, "GET", "/en", user=None)
    assert {s.who: s.grade for s in judged(w.lines)}["ada"] is Grade.INDETERMINATE


def test_calls_that_look_alike_are_told_by_bytes() -> None:
    for size, grade in ((900, Grade.VISIT), (20_000, Grade.INDETERMINATE), (PHOTO, Grade.UPLOAD)):
        w = Maker()
        w(0, "POST", "/api/json-rpc/v1", FOUR, sent=size)
        assert one(w.lines).grade is grade


def test_the_name_of_a_file_confirms_an_upload() -> None:
    w = Maker()
    w(0, None, None, kind="flow", file_name="face.jpg", status=None, sent=None)
    session = one(w.lines)
    assert (session.grade, session.ceiling, session.searches.at_least) == (Grade.UPLOAD, Ceiling.V4, 0)
    w = Maker()
    w(0, "POST", "/api/v9/find", file_name="face.jpg")
    assert one(w.lines).grade is Grade.UPLOAD


@pytest.mark.parametrize("missing", ["method", "path", "status", "outcome"])
def test_less_than_a_whole_request_is_indeterminate(missing: str) -> None:
    w = Maker()
    w(0, "POST", "/api/search/new")
    session = one([replace(r, **{missing: None}) for r in w.lines])
    assert session.grade is Grade.INDETERMINATE
    assert any("lacks" in said for said in session.would_change) or missing == "outcome"


def test_refused_in_a_tunnel_that_the_proxy_opened_to_look_inside() -> None:
    w = Maker()
    w.tunnel(0, 1)
    w(0.1, "GET", "/en", status=403, outcome="denied")
    assert one(w.lines).grade is Grade.BLOCKED


def test_a_name_looked_up_for_a_request_that_was_refused() -> None:
    w = Maker()
    w(0, None, None, kind="dns", sent=None, seconds=None, status=None)
    flows.blocked(w, 1)
    assert one(w.lines).grade is Grade.BLOCKED


def test_a_403_that_may_be_either_s_is_not_called_blocked() -> None:
    w = Maker()
    w(0, "GET", "/en", status=403, outcome=None)
    assert one(w.lines).grade is Grade.INDETERMINATE
    w = Maker()
    w(0, "GET", "/en", status=403)
    assert one(w.lines).grade is Grade.VISIT


# -- dates, categories


def test_a_stale_profile_is_said_of_each_finding() -> None:
    text = (SHIPPED / "pimeyes.toml").read_text("utf-8").replace("checked = 2026-11-25", "checked = 2026-11-01")
    profile = parse(text.replace("stale_after = 2027-11-25", "stale_after = 2026-11-25"))
    w = Maker()
    flows.visit(w, 0)
    day = 86_400.0
    for days, stale in ((0, False), (23, False), (24, True), (-2000, True)):
        session = judge([replace(r, at=r.at + days * day) for r in w.lines], [profile])[0]
        assert session.stale is stale, days
        assert any("profile of PimEyes" in reason for reason in session.reasons) is stale


def test_a_stage_that_was_not_yet_known_is_said() -> None:
    text = (SHIPPED / "pimeyes.toml").read_text("utf-8")
    young = text.replace('paths = ["/api/search/new"]', 'paths = ["/api/search/new"]\nsince = 2026-11-20', 1)
    profile = parse(young)
    assert profile.stages[0].since == date(2026, 11, 20)
    w = Maker()
    flows.search(w, 0)
    assert judge(w.lines, [profile])[0].stale
    visitor = Maker()
    flows.visit(visitor, 0)
    assert not judge(visitor.lines, [profile])[0].stale


def test_reverse_image_search_is_apart() -> None:
    w = Maker()
    w(0, "POST", "/v3/upload", "lens.google.com", status=303)
    w(2, "GET", "/search", "lens.google.com")
    w(9, "GET", "/", FACE)
    assert [(s.category, s.grade) for s in judged(w.lines)] == [
        ("reverse-image", Grade.RESULTS_VIEWED),
        ("face", Grade.VISIT),
    ]


def test_attempts_are_told() -> None:
    session = of(flows.refused)
    assert session.attempted == 2
    assert any(reason.startswith("2 submissions were refused") for reason in session.reasons)
    assert of(flows.blocked).attempted == 1
