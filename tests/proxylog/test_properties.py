"""What holds for every log: the truth lies inside the bounds, and less of a log never says more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from countenance.domain.proxy import HIGHEST, WEIGHT, Ceiling, Grade, Session, WebRequest
from tests.proxylog import flows
from tests.proxylog.flows import EXACT, LOOSE, Maker, judged, total, tunnelled

Act = Callable[[Maker, float], int]
QUICK = settings(max_examples=60, deadline=None)

COLUMNS: dict[str, tuple[Any, ...]] = {
    "user": (None, "", "-"),
    "address": (None, ""),
    "seconds": (None,),
    "method": (None,),
    "path": (None,),
    "query": (None,),
    "status": (None, 0),
    "outcome": (None,),
    "sent": (None,),
    "received": (None,),
    "referrer": (None, ""),
    "agent": (None, ""),
    "file_name": (None, ""),
    "connection": (None, ""),
}


@dataclass(frozen=True)
class Log:
    requests: tuple[WebRequest, ...]
    truth: int


@st.composite
def logs(draw: st.DrawFn, acts: Sequence[Act] = EXACT, people: int = 3, shared: bool = False) -> Log:
    """Some people, each with acts that follow one another after seconds or hours."""
    lines: list[WebRequest] = []
    truth = 0
    for number in range(draw(st.integers(1, people))):
        w = Maker(user=f"u{number}", address="10.0.0.1" if shared else f"10.0.0.{number}")
        at = draw(st.integers(0, 600))
        for act in draw(st.lists(st.sampled_from(list(acts)), min_size=1, max_size=5)):
            truth += act(w, at)
            at += draw(st.sampled_from([70, 700, 1700, 4000]))
        lines += w.lines
    return Log(tuple(lines), truth)


@QUICK
@given(logs(), st.data())
def test_the_order_of_requests_and_the_names_of_files_do_not_matter(log: Log, data: st.DataObject) -> None:
    order = data.draw(st.permutations(log.requests))
    assert judged(order) == judged(log.requests)
    renamed = [replace(r, file=f"{index % 3}.log", line=index + 1) for index, r in enumerate(order)]

    def bare(sessions: Sequence[Session]) -> list[Session]:
        return [replace(s, evidence=tuple(replace(e, file="", line=0) for e in s.evidence)) for s in sessions]

    assert bare(judged(renamed)) == bare(judged(log.requests))


@QUICK
@given(logs(), logs(people=1))
def test_other_hosts_and_other_people_change_nothing(log: Log, other: Log) -> None:
    hosts = ("notpimeyes.com", "pimeyes.com.evil.example", "pimeyes.example", "xfacecheck.id", "elsewhere.example")
    noise = [replace(r, host=hosts[i % len(hosts)], file="noise") for i, r in enumerate(log.requests)]
    people = [replace(r, user="other", address="10.9.9.9", file="other") for r in other.requests]
    with_others = judged([*log.requests, *noise, *people])
    assert tuple(s for s in with_others if s.who not in ("other", "10.9.9.9")) == judged(log.requests)


@QUICK
@given(logs())
def test_a_proxy_that_sees_everything_tells_searches_exactly(log: Log) -> None:
    assert total(judged(log.requests)) == (log.truth, log.truth)


@QUICK
@given(logs(acts=LOOSE), st.sampled_from(["user", "address", "both"]))
def test_the_truth_is_inside_the_bounds(log: Log, by: str) -> None:
    least, most = total(judged(log.requests, by=by))
    assert least <= log.truth <= most


@QUICK
@given(
    logs(acts=LOOSE),
    st.sampled_from([0.5, 10.0, 100.0, 2000.0]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["user", "address", "both"]),
)
def test_behind_tls_the_truth_is_inside_the_bounds_and_no_search_is_claimed(
    log: Log, keep_alive: float, sent: bool, seconds: bool, by: str
) -> None:
    sessions = judged(tunnelled(log.requests, keep_alive, sent=sent, seconds=seconds), by=by)
    least, most = total(sessions)
    assert least == 0
    assert log.truth <= most
    allowed = HIGHEST[Ceiling.V2 if sent else Ceiling.V1]
    assert {s.grade for s in sessions} <= allowed
    assert all(s.searches.at_most == 0 for s in sessions if s.grade is Grade.VISIT)


@QUICK
@given(logs(acts=LOOSE, shared=True), st.data())
def test_seen_into_in_part_the_truth_is_inside_the_bounds(log: Log, data: st.DataObject) -> None:
    """Some people's requests are seen, some people's tunnels; users are named or not."""
    hidden = {u for u in ("u0", "u1", "u2") if data.draw(st.booleans())}
    unnamed = {u for u in ("u0", "u1", "u2") if data.draw(st.booleans())}
    seen = [r for r in log.requests if r.file.removesuffix(".log") not in hidden]
    tunnels = [
        line
        for name in hidden
        for line in tunnelled([r for r in log.requests if r.file == f"{name}.log"], 30, sent=True, seconds=True)
    ]
    lines = [replace(r, user="-") if r.file.removesuffix(".log") in unnamed else r for r in [*seen, *tunnels]]
    least, most = total(judged(lines))
    assert least <= log.truth <= most


@QUICK
@given(logs(), st.sampled_from([10.0, 100.0]), st.sampled_from(["user", "address"]))
def test_a_tunnel_beside_the_requests_in_it_is_not_counted_again(log: Log, keep_alive: float, by: str) -> None:
    beside = tunnelled([r for r in log.requests if r.status != 407], keep_alive, sent=True, seconds=True)
    if by == "address":
        beside = [replace(r, received=39, sent=300) for r in beside]
    sessions = judged([*log.requests, *beside], by=by)
    assert total(sessions) == (log.truth, log.truth)
    assert [s.grade for s in sessions] == [s.grade for s in judged(log.requests, by=by)]


@QUICK
@given(logs(acts=LOOSE, shared=True), st.booleans(), st.booleans(), st.data())
def test_taking_columns_out_never_says_more(log: Log, tunnels: bool, whole: bool, data: st.DataObject) -> None:
    beside = tunnelled([r for r in log.requests if r.status != 407], 60, sent=True, seconds=True)
    lines = [*log.requests, *(beside if tunnels else ())]
    named = [replace(r, file_name="face.jpg") if r.sent == flows.PHOTO else r for r in lines]
    if data.draw(st.booleans()):
        begun = {r.text: r.connection for r in beside}
        named = _connected(named, begun)
    before, after = judged(named), judged(_redacted(named, whole, data))
    least, most = total(after)
    assert least <= total(before)[0] <= log.truth <= most
    weights: dict[str, list[Session]] = defaultdict(list)
    for session in before:
        weights[session.who].append(session)
    for session in after:
        same = [s for s in weights[session.who] if s.start <= session.end and session.start <= s.end]
        pool = same if session.by == "user" else [s for found in weights.values() for s in found]
        highest = max((WEIGHT[s.grade] for s in pool if s.site == session.site), default=0)
        assert WEIGHT[session.grade] <= highest, (session, pool)


def _connected(lines: Sequence[WebRequest], begun: dict[str, str | None]) -> list[WebRequest]:
    """Requests named by the connection that they came through, as far as its first one tells."""
    made, now = [], {}
    for line in sorted(lines, key=lambda r: (r.at, r.kind == "request")):
        if line.kind == "request":
            now[line.address, line.host] = begun.get(f"CONNECT {line.text}") or now.get((line.address, line.host))
            made.append(replace(line, connection=now[line.address, line.host]))
        else:
            made.append(line)
    return made


def _redacted(lines: Sequence[WebRequest], whole: bool, data: st.DataObject) -> list[WebRequest]:
    """Whole columns taken out, or single cells blanked."""
    columns = data.draw(st.sets(st.sampled_from(sorted(COLUMNS)), min_size=1, max_size=4 if whole else 14))
    values = {name: data.draw(st.sampled_from(COLUMNS[name])) for name in sorted(columns)}
    if whole:
        return [replace(line, **values) for line in lines]
    where = {name: data.draw(st.sets(st.integers(0, len(lines) - 1), max_size=12)) for name in sorted(columns)}
    return [
        replace(line, **{name: value for name, value in values.items() if index in where[name]})
        for index, line in enumerate(lines)
    ]


@QUICK
@given(logs(acts=LOOSE), st.booleans(), st.data())
def test_no_class_is_above_what_the_lines_can_show(log: Log, whole: bool, data: st.DataObject) -> None:
    for session in judged(_redacted(log.requests, whole, data)):
        assert session.grade in HIGHEST[session.ceiling]
        assert session.reasons
        assert all(reason.endswith(".") for reason in (*session.reasons, *session.would_change))
        assert session.evidence
        assert session.searches.at_least == 0 or session.grade in (Grade.SEARCH_SUBMITTED, Grade.RESULTS_VIEWED)
        told = " ".join((*session.reasons, *session.would_change))
        assert not [name for name in ("u0", "u1", "10.0.0") if name in told]


@settings(max_examples=60, deadline=None)
@given(
    st.builds(
        WebRequest,
        file=st.just("f"),
        line=st.integers(1, 2**40),
        at=st.floats(0, 2e9),
        kind=st.sampled_from(["request", "tunnel", "flow", "dns"]),
        host=st.sampled_from(["pimeyes.com", "jsc1.pimeyes.com", "facecheck.id", "www.google.com", "\udcff", ""]),
        user=st.none() | st.text(max_size=5),
        address=st.none() | st.text(max_size=5),
        seconds=st.none() | st.floats(-5, 1e7),
        method=st.none() | st.sampled_from(["GET", "POST", "CONNECT", "", "BREW"]),
        path=st.none()
        | st.text(max_size=30)
        | st.sampled_from(["/api/search", "/api/search/new", "//", "/en/results/"]),
        query=st.none() | st.text(max_size=10),
        status=st.none() | st.integers(-1, 999),
        outcome=st.none() | st.sampled_from(["allowed", "denied", "failed"]),
        sent=st.none() | st.integers(-9, 2**62),
        referrer=st.none() | st.text(max_size=20) | st.just("http://[::1/"),
        agent=st.none() | st.text(max_size=9),
        file_name=st.none() | st.text(max_size=9),
        text=st.text(max_size=20) | st.just("\udc80 \x00 é"),
    )
)
def test_no_line_makes_it_stumble(line: WebRequest) -> None:
    for session in judged([line, replace(line, line=line.line + 1, at=line.at + 3)]):
        assert session.grade in HIGHEST[session.ceiling]
        assert session.searches.at_least <= session.searches.at_most
