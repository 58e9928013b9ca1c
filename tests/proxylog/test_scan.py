"""From files to requests: every line read or listed, in any order, split and packing; and nothing lost by a kill."""

from __future__ import annotations

import base64
import hashlib
import io
import multiprocessing
import random
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from countenance.domain.errors import BadInput, Busy, Unavailable, UnknownThing
from countenance.domain.proxy import WebRequest
from countenance.proxylog import blocks, inputs, piece, shelf, unpack
from countenance.proxylog.formats import known, ncsa, zscaler
from countenance.proxylog.formats.kind import BadLine, Example, Format, Reading
from countenance.proxylog.scan import scan
from tests import child
from tests.proxylog.logs import (
    FORMATS,
    HEADER,
    PACKED,
    START,
    column_line,
    columns,
    found,
    lay,
    options,
    outcome,
    placeless,
    squid_line,
    tunnel_line,
)

NEWS = "news.example.org"


def mixed(count: int, seed: int = 1, relevant: float = 0.1) -> list[str]:
    """Lines of Squid, some of interest, some that cannot be read, some twice."""
    dice = random.Random(seed)
    lines: list[str] = []
    for n in range(count):
        host = dice.choice(["pimeyes.com", "jsc1.PimEyes.com", "facecheck.id"]) if dice.random() < relevant else NEWS
        who, address = dice.choice(["a.poe", "b.low", "-"]), f"10.0.0.{dice.randrange(5)}"
        make = dice.choice([squid_line, tunnel_line])
        lines.append(make(n * 60 + dice.random(), host, who, address))
        if dice.random() < 0.05:
            lines.append(
                dice.choice(["rubbish", "", "# comment", lines[-1], "793613619.0 1 x TCP_MISS/200 1 GET y z - -"])
            )
    return lines


def test_what_is_found(tmp_path: Path) -> None:
    lines = [
        squid_line(0, NEWS),
        "rubbish",
        squid_line(2, "PIMEYES.com", path="/en?q"),
        "",
        tunnel_line(1, "facecheck.id"),
    ]
    file = lay(tmp_path / "log", lines)
    said = outcome([file], tmp_path / "work")
    assert [(r.host, r.line, r.at, r.path, r.kind, r.file) for r in said["requests"]] == [
        ("facecheck.id", 5, START + 1.0, None, "tunnel", str(file)),
        ("pimeyes.com", 3, START + 2.0, "/en", "request", str(file)),
    ]
    assert said["requests"][1].text == lines[2]
    assert said["rejected"] == [(str(file), 2, "fields")]
    (log,) = said["files"]
    assert (log.sha256, log.format, log.lines, log.rejected) == (
        hashlib.sha256(file.read_bytes()).hexdigest(),
        "squid",
        5,
        1,
    )
    assert said["coverage"]["lines"] == {"all": 5, "read": 3, "skipped": 1, "rejected": 1}


def test_hosts_that_only_look_alike_are_left(tmp_path: Path) -> None:
    hosts = ["notpimeyes.com", "pimeyes.com.evil.example", "%70imeyes.com", "pimeyes.com."]
    file = lay(tmp_path / "log", [squid_line(n, host) for n, host in enumerate(hosts)])
    assert [request.line for request in outcome([file], tmp_path / "work")["requests"]] == [3, 4]


COLUMN_LINES = st.lists(
    st.one_of(
        st.builds(
            column_line,
            st.integers(0, 10_000),
            st.sampled_from([NEWS, "pimeyes.com", "x.facecheck.id", "%70imeyes.com"]),
            st.sampled_from(["poe", "low", "-"]),
            st.sampled_from(["10.0.0.1", "10.0.0.2"]),
            st.sampled_from(["GET", "CONNECT"]),
        ),
        st.sampled_from(["", "# a word", "rubbish", HEADER, "1 2 3 4 5", "#fields user at method url address"]),
        st.builds(lambda at: f"{at} 10.0.0.1 poe GET facecheck.id/x", st.integers(10**12, 10**13 - 1)),
        st.builds(lambda at: f"poe {START + at} GET pimeyes.com/x 10.0.0.3", st.integers(0, 9999)),
        st.builds(
            lambda line: column_line(5, "pimeyes.com") + line, st.text(max_size=4).map(lambda s: s.replace("\n", ""))
        ),
    ),
    max_size=40,
)


@given(lines=COLUMN_LINES, size=st.integers(1, 400), stretch=st.integers(1, 8), turns=st.integers(1, 5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_the_fast_way_and_the_slow_way_agree(
    lines: list[str],
    size: int,
    stretch: int,
    turns: int,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path_factory.mktemp("both")
    file = lay(folder / "log", [HEADER, *lines])
    monkeypatch.setattr(blocks, "BLOCK", 10_000)
    slow = outcome([file], folder / "slow", formats=(columns(quick=False),))
    monkeypatch.setattr(blocks, "BLOCK", size + 100)
    monkeypatch.setattr(piece, "FIRST_STRETCH", stretch)
    monkeypatch.setattr(piece, "TURNS", turns)
    assert outcome([file], folder / "fast", formats=(columns(),)) == slow


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_any_order_split_and_packing_gives_the_same(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("split")
    lines = mixed(60, data.draw(st.integers(0, 5)), 0.3)
    whole = outcome([lay(folder / "whole", lines)], folder / "one")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(lines)), max_size=4)))
    files = []
    for first, last in zip([0, *cuts], [*cuts, len(lines)], strict=True):
        how = data.draw(st.sampled_from(list(PACKED)))
        name = data.draw(st.text("abcdef", min_size=1, max_size=3)) + str(len(files))
        files.append(lay(folder / name, lines[first:last], how))
    parts = outcome(data.draw(st.permutations(files)), folder / "many")
    assert placeless(parts["requests"]) == placeless(whole["requests"])
    assert parts["coverage"] == whole["coverage"]
    assert sum(parts["reasons"].values()) == sum(whole["reasons"].values())


@given(cut=st.integers(1, 20), first=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
def test_a_piece_without_its_header_borrows_it(cut: int, first: bool, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("piece")
    lines = [HEADER, *(column_line(n, "pimeyes.com" if n % 3 else NEWS) for n in range(20))]
    whole = outcome([lay(folder / "whole", lines)], folder / "one")
    # The piece with the header may come before or after the other.
    names = ("a", "b") if first else ("b", "a")
    files = [lay(folder / names[0], lines[:cut]), lay(folder / names[1], lines[cut:], "gzip")]
    parts = outcome(files, folder / "two")
    assert placeless(parts["requests"]) == placeless(whole["requests"])
    assert parts["coverage"] == whole["coverage"]


def test_a_piece_of_empty_lines_is_a_piece_all_the_same(tmp_path: Path) -> None:
    lines = [squid_line(0, "pimeyes.com"), "", "", ""]
    whole = outcome([lay(tmp_path / "whole", lines)], tmp_path / "one")
    parts = outcome([lay(tmp_path / "a", lines[1:]), lay(tmp_path / "b", lines[:1])], tmp_path / "two")
    assert parts["coverage"] == whole["coverage"]
    assert parts["faults"] == ()


def test_different_headers_that_fit_are_an_error(tmp_path: Path) -> None:
    mine, other = "#fields at address via user method url", "#fields at via address user method url"
    line = f"{START} 10.0.0.1 10.0.0.2 poe GET pimeyes.com/x"
    files = [lay(tmp_path / "a", [mine, line]), lay(tmp_path / "b", [line])]
    assert [one.address for one in outcome(files, tmp_path / "one")["requests"]] == ["10.0.0.1"]
    files.append(lay(tmp_path / "c", ["# the same once more", mine]))
    assert outcome(files, tmp_path / "two")["faults"] == ()
    files.append(lay(tmp_path / "d", [other, line]))
    said = outcome(files, tmp_path / "three")
    (fault,) = said["faults"]
    assert (Path(fault.file).name, fault.reason) == ("b", "several-headers")
    assert fault.others == tuple(str(tmp_path / name) for name in "acd")
    assert said["reasons"] == {"unknown-format": 1}


def test_lines_in_other_letters_are_read(tmp_path: Path) -> None:
    good = squid_line(0, "pimeyes.com").encode()
    latin = squid_line(1, "pimeyes.com").encode().replace(b"a.poe", b"J\xf6rg")
    file = lay(tmp_path / "log", [good, latin, b"\xff\xfe\x00", good.replace(b"0.1", b"\x00")], end=b"\r\n")
    said = outcome([file], tmp_path / "work", format="squid")
    assert [(r.line, r.user) for r in said["requests"]] == [(1, "a.poe"), (2, "Jörg")]
    assert [(line, reason) for _, line, reason in said["rejected"]] == [(3, "encoding"), (4, "encoding")]
    assert said["requests"][0].text.encode() == good


def test_a_format_that_fails_costs_the_line_only(tmp_path: Path) -> None:
    class Lines:
        fast = None

        def read(self, text: str, number: int) -> WebRequest | None:
            if text == "bad":
                raise BadLine("bad")
            at = {"nan": float("nan"), "far": 1e300}.get(text, 1.0 * START)
            return WebRequest("", 0, at, "request", "pimeyes.com", user="\ud800x", sent=int(text[:1] or "x"))

    odd = Format("odd", "Odd", lambda head, _: 1, lambda head, _: Lines())
    file = lay(tmp_path / "log", ["1\\", "bad", "nan", "far", "?"])
    said = outcome([file], tmp_path / "work", formats=(odd,))
    assert said["reasons"] == {"bad": 1, "unreadable": 3}
    assert [request.user for request in said["requests"]] == ["\ufffdx"]


def test_long_lines_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 300_000)
    long = squid_line(1, "pimeyes.com", path="/" + "x" * 70_000)
    file = lay(tmp_path / "log", [squid_line(0, NEWS), long, squid_line(2, "pimeyes.com"), "y" * 700_000])
    said = outcome([file], tmp_path / "work")
    assert [(line, reason) for _, line, reason in said["rejected"]] == [(2, "too-long"), (4, "too-long")]
    assert [request.line for request in said["requests"]] == [3]


def test_duplicates_point_to_the_smallest_place(tmp_path: Path) -> None:
    line, other = squid_line(0, "pimeyes.com"), squid_line(0, "pimeyes.com", user="b.low")
    files = [
        lay(tmp_path / "b", [line, line]),
        lay(tmp_path / "a", [NEWS, other, line]),
        lay(tmp_path / "c", [line, other]),
    ]
    said = outcome(files, tmp_path / "work")
    assert sorted((Path(r.file).name, r.line, r.user) for r in said["requests"]) == [
        ("a", 2, "b.low"),
        ("a", 3, "a.poe"),
    ]
    assert said["coverage"]["relevant"]["duplicates"] == 4


def test_the_smallest_place_is_that_of_the_name_not_of_the_run(tmp_path: Path) -> None:
    files = [lay(tmp_path / name, [squid_line(0, "pimeyes.com")]) for name in "ab"]
    outcome(files[1:], tmp_path / "work")
    assert outcome(files, tmp_path / "work") == outcome(files, tmp_path / "whole")


@pytest.mark.parametrize("quick", [True, False])
def test_a_line_without_a_literal_is_not_kept(quick: bool, tmp_path: Path) -> None:
    lines = [HEADER, column_line(0, "pimeyes.com"), column_line(1, "facecheck.id")]
    file = lay(tmp_path / "log", lines)
    said = outcome([file], tmp_path / "work", formats=(columns(quick=quick),), literals=("facecheck",))
    assert [request.host for request in said["requests"]] == ["facecheck.id"]


def test_a_site_that_stands_in_base64_only_is_found(tmp_path: Path) -> None:
    line = (
        '{{"version":"v11","sourcetype":"zscalernss-web","event":{{"epochtime":"17936136{n}","login":"j.doe",'
        '"cltip":"10.20.3.41","reqmethod":"GET","b64url":"{url}","respcode":200,"reqsize":1300,"respsize":10500,'
        '"action":"Allowed"}}}}'
    )
    urls = ("pimeyes.com/en", "example.org/a", "facecheck.id/api/search")
    lines = [line.format(n=10 + n, url=base64.b64encode(url.encode()).decode()) for n, url in enumerate(urls)]
    log = tmp_path / "nss.json"
    log.write_text("\n".join(lines) + "\n")
    said = outcome([log], tmp_path / "work", formats=(zscaler.FORMAT,))
    assert sorted(request.host for request in said["requests"]) == ["facecheck.id", "pimeyes.com"]


def test_a_borrowed_header_that_changes_is_seen(tmp_path: Path) -> None:
    line = f"{START} 10.0.0.1 10.0.0.2 poe GET pimeyes.com/x"
    files = [lay(tmp_path / "a", ["#fields at address via user method url"]), lay(tmp_path / "b", [line])]
    outcome(files, tmp_path / "work")
    lay(tmp_path / "a", ["#fields at via address user method url"])
    assert [request.address for request in outcome(files, tmp_path / "work")["requests"]] == ["10.0.0.2"]


def test_what_one_file_showed_does_not_hang_on_another(tmp_path: Path) -> None:
    files = [lay(tmp_path / name, [squid_line(0, NEWS)]) for name in "ab"]
    outcome(files, tmp_path / "work")
    lay(files[0], [""])
    said = outcome(files, tmp_path / "work")
    assert said["coverage"]["addresses"] == {"with_user": 1, "shared": 0}


def test_clocks_are_set_right(tmp_path: Path) -> None:
    line = '10.0.0.1 - poe [02/Nov/2026:10:00:00 +0000] "GET http://pimeyes.com/ HTTP/1.1" 200 1'
    local = squid_line(0, "pimeyes.com")
    files = [lay(tmp_path / "a", [line]), lay(tmp_path / "b", [line]), lay(tmp_path / "c", [local])]
    said = outcome(
        files, tmp_path / "work", formats=(*FORMATS, ncsa.FORMAT), clock_offsets=("30", "b=-60", f"{tmp_path}/c=0.5")
    )
    at = {Path(request.file).name: request.at for request in said["requests"]}
    assert at == {"a": 1793613630.0, "b": 1793613540.0, "c": START + 0.5}
    assert said["coverage"]["first"] == "2026-11-02T09:00:00Z"
    for wrong in (("x",), ("nan",), ("1e99",), ("none=1",)):
        with pytest.raises(BadInput):
            outcome(files, tmp_path / "work", clock_offsets=wrong)


def test_zones_of_single_files(tmp_path: Path) -> None:
    seen = []

    def opened(head: Sequence[str], reading: Reading) -> Any:
        seen.append(reading.zone)
        return FORMATS[0].open(head, reading)

    zoned = Format("zoned", "Zoned", lambda head, _: 1, opened)
    files = [lay(tmp_path / name, [squid_line(0, NEWS)]) for name in ("a", "b")]
    east, west = timezone(timedelta(hours=3)), timezone(timedelta(hours=-3))
    outcome(files, tmp_path / "work", formats=(zoned,), reading=Reading(east), zones={"b": west})
    assert seen == [east, west]


def test_files_that_are_no_logs(tmp_path: Path) -> None:
    good, empty = lay(tmp_path / "good", [squid_line(0, "pimeyes.com")]), lay(tmp_path / "empty", [])
    words = lay(tmp_path / "words", ["Dear reader,", "this is no log.", ""])
    said = outcome([good, empty, words, tmp_path / "gone"], tmp_path / "work")
    assert [(Path(one.file).name, one.format, one.lines, one.rejected) for one in said["files"]] == [
        ("empty", "empty", 0, 0),
        ("good", "squid", 1, 0),
        ("words", "unknown", 3, 3),
    ]
    assert [(Path(one.file).name, one.reason) for one in said["faults"]] == [
        ("gone", "vanished"),
        ("words", "unknown-format"),
    ]
    assert [(line, reason) for _, line, reason in said["rejected"]] == [(n, "unknown-format") for n in (1, 2, 3)]
    with pytest.raises(BadInput) as raised:
        outcome([words, tmp_path / "gone"], tmp_path / "other")
    assert {fault["reason"] for fault in raised.value.details["faults"]} == {"vanished", "unknown-format"}
    assert outcome([empty], tmp_path / "third")["coverage"]["first"] is None
    with pytest.raises(UnknownThing):
        outcome([good], tmp_path / "work", format="nothing")


def test_rubbish_at_the_start_does_not_hide_the_format(tmp_path: Path) -> None:
    file = lay(tmp_path / "log", ["rubbish"] * 130 + [squid_line(n, "pimeyes.com") for n in range(60)])
    said = outcome([file], tmp_path / "work")
    assert (said["files"][0].format, said["files"][0].rejected, len(said["requests"])) == ("squid", 130, 60)


def test_a_forced_format(tmp_path: Path) -> None:
    file = lay(tmp_path / "log", ["rubbish"])
    said = outcome([file], tmp_path / "work", format="squid")
    assert (said["files"][0].format, said["reasons"]) == ("squid", {"fields": 1})
    bare = lay(tmp_path / "bare", [column_line(0, "pimeyes.com")])
    headed = lay(tmp_path / "headed", [HEADER])
    assert len(outcome([bare, headed], tmp_path / "two", format="columns")["requests"]) == 1


@pytest.mark.parametrize("how", ["gzip", "xz", "zstd"])
def test_what_came_before_damage_counts(how: str, tmp_path: Path) -> None:
    lines = mixed(30_000)
    file = lay(tmp_path / "log", lines, how)
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])
    said = outcome([file, lay(tmp_path / "other", [squid_line(0, "pimeyes.com", user="z")])], tmp_path / "work")
    assert [(Path(fault.file).name, fault.reason) for fault in said["faults"]] == [("log", "truncated")]
    (log, _), whole = said["files"], outcome([lay(tmp_path / "all", lines)], tmp_path / "whole")
    assert log.sha256 == hashlib.sha256(data[: len(data) // 2]).hexdigest()
    assert 1000 < log.lines < len(lines)
    mine = [request for request in said["requests"] if request.user != "z"]
    uncut = [request for request in whole["requests"] if request.line < log.lines]
    assert placeless(mine) == placeless(uncut)
    assert said["rejected"][-1][1:] == (log.lines, "cut-off")


def test_standard_input_is_scanned(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.proxylog.logs import outcome;"
        "s = outcome(['-'], Path(sys.argv[1])); print(s['files'][0].sha256, len(s['requests']), s['files'][0].file)"
    )
    data = PACKED["zstd"]("\n".join(mixed(300)).encode())
    command = [sys.executable, "-c", code, str(tmp_path / "work")]
    done = subprocess.run(command, input=data, capture_output=True, check=True)
    digest, count, name = done.stdout.split()
    assert (digest.decode(), name) == (hashlib.sha256(data).hexdigest(), b"-")
    assert int(count) == len(outcome([lay(tmp_path / "log", mixed(300))], tmp_path / "other")["requests"])


def test_progress_goes_up_and_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 2000)
    monkeypatch.setattr(unpack, "PIECE", 1000)
    files = [lay(tmp_path / "a", mixed(100)), lay(tmp_path / "b", mixed(100), "gzip")]
    total = sum(file.stat().st_size for file in files)
    told: list[tuple[int, int | None, str]] = []
    scan([str(file) for file in files], options(), tmp_path / "work", lambda *said: told.append(said)).close()
    assert told[0] == (0, None, "looking")
    assert told[-1] == (total, total, "reading")
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
    told.clear()
    scan([str(file) for file in files], options(), tmp_path / "work", lambda *said: told.append(said)).close()
    assert {phase for _, _, phase in told} == {"looking", "checking"}


def test_one_folder_serves_one_run(tmp_path: Path) -> None:
    file = lay(tmp_path / "log", [squid_line(0, "pimeyes.com")])
    with found([file], tmp_path / "work"), pytest.raises(Busy):
        found([file], tmp_path / "work")
    assert (tmp_path / "work").stat().st_mode & 0o77 == 0
    assert all(one.stat().st_mode & 0o77 == 0 for one in (tmp_path / "work").iterdir())


def _run(files: list[str], work: str, die: Sequence[str], limit: int) -> None:
    """In a process of its own: a scan with small blocks that dies at a place, or whose disk is full."""
    small()
    for place in die:
        child.die_at(place)
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        outcome(files, Path(work))
    except Unavailable:
        sys.exit(Unavailable.exit_code)


def small() -> None:
    blocks.BLOCK, unpack.PIECE, shelf.CHECKPOINT = 20_000, 7_000, 30_000


def run_in_child(files: Sequence[Path], work: Path, die: Sequence[str] = (), limit: int = 0) -> int | None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.child", "countenance.app", "countenance.index.embedded", "alembic.command"])
    process = context.Process(target=_run, args=([str(file) for file in files], str(work), tuple(die), limit))
    process.start()
    process.join(60)
    return process.exitcode


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 20_000)
    monkeypatch.setattr(unpack, "PIECE", 7_000)
    monkeypatch.setattr(shelf, "CHECKPOINT", 30_000)


def logs(folder: Path) -> list[Path]:
    """Three files, one of them packed, one with columns whose order changes half-way."""
    changing = [HEADER, *(column_line(n, "pimeyes.com" if n % 9 == 0 else NEWS) for n in range(1500))]
    changing += ["#fields url at address user method"]
    changing += [f"facecheck.id/y {START + n} 10.0.0.9 low GET" for n in range(1500)]
    return [
        lay(folder / "a", mixed(1500, 1)),
        lay(folder / "b", mixed(3000, 2), "gzip"),
        lay(folder / "c", changing, "zstd"),
    ]


CHECKPOINT = "countenance.proxylog.shelf:Shelf.checkpoint"
PLACES = [
    *(f"{CHECKPOINT}@{n}" for n in (1, 7)),
    *(f"{CHECKPOINT}@{n}+" for n in (2, 8, 12)),
    *(f"countenance.proxylog.piece:Piece.take@{n}" for n in (14, 30)),
    "countenance.proxylog.shelf:Shelf.add_hours@17+",
    "countenance.proxylog.scan:covered@1",
]


def test_what_was_killed_goes_on(tmp_path: Path, small_blocks: None) -> None:
    files = logs(tmp_path)
    whole = outcome(files, tmp_path / "whole")
    for place in PLACES:
        work = tmp_path / place.rpartition(":")[2]
        assert run_in_child(files, work, [place]) == -signal.SIGKILL, place
        assert outcome(files, work) == whole, place


def test_killed_again_and_again(tmp_path: Path, small_blocks: None) -> None:
    files = logs(tmp_path)
    runs = 0
    while run_in_child(files, tmp_path / "work", [f"{CHECKPOINT}@3"]) == -signal.SIGKILL:
        runs += 1
        assert runs < 20
    assert runs > 3
    assert outcome(files, tmp_path / "work") == outcome(files, tmp_path / "whole")


def test_going_on_reads_nothing_twice(tmp_path: Path, small_blocks: None, monkeypatch: pytest.MonkeyPatch) -> None:
    files = logs(tmp_path)
    run_in_child(files, tmp_path / "work", [f"{CHECKPOINT}@9+"])
    taken = []
    real = piece.Piece.take
    monkeypatch.setattr(piece.Piece, "take", lambda *a: (taken.append(a[0].name), real(*a))[1])
    outcome(files, tmp_path / "work")
    resumed = len(taken)
    assert str(files[0]) not in taken
    outcome(files, tmp_path / "whole")
    assert resumed < (len(taken) - resumed) * 2 / 3
    del taken[:]
    outcome(files, tmp_path / "work")
    assert taken == []


@pytest.mark.parametrize("change", ["first", "last", "shorter", "more", "gone"])
def test_a_file_that_changed_in_between_is_read_anew(change: str, tmp_path: Path, small_blocks: None) -> None:
    files = logs(tmp_path)
    # The first is finished then, and the second half read.
    assert run_in_child(files, tmp_path / "work", [f"{CHECKPOINT}@6+"]) == -signal.SIGKILL
    new = squid_line(0, "pimeyes.com", user="new")
    for file, seed, how in ((files[0], 1, "plain"), (files[1], 2, "gzip")):
        lines = mixed(1500 * seed, seed)
        changed = {"first": [new, *lines[1:]], "last": [*lines[:-1], new], "shorter": lines[:20], "more": [*lines, new]}
        if change == "gone":
            file.unlink()
        else:
            lay(file, changed[change], how)
    assert outcome(files, tmp_path / "work") == outcome(files, tmp_path / "whole")


def test_other_options_begin_anew(tmp_path: Path) -> None:
    file = lay(tmp_path / "log", mixed(200))
    outcome([file], tmp_path / "work")
    for more in ({"literals": ("facecheck.id",)}, {"clock_offsets": ("5",)}, {"reading": Reading(logformat="x")}):
        apart = tmp_path / next(iter(more))
        assert outcome([file], tmp_path / "work", **more) == outcome([file], apart, **more)


def test_a_shelf_that_is_damaged_begins_anew(tmp_path: Path) -> None:
    file = lay(tmp_path / "log", mixed(200))
    whole = outcome([file], tmp_path / "work")
    (tmp_path / "work" / "scan.db").write_bytes(b"SQLite format 3\0" + bytes(4000))
    assert outcome([file], tmp_path / "work") == whole


def test_a_full_disk_is_told_and_the_run_goes_on_later(tmp_path: Path, small_blocks: None) -> None:
    files = logs(tmp_path)
    assert run_in_child(files, tmp_path / "work", limit=150_000) == Unavailable.exit_code
    assert outcome(files, tmp_path / "work") == outcome(files, tmp_path / "whole")


def test_rejected_lines_are_runs_on_disk(tmp_path: Path) -> None:
    file = lay(tmp_path / "log", [squid_line(0, NEWS), *["rubbish"] * 50_000, squid_line(1, NEWS)])
    with found([file], tmp_path / "work", format="squid") as said:
        assert sum(1 for _ in said.rejected()) == said.reasons["fields"] == 50_000
    with sqlite3.connect(tmp_path / "work" / "scan.db") as db:
        assert db.execute("SELECT count(*) FROM rejected").fetchone() == (1,)
    db.close()


EXAMPLES = [(one, example) for one in known.FORMATS for example in one.examples]


@pytest.mark.parametrize(("one", "example"), EXAMPLES, ids=[f"{one.name}: {e.title}" for one, e in EXAMPLES])
def test_examples_of_every_format_in_bulk(one: Format, example: Example, tmp_path: Path) -> None:
    file = lay(tmp_path / "log", example.lines)
    said = outcome(
        [file],
        tmp_path / "work",
        formats=known.FORMATS,
        format=one.name,
        reading=example.reading,
        wanted=lambda _: True,
        literals=(".", ":", "-", "a", "e"),
    )
    layout = one.open(example.lines[:50], example.reading)
    reasons, requests = {}, []
    for number, line in enumerate(example.lines, 1):
        if layout.fast is not None:
            pl.Series([""]).str.contains(layout.fast.pattern)  # the engine knows the expression
        try:
            request = layout.read(line, number)
        except BadLine as bad:
            reasons[number] = bad.reason
        else:
            requests += [] if request is None else [replace(request, file=str(file), line=number, text=line)]
    assert {number: reason for _, number, reason in said["rejected"]} == reasons
    assert sorted(said["requests"], key=lambda request: request.line) == requests
    hours = sum(count for _, count in said["coverage"]["hours"])
    assert hours == len(requests) == said["coverage"]["lines"]["read"]


def test_a_file_that_can_be_opened_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [lay(tmp_path / name, [squid_line(0, "pimeyes.com", user=name)]) for name in "ab"]
    outcome(files, tmp_path / "work")
    real = inputs.Input.open

    def refuse(one: inputs.Input) -> io.RawIOBase:
        if one.name == str(files[0]) and len(opened) > 1:
            raise inputs.Unread("permission")
        opened.append(one.name)
        return real(one)

    opened: list[str] = []
    monkeypatch.setattr(inputs.Input, "open", refuse)
    said = outcome(files, tmp_path / "work")
    assert [request.user for request in said["requests"]] == ["b"]
    assert [(fault.file, fault.reason) for fault in said["faults"]] == [(str(files[0]), "permission")]


def test_many_directives_are_not_remembered(
    tmp_path: Path, small_blocks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = lay(tmp_path / "log", [f"# {n} {'x' * 5_000}" for n in range(300)] + [squid_line(0, "pimeyes.com")])
    whole = outcome([file], tmp_path / "whole", format="squid")
    noted = []
    real = shelf.Shelf.checkpoint
    monkeypatch.setattr(shelf.Shelf, "checkpoint", lambda *a: (noted.append(a[2]["journal"]), real(*a))[1])
    assert outcome([file], tmp_path / "work", format="squid") == whole
    assert sum(len(journal or []) for journal in noted[:3]) > 0
    assert noted[-2] is None
