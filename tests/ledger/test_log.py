"""Appending, reading and receipts; several threads, openings and processes; and what the ledger refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from countenance.domain.errors import BadInput, KeyTrouble, LedgerBroken, LedgerUnavailable
from countenance.ledger import checkpoint, merkle, verify
from countenance.ledger.draft import Draft
from countenance.ledger.log import Ledger
from countenance.ledger.note import Signer, VerifierKey
from countenance.ledger.receipt import Receipt, verify_receipt

Opener = Callable[..., Ledger]


def check(ledger: Ledger, folder: Path) -> verify.Report:
    return verify.verify_folder(folder, VerifierKey.parse(ledger.vkey))


def test_a_new_ledger_is_empty_and_signed(ledger: Ledger, folder: Path, signer: Signer) -> None:
    assert ledger.size == 0
    assert ledger.root == merkle.EMPTY_ROOT
    assert checkpoint.parse(ledger.checkpoint().encode()).note.signed_by(signer.verifier)
    assert check(ledger, folder).size == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in [folder, *folder.iterdir()])


def test_an_entry_comes_back_with_its_receipt(ledger: Ledger, folder: Path, actor: dict[str, Any]) -> None:
    sealed = {"item": "i", "alg": "x", "ct": "QUFB"}
    receipt = ledger.append("source.registered", actor, {"name": "é", "likeness": 0.5}, [sealed])
    found = ledger.entry(0)
    assert receipt.seq == 0
    assert receipt.entry.encode() == found.raw
    assert (found.kind, found.actor, found.body) == ("source.registered", actor, {"name": "é", "likeness": 0.5})
    assert list(found.sealed) == [sealed]
    assert folder.joinpath("entries.jsonl").read_bytes() == found.raw + b"\n"
    assert verify_receipt(json.dumps(receipt.as_json()), ledger.vkey) == found


def test_the_log_survives_closing(open_ledger: Opener, actor: dict[str, Any]) -> None:
    first = open_ledger()
    for n in range(9):
        first.append("a.b", actor, {"n": n})
    root = first.root
    first.close()
    second = open_ledger()
    assert (second.size, second.root) == (9, root)
    assert second.append("a.b", actor, {"n": 9}).seq == 9
    assert [found.body["n"] for found in second.entries()] == list(range(10))
    assert [found.seq for found in second.entries(3, 5)] == [3, 4]
    assert [found.seq for found in second.entries(8, 99)] == [8, 9]


def test_the_root_is_that_of_the_lines(ledger: Ledger, folder: Path, actor: dict[str, Any]) -> None:
    for n in range(21):
        ledger.append("a.b", actor, {"n": n})
        lines = folder.joinpath("entries.jsonl").read_bytes().split(b"\n")[:-1]
        root = merkle.root_of(merkle.leaf_hash(line) for line in lines)
        assert root == ledger.root == checkpoint.parse(ledger.checkpoint().encode()).head.root


def test_every_receipt_verifies_and_no_altered_one_does(ledger: Ledger, actor: dict[str, Any]) -> None:
    ledger.append_many([Draft("a.b", actor, {"n": n}) for n in range(6)])
    for receipt in [*ledger.append_many([Draft("a.b", actor, {"n": n}) for n in range(3)]), ledger.receipt(2)]:
        good = receipt.as_json()
        assert Receipt.from_json(good) == receipt
        assert verify_receipt(good, ledger.vkey).seq == receipt.seq
        other = ledger.receipt(0).as_json()
        for name in good:
            if good[name] != other[name]:
                with pytest.raises(LedgerBroken):
                    verify_receipt(good | {name: other[name]}, ledger.vkey)
        for altered in (
            good | {"inclusion": good["inclusion"][1:]},
            good | {"inclusion": good["inclusion"] * 2},
            good | {"more": 1},
            good | {"leaf": good["leaf"].upper()},
            good | {"seq": True},
            {name: good[name] for name in good if name != "entry"},
        ):
            with pytest.raises(LedgerBroken):
                verify_receipt(altered, ledger.vkey)


def test_a_receipt_by_another_key_is_refused(ledger: Ledger, actor: dict[str, Any]) -> None:
    receipt = ledger.append("a.b", actor, {}).as_json()
    other = Signer.generate("countenance.test/ledger").verifier.text
    with pytest.raises(LedgerBroken):
        verify_receipt(receipt, other)
    with pytest.raises(LedgerBroken):
        verify_receipt(receipt)
    assert verify_receipt(receipt, other, ledger.vkey)
    for text in ("", "[]", "{", "5"):
        with pytest.raises(LedgerBroken):
            verify_receipt(text, ledger.vkey)


def test_several_at_once_are_all_or_none(ledger: Ledger, folder: Path, actor: dict[str, Any]) -> None:
    assert ledger.append_many([]) == []
    with pytest.raises(BadInput):
        ledger.append_many([Draft("a.b", actor, {}), Draft("a.b", actor, {"x": float("inf")})])
    assert ledger.size == 0
    assert [receipt.seq for receipt in ledger.append_many([Draft("a.b", actor, {})] * 3)] == [0, 1, 2]
    assert check(ledger, folder).size == 3


def test_nobody_else_speaks_for_the_ledger(ledger: Ledger, actor: dict[str, Any]) -> None:
    for kind in ("ledger.key-rotated", "ledger.key-lost", "ledger.recovered"):
        with pytest.raises(BadInput):
            ledger.append(kind, actor, {})


def test_there_is_no_entry_beyond_the_last(ledger: Ledger, actor: dict[str, Any]) -> None:
    ledger.append("a.b", actor, {})
    for seq in (-1, 1):
        with pytest.raises(IndexError):
            ledger.entry(seq)
        with pytest.raises(IndexError):
            ledger.receipt(seq)


def test_a_clock_that_goes_back_is_recorded(open_ledger: Opener, folder: Path, actor: dict[str, Any]) -> None:
    start = datetime(2026, 5, 1, 12, tzinfo=UTC)
    times = [start, start + timedelta(seconds=5), start + timedelta(seconds=2), start + timedelta(seconds=2)]
    clock = iter(times)
    ledger = open_ledger(clock=lambda: next(clock))
    for _ in times:
        ledger.append("a.b", actor, {})
    assert [found.clock_back_seconds for found in ledger.entries()] == [None, None, 3, None]
    assert [found.at[17:19] for found in ledger.entries()] == ["00", "05", "02", "02"]
    assert check(ledger, folder).size == 4


# Several writers


def test_two_openings_follow_each_other(open_ledger: Opener, folder: Path, actor: dict[str, Any]) -> None:
    first, second = open_ledger(), open_ledger()
    for n in range(10):
        (first, second)[n % 2].append("a.b", actor, {"n": n})
        assert first.size == second.size == n + 1
        assert first.root == second.root
    assert second.entry(8).body["n"] == 8
    assert check(first, folder).size == 10


def test_threads_share_a_ledger(ledger: Ledger, folder: Path, actor: dict[str, Any]) -> None:
    receipts: list[Receipt] = []

    def work() -> None:
        for _ in range(10):
            receipts.append(ledger.append("a.b", actor, {}))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(receipt.seq for receipt in receipts) == list(range(80))
    for receipt in receipts:
        verify_receipt(receipt.as_json(), ledger.vkey)
    assert check(ledger, folder).size == 80


WRITER = """
import sys
from pathlib import Path
from countenance.ledger import keys
from countenance.ledger.log import Ledger
ledger = Ledger.open(Path(sys.argv[1]), keys.load(Path(sys.argv[2])), origin="countenance.test/ledger")
for n in range(25):
    print(ledger.append("a.b", {"authenticated": sys.argv[3], "stated": None}, {"n": n}).seq)
"""


def test_processes_share_a_folder(ledger: Ledger, folder: Path, key_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(folder), str(key_path)]
    running = [subprocess.Popen([*command, str(n)], stdout=subprocess.PIPE, text=True) for n in range(4)]
    seqs = [int(seq) for process in running for seq in process.communicate()[0].split()]
    assert sorted(seqs) == list(range(100))
    assert check(ledger, folder).size == ledger.size == 100
    assert [found.body["n"] for found in ledger.entries() if found.actor["authenticated"] == "2"] == list(range(25))


def test_a_forked_child_takes_the_lock_for_itself(ledger: Ledger, folder: Path, actor: dict[str, Any]) -> None:
    ledger.append("a.b", actor, {})
    with ledger._book.folder.locked():
        child = os.fork()
        if child == 0:
            try:
                with ledger._book.folder.locked():
                    os._exit(1)
            except LedgerUnavailable:
                os._exit(0)
            finally:
                os._exit(2)
        # The child must still be waiting: an inherited lock would have let it in at once.
        assert os.waitpid(child, os.WNOHANG) == (0, 0)
        deadline = datetime.now(UTC) + timedelta(seconds=0.5)
        while datetime.now(UTC) < deadline:
            assert os.waitpid(child, os.WNOHANG) == (0, 0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


# What it refuses


def test_another_key_is_refused(ledger: Ledger, folder: Path, actor: dict[str, Any]) -> None:
    ledger.append("a.b", actor, {})
    with pytest.raises(KeyTrouble) as caught:
        Ledger.open(folder, Signer.generate("countenance.test/ledger"), origin="countenance.test/ledger")
    assert caught.value.advice


def test_another_origin_is_refused(ledger: Ledger, folder: Path, signer: Signer) -> None:
    with pytest.raises(LedgerBroken):
        Ledger.open(folder, signer, origin="other")
    with pytest.raises(BadInput):
        Ledger.open(folder, signer, origin="two words")


def filled(open_ledger: Opener, actor: dict[str, Any], count: int = 12) -> None:
    with open_ledger() as ledger:
        ledger.append_many([Draft("a.b", actor, {"n": n}) for n in range(count)])


@pytest.mark.parametrize("name", ["entries.jsonl", "checkpoint"])
def test_a_missing_file_is_not_a_new_ledger(
    open_ledger: Opener, folder: Path, actor: dict[str, Any], name: str
) -> None:
    filled(open_ledger, actor)
    folder.joinpath(name).unlink()
    with pytest.raises(LedgerBroken):
        open_ledger()


@pytest.mark.parametrize("cut", [1, 2, 40, 400])
def test_covered_entries_that_are_cut_off_are_missed(
    open_ledger: Opener, folder: Path, actor: dict[str, Any], cut: int
) -> None:
    filled(open_ledger, actor)
    entries = folder / "entries.jsonl"
    raw = entries.read_bytes()
    entries.write_bytes(raw[:-cut])
    with pytest.raises(LedgerBroken) as caught:
        open_ledger()
    assert "missing or torn" in caught.value.message
    assert caught.value.details["entry"] == raw[:-cut].count(b"\n")
    assert entries.read_bytes() == raw[:-cut]


def test_covered_entries_that_vanish_under_an_open_ledger_are_missed(
    ledger: Ledger, folder: Path, actor: dict[str, Any]
) -> None:
    ledger.append("a.b", actor, {})
    ledger.append("a.b", actor, {})
    entries = folder / "entries.jsonl"
    raw = entries.read_bytes()
    os.truncate(entries, 10)
    with pytest.raises(LedgerBroken):
        ledger.append("a.b", actor, {})
    entries.write_bytes(raw)
    assert ledger.append("a.b", actor, {}).seq == 2
    entries.unlink()
    with pytest.raises(LedgerBroken):
        ledger.append("a.b", actor, {})


def test_an_open_ledger_writes_into_the_file_that_has_the_name(
    ledger: Ledger, folder: Path, actor: dict[str, Any]
) -> None:
    """After a restore the old file is open still, and has no name any more: what goes there is lost."""
    ledger.append("a.b", actor, {})
    entries, restored = folder / "entries.jsonl", folder / "restored"
    restored.write_bytes(entries.read_bytes())
    restored.replace(entries)
    receipt = ledger.append("a.b", actor, {})
    assert entries.read_bytes().endswith(receipt.entry.encode() + b"\n")
    assert check(ledger, folder).size == 2


@pytest.mark.parametrize("seq", range(12))
def test_an_altered_entry_is_never_handed_out(
    open_ledger: Opener, folder: Path, actor: dict[str, Any], seq: int
) -> None:
    filled(open_ledger, actor)
    entries = folder / "entries.jsonl"
    raw = entries.read_bytes()
    entries.write_bytes(raw.replace(b'{"n":%d}' % seq, b'{"n":%d}' % ((seq + 1) % 10 + seq // 10 * 10)))
    assert entries.read_bytes() != raw
    with pytest.raises(LedgerBroken):
        open_ledger().entry(seq)
    with pytest.raises(LedgerBroken):
        list(open_ledger().entries())
    with pytest.raises(LedgerBroken):
        open_ledger().receipt(seq)


def test_a_forged_checkpoint_is_refused(open_ledger: Opener, folder: Path, actor: dict[str, Any]) -> None:
    filled(open_ledger, actor)
    path = folder / "checkpoint"
    raw = path.read_bytes()
    for place in range(len(raw)):
        changed = bytearray(raw)
        changed[place] ^= 4
        path.write_bytes(bytes(changed))
        with pytest.raises((LedgerBroken, KeyTrouble)):
            open_ledger()


@pytest.mark.parametrize("name", ["nodes", "offsets"])
@pytest.mark.parametrize("damage", ["missing", "empty", "short", "zeros", "noise"])
def test_derived_files_are_made_again(
    open_ledger: Opener, folder: Path, actor: dict[str, Any], name: str, damage: str
) -> None:
    filled(open_ledger, actor)
    path = folder / name
    raw = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        noise = bytes(byte ^ 0x55 for byte in raw)
        path.write_bytes({"empty": b"", "short": raw[:-5], "zeros": bytes(len(raw)), "noise": noise}[damage])
    ledger = open_ledger()
    assert [ledger.entry(n).body["n"] for n in range(12)] == list(range(12))
    assert ledger.append("a.b", actor, {}).seq == 12
    verify_receipt(ledger.receipt(3).as_json(), ledger.vkey)
    assert path.read_bytes()[: len(raw)] == raw
