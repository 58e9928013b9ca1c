"""The verifier in several processes: the same answer as in one, and nothing altered that it does not name."""

from __future__ import annotations

import io
import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from countenance.domain.errors import LedgerBroken, LedgerUnavailable
from countenance.ledger import checkpoint, merkle, verify
from countenance.ledger.block import check
from countenance.ledger.crew import Crew
from countenance.ledger.draft import Draft
from countenance.ledger.log import Ledger
from countenance.ledger.note import Signer, VerifierKey

Opener = Callable[..., Ledger]
COUNT = 9_000


@pytest.fixture
def many(open_ledger: Opener, actor: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """Some megabytes of entries, a change of key among them; verified by several processes whatever their size."""
    monkeypatch.setattr(verify, "MANY", 1)
    monkeypatch.setattr(verify, "hands", lambda: 2)
    start = datetime(2026, 5, 1, 12, tzinfo=UTC)
    times = [start, start + timedelta(hours=9), start + timedelta(hours=8), start + timedelta(hours=8, seconds=1)]
    clock = iter(times)
    ledger = open_ledger(clock=lambda: next(clock))
    drafts = [Draft("a.b", actor, {"n": n, "pad": "x" * 500}) for n in range(COUNT // 2)]
    ledger.append_many(drafts)
    ledger.rotate_key(actor)
    ledger.append_many(drafts)
    ledger.append("a.b", actor, {"n": "last"})
    return ledger


def test_several_processes_say_what_one_does(
    many: Ledger, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many.export(tmp_path / "bundle.zip")
    key = VerifierKey.parse(many.vkey)
    raw = (tmp_path / "bundle.zip").read_bytes()
    with (tmp_path / "bundle.zip").open("rb") as file:
        by_many = verify.verify_bundle(file, key)
    in_folder = verify.verify_folder(folder, key)
    alone = verify.verify_bundle(io.BytesIO(raw), key)
    assert by_many == in_folder == alone
    assert (alone.size, alone.root) == (COUNT + 2, many.root)
    assert (alone.gap.seconds, alone.gap.seq) == (9 * 3600, COUNT // 2)
    assert alone.backs == ((COUNT // 2 + 1, 3600),)
    assert [change.seq for change in alone.handovers] == [COUNT // 2]


@pytest.mark.parametrize("size", [0, 1, 2048, 4500, 4501, 7777, COUNT + 2])
def test_an_earlier_checkpoint_wherever_it_lies(many: Ledger, folder: Path, size: int) -> None:
    """Within a stretch, at its border, before the change of keys and after it."""
    leaves = [merkle.leaf_hash(found.raw) for found in many.entries(0, size)]
    signer = many._book.signer
    key = signer.verifier
    head = checkpoint.TreeHead(many.origin, size, merkle.root_of(leaves))
    signed = checkpoint.parse(checkpoint.sign(head, [signer]).encode())
    if size > COUNT // 2:
        assert verify.verify_folder(folder, key, signed).since == size
        other = checkpoint.parse(checkpoint.sign(checkpoint.TreeHead(many.origin, size, bytes(32)), [signer]).encode())
        with pytest.raises(LedgerBroken) as caught:
            verify.verify_folder(folder, key, other)
        assert f"first {size} entries" in caught.value.message
    else:
        with pytest.raises(LedgerBroken, match="in force"):
            verify.verify_folder(folder, key, signed)


ALTERATIONS: dict[str, Callable[[list[bytes]], tuple[list[bytes], int]]] = {
    "flip in the form": lambda lines: (
        [*lines[:6000], lines[6000][:40] + b"!" + lines[6000][41:], *lines[6001:]],
        6000,
    ),
    "flip in a value": lambda lines: ([*lines[:7000], lines[7000].replace(b"xx", b"xy", 1), *lines[7001:]], 7000),
    "drop": lambda lines: ([*lines[:5000], *lines[5001:]], 5000),
    "insert": lambda lines: ([*lines[:5001], lines[5000], *lines[5001:]], 5001),
    "swap": lambda lines: ([*lines[:5000], lines[5001], lines[5000], *lines[5002:]], 5000),
    "truncate": lambda lines: (lines[:8000], 8000),
}


@pytest.mark.parametrize("name", ALTERATIONS)
def test_each_alteration_is_named(many: Ledger, folder: Path, tmp_path: Path, name: str) -> None:
    key, path = VerifierKey.parse(many.vkey), folder / "entries.jsonl"
    many.export(tmp_path / "bundle.zip")
    good = path.read_bytes()
    lines, where = ALTERATIONS[name](good.split(b"\n")[:-1])
    altered = b"".join(line + b"\n" for line in lines)
    path.write_bytes(altered)
    with pytest.raises(LedgerBroken) as caught:
        verify.verify_folder(folder, key)
    assert caught.value.details["entry"] == where
    if len(altered) == len(good):
        bundle = tmp_path / "bundle.zip"
        bundle.write_bytes(bundle.read_bytes().replace(good, altered))
        with bundle.open("rb") as file, pytest.raises(LedgerBroken) as caught:
            verify.verify_bundle(file, key)
        assert caught.value.details["entry"] == where


def test_an_older_ledger_in_its_place_is_missed(many: Ledger, folder: Path) -> None:
    """Rolled back with everything that belongs to it: only an earlier checkpoint tells."""
    kept = checkpoint.parse(many.checkpoint().encode())
    lines = [found.raw for found in many.entries(0, COUNT)]
    head = checkpoint.TreeHead(many.origin, COUNT, merkle.root_of(map(merkle.leaf_hash, lines)))
    folder.joinpath("entries.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    folder.joinpath("checkpoint").write_text(checkpoint.sign(head, [many._book.signer]))
    key = VerifierKey.parse(many.vkey)
    assert verify.verify_folder(folder, key).size == COUNT
    with pytest.raises(LedgerBroken) as caught:
        verify.verify_folder(folder, key, kept)
    assert caught.value.details["entry"] == COUNT


def test_a_helper_that_dies_is_no_verdict(many: Ledger, folder: Path) -> None:
    with Crew(folder / "entries.jsonl", None, 1) as crew:
        crew._running[0].kill()
        crew._running[0].wait()
        with pytest.raises(LedgerUnavailable):
            list(itertools.chain(crew.ask(0, 10, 0, 1, keep=False), crew.rest()))


def test_helpers_go_with_the_verifier(many: Ledger, folder: Path) -> None:
    folder.joinpath("entries.jsonl").write_bytes(b"{}\n" * 200_000)
    with pytest.raises(LedgerBroken):
        verify.verify_folder(folder, VerifierKey.parse(many.vkey))
    children = [" ".join(child.cmdline()) for child in psutil.Process(os.getpid()).children()]
    assert not any("countenance.ledger.crew" in command for command in children)


def test_a_script_without_a_main_guard_may_verify(many: Ledger, folder: Path, tmp_path: Path) -> None:
    script = tmp_path / "check.py"
    script.write_text(
        "import sys\nfrom pathlib import Path\nfrom countenance.ledger import verify\n"
        "from countenance.ledger.note import VerifierKey\nverify.MANY = 1\nverify.hands = lambda: 2\n"
        "print(verify.verify_folder(Path(sys.argv[1]), VerifierKey.parse(sys.argv[2])).size)\n"
    )
    done = subprocess.run([sys.executable, script, folder, many.vkey], capture_output=True, text=True, check=True)
    assert done.stdout == f"{COUNT + 2}\n"


@given(st.integers(0, 300), st.integers(0, 300))
def test_subtrees_make_the_same_tree(first: int, count: int) -> None:
    leaves = [merkle.leaf_hash(b"%d" % n) for n in range(first + count)]
    frontier = merkle.Frontier()
    for leaf in leaves[:first]:
        frontier.push(leaf)
    for level, subtree in merkle.subtrees(first, leaves[first:]):
        frontier.push_subtree(level, subtree)
    assert frontier.size == first + count
    assert frontier.root() == merkle.root_of(leaves)
    if frontier.size & 1:
        with pytest.raises(ValueError):
            frontier.push_subtree(1, leaves[0])


@given(st.lists(st.integers(0, 3), min_size=1, max_size=20))
def test_gaps_are_those_between_neighbours(steps: list[int]) -> None:
    moment, lines, passed = datetime(2026, 1, 1, tzinfo=UTC), [], []
    actor = {"authenticated": "a", "stated": None}
    for seq, step in enumerate(steps):
        moment += timedelta(days=step)
        passed.append(step * 86400.0 if seq else 0.0)
        lines.append(Draft("a.b", actor, {}).encode(seq, moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), None))
    found = check(0, lines).gap
    assert found.seconds == max(passed)
    assert found.seq == (passed.index(max(passed)) if max(passed) else None)


def test_a_key_of_somebody_else_is_none_of_the_chain(many: Ledger, folder: Path) -> None:
    with pytest.raises(LedgerBroken):
        verify.verify_folder(folder, Signer.generate(many.origin).verifier)
