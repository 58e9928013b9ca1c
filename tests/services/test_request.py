"""One person asks, another one approves: whatever the caller, the row or the moment."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from countenance.app import Countenance
from countenance.domain.authority import Actor, Authority
from countenance.domain.errors import BadInput, NoAuthority, Refused, RoleMissing, Unavailable, UnknownThing
from countenance.domain.people import ORGANISATION, Document
from countenance.domain.requests import Reasons, Request, Wanted
from countenance.services.authorise import NewAuthority
from countenance.services.search import SearchRequest
from countenance.store import moments
from countenance.web.serve import _keeping_time
from tests import pretend
from tests.places import TESTER, Place, kinds

PROBE = pretend.photograph("ada", note="asked")
NECESSARY = (
    "The handbag was taken by somebody whom two cameras saw, and the plate of the car that drove off was a forged one."
)
PROPORTIONATE = (
    "One photograph of one person is compared with the album of earlier offenders, once, and whoever is not her is not "
    "kept; asking at every door in the street would trouble far more people."
)
REASONS = Reasons(NECESSARY, PROPORTIONATE, "suspect 1")

ADMIN, ASKER, OTHER, BOSS, AUDITOR = (
    Actor(f"os:{name}", "python") for name in ("admin", "asker", "other", "boss", "auditor")
)


@pytest.fixture
def office(house: Place) -> Countenance:
    """The home of an organisation: an administrator, two requesters, an authoriser, an auditor."""
    product = house.open()
    until = date.today() + timedelta(days=300)  # noqa: DTZ011
    product.people.set_profile(ORGANISATION, Document("POL-1", until), Document("DPIA-1", until), TESTER)
    product.people.add("admin", ["administrator"], Actor("os:admin", "command"))
    for name, roles in (
        ("asker", ["requester"]),
        ("other", ["requester"]),
        ("boss", ["authoriser"]),
        ("auditor", ["auditor"]),
    ):
        product.people.add(name, roles, ADMIN, system_user=name)
    return product


def wanted(**changes: Any) -> Wanted:
    """Terms that may be asked for."""
    terms = Wanted(
        purpose="find a suspect",
        basis="law-enforcement",
        basis_document="POL-1",
        case="T-1",
        collections=("album",),
        expires=moments.now() + timedelta(days=3),
        searches=3,
        outcome="a lead for the officer in the case",
        stated_by="An Asker",
    )
    return replace(terms, **changes)


def asked(product: Countenance, **changes: Any) -> Request:
    """A request by ASKER."""
    return product.requests.ask(wanted(**changes), REASONS, ASKER)


def search(product: Countenance, authority: str, actor: Actor = ASKER) -> Any:
    return product.search(SearchRequest(photographs=(PROBE,), authority=authority), actor)


def refused(product: Countenance, authority: str, reason: str, actor: Actor = ASKER) -> None:
    with pytest.raises(NoAuthority) as caught:
        search(product, authority, actor)
    assert caught.value.details["reason"] == reason


def test_what_was_asked_and_approved_by_another_lets_search(office: Countenance) -> None:
    request = asked(office)
    assert (request.state, request.authority) == ("requested", None)
    authority = office.requests.approve(request.id, BOSS)
    assert (authority.request, authority.self_approved, authority.outcome) == (request.id, False, wanted().outcome)
    assert search(office, authority.id).groups
    refused(office, authority.id, "not-holder", OTHER)
    assert kinds(office)[-5:-1] == ["authority.requested", "authority.granted", "search.started", "search.shown"]
    known = office.requests.one(request.id, AUDITOR)
    assert known.state == "approved"
    assert [step.what for step in known.steps] == ["requested", "granted"]
    names = [office.people.account(name).user for name in ("asker", "boss")]
    assert [step.by for step in known.steps] == names


def test_nobody_approves_or_declines_what_they_asked_for(office: Countenance) -> None:
    office.people.add("both", ["requester", "authoriser"], ADMIN, system_user="both")
    both = Actor("os:both", "python")
    request = office.requests.ask(wanted(), REASONS, both)
    for act in (
        lambda: office.requests.approve(request.id, both),
        lambda: office.requests.decline(request.id, "no", both),
    ):
        with pytest.raises(Refused, match="asked for themselves"):
            act()
    # By another door, and under the account's own name, they are the same person.
    with pytest.raises(Refused, match="asked for themselves"):
        office.requests.approve(request.id, Actor(office.people.account("both").user, "page"))
    assert office.requests.one(request.id, BOSS).state == "requested"
    assert not office.authorities()


def test_of_several_who_decide_at_once_one_does(house: Place, office: Countenance) -> None:
    office.people.add("boss2", ["authoriser"], ADMIN, system_user="boss2")
    second = house.open()
    for _ in range(5):
        request = office.requests.ask(wanted(case=f"T-{_}"), words(_), ASKER)
        barrier = threading.Barrier(4)

        def decide(n: int, id: str = request.id, barrier: threading.Barrier = barrier) -> bool:
            product, actor = (office, BOSS) if n % 2 else (second, Actor("os:boss2", "python"))
            barrier.wait(10)
            try:
                product.requests.approve(id, actor) if n < 3 else product.requests.decline(id, "no", actor)
            except Refused:
                return False
            return True

        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(decide, range(4))) == 1
    kinds_of = [e["type"] for e in office.ledger_entries(0, office.ledger_size)]
    assert kinds_of.count("authority.granted") + kinds_of.count("authority.declined") == 5


def words(n: int) -> Reasons:
    """Reasons that nobody has given before."""
    name = ("river", "tower", "garden", "harbour", "quarry")[n]
    return Reasons(
        f"The {name} {name}-keeper was robbed at the {name} gate, and the {name} picture is all that was left there.",
        f"One {name} face is compared once; {name} staff need not be asked, and no {name} visitor is kept afterwards.",
    )


def test_who_may_not_decide_does_not(office: Countenance) -> None:
    request = asked(office)
    for actor in (ADMIN, AUDITOR, OTHER, Actor("os:stranger", "python")):
        with pytest.raises(RoleMissing):
            office.requests.approve(request.id, actor)
        with pytest.raises(RoleMissing):
            office.requests.decline(request.id, "no", actor)
    for actor in (ADMIN, AUDITOR, BOSS):
        with pytest.raises(RoleMissing):
            office.requests.ask(wanted(), REASONS, actor)


def test_in_an_organisation_nobody_grants_what_nobody_asked_for(office: Countenance) -> None:
    with pytest.raises(Refused, match="asked for"):
        office.grant(
            NewAuthority("p", "own", "T-1", ("album",), moments.now() + timedelta(days=1), 1, "B", holder="asker"), BOSS
        )


def test_alone_one_approves_ones_own_and_it_is_marked(product: Countenance) -> None:
    request = product.requests.ask(wanted(basis="consent", basis_document=None), REASONS, TESTER)
    authority = product.requests.approve(request.id, TESTER)
    assert authority.self_approved
    assert search(product, authority.id, TESTER).self_approved


def test_a_declined_one_stays_declined_and_says_why_under_seal(office: Countenance) -> None:
    request = asked(office)
    assert office.requests.decline(request.id, "the case is too small for this", BOSS).state == "declined"
    for act in (
        lambda: office.requests.approve(request.id, BOSS),
        lambda: office.requests.decline(request.id, "x", BOSS),
    ):
        with pytest.raises(Refused, match="nothing to decide"):
            act()
    entry = office.ledger_entries(office.ledger_size - 1, office.ledger_size, opened=True)[0]
    assert entry["type"] == "authority.declined"
    assert "too small" not in str(entry["body"])
    assert "too small" in str(entry["opened"])
    with pytest.raises(BadInput, match="reason"):
        office.requests.decline(asked_again(office).id, " ", BOSS)


def asked_again(product: Countenance) -> Request:
    """Another request of ASKER's, with words of its own."""
    reasons = Reasons(
        "A child was led away from the fair by a stranger and the only trace is one sharp picture of a face.",
        "The comparison takes a minute, reads nobody's letters, and ends with the hour in which she is found safe.",
    )
    return product.requests.ask(wanted(case="T-2"), reasons, ASKER)


def test_a_draft_is_its_writers_until_it_is_asked(office: Countenance) -> None:
    draft = office.requests.draft(wanted(), Reasons("not yet", ""), ASKER)
    assert draft.state == "drafted"
    for actor in (BOSS, OTHER, AUDITOR):
        with pytest.raises(UnknownThing):
            office.requests.one(draft.id, actor)
    assert office.requests.draft(wanted(searches=2), Reasons("better", ""), ASKER, draft.id).wanted.searches == 2
    request = office.requests.ask(wanted(searches=1), REASONS, ASKER, draft.id)
    assert (request.id, request.state, request.wanted.searches) == (draft.id, "requested", 1)
    assert [step.what for step in request.steps] == ["drafted", "drafted", "requested"]
    with pytest.raises(Refused, match="no draft"):
        office.requests.ask(wanted(), REASONS, ASKER, draft.id)


def test_whoever_asked_takes_it_back_and_nobody_else(office: Countenance) -> None:
    request = asked(office)
    with pytest.raises(Refused, match="somebody else"):
        office.requests.withdraw(request.id, OTHER)
    assert office.requests.withdraw(request.id, ASKER).state == "withdrawn"
    with pytest.raises(Refused):
        office.requests.approve(request.id, BOSS)


@pytest.mark.parametrize(
    ("reasons", "match"),
    [
        (Reasons("needed", PROPORTIONATE), "necessity is too short"),
        (Reasons(NECESSARY, "fine " * 20), "proportionality repeats"),
        (Reasons(NECESSARY, NECESSARY), "say the same"),
    ],
)
def test_words_that_say_nothing_are_refused(office: Countenance, reasons: Reasons, match: str) -> None:
    size = office.ledger_size
    with pytest.raises(BadInput, match=match):
        office.requests.ask(wanted(), reasons, ASKER)
    assert office.ledger_size == size


def test_a_justification_that_was_used_before_is_refused_and_a_near_one_is_flagged(office: Countenance) -> None:
    first = asked(office)
    with pytest.raises(BadInput, match=first.id):
        office.requests.ask(wanted(case="T-2"), REASONS, OTHER)
    near = replace(
        REASONS, necessity=NECESSARY.replace("handbag", "bicycle"), proportionality=PROPORTIONATE[:-1] + " too."
    )
    request = office.requests.ask(wanted(case="T-2"), near, OTHER)
    said = office.requests.reasons(request)
    assert said is not None
    assert {(one["text"], one["request"]) for one in said.near} == {
        ("necessity", first.id),
        ("proportionality", first.id),
    }


def test_the_lists_of_the_home_are_kept_to(house: Place, office: Countenance) -> None:
    product = house.open(
        authority={"purposes": ["missing person"], "outcomes": ["a lead"], "case_pattern": r"OP-\d{4}"}
    )
    good = {"purpose": "missing person", "outcome": "a lead", "case": "OP-0001"}
    for name, value, match in (
        ("purpose", "curiosity", "missing person"),
        ("outcome", "an arrest", "a lead"),
        ("case", "OP-1", "has to match"),
        ("case", "OP-00011", "has to match"),
    ):
        with pytest.raises(BadInput) as caught:
            asked(product, **good | {name: value})
        assert match in f"{caught.value.message} {caught.value.advice}"
    assert asked(product, **good).state == "requested"


class _CaseSystem(http.server.BaseHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.asked.append(self.path)
        answers = {"/cases/T-1": 200, "/cases/T-9": 410, "/cases/T-8": 500, "/cases/T-7": 302}
        self.send_response(answers.get(self.path, 404))
        self.send_header("Location", "/cases/T-1")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def case_system() -> Iterator[str]:
    """A case system on loopback. Gives its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _CaseSystem)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/cases/{{case}}"
    server.shutdown()
    server.server_close()


def test_the_case_system_is_asked(
    house: Place, office: Countenance, case_system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    product = house.open(authority={"case_lookup": case_system})
    for case, error, match in (
        ("T-5", BadInput, "does not know"),
        ("T-9", BadInput, "closed"),
        ("T-8", Unavailable, "500"),
        ("T-7", Unavailable, "302"),
        ("../T-1", BadInput, "does not know"),
    ):
        with pytest.raises(error, match=match):
            asked(product, case=case)
    assert asked(product, case="T-1").state == "requested"
    assert "/cases/..%2FT-1" in _CaseSystem.asked
    deaf = house.open(authority={"case_lookup": "http://127.0.0.1:9/{case}"})
    with pytest.raises(Unavailable, match="does not answer"):
        asked_again(deaf)


def test_nothing_is_asked_for_or_approved_in_a_closed_case(office: Countenance) -> None:
    request = asked(office)
    office.requests.close_case("T-1", BOSS)
    with pytest.raises(BadInput, match="closed"):
        office.requests.approve(request.id, BOSS)
    with pytest.raises(BadInput, match="closed"):
        asked_again_in(office, "T-1")
    office.requests.reopen_case("T-1", BOSS)
    assert office.requests.approve(request.id, BOSS).request == request.id


def asked_again_in(product: Countenance, case: str) -> Request:
    return product.requests.ask(wanted(case=case), replace(REASONS, necessity=NECESSARY + " It is late."), OTHER)


# Urgent use


def test_an_urgent_one_lets_search_at_once_and_its_approval_keeps_what_it_found(
    office: Countenance, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = asked(office, urgent=True)
    assert request.authority is not None
    assert request.due is not None
    found = search(office, request.authority)
    assert found.self_approved
    office.requests.approve(request.id, BOSS)
    later(monkeypatch, hours=49)
    assert office.requests.enforce(TESTER) == []
    assert search(office, request.authority).groups
    assert office.requests.one(request.id, BOSS).state == "approved"


def later(monkeypatch: pytest.MonkeyPatch, *, hours: float) -> None:
    real = moments.now
    monkeypatch.setattr(moments, "now", lambda: real() + timedelta(hours=hours))


def kept(product: Countenance, search: str) -> int:
    """Rows that say what a search looked for or found."""
    with product.database.read() as c:
        row = c.exec_driver_sql("SELECT probe, result, handle FROM searches WHERE id = ?", (search,)).one()
        shown = c.exec_driver_sql("SELECT count(*) FROM candidates WHERE search_id = ?", (search,)).scalar_one()
        keys = c.exec_driver_sql("SELECT count(*) FROM item_keys WHERE item = ?", (f"probe:{search}",)).scalar_one()
    return sum(value is not None for value in row) + shown + keys


def test_what_nobody_approved_in_time_is_deleted_and_its_entries_stay(
    office: Countenance, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = asked(office, urgent=True)
    found = search(office, str(request.authority))
    assert kept(office, found.search) > 3
    later(monkeypatch, hours=47)
    assert office.requests.enforce(TESTER) == []
    assert kept(office, found.search) > 3
    later(monkeypatch, hours=2)
    refused(office, str(request.authority), "lapsed")
    assert office.requests.enforce(TESTER) == [request.id]
    assert office.requests.enforce(TESTER) == []
    assert kept(office, found.search) == 0
    with pytest.raises(NoAuthority):
        office.shown(found.search, found.handle)
    entries = office.ledger_entries(0, office.ledger_size)
    assert [e["body"]["search"] for e in entries if e["type"] == "search.shown"] == [found.search]
    lapsed = [e for e in entries if e["type"] == "authority.lapsed"]
    assert [e["body"]["searches"] for e in lapsed] == [[found.search]]
    assert office.ledger_verify()["size"] == office.ledger_size
    with pytest.raises(Refused, match="lapsed"):
        office.requests.approve(request.id, BOSS)


def test_a_running_server_deletes_what_is_due(office: Countenance, monkeypatch: pytest.MonkeyPatch) -> None:
    request = asked(office, urgent=True)
    found = search(office, str(request.authority))
    later(monkeypatch, hours=48)
    with _keeping_time(office, seconds=0.05):
        until = time.monotonic() + 20
        while kept(office, found.search) and time.monotonic() < until:
            time.sleep(0.05)
    assert kept(office, found.search) == 0
    (lapsed,) = [e for e in office.ledger_entries(0, office.ledger_size) if e["type"] == "authority.lapsed"]
    assert lapsed["body"]["via"] == "clock"


def test_what_was_declined_is_deleted_at_once(office: Countenance) -> None:
    request = asked(office, urgent=True)
    found = search(office, str(request.authority))
    office.requests.decline(request.id, "there was time to ask first", BOSS)
    assert kept(office, found.search) == 0
    refused(office, str(request.authority), "lapsed")


def test_too_late_an_approval_is_none(office: Countenance, monkeypatch: pytest.MonkeyPatch) -> None:
    request = asked(office, urgent=True)
    found = search(office, str(request.authority))
    later(monkeypatch, hours=48)
    with pytest.raises(Refused, match="lapsed"):
        office.requests.approve(request.id, BOSS)
    assert kept(office, found.search) == 0


def test_a_deletion_that_was_cut_off_is_completed_at_the_next_opening(
    house: Place, office: Countenance, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = asked(office, urgent=True)
    found = search(office, str(request.authority))

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("countenance.store.searches.delete_results", dies)
        with pytest.raises(KeyboardInterrupt):
            office.requests.decline(request.id, "there was time to ask first", BOSS)
    assert kept(office, found.search) > 3
    assert kept(house.open(), found.search) == 0


# Rows


EDITS = {
    "approved by hand": "UPDATE authorities SET due_at = NULL, self_approved = false WHERE id = ?",
    "approved by hand, marked": "UPDATE authorities SET due_at = NULL WHERE id = ?",
    "a later date": "UPDATE authorities SET due_at = due_at + 864000000000 WHERE id = ?",
    "another request": "UPDATE authorities SET request = 'R-000000000000' WHERE id = ?",
    "another outcome": "UPDATE authorities SET outcome = 'whatever' WHERE id = ?",
}


@pytest.mark.parametrize("what", EDITS)
def test_a_row_that_says_it_was_approved_is_worth_nothing(office: Countenance, what: str) -> None:
    request = asked(office, urgent=True)
    with office.database.write() as c:
        assert c.exec_driver_sql(EDITS[what], (request.authority,)).rowcount == 1
    refused(office, str(request.authority), "not-in-ledger")


def test_an_authority_whose_row_was_put_there_by_hand_is_dead(office: Countenance) -> None:
    authority: Authority = office.requests.approve(asked(office).id, BOSS)
    with office.database.write() as c:
        c.exec_driver_sql(
            "INSERT INTO authorities SELECT 'A-ffffffffffff', purpose, basis, basis_document, case_ref, collections, "
            "granted_at, expires_at, searches, used, actor, stated, holder, self_approved, grant_seq, revoked_at, "
            "revoke_seq, request, outcome, due_at FROM authorities WHERE id = ?",
            (authority.id,),
        )
    refused(office, "A-ffffffffffff", "not-in-ledger")


def test_reasons_are_sealed_and_shredded_when_their_time_is_over(
    office: Countenance, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = asked(office)
    raw = (office.home / "ledger" / "entries.jsonl").read_bytes()
    assert b"handbag" not in raw
    assert b"suspect 1" not in raw
    assert office.requests.reasons(request) == REASONS
    later(monkeypatch, hours=24 * (3 + office.settings.retention.probe_days) + 1)
    office.run_retention(ADMIN)
    assert office.requests.reasons(request) is None
    assert office.ledger_verify()["size"] == office.ledger_size
