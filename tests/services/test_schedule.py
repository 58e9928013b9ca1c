"""One schedule: every kind of data has a rule, the job applies it, text and page say it, and a receipt proves it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from countenance.app import Countenance
from countenance.domain.errors import Broken, Busy, Refused, UnknownThing
from countenance.ledger.receipt import verify_receipt
from countenance.reports.retention import policy_text
from countenance.services import due, schedule
from countenance.services.retention import Run
from countenance.services.schedule import JOB, RULES
from countenance.settings import RetentionSettings, Settings, load_settings
from countenance.store import items, moments, schema
from tests import pretend
from tests.places import TESTER, Place, ask, grant, kinds
from tests.services.test_retention import PROBE, Clock
from tests.teams import team_at

BY_TABLE = {
    "sources": ("sources", "collections", "collection_sources", "images", "appearances", "faces", "sightings",
                "vectors", "vector_holes", "vector_attributes", "runs", "skips"),
    "probes": ("searches",),
    "results": ("candidates",),
    "review-pictures": ("review_pictures",),
    "analyses": ("analyses", "log_sessions"),
    "sessions": ("browser_sessions",),
    "devices": ("known_devices",),
    "attempts": ("attempts",),
    "tokens": ("tokens",),
    "closed-accounts": ("credentials",),
    "marks": ("suppressed",),
    "notes": ("item_keys",),
    "ledger": ("authorities",),
}  # fmt: skip
NOTHING_PERSONAL = {"meta", "counters", "erasures"}
"""Names of keys, numbers, and numbers of rows while an erasure is under way."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_every_table_has_a_rule() -> None:
    told = {table for tables in BY_TABLE.values() for table in tables}
    assert told | NOTHING_PERSONAL == set(schema.metadata.tables)
    assert BY_TABLE.keys() <= {rule.code for rule in RULES}


def test_every_setting_of_retention_is_one_rule_at_least_and_every_job_is_done() -> None:
    used = {rule.setting.removeprefix("retention.") for rule in RULES if (rule.setting or "").startswith("retention.")}
    assert used | {"hold_days"} == set(RetentionSettings.model_fields)
    assert set(due.FINDERS) == {rule.code for rule in RULES if rule.by == JOB}


def test_the_text_says_what_is_in_force() -> None:
    settings = Settings(retention={"source_days": 7, "probe_days": 11}, authority={"urgent_hours": 24})
    text = policy_text(schedule.policy(settings))
    assert "7 days from its registration" in text
    assert text.count("11 days from") == 3
    assert "1 day from the search" in text
    assert "90 days" in text, "the others are as they were"


def test_old_names_of_settings_still_hold_and_contradictions_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "countenance.toml").write_text("[search]\nlimit = 3\nprobe_days = 12\n[proxylog]\nretain_days = 100\n")
    monkeypatch.setenv("COUNTENANCE_SOURCES__RETAIN_DAYS", "7")
    kept = load_settings(home).retention
    assert (kept.probe_days, kept.analysis_days, kept.source_days) == (12, 100, 7)
    monkeypatch.setenv("COUNTENANCE_RETENTION__PROBE_DAYS", "13")
    with pytest.raises(Broken, match="both are said"):
        load_settings(home)


def test_a_run_leaves_one_receipt_that_can_be_checked_and_names_nothing(house: Place, clock: Clock) -> None:
    with house.open(retention={"probe_days": 1}) as product:
        ask(product, grant(product, "album", days=1), PROBE)
        assert product.run_retention(TESTER)["entry"] is None
        assert "retention.destroyed" not in kinds(product)
        assert {one["rule"]: one["count"] for one in product.keeping.coming(timedelta(days=3))["due"]} == {
            "probes": 1,
            "results": 1,
        }
        over = product.source("wall").expires_at
        clock.put(over)
        done = product.run_retention(TESTER)
        assert kinds(product).count("retention.destroyed") == 1
        receipt = product.keeping.receipt(done["entry"])
        assert {one["rule"]: one["count"] for one in receipt["destroyed"]} == {
            "sources": 2,
            "probes": 1,
            "results": 1,
        }
        (whole,) = (one for one in receipt["destroyed"] if one["rule"] == "sources")
        assert whole["parts"]["images"] > 0
        assert len(whole["entries"]) == 2
        assert whole["due_to"][:19] == over.isoformat()[:19]
        entry = verify_receipt(receipt["proof"], product.vkey)
        assert entry.seq == done["entry"]
        assert not any(name in receipt["proof"]["entry"] for name in ("album", "wall", "file:"))
        assert [one["receipt"] for one in product.keeping.receipts()] == [done["entry"]]
        with pytest.raises(UnknownThing):
            product.keeping.receipt(0)


def test_what_people_sign_in_with_and_closed_accounts_go_in_their_time(place: Place, clock: Clock) -> None:
    team = team_at(place, retention={"closed_account_days": 30, "token_days": 5})
    product, admin = team.product, team.actor("administrator")
    team.sign_in("requester")
    team.token("requester", "search")
    (token,) = product.tokens(admin)
    product.revoke_token(token.id, admin)
    gone = team.account("requester").id
    product.people.disable("requester", admin)
    now = moments.now()

    def left() -> tuple[int, ...]:
        tables = ("browser_sessions", "known_devices", "tokens", "credentials")
        with product.database.read() as c:
            return tuple(int(c.exec_driver_sql(f"SELECT count(*) FROM {t}").scalar() or 0) for t in tables)

    assert left() == (6, 6, 1, 5)
    clock.put(now + timedelta(days=6))
    assert product.run_retention(admin)["destroyed"] == {"sessions": 6, "tokens": 1}
    assert left() == (0, 6, 0, 5)
    beside = place.open()
    assert beside.people.account(gone).name == "requester"
    clock.put(now + timedelta(days=31))
    assert product.run_retention(admin)["destroyed"] == {"closed-accounts": 1}
    assert left() == (0, 4, 0, 4)
    assert product.people.account(gone).name == ""
    # A server that has the home open and had read the name does not remember it either.
    assert beside.people.account(gone).name == ""
    with pytest.raises(Refused, match="were destroyed"):
        product.people.enable(gone, admin)
    clock.put(now + timedelta(days=200))
    assert product.run_retention(admin)["destroyed"] == {"devices": 4}


def test_the_name_of_a_closed_account_goes_after_a_run_that_was_cut_off(
    place: Place, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = team_at(place, retention={"closed_account_days": 30})
    product, admin = team.product, team.actor("administrator")
    product.people.add("mary", ["requester"], admin)
    id = product.people.account("mary").id
    product.people.disable("mary", admin)
    clock.put(moments.now() + timedelta(days=31))

    def cut_off(run: Run, rest: object) -> int:
        raise Busy("the database is locked by another process")

    with monkeypatch.context() as broken:
        broken.setattr(Run, "_destroy", cut_off)
        with pytest.raises(Busy):
            product.run_retention(admin)
    assert product.people.account(id).name == ""
    with product.database.read() as c:
        assert items.open_keys(c, [f"account:{id}"]), "its entry says that it went, and it is there still"
    assert "closed-accounts" in product.run_retention(admin)["destroyed"]
    with product.database.read() as c:
        assert not items.open_keys(c, [f"account:{id}"])
    assert "closed-accounts" not in product.run_retention(admin)["destroyed"]


def test_a_known_pair_and_the_reasons_of_verdicts_on_it_go_together(product: Countenance, clock: Clock) -> None:
    one, other = pretend.photograph("ada", note="pair"), pretend.photograph("bob", note="pair")
    pair = product.reviews.add_control(one, other, "different", TESTER)
    shown = product.reviews.next(TESTER)
    assert shown is not None
    product.reviews.judge(shown.review, "different", "the ears", TESTER)
    clock.put(moments.now() + timedelta(days=731))
    done = product.run_retention(TESTER)["destroyed"]
    assert (done["known-pairs"], done["notes"]) == (1, 1)
    assert [one["id"] for one in product.reviews.controls(TESTER)] == []
    with product.database.read() as c:
        assert c.exec_driver_sql("SELECT count(*) FROM review_pictures").scalar() == 0
        kept = c.exec_driver_sql("SELECT item FROM item_keys WHERE item LIKE ?", (f"%{pair}%",))
        assert list(kept) == []
    assert product.run_retention(TESTER)["entry"] is None
