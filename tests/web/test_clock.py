"""The duties that a running server does by the clock: one that fails stops no other, and is told until it is mended."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from countenance.app import Countenance
from countenance.services.clock import HOUR, Clock, Duty, Standing
from countenance.store import moments
from countenance.web.serve import _keeping_time
from tests import databases
from tests.places import TESTER, Place, kinds
from tests.post_office import PostOffice, post_office
from tests.services.test_post import mailing
from tests.web.conftest import serve
from tests.web.test_serve import enter, serving

FAR = -9 * 10**17
"""Microseconds: a moment that no calendar has."""


def until(true: Callable[[], object]) -> None:
    over = time.monotonic() + 30
    while not true():
        assert time.monotonic() < over
        time.sleep(0.02)


def standing(product: Countenance, name: str = "retention") -> dict[str, object]:
    return next(one for one in product.status()["clock"] if one["duty"] == name)


@contextmanager
def damaged(place: Place, product: Countenance) -> Iterator[None]:
    """A row that retention cannot read, as a failing disk or an editor leaves it."""
    token, _ = product.create_token("old", ["status:read"], None, TESTER)
    with databases.by_hand(place.home) as c:
        c.execute("UPDATE tokens SET revoked_at = ? WHERE id = ?", (FAR, token.id))
    yield
    with databases.by_hand(place.home) as c:
        c.execute("UPDATE tokens SET revoked_at = NULL WHERE id = ?", (token.id,))


def test_one_duty_that_fails_stops_no_other_and_is_told_until_it_is_mended(
    house: Place, caplog: pytest.LogCaptureFixture
) -> None:
    with post_office(PostOffice()) as office:
        product = mailing(house, office)
        with damaged(house, product), _keeping_time(product, seconds=0.02, every=0.02):
            until(lambda: standing(product)["tries"] in (2, 3, 4))
            until(lambda: office.mails)
            until(lambda: standing(product, "holds")["last"])
            until(lambda: standing(product, "mail")["last"])
            now = standing(product)
            assert (now["last"], now["error"]) == (None, "OverflowError, see the server's log")
            assert "OverflowError" in caplog.text
            assert "access/tokens.py" in caplog.text, "the log has the place"
            assert str(FAR) not in caplog.text, "and not what was read there"
            for served in serve(product):
                with served.browser() as browser, served.program("status:read") as program:
                    for page in ("/", "/oversight?reading=lawfulness"):
                        text = browser.get(page).text
                        assert "Retention fails since" in text, page
                        assert "never done yet" in text
                    (told,) = [one for one in program.get("/status").json()["clock"] if one["duty"] == "retention"]
                    assert told["error"] == now["error"]
            doctor = house.command("doctor", "--offline", "--json")
            faults = [f["severity"] for f in doctor.json["findings"] if f["what"].startswith("retention: fails since")]
            assert faults == ["fault"]
            assert "retention: fails since" in house.command("status").err
        with _keeping_time(product, seconds=0.02, every=0.02):
            until(lambda: standing(product)["error"] is None)
        assert standing(product)["last"]
        for served in serve(product):
            with served.browser() as browser:
                assert "fails since" not in browser.get("/").text
                assert "The job last ran" in browser.get("/retention").text
        assert kinds(product).count("ledger.mailed") == 1


def test_a_failure_is_tried_again_after_a_while_that_doubles_up_to_an_hour() -> None:
    hourly = Duty("retention", "retention", lambda: None, every=HOUR)
    waits = [hourly.wait(tries) for tries in (0, 1, 2, 3, 6, 7, 10**6)]
    assert waits == [3600, 60, 120, 240, 1920, 3600, 3600]


def test_where_nothing_can_be_written_the_server_that_met_it_tells_it(
    house: Place, caplog: pytest.LogCaptureFixture
) -> None:
    product = house.open()
    with databases.by_hand(house.home) as c:
        c.execute("ALTER TABLE meta RENAME TO elsewhere")

    def broken() -> None:
        raise OSError("/secret/place")

    clock = Clock(product.database, (Duty("one", "the one", broken), Duty("two", "the other", lambda: None)))
    clock.tick()
    one, two = clock.state()
    assert (one["error"], one["tries"], one["last"]) == ("OSError, see the server's log", 1, None)
    assert (two["error"], two["last"] is not None) == (None, True)
    with databases.by_hand(house.home) as c:
        c.execute("ALTER TABLE elsewhere RENAME TO meta")


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "[]",
        "7",
        "[" * 100_000,
        '{"last":5}',
        '{"tries":null}',
        '{"tries":Infinity}',
        '{"last":"2026-01-01T00:00:00"}',
        '{"last":"2026-01-01T00:00:00+02:00"}',
        '{"last":"soon"}',
        '{"error":"it broke"}',
        '{"error":5}',
        '{"failed":"2026-01-01T00:00:00+00:00"}',
        '{"failed":"2026-01-01T00:00:00+00:00","error":{}}',
    ],
)
def test_what_nobody_wrote_says_nothing_of_how_a_duty_stands(kept: str) -> None:
    assert Standing.read(kept) == Standing()


def test_how_a_duty_stands_is_read_as_it_was_written() -> None:
    one = Standing(moments.now(), moments.now(), "why", 3)
    assert Standing.read(one.written()) == one


def test_a_damaged_row_on_how_a_duty_stands_ends_no_clock(house: Place) -> None:
    product, done = house.open(), list[str]()
    duties = [Duty(name, name, lambda name=name: done.append(name)) for name in ("urgent", "holds", "mail", "two")]
    damage = {"urgent": "[]", "holds": '{"last":5}', "mail": '{"last":"2026-01-01T00:00:00"}'}

    def edit() -> None:
        for name, value in damage.items():
            product.database.set_meta(f"clock:{name}", value)

    edit()
    assert {standing(product, name)["last"] for name in damage} == {None}
    assert house.command("status", "--json").code == 0
    assert [f for f in product.examine()["findings"] if f["severity"] == "fault"] == []
    edit()
    Clock(product.database, tuple(duties)).tick()
    assert done == ["urgent", "holds", "mail", "two"]
    assert all(standing(product, name)["last"] for name in damage), "and it is known again"


def test_a_server_starts_when_its_first_retention_fails(house: Place) -> None:
    product = house.open()
    with damaged(house, product):
        house.close()
        with serving(house) as (process, link):
            assert enter(link).status_code == 204
            product = house.open()
            assert standing(product)["error"] == "OverflowError, see the server's log"
            assert all(standing(product, name)["last"] for name in ("urgent", "holds")), "one stops no other"
            process.terminate()
            _, err = process.communicate(timeout=30)
            assert process.returncode == 0, err
            assert "Not done by the clock: retention: fails since" in err


def test_what_failed_when_a_server_started_is_tried_again_before_an_hour(
    house: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def broken() -> None:
        raise OSError

    clock = Clock(house.open().database, (Duty("one", "the one", lambda: done.append("clock"), every=HOUR),))
    clock.at_once({"one": broken})
    clock.tick()
    assert done == []
    later = time.monotonic() + 61
    monkeypatch.setattr(time, "monotonic", lambda: later)
    clock.tick()
    assert done == ["clock"]


def test_a_home_that_no_server_has_kept_for_long_says_so(house: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    product = house.open()
    product.run_retention(TESTER)
    assert standing(product)["late"] is False
    later = moments.now().replace(year=moments.now().year + 1)
    monkeypatch.setattr(moments, "now", lambda: later)
    assert standing(product)["late"] is True
    (found,) = [f for f in product.examine()["findings"] if f["what"].startswith("retention: last done")]
    assert found["severity"] == "advice"


@pytest.fixture(autouse=True)
def _heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
