"""Who, where and how long: what belongs to one session, what is folded, and what does not depend on the files."""

from __future__ import annotations

from dataclasses import replace

import pytest

from countenance.domain.proxy import Grade
from tests.proxylog import flows
from tests.proxylog.flows import FACE, PHOTO, PIM, START, Maker, judged, one, search, total, visit


def test_a_session_ends_with_a_long_pause() -> None:
    for pause, sessions in ((1800.0, 1), (1801.0, 2)):
        w = Maker()
        w(0, "GET", "/en", seconds=0.0)
        w(pause, "GET", "/en", seconds=0.0)
        assert len(judged(w.lines)) == sessions
    assert len(judged(w.lines, idle_seconds=2000.0)) == 1


def test_a_tunnel_that_lasts_keeps_its_session_open() -> None:
    w = Maker()
    w.tunnel(0, 7200)
    w.tunnel(60, 1)
    w.tunnel(7000, 20)
    session = one(w.lines)
    assert (session.start, session.end, session.requests) == (START, START + 7200, 3)


def test_people_and_sites_are_apart_and_sorted() -> None:
    ada, bob = Maker(), Maker(user="bob", address="10.0.0.2")
    visit(bob, 0)
    visit(ada, 0)
    ada(5, "GET", "/", FACE)
    found = judged([*bob.lines, *ada.lines])
    assert [(s.who, s.site) for s in found] == [("ada", "pimeyes"), ("bob", "pimeyes"), ("ada", "facecheck")]


@pytest.mark.parametrize("user", [None, "", "-"])
def test_a_line_without_a_user_is_its_address_s(user: str | None) -> None:
    w = Maker(user=user)
    search(w, 0)
    session = one(w.lines)
    assert (session.who, session.by, session.addresses) == ("10.0.0.1", "address", ("10.0.0.1",))
    assert session.searches.at_least == session.searches.at_most == 1
    assert any("several people" in reason for reason in session.reasons)
    assert one([replace(r, address=None) for r in w.lines]).who == "-"


def test_by_address_and_by_both() -> None:
    here, there = Maker(), Maker(address="10.0.0.2")
    visit(here, 0)
    visit(there, 3)
    lines = [*here.lines, *there.lines]
    assert [(s.who, s.by, s.addresses) for s in judged(lines)] == [("ada", "user", ("10.0.0.1", "10.0.0.2"))]
    assert [(s.who, s.by) for s in judged(lines, by="address")] == [("10.0.0.1", "address"), ("10.0.0.2", "address")]
    assert [(s.who, s.by, s.addresses) for s in judged(lines, by="both")] == [
        ("ada", "user", ("10.0.0.1",)),
        ("ada", "user", ("10.0.0.2",)),
    ]
    assert one([replace(r, address=None) for r in here.lines], by="address").by == "user"


def test_being_asked_to_sign_in_is_no_session_and_no_attempt() -> None:
    w = Maker()
    w(0, "CONNECT", None, kind="tunnel", status=407, outcome="denied", user=None, seconds=0.0)
    w(0.2, "CONNECT", None, kind="tunnel", user=None, status=407, outcome="denied", seconds=0.0)
    w(0.4, "CONNECT", None, kind="tunnel", seconds=40.0)
    w(0.5, "POST", "/api/search/new", status=407, outcome="denied", user="-")
    w(0.6, "POST", "/api/search/new")
    session = one(w.lines)
    assert (session.who, session.grade, session.requests) == ("ada", Grade.SEARCH_SUBMITTED, 5)
    assert session.attempted == 0
    assert [e.role for e in session.evidence].count("asked to sign in") == 3


def test_a_sign_in_that_never_came_is_a_refusal() -> None:
    w = Maker()
    w(0, "POST", "/api/search/new", status=407, outcome="denied", user="-")
    w(0, "POST", "/api/search/new", status=407, outcome="denied", user="-", address="10.0.0.9")
    w(400, "POST", "/api/search/new")
    w(5, "POST", "/api/upload/file", user="-")
    found = {s.who: s for s in judged(w.lines)}
    assert found["10.0.0.9"].grade is Grade.BLOCKED
    assert found["10.0.0.9"].attempted == found["10.0.0.1"].attempted == 1
    assert found["ada"].requests == 1


def test_the_two_rows_of_a_tunnel_are_one() -> None:
    w = Maker()
    w.tunnel(0, 0.1, 300)
    w(0.9, None, None, kind="tunnel", seconds=31.0, sent=900_000)
    session = one(w.lines)
    assert session.requests == 2
    assert session.searches.at_most == 3
    assert [e.role for e in session.evidence] == ["tunnel, opened", "tunnel"]
    w.tunnel(1.5, 31.0, 900_000)
    assert one(w.lines).searches.at_most == 3, "a third row is a tunnel of its own, within the same time"
    assert one([replace(r, user=None) for r in w.lines]).searches.at_most == 6, "or another person's"


def test_requests_seen_in_a_tunnel_are_not_hidden_in_it_too() -> None:
    w = Maker()
    w.tunnel(-1, 60, PHOTO + 5000)
    search(w, 0)
    session = one(w.lines)
    assert (session.grade, session.searches.at_least, session.searches.at_most) == (Grade.RESULTS_VIEWED, 1, 1)
    assert "tunnel, its requests are seen" in {e.role for e in session.evidence}


def test_a_tunnel_to_another_host_or_at_another_time_is_hidden() -> None:
    for host, at in (("www.pimeyes.com", -1), (PIM, 300), (PIM, -400)):
        w = Maker()
        w.tunnel(at, 30, PHOTO, host)
        visit(w, 0)
        assert one(w.lines).searches.at_most > 0


def test_a_tunnel_that_sent_more_than_its_requests_may_hold_more() -> None:
    w = Maker()
    w.tunnel(-1, 60, 400_000)
    visit(w, 0)
    session = one(w.lines)
    assert session.grade is Grade.INDETERMINATE
    assert session.searches.at_most == 5


def test_of_an_address_only_a_tunnel_that_the_proxy_ended_is_seen_into() -> None:
    for received, most in ((39, 0), (90_000, 5), (None, 5)):
        w = Maker(user=None)
        w.tunnel(-1, 60, received=received)
        visit(w, 0)
        assert one(w.lines).searches.at_most == most


def test_a_connection_that_the_log_names_is_known_by_its_name() -> None:
    for name, most in (("C7", 0), ("C8", 41)):
        w = Maker(user=None)
        w(-1, None, None, kind="flow", seconds=None, status=None, sent=None, connection="C7")
        w(200, "GET", "/en", connection=name)
        assert one(w.lines).searches.at_most == most


def test_a_redirect_and_where_it_led_are_one_submission() -> None:
    w = Maker()
    w(0, "POST", "/api/search/new", status=307)
    w(1, "POST", "/api/search/new")
    assert total(judged(w.lines)) == (1, 1)
    w(100, "POST", "/api/search/new", status=307)
    assert total(judged(w.lines)) == (1, 2), "one that led nowhere may have been a search"


def test_within_a_second_a_site_s_order_counts() -> None:
    """Clocks tick in seconds, and files are read in any order."""
    w = Maker()
    w(0, "POST", "/api/search", FACE)
    w(0, "POST", "/api/upload_pic", FACE)
    assert total(judged(w.lines)) == (1, 1)


def test_clocks_of_two_proxies_may_differ_a_little() -> None:
    w = Maker()
    w(0, "GET", "/en/results/aa_bb")
    w(1.5, "POST", "/api/search/new")
    assert total(judged(w.lines)) == (1, 1)
    w = Maker()
    w.tunnel(1.5, 30)
    w(0, "GET", "/en")
    w(20, "GET", "/en")
    assert one(w.lines).searches.at_most == 0


def test_much_evidence_is_cut_and_says_so() -> None:
    w = Maker()
    search(w, 0)
    for number in range(400):
        w(1 + number / 100, "GET", f"/static/{number}.js")
        w(30 + number, "GET", f"/en/blog/{number}")
    session = one(w.lines)
    assert len(session.evidence) == 200
    roles = [e.role for e in session.evidence]
    assert {"upload", "search", "results"} <= set(roles)
    assert roles.count("part of a page") == 20
    assert [e.at for e in session.evidence] == sorted(e.at for e in session.evidence)
    assert f"{session.requests - 200} more lines belong to this session without being listed." in session.reasons
    assert len(one(w.lines, most_evidence=5).evidence) == 5


def test_evidence_cites_file_line_and_text() -> None:
    w = Maker()
    made = w(0, "POST", "/api/search/new", text="the line \x1b itself")
    (evidence,) = one(w.lines).evidence
    assert (evidence.file, evidence.line, evidence.at, evidence.role) == (made.file, made.line, made.at, "search")
    assert evidence.text == "the line \x1b itself"
    assert evidence.shown == made.in_short()


def test_nothing_is_nothing() -> None:
    assert judged([]) == ()
    assert judged([replace(flows.Maker()(0, "GET", "/"), host="elsewhere.example")]) == ()
