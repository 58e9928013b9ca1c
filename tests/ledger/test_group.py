"""Group commit: threads that append at the same time share one sync and one checkpoint, and one fate."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from countenance.domain.errors import BadInput, LedgerUnavailable
from countenance.ledger import checkpoint, draft, verify
from countenance.ledger.disk import Disk
from countenance.ledger.draft import Draft
from countenance.ledger.group import Line, _Place
from countenance.ledger.log import Ledger
from countenance.ledger.note import VerifierKey
from countenance.ledger.receipt import Receipt, verify_receipt

Opener = Callable[..., Ledger]


class Gate(Disk):
    """A disk whose syncs wait while the gate is shut, and may then fail."""

    def __init__(self) -> None:
        self.open_gate = threading.Event()
        self.open_gate.set()
        self.arrived = threading.Event()
        self.syncs = 0
        self.fails: BaseException | None = None

    def sync(self, fd: int) -> None:
        self.syncs += 1
        self.arrived.set()
        assert self.open_gate.wait(20)
        if self.fails is not None:
            error, self.fails = self.fails, None
            raise error
        super().sync(fd)


class Crowd:
    """Threads that append one entry each; afterwards what each had."""

    def __init__(self, ledger: Ledger, actor: dict[str, Any], bodies: list[Any]) -> None:
        self.had: dict[int, Receipt | BaseException] = {}
        self.threads = [
            threading.Thread(target=self._append, args=(ledger, actor, n, body)) for n, body in enumerate(bodies)
        ]

    def _append(self, ledger: Ledger, actor: dict[str, Any], n: int, body: Any) -> None:
        try:
            self.had[n] = ledger.append("a.b", actor, body)
        except BaseException as error:
            self.had[n] = error

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def join(self) -> None:
        for thread in self.threads:
            thread.join(20)
        assert not any(thread.is_alive() for thread in self.threads)


def behind_a_leader(ledger: Ledger, gate: Gate, actor: dict[str, Any], bodies: list[Any]) -> tuple[Crowd, Crowd]:
    """One thread whose sync is under way, and others that stand in line behind it."""
    gate.open_gate.clear()
    gate.arrived.clear()
    leader, others = Crowd(ledger, actor, [{"leader": True}]), Crowd(ledger, actor, bodies)
    leader.start()
    assert gate.arrived.wait(20)
    others.start()
    good = sum(body.get("x") != float("inf") for body in bodies)
    for _ in range(2000):
        if len(ledger._line._waiting) == good:
            break
        threading.Event().wait(0.005)
    assert len(ledger._line._waiting) == good
    return leader, others


def test_those_who_wait_are_written_together(open_ledger: Opener, folder: Path, actor: dict[str, Any]) -> None:
    gate = Gate()
    ledger = open_ledger(gate)
    leader, others = behind_a_leader(ledger, gate, actor, [{"n": n} for n in range(20)])
    assert leader.had == {}
    assert others.had == {}
    before = gate.syncs - 1
    gate.open_gate.set()
    leader.join()
    others.join()
    # Entries and checkpoint of the leader, entries and checkpoint of all the others.
    assert gate.syncs - before == 4
    receipts = [receipt for receipt in others.had.values() if isinstance(receipt, Receipt)]
    assert sorted(receipt.seq for receipt in receipts) == list(range(1, 21))
    assert len({receipt.checkpoint for receipt in receipts}) == 1
    for n, receipt in others.had.items():
        assert isinstance(receipt, Receipt)
        assert verify_receipt(receipt.as_json(), ledger.vkey).body == {"n": n}, "a receipt of somebody else"
        assert checkpoint.parse(receipt.checkpoint.encode()).head.size == 21
    assert verify.verify_folder(folder, VerifierKey.parse(ledger.vkey)).size == 21


@pytest.mark.parametrize("nth", [0, 1])
def test_a_group_that_fails_fails_for_each_member(
    open_ledger: Opener, folder: Path, actor: dict[str, Any], nth: int
) -> None:
    """The sync of the entries fails (0), or that of the checkpoint (1)."""

    class Failing(Gate):
        def sync(self, fd: int) -> None:
            name = Path(f"/proc/self/fd/{fd}").readlink().name
            if self.armed and name == ("entries.jsonl", "checkpoint.new")[nth]:
                self.armed -= 1
                if not self.armed:
                    raise OSError(errno.EIO, "I/O error")
            super().sync(fd)

        armed = 0

    gate = Failing()
    ledger = open_ledger(gate)
    leader, others = behind_a_leader(ledger, gate, actor, [{"n": n} for n in range(8)])
    gate.armed = 2 if nth else 1
    gate.open_gate.set()
    leader.join()
    others.join()
    assert isinstance(leader.had[0], Receipt)
    errors = list(others.had.values())
    assert [type(error) for error in errors] == [LedgerUnavailable] * 8
    assert len({id(error) for error in errors}) == 8, "each thread has an error of its own"
    assert {error.details["errno"] for error in errors if isinstance(error, LedgerUnavailable)} == {"EIO"}
    last = ledger.append("a.b", actor, {"n": 99})
    kinds = [found.kind for found in ledger.entries()]
    assert kinds == (["a.b"] * 2 if nth == 0 else ["a.b"] * 9 + ["ledger.recovered", "a.b"])
    verify_receipt(last.as_json(), ledger.vkey)
    verify.verify_folder(folder, VerifierKey.parse(ledger.vkey))


def test_what_cannot_be_an_entry_fails_its_author_alone(open_ledger: Opener, actor: dict[str, Any]) -> None:
    gate = Gate()
    ledger = open_ledger(gate)
    leader, others = behind_a_leader(ledger, gate, actor, [{"x": float("inf")}, {"n": 1}])
    gate.open_gate.set()
    leader.join()
    others.join()
    assert isinstance(others.had[0], BadInput)
    assert isinstance(others.had[1], Receipt)


def test_an_entry_that_no_reader_would_take_is_not_written(
    ledger: Ledger, actor: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draft, "LONGEST", 1000)
    with pytest.raises(BadInput):
        ledger.append("a.b", actor, {"x": "y" * 1000})
    assert ledger.append("a.b", actor, {"x": "y" * 900}).seq == 0


def test_a_leader_that_is_stopped_leaves_nobody_waiting(open_ledger: Opener, actor: dict[str, Any]) -> None:
    gate = Gate()
    ledger = open_ledger(gate)
    leader, others = behind_a_leader(ledger, gate, actor, [{"n": n} for n in range(4)])
    gate.fails = KeyboardInterrupt()
    gate.open_gate.set()
    leader.join()
    others.join()
    assert isinstance(leader.had[0], KeyboardInterrupt)
    assert all(isinstance(receipt, Receipt) for receipt in others.had.values())
    kinds = [found.kind for found in ledger.entries()]
    assert kinds == ["a.b", "ledger.recovered", *["a.b"] * 4]


def test_members_of_a_group_whose_leader_is_stopped_have_no_receipt() -> None:
    entered, go = threading.Event(), threading.Event()
    rounds = iter((None, SystemExit(), None))

    def write(given: Any) -> list[int]:
        entered.set()
        assert go.wait(20)
        error = next(rounds)
        if error:
            raise error
        return list(given)

    line: Line[int, int] = Line(write)
    had: dict[int, Any] = {}

    def submit(n: int) -> None:
        try:
            had[n] = line.submit([n, -n])
        except BaseException as error:
            had[n] = error

    threads = [threading.Thread(target=submit, args=(n,)) for n in range(1, 5)]
    threads[0].start()
    assert entered.wait(20)
    for thread in threads[1:]:
        thread.start()
    while len(line._waiting) < 3:
        threading.Event().wait(0.005)
    go.set()
    for thread in threads:
        thread.join(20)
    assert had.pop(1) == [1, -1]
    assert sorted(type(error).__name__ for error in had.values()) == ["LedgerUnavailable"] * 2 + ["SystemExit"]
    assert line.submit([9]) == [9]


def test_who_is_interrupted_in_line_hands_the_lead_on() -> None:
    line: Line[int, int] = Line(list)
    first, second = _Place[int, int]([1]), _Place[int, int]([2])
    line._led = True
    line._waiting = [first, second]
    line._next()
    assert first.leads
    line._leave(first)
    assert second.leads
    line._leave(second)
    assert line.submit([3]) == [3]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), json_values, max_size=4))
@pytest.mark.parametrize("previous", [None, "2026-01-01T00:00:00.000000Z", "2026-01-02T00:00:01.500000Z"])
def test_the_line_is_the_canonical_form_of_the_whole(previous: str | None, body: dict[str, Any]) -> None:
    at = "2026-01-02T00:00:00.000000Z"
    actor, sealed = {"authenticated": "é", "stated": None}, [{"item": "i", "alg": "x", "ct": "QQ=="}]
    value = {"actor": actor, "at": at, "body": body, "sealed": sealed, "seq": 7, "type": "a.b", "v": 1}
    if previous is not None and previous > at:
        value["clock_back_seconds"] = 1.5
    assert Draft("a.b", actor, body, sealed).encode(7, at, previous) == rfc8785.dumps(value)


WRITER = """
import sys, threading
from pathlib import Path
from countenance.ledger import keys
from countenance.ledger.log import Ledger
ledger = Ledger.open(Path(sys.argv[1]), keys.load(Path(sys.argv[2])), origin="countenance.test/ledger")
def work(k):
    for n in range(15):
        told = ledger.append("a.b", {"authenticated": sys.argv[3], "stated": None}, {"n": n, "thread": k})
        sys.stdout.write(f"{told.seq}\\n")
threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def test_several_processes_of_several_threads(ledger: Ledger, folder: Path, key_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(folder), str(key_path)]
    running = [subprocess.Popen([*command, str(n)], stdout=subprocess.PIPE, text=True) for n in range(3)]
    seqs = [int(seq) for process in running for seq in process.communicate(timeout=60)[0].split()]
    assert sorted(seqs) == list(range(270))
    assert verify.verify_folder(folder, VerifierKey.parse(ledger.vkey)).size == 270
    for who in range(3):
        for thread in range(6):
            told = [
                e.body["n"]
                for e in ledger.entries()
                if e.actor["authenticated"] == str(who) and e.body["thread"] == thread
            ]
            assert told == list(range(15)), "one thread's entries are out of order"


GREEDY = WRITER.replace("range(15)", "range(10**9)").replace("sys.stdout.write", "str")


def test_a_process_that_never_rests_lets_others_in(ledger: Ledger, folder: Path, key_path: Path) -> None:
    greedy = subprocess.Popen([sys.executable, "-c", GREEDY, str(folder), str(key_path), "x"])
    try:
        while ledger.size == 0:
            threading.Event().wait(0.01)
        sizes = [ledger.append("a.b", {"authenticated": "y", "stated": None}, {}).seq for _ in range(10)]
    finally:
        os.kill(greedy.pid, 9)
        greedy.wait()
    # Between two of ours the other writes a group or two, not thousands.
    assert sizes[-1] - sizes[0] < 600


CROWD = """
import json, sys, threading
from pathlib import Path
from countenance.ledger import keys
from countenance.ledger.log import Ledger
ledger = Ledger.open(Path(sys.argv[1]), keys.load(Path(sys.argv[2])), origin="countenance.test/ledger")
def work():
    while True:
        receipt = ledger.append("a.b", {"authenticated": "x", "stated": None}, {"pad": "x" * 500})
        sys.stdout.write(json.dumps(receipt.as_json()) + "\\n")
        sys.stdout.flush()
for _ in range(8):
    threading.Thread(target=work).start()
"""


def test_kill_at_any_moment_loses_nothing_that_was_acknowledged_to_any_thread(
    ledger: Ledger, folder: Path, key_path: Path
) -> None:
    acknowledged: list[dict[str, Any]] = []
    for pause in (0.001, 0.004, 0.007, 0.013):
        command = [sys.executable, "-c", CROWD, str(folder), str(key_path)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(30)]
        threading.Event().wait(pause)
        process.kill()
        lines += process.stdout.read().split("\n")[:-1]
        process.wait()
        process.stdout.close()
        acknowledged += [json.loads(line) for line in lines if line.strip()]
        ledger.append("a.b", {"authenticated": "x", "stated": None}, {})
        assert verify.verify_folder(folder, VerifierKey.parse(ledger.vkey)).size == ledger.size
    assert len(acknowledged) >= 120
    assert len({receipt["seq"] for receipt in acknowledged}) == len(acknowledged)
    for receipt in acknowledged:
        assert ledger.entry(receipt["seq"]).raw == receipt["entry"].encode()
        verify_receipt(receipt, ledger.vkey)
