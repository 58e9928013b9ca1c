"""An analysis of proxy logs from end to end: entries first, nobody named, the same bytes again, and erased for good."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from countenance.app import Countenance
from countenance.domain.authority import Actor
from countenance.domain.errors import BadInput, LedgerUnavailable, NotSignedIn, Refused, ScopeMissing, UnknownThing
from countenance.ledger.log import Ledger
from countenance.services.analyse import NewAnalysis
from countenance.services.fit import bare
from countenance.services.unmask import Unmasking
from countenance.store import moments
from tests import pretend
from tests.child import KILLED
from tests.places import TESTER, Place, ask, grant, kinds
from tests.traces import left

BEGIN = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
REASON = "the reviewer found no authority for it"


def line(seconds: float, method: str, url: str, user: str, *, status: int = 200, address: str = "10.7.0.9") -> str:
    """A line of Squid's own format."""
    at = BEGIN.timestamp() + seconds
    tag = "TCP_TUNNEL" if method == "CONNECT" else "TCP_DENIED" if status == 403 else "TCP_MISS"
    return f"{at:.3f}    120 {address} {tag}/{status} 900 {method} {url} {user} HIER_DIRECT/203.0.113.7 text/html"


def search_flow(user: str, start: float) -> list[str]:
    site = "https://pimeyes.com"
    return [
        line(start, "GET", f"{site}/en", user),
        line(start + 5, "POST", f"{site}/api/upload/file", user),
        line(start + 9, "POST", f"{site}/api/search/new", user),
        line(start + 12, "GET", f"{site}/en/results/aa_bb?query=cc", user),
    ]


def visit(user: str, start: float) -> list[str]:
    site = "https://pimeyes.com"
    return [
        line(start, "GET", f"{site}/en", user),
        line(start + 1, "GET", f"{site}/static/site.css", user),
        line(start + 8, "GET", f"{site}/en/blog/how-it-works", user),
    ]


LOG = [
    *search_flow("u-searcher", 0),
    *visit("u-visitor", 100),
    line(200, "CONNECT", "pimeyes.com:443", "u-hidden", address="10.7.0.12"),
    line(260, "GET", "https://pimeyes.com/en", "u-blocked", status=403),
    line(300, "GET", "https://elsewhere.example/", "u-other"),
    "this is no line of a log",
]
PEOPLE = ("u-searcher", "u-visitor", "u-hidden", "u-blocked", "10.7.0.9", "10.7.0.12")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    file = tmp_path / "access.log"
    file.write_text("\n".join(LOG) + "\n", encoding="utf-8")
    return file


@pytest.fixture
def product(house: Place) -> Iterator[Countenance]:
    with house.open() as opened:
        yield opened


def analyse(product: Countenance, *paths: Path, **changes: Any) -> dict[str, Any]:
    asked = {"why": "complaint of 3 November"} | changes
    return product.logs.analyse(NewAnalysis(tuple(map(str, paths)), **asked), TESTER)


def of(analysis: dict[str, Any], grade: str) -> dict[str, Any]:
    """The one session of a class."""
    (found,) = [s for s in analysis["body"]["sessions"] if s["class"] == grade]
    return found


def second(product: Countenance, *scopes: str) -> str:
    """The second person's token."""
    _, secret = product.create_token(
        "second person", scopes or ("proxylog:unmask",), None, Actor("os:other", "command")
    )
    return secret


def test_what_it_says_of_each_and_of_all(product: Countenance, log: Path) -> None:
    body = analyse(product, log)["body"]
    assert body["input"] == [
        {
            "file": str(log),
            "sha256": hashlib.sha256(log.read_bytes()).hexdigest(),
            "format": "squid",
            "lines": len(LOG),
            "rejected": 1,
        }
    ]
    assert body["rejected"]["listed"][0] | {"reason": ""} == {"file": str(log), "line": len(LOG), "reason": ""}
    totals = body["totals"]
    assert (totals["requests"], totals["sessions"], totals["users"]) == (9, 4, 4)
    assert {name: n for name, n in totals["by_class"].items() if n} == {
        "BLOCKED": 1,
        "VISIT": 1,
        "RESULTS_VIEWED": 1,
        "INDETERMINATE": 1,
    }
    assert totals["searches"]["at_least"] == 1 < totals["searches"]["at_most"]
    assert totals["indeterminate_requests"] == 1
    searched = of({"body": body}, "RESULTS_VIEWED")
    assert searched["searches"] == {"at_least": 1, "at_most": 1}
    assert [e["line"] for e in searched["evidence"]] == [1, 2, 3, 4]
    assert searched["evidence"][2]["shown"].startswith("POST pimeyes.com/api/search/new, 200")
    assert body["summary"][0].startswith("9 hits are 4 sessions by 4 users: at least 1 and at most ")
    assert body["summary"][1].startswith("1 hit cannot be told")


def test_nobody_is_named_outside_the_seal(house: Place, product: Countenance, log: Path) -> None:
    analysis = analyse(product, log)
    text = json.dumps(analysis) + json.dumps(product.logs.analyses())
    assert not [name for name in PEOPLE if name in text]
    for entry in product.ledger_entries(0, product.ledger_size):
        assert not [name for name in (*PEOPLE, log.name) if name in json.dumps(entry)]
    product.close()
    house.opened.clear()
    assert left(house, {name: name.encode() for name in PEOPLE}) == []
    assert not list((house.home / "proxylog").glob("*/*"))


def test_the_entry_is_first_and_says_which_files_and_profiles(
    product: Countenance, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    analysis = analyse(product, log, dpia="DPIA-7")
    assert kinds(product)[-2:] == ["proxylog.started", "proxylog.analysed"]
    entry = product.ledger_entries(analysis["seq"], analysis["seq"] + 1, opened=True)[0]
    assert entry["body"]["files"][0]["sha256"] == hashlib.sha256(log.read_bytes()).hexdigest()
    assert {"name": "pimeyes", "version": "1"} in entry["body"]["profiles"]
    assert entry["body"]["dpia"] == "DPIA-7"
    assert entry["opened"][f"note:{analysis['body']['analysis']}"] == {
        "why": "complaint of 3 November",
        "files": [str(log)],
    }
    real = Ledger.append

    def full(self: Ledger, kind: str, *args: Any, **named: Any) -> Any:
        if kind == "proxylog.analysed":
            raise LedgerUnavailable("the disk is full")
        return real(self, kind, *args, **named)

    monkeypatch.setattr(Ledger, "append", full)
    log.write_text("\n".join(LOG[:6]) + "\n", encoding="utf-8")
    with pytest.raises(LedgerUnavailable):
        analyse(product, log)
    assert len(product.logs.analyses()) == 1


def test_the_same_input_again_is_the_same_to_the_last_byte(product: Countenance, log: Path, tmp_path: Path) -> None:
    first = analyse(product, log)
    again = analyse(product, log)
    assert json.dumps(first["body"]) == json.dumps(again["body"])
    assert [a["id"] for a in product.logs.analyses()] == [first["body"]["analysis"]]
    (tmp_path / "a.log").write_text("\n".join(LOG[:5]) + "\n", encoding="utf-8")
    (tmp_path / "b.log").write_text("\n".join(LOG[5:]) + "\n", encoding="utf-8")
    split = analyse(product, tmp_path / "b.log", tmp_path / "a.log")["body"]
    without_places = [
        [s | {"evidence": [e | {"file": "", "line": 0} for e in s["evidence"]]} for s in body["sessions"]]
        for body in (first["body"], split)
    ]
    assert without_places[0] == without_places[1]
    assert split["totals"] == first["body"]["totals"]


def test_a_pseudonym_is_the_home_s_own(place: Place, product: Countenance, log: Path) -> None:
    mine = {s["user"] for s in analyse(product, log)["body"]["sessions"]}
    with place.open() as other:
        theirs = {s["user"] for s in analyse(other, log)["body"]["sessions"]}
    assert len(mine) == len(theirs) == 4
    assert mine.isdisjoint(theirs)


def test_two_people_and_a_reason_unmask(product: Countenance, log: Path) -> None:
    analysis = analyse(product, log)
    session = of(analysis, "RESULTS_VIEWED")
    found = product.logs.unmask(Unmasking(session["id"], REASON, second(product)), TESTER)
    assert (found["who"], found["by"], found["addresses"]) == ("u-searcher", "user", ["10.7.0.9"])
    assert [x["text"] for x in found["lines"]] == LOG[:4]
    entry = product.ledger_entries(found["entry"], found["entry"] + 1, opened=True)[0]
    assert entry["type"] == "proxylog.unmasked"
    assert entry["body"]["session"] == session["id"]
    assert entry["body"]["second"]["name"] == "second person"
    assert list(entry["opened"].values()) == [{"reason": REASON}]
    assert "u-searcher" not in json.dumps(entry)


@pytest.mark.parametrize(
    ("reason", "token", "error"),
    [
        ("", "good", BadInput),
        ("because", "good", BadInput),
        (REASON, "nothing", NotSignedIn),
        (REASON, "other scope", ScopeMissing),
        (REASON, "revoked", NotSignedIn),
        (REASON, "own", NotSignedIn),
    ],
)
def test_one_person_does_not_unmask(
    product: Countenance, log: Path, reason: str, token: str, error: type[Exception]
) -> None:
    session = of(analyse(product, log), "VISIT")
    made, secret = product.create_token(
        "second", ("status:read",) if token == "other scope" else ("proxylog:unmask",), None, TESTER
    )
    if token == "revoked":
        product.revoke_token(made.id, TESTER)
    actor = Actor("os:tester", f"token:{made.id}") if token == "own" else TESTER
    with pytest.raises(error):
        product.logs.unmask(Unmasking(session["id"], reason, "" if token == "nothing" else secret), actor)
    assert "proxylog.unmasked" not in kinds(product)


def test_no_entry_no_name(product: Countenance, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = of(analyse(product, log), "VISIT")
    secret = second(product)

    def full(*_: Any, **__: Any) -> Any:
        raise LedgerUnavailable("the disk is full")

    monkeypatch.setattr(Ledger, "append", full)
    with pytest.raises(LedgerUnavailable):
        product.logs.unmask(Unmasking(session["id"], REASON, secret), TESTER)


def test_an_erased_analysis_is_gone_and_the_ledger_verifies(house: Place, product: Countenance, log: Path) -> None:
    analysis = analyse(product, log)
    id, session = analysis["body"]["analysis"], of(analysis, "RESULTS_VIEWED")
    product.logs.unmask(Unmasking(session["id"], REASON, second(product)), TESTER)
    erased = product.erase(product.eraser.plan_analyses([id]), TESTER)
    assert erased.as_json()["analyses"] == 1
    assert product.logs.analyses() == []
    with pytest.raises(UnknownThing):
        product.logs.analysis(id)
    product.ledger_verify()
    opened = product.ledger_entries(0, product.ledger_size, opened=True)
    (made,) = [e for e in opened if e["type"] == "proxylog.analysed"]
    (unmasked,) = [e for e in opened if e["type"] == "proxylog.unmasked"]
    assert made["opened"] == unmasked["opened"] == {}
    erasure = opened[-1]["body"]
    assert set(erasure["items"]) == {f"note:{id}", f"note:{id}:{session['id']}"}
    product.close()
    house.opened.clear()
    needles = {s["user"]: s["user"].encode() for s in analysis["body"]["sessions"]}
    assert left(house, needles, but=["ledger"]) == []


@pytest.mark.parametrize(
    "point",
    [
        "countenance.services.record:Record.enter@1",
        "countenance.services.record:Record.enter@1+",
        "countenance.store.erasing:remove@1",
        "countenance.store.erasing:remove@1+",
    ],
)
def test_killed_while_erasing_it_is_erased_when_the_home_is_opened(house: Place, log: Path, point: str) -> None:
    with house.open() as product:
        id = analyse(product, log)["body"]["analysis"]
    house.opened.clear()
    assert house.child("erase", "analyses", [id], die=[point]) == KILLED
    with house.open() as product:
        assert product.logs.analyses() == []
        # Killed between the entry and the note that there is one, it is entered again: twice is no lie, never would be.
        assert kinds(product).count("erasure") in (1, 2)
        product.ledger_verify()


def test_its_time_is_over(product: Countenance, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    analysis = analyse(product, log)
    until = datetime.fromisoformat(analysis["keep_until"])
    assert until - datetime.fromisoformat(analysis["at"]) == timedelta(days=365)
    monkeypatch.setattr(moments, "now", lambda: until - timedelta(seconds=1))
    assert product.run_retention(TESTER)["analyses"] == []
    monkeypatch.setattr(moments, "now", lambda: until)
    assert product.run_retention(TESTER)["analyses"] == [analysis["body"]["analysis"]]
    assert product.logs.analyses() == []


def test_without_an_impact_assessment_where_one_is_required_nothing_is_read(house: Place, log: Path) -> None:
    with house.open(proxylog={"require_dpia": True}) as product:
        with pytest.raises(Refused):
            analyse(product, log)
        assert "proxylog.started" not in kinds(product)
        assert analyse(product, log, dpia="DPIA-7")["dpia"] == "DPIA-7"
    house.opened.clear()
    with house.open(proxylog={"require_dpia": True, "dpia": "DPIA-8"}) as product:
        assert analyse(product, log)["dpia"] == "DPIA-8"


def test_a_list_of_leases_names_who_the_log_does_not(product: Countenance, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text("\n".join(search_flow("-", 0)) + "\n", encoding="utf-8")
    leases = tmp_path / "leases.csv"
    leases.write_text("address,user\n10.7.0.9,u-found\n", encoding="utf-8")
    session = of(analyse(product, log, user_map=leases), "RESULTS_VIEWED")
    found = product.logs.unmask(Unmasking(session["id"], REASON, second(product)), TESTER)
    assert (found["who"], found["by"]) == ("u-found", "user")


def now_log(folder: Path, user: str, ago: timedelta) -> Path:
    """A search that ended so long ago."""
    file = folder / f"{user}.log"
    start = (datetime.now(UTC) - ago - BEGIN).total_seconds()
    file.write_text("\n".join(search_flow(user, start)) + "\n", encoding="utf-8")
    return file


def test_it_is_laid_beside_what_the_ledger_says_of_the_same_person(house: Place, tmp_path: Path) -> None:
    with house.open() as product:
        authority = grant(product, "album")
        ask(product, authority, pretend.photograph("ada", note="asked"))
        searched = analyse(product, now_log(tmp_path, "CORP\\Tester", timedelta()))
        session = of(searched, "RESULTS_VIEWED")
        assert session["authorised"]["fit"] == "search"
        assert "entry" not in session["authorised"]
        found = product.logs.unmask(Unmasking(session["id"], REASON, second(product)), TESTER)
        assert product.ledger_entries(found["authorised"]["entry"], found["authorised"]["entry"] + 1)[0]["type"] == (
            "search.started"
        )
        before = analyse(product, now_log(tmp_path, "tester", timedelta(hours=2)))
        assert of(before, "RESULTS_VIEWED")["authorised"]["fit"] == "none"
        other = analyse(product, now_log(tmp_path, "u-other", timedelta()))
        assert of(other, "RESULTS_VIEWED")["authorised"]["fit"] == "none"
        nobody = analyse(product, now_log(tmp_path, "-", timedelta()))
        assert of(nobody, "RESULTS_VIEWED")["authorised"]["fit"] == "unknown"


def test_an_authority_without_a_search_is_told_apart(house: Place, tmp_path: Path) -> None:
    with house.open() as product:
        authority = grant(product, "album")
        held = analyse(product, now_log(tmp_path, "tester@corp.example", timedelta(seconds=-60)))
        assert of(held, "RESULTS_VIEWED")["authorised"]["fit"] == "authority"
        product.revoke(authority.id, TESTER)
        over = analyse(product, now_log(tmp_path, "tester", timedelta(seconds=-120)))
        assert of(over, "RESULTS_VIEWED")["authorised"]["fit"] == "none"


@pytest.mark.parametrize(
    "name", ["eva", "os:eva", "CORP\\eva", "corp/Eva", "eva@corp.example", "EVA", " eva ", "os:CORP\\eva"]
)
def test_one_person_under_many_spellings(name: str) -> None:
    assert bare(name) == "eva"


def test_profiles_are_added_used_and_dropped(product: Countenance, log: Path, tmp_path: Path) -> None:
    shipped = {p["name"]: p for p in product.logs.profiles()}
    assert {"pimeyes", "facecheck", "search4faces", "lenso", "tineye"} <= set(shipped)
    assert not any(p["own"] for p in shipped.values())
    from countenance.proxylog.profiles import SHIPPED

    mine = tmp_path / "mine.toml"
    text = (SHIPPED / "pimeyes.toml").read_text(encoding="utf-8")
    mine.write_text(text.replace('version = "1"', 'version = "mine"'), encoding="utf-8")
    product.logs.add_profile(mine, TESTER)
    assert kinds(product)[-1] == "proxylog.profile-added"
    used = analyse(product, log)["body"]["profiles"]
    assert next(p for p in used if p["name"] == "pimeyes")["version"] == "mine"
    one = analyse(product, log, profiles=("facecheck",))["body"]
    assert [p["name"] for p in one["profiles"]] == ["facecheck"]
    assert one["totals"]["requests"] == 0
    product.logs.drop_profile("pimeyes", TESTER)
    assert next(p for p in product.logs.profiles() if p["name"] == "pimeyes")["version"] == "1"
    with pytest.raises(UnknownThing):
        product.logs.drop_profile("pimeyes", TESTER)
    with pytest.raises(UnknownThing):
        analyse(product, log, profiles=("nowhere",))
    mine.write_text("name = 1", encoding="utf-8")
    with pytest.raises(BadInput):
        product.logs.add_profile(mine, TESTER)
