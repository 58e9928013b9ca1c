"""What the operating system is asked to make durable, and in which order; and kill -9 at any moment."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from countenance.ledger import keys, verify
from countenance.ledger.disk import Disk
from countenance.ledger.draft import Draft
from countenance.ledger.log import Ledger
from countenance.ledger.receipt import verify_receipt

ORIGIN = "countenance.test/ledger"


class Witnessed:
    """Notes the system calls that matter, with what a file held at that moment. It knows nothing of `ledger.disk`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: list[tuple[str, str, bytes]] = []
        for name in ("fsync", "fdatasync"):
            monkeypatch.setattr(os, name, self._syncing(getattr(os, name)))
        for name in ("replace", "rename"):
            monkeypatch.setattr(os, name, self._renaming(getattr(os, name)))

    def _syncing(self, real: Any) -> Any:
        def sync(fd: int) -> None:
            real(fd)
            path = Path(f"/proc/self/fd/{fd}").readlink()
            self.seen.append(("sync", path.name, path.read_bytes() if path.is_file() else b""))

        return sync

    def _renaming(self, real: Any) -> Any:
        def rename(source: Any, target: Any, **more: Any) -> None:
            self.seen.append(("rename", Path(target).name, Path(source).read_bytes()))
            real(source, target, **more)

        return rename


def test_an_append_returns_after_entry_and_checkpoint_are_on_the_disk(
    ledger: Ledger, folder: Path, actor: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.append("a.b", actor, {"n": 0})
    witnessed = Witnessed(monkeypatch)
    receipt = ledger.append("a.b", actor, {"n": 1})
    monkeypatch.undo()

    entries = folder.joinpath("entries.jsonl").read_bytes()
    signed = folder.joinpath("checkpoint").read_bytes()
    assert entries.endswith(receipt.entry.encode() + b"\n")
    assert signed.decode() == receipt.checkpoint
    in_order = [
        ("sync", "entries.jsonl", entries),
        ("sync", "checkpoint.new", signed),
        ("rename", "checkpoint", signed),
        ("sync", folder.name, b""),
    ]
    assert [call for call in witnessed.seen if call in in_order] == in_order


def test_several_entries_are_synced_together(
    ledger: Ledger, folder: Path, actor: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    witnessed = Witnessed(monkeypatch)
    ledger.append_many([Draft("a.b", actor, {"n": n}) for n in range(50)])
    monkeypatch.undo()
    entries = folder.joinpath("entries.jsonl").read_bytes()
    assert [call for call in witnessed.seen if call[1] == "entries.jsonl"] == [("sync", "entries.jsonl", entries)]


def test_a_new_ledger_and_a_new_key_are_durable_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    witnessed = Witnessed(monkeypatch)
    signer = keys.create(tmp_path / "keys" / "ledger.key", ORIGIN)
    assert {"keys", tmp_path.name} <= {name for call, name, _ in witnessed.seen if call == "sync"}
    assert any(data.startswith(b"PRIVATE+KEY+") for call, _, data in witnessed.seen if call == "sync")
    Ledger.open(tmp_path / "home" / "ledger", signer, origin=ORIGIN).close()
    assert {"home", "ledger"} <= {name for call, name, _ in witnessed.seen if call == "sync"}


def test_the_entry_is_durable_before_any_checkpoint_covers_it(
    ledger: Ledger, folder: Path, actor: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were it the other way round, a crash between would leave a checkpoint that signs what is not there."""
    order: list[str] = []
    real_sync, real_open = Disk.sync, Disk.open
    monkeypatch.setattr(Disk, "sync", lambda self, fd: (order.append("sync"), real_sync(self, fd))[1])

    def opening(self: Disk, path: Path, flags: int, mode: int = 0o600) -> int:
        if path.name == "checkpoint.new":
            order.append("checkpoint")
        return real_open(self, path, flags, mode)

    monkeypatch.setattr(Disk, "open", opening)
    ledger.append("a.b", actor, {})
    assert order == ["sync", "checkpoint", "sync"]


WRITER = """
import json, sys
from pathlib import Path
from countenance.ledger import keys
from countenance.ledger.log import Ledger
ledger = Ledger.open(Path(sys.argv[1]), keys.load(Path(sys.argv[2])), origin="countenance.test/ledger")
print("ready", flush=True)
while True:
    receipt = ledger.append("a.b", {"authenticated": "x", "stated": None}, {"pad": "x" * 2000})
    print(json.dumps(receipt.as_json()), flush=True)
"""


def test_kill_at_any_moment_loses_nothing_that_was_acknowledged(ledger: Ledger, folder: Path, key_path: Path) -> None:
    acknowledged: list[dict[str, Any]] = []
    chance = random.Random(7)
    for _ in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder), str(key_path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        lines = [process.stdout.readline() for _ in range(chance.randrange(3, 9))]
        time.sleep(chance.uniform(0, 0.01))
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.read().split("\n")
        process.wait()
        process.stdout.close()
        acknowledged += [json.loads(line) for line in lines[:-1] if line]

        with Ledger.open(folder, keys.load(key_path), origin=ORIGIN) as again:
            again.append("a.b", {"authenticated": "x", "stated": None}, {})
            for receipt in acknowledged:
                assert again.entry(receipt["seq"]).raw == receipt["entry"].encode()
            assert verify.verify_folder(folder, keys.load(key_path).verifier).size == again.size
            vkey = again.vkey
    assert len(acknowledged) >= 18
    for receipt in acknowledged:
        verify_receipt(receipt, vkey)
