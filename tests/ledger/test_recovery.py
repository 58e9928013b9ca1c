"""What a crash leaves behind the covered entries, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from countenance.ledger import verify
from countenance.ledger.disk import Disk
from countenance.ledger.draft import Draft
from countenance.ledger.log import Ledger
from countenance.ledger.note import VerifierKey

Opener = Callable[..., Ledger]


@pytest.fixture
def interrupted(open_ledger: Opener, folder: Path, actor: dict[str, Any]) -> Callable[[int, bytes], Ledger]:
    """A ledger of 5 entries whose last `uncovered` no checkpoint covers, with `torn` bytes behind them; reopened."""

    def make(uncovered: int, torn: bytes) -> Ledger:
        with open_ledger() as ledger:
            ledger.append_many([Draft("a.b", actor, {"n": n}) for n in range(5 - uncovered)])
            before = {name: folder.joinpath(name).read_bytes() for name in ("checkpoint", "nodes", "offsets")}
            if uncovered:
                ledger.append_many([Draft("a.b", actor, {"n": n}) for n in range(5 - uncovered, 5)])
        for name, raw in before.items():
            folder.joinpath(name).write_bytes(raw)
        with folder.joinpath("entries.jsonl").open("ab") as file:
            file.write(torn)
        return open_ledger()

    return make


LONG = b'{"actor":"' + b"x" * 5000
"""Longer than the entry that takes its place: what is not cut off would stay behind it."""


@pytest.mark.parametrize("torn", [b"", b'{"actor":{"auth', b"\0" * 300, b"\n", b"{}\n", b'{}\n{"actor":', LONG])
@pytest.mark.parametrize("uncovered", [0, 1, 3])
def test_whole_entries_are_kept_and_torn_ones_cut_off(
    interrupted: Callable[[int, bytes], Ledger], folder: Path, uncovered: int, torn: bytes
) -> None:
    ledger = interrupted(uncovered, torn)
    assert [found.body["n"] for found in ledger.entries(0, 5)] == list(range(5))
    rest = list(ledger.entries(5))
    if uncovered == 0 and not torn:
        assert rest == []
    else:
        assert [found.kind for found in rest] == ["ledger.recovered"]
        assert rest[0].body == {"kept_from": 5 - uncovered, "kept": uncovered, "dropped_bytes": len(torn)}
        assert rest[0].actor == {"authenticated": "ledger", "stated": None}
    lines = folder.joinpath("entries.jsonl").read_bytes().split(b"\n")
    assert (len(lines) - 1, lines[-1]) == (ledger.size, b""), "nothing stays behind the last entry"
    verify.verify_folder(folder, VerifierKey.parse(ledger.vkey))


def test_an_entry_out_of_turn_is_not_kept(
    interrupted: Callable[[int, bytes], Ledger], folder: Path, actor: dict[str, Any]
) -> None:
    wrong_number = Draft("a.b", actor, {}).encode(7, "2999-01-01T00:00:00.000000Z", None) + b"\n"
    ledger = interrupted(0, wrong_number)
    assert ledger.entry(5).body == {"kept_from": 5, "kept": 0, "dropped_bytes": len(wrong_number)}


def test_what_is_kept_is_written_and_synced_once_more(
    interrupted: Callable[[int, bytes], Ledger], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a sync that failed, the system may hold the lines for clean though they never reached the disk."""
    done: list[tuple[str, bytes]] = []
    real_write, real_sync = Disk.write, Disk.sync

    def name(fd: int) -> str:
        return Path(f"/proc/self/fd/{fd}").readlink().name

    def write(self: Disk, fd: int, data: bytes, offset: int) -> None:
        done.append((f"write {name(fd)} at {offset}", data))
        real_write(self, fd, data, offset)

    def sync(self: Disk, fd: int) -> None:
        done.append((f"sync {name(fd)}", b""))
        real_sync(self, fd)

    monkeypatch.setattr(Disk, "write", write)
    monkeypatch.setattr(Disk, "sync", sync)
    interrupted(2, b"")
    lines = folder.joinpath("entries.jsonl").read_bytes().split(b"\n")
    start, kept = sum(len(line) + 1 for line in lines[:3]), lines[3] + b"\n" + lines[4] + b"\n"
    again = (f"write entries.jsonl at {start}", kept)
    places = [n for n, call in enumerate(done) if call == again]
    assert len(places) == 2, "once when they were appended, once when they were kept"
    assert done[places[1] + 1] == ("sync entries.jsonl", b"")


def test_an_open_ledger_settles_what_another_process_left(
    ledger: Ledger, open_ledger: Opener, folder: Path, actor: dict[str, Any]
) -> None:
    ledger.append("a.b", actor, {"n": 0})
    with folder.joinpath("entries.jsonl").open("ab") as file:
        file.write(b'{"torn"')
    assert ledger.size == 1
    assert ledger.append("a.b", actor, {"n": 1}).seq == 2
    assert [found.kind for found in ledger.entries()] == ["a.b", "ledger.recovered", "a.b"]


def test_interrupted_between_two_files_of_a_new_ledger(
    folder: Path, open_ledger: Opener, actor: dict[str, Any]
) -> None:
    folder.mkdir(parents=True)
    folder.joinpath("entries.jsonl").touch()
    assert open_ledger().append("a.b", actor, {}).seq == 0
