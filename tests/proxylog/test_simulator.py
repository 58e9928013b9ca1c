"""What the simulator writes is read whole, and what is found in it is what truly happened."""

from __future__ import annotations

import json
import re
import sys
from functools import cache
from ipaddress import ip_address
from pathlib import Path

import pytest

import tools.proxysim.writers as writers
from benchmarks.proxylog_matrix import WANTED, Matrix
from tools.proxysim import __main__ as command
from tools.proxysim.analysing import Analysed, analysed
from tools.proxysim.scenarios import SCENARIOS
from tools.proxysim.scoring import Score, address, scored
from tools.proxysim.truth import told
from tools.proxysim.views import View
from tools.proxysim.world import World
from tools.proxysim.writers import FORMATS, logs

SEED = 3
EVERY = [pytest.param(name, view, id=f"{name}-{view}") for name, one in FORMATS.items() for view in one.shows]
ALIKE = ("squid-custom", "w3c", "zscaler-csv", "zscaler-json", "umbrella", "csv", "jsonl")
"""Formats that show the same of an inspected request: method, path, status, bytes, agent, referrer."""


@cache
def small() -> World:
    return SCENARIOS["small"](SEED)


@cache
def found(name: str, view: View) -> tuple[Analysed, Score]:
    got = analysed(small(), FORMATS[name], view)
    return got, scored(small(), FORMATS[name], view, got.sessions)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    again = SCENARIOS["small"](SEED)
    assert told(small()) == told(again)
    for product in FORMATS.values():
        for view in product.shows:
            assert logs(small(), product, view) == logs(again, product, view)
    other = SCENARIOS["small"](SEED + 1)
    assert logs(other, FORMATS["squid"], "host") != logs(small(), FORMATS["squid"], "host")


def test_nobody_and_no_place_in_it_is_real() -> None:
    sites = ("pimeyes.com", "facecheck.id", "search4faces.com", "lenso.ai", "tineye.com", "lens.google.com")
    for one in small().exchanges():
        assert ip_address(one.person.address).is_private
        assert re.fullmatch(r"u\d{4}|[a-z]+\d\dx\d+|desk\d-\d", one.person.login)
        kept = re.search(r"(^|\.)example(\.|$)", one.host) or one.host == "notpimeyes.com"
        assert kept or one.host.endswith(sites), one.host


def test_the_writers_know_nothing_of_the_readers() -> None:
    for file in Path(writers.__file__).parent.glob("*.py"):
        assert "countenance" not in file.read_text(encoding="utf-8"), file


@pytest.mark.parametrize(("name", "view"), EVERY)
def test_every_line_is_read_and_the_truth_lies_within_the_bounds(name: str, view: View) -> None:
    got, score = found(name, view)
    assert got.rejected == ()
    assert got.formats == (FORMATS[name].reader,)
    assert got.lines == sum(text.count("\n") for text in logs(small(), FORMATS[name], view).values())
    assert score.searches > 10
    assert score.outside == []
    assert [pair for pair in score.pairs if not pair.inside] == []
    if FORMATS[name].shows[view] in ("V0", "V1"):
        assert score.claimed == 0


def test_submissions_and_results_are_told_where_method_path_and_status_are_shown() -> None:
    matrix = Matrix()
    for product in FORMATS.values():
        for view, ceiling in product.shows.items():
            if ceiling in ("V3", "V4"):
                matrix.count(found(product.name, view)[1], product, view)
    for wanted, rates in (("precision", matrix.precision), ("recall", matrix.recall)):
        for rate in rates.values():
            assert rate.of > 50
            assert rate.right >= WANTED[wanted] * rate.of
    assert matrix.claimed_below == 0


@pytest.mark.parametrize("name", ALIKE[1:])
def test_the_same_truth_in_formats_that_show_the_same_gives_the_same_sessions(name: str) -> None:
    assert _acts(name) == _acts(ALIKE[0])


def _acts(name: str) -> list[tuple[str, str, str, int, int]]:
    """Sessions as (desk, site, class, bounds). What products write of an answer that never came is not the same."""
    open_ones = {act.person.address for act in small().acts if act.told_by == "nothing"}
    return sorted(
        (address(one), one.site, str(one.grade), one.searches.at_least, one.searches.at_most)
        for one in found(name, "inspected")[0].sessions
        if address(one) not in open_ones
    )


def test_a_look_alike_host_and_a_search_past_the_proxy_are_in_no_session() -> None:
    acts = [act for act in small().acts if act.category == "look-alike" or not act.logged]
    assert {act.logged for act in acts} == {True, False}
    sites = {one.site for one in found("squid", "inspected")[0].sessions}
    assert sites == {"pimeyes", "facecheck", "search4faces", "lenso", "tineye", "google-lens"}
    past = [act for act in acts if not act.logged]
    pairs = [pair for pair in found("squid", "inspected")[1].pairs if set(pair.acts) & set(past)]
    assert pairs == []


def test_2337_hits_are_fourteen_searches_within_the_bounds() -> None:
    world = SCENARIOS["hits-2337"](7)
    text = "".join(logs(world, FORMATS["squid"], "mixed").values())
    assert len(re.findall(r"[ /.]pimeyes\.com[:/]", text)) == 2_337
    got = analysed(world, FORMATS["squid"], "mixed")
    score = scored(world, FORMATS["squid"], "mixed", got.sessions)
    assert (got.requests, sum(one.requests for one in got.sessions)) == (2_337, 2_337)
    assert {one.site for one in got.sessions} == {"pimeyes"}
    assert len({one.who for one in got.sessions}) == 64
    assert told(world)["totals"]["searches"] == 14
    assert told(world)["totals"]["searchers"] == 9
    assert score.outside == []
    low, high = score.bounds
    assert 9 <= low <= 14 <= high <= 100


def test_the_command_leaves_logs_truth_and_what_a_reader_must_be_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ["proxysim", "--scenario", "small", "--seed", str(SEED), "--format", "squid-custom", "--view", "mixed"]
    monkeypatch.setattr(sys, "argv", [*asked, "--out", str(tmp_path)])
    command.main()
    files = {file.name: file.read_text(encoding="utf-8") for file in tmp_path.iterdir()}
    assert files.keys() == {"proxy-a.log", "proxy-b.log", "truth.json", "logformat.txt"}
    assert {name: files[name] for name in ("proxy-a.log", "proxy-b.log")} == logs(
        small(), FORMATS["squid-custom"], "mixed"
    )
    truth = json.loads(files["truth.json"])
    faces = [act for act in truth["acts"] if act["category"] == "face" and act["in_the_logs"]]
    assert truth["totals"]["searches"] == sum(act["searches"] for act in faces) > 10
    assert truth["totals"]["searches_outside_the_logs"] >= 1
    assert files["logformat.txt"].startswith("logformat house %ts")
    monkeypatch.setattr(sys, "argv", [*asked[:-1], "dns", "--out", str(tmp_path)])
    with pytest.raises(SystemExit):
        command.main()
