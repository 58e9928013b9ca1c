"""No receipt, no result: every call to the disk fails once, or the machine dies there, and then the log is examined.

At each point either the append raised and nobody has a receipt, or the entry is there; what was acknowledged before
is always there; and the ledger goes on as soon as the disk does.
"""

from __future__ import annotations

import errno
import itertools
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from countenance.domain.errors import LedgerUnavailable
from countenance.ledger import keys, verify
from countenance.ledger.disk import Disk
from countenance.ledger.log import Ledger
from countenance.ledger.note import Signer, VerifierKey
from countenance.ledger.receipt import Receipt, verify_receipt

ORIGIN = "countenance.test/ledger"
CALLS = ("open", "write", "read", "size", "sync", "truncate", "replace", "sync_folder", "make_folder")


class Death(BaseException):
    """The process is killed: nothing more happens in it."""


class Faulty(Disk):
    """The real disk, whose call number `at` goes wrong in the way that `fault` says."""

    def __init__(self, at: int, fault: str) -> None:
        self.at = at
        self.fault = fault
        self.calls = 0
        self.dead = False

    def _call(self, name: str, *given: Any) -> Any:
        if self.dead:
            raise Death
        self.calls += 1
        doing = getattr(Disk, name)
        if self.calls - 1 != self.at:
            return doing(self, *given)
        if self.fault.endswith("after"):
            doing(self, *given)
        elif self.fault.endswith("within") and name == "write":
            fd, data, offset = given
            os.pwrite(fd, data[: len(data) // 2], offset)
        if self.fault.startswith("dies"):
            self.dead = True
            raise Death
        raise OSError(errno.ENOSPC, "No space left on device")


for _name in CALLS:
    setattr(Faulty, _name, lambda self, *given, _name=_name: self._call(_name, *given))


class Powerless(Faulty):
    """A disk that keeps, when the power fails, only what was synced: contents by file, names by folder."""

    def __init__(self, at: int) -> None:
        super().__init__(at, "dies before")
        self.contents: dict[int, bytes] = {}
        self.names: dict[Path, dict[str, int]] = {}

    def sync(self, fd: int) -> None:
        self._call("sync", fd)
        self.contents[os.fstat(fd).st_ino] = Path(f"/proc/self/fd/{fd}").read_bytes()

    def sync_folder(self, folder: Path) -> None:
        self._call("sync_folder", folder)
        self.names[folder] = {path.name: path.stat().st_ino for path in folder.iterdir()}

    def assume_durable(self, folder: Path) -> None:
        for path in folder.iterdir():
            self.contents[path.stat().st_ino] = path.read_bytes()
        self.names[folder] = {path.name: path.stat().st_ino for path in folder.iterdir()}

    def lose_power(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        if folder in self.names:
            folder.mkdir(mode=0o700)
            for name, inode in self.names[folder].items():
                folder.joinpath(name).write_bytes(self.contents.get(inode, b""))


pytestmark = pytest.mark.usefixtures("no_real_sync")


@pytest.fixture
def prepared(tmp_path: Path, signer: Signer, actor: dict[str, Any]) -> Path:
    """A ledger of two entries, to be copied for each run."""
    with Ledger.open(tmp_path / "prepared", signer, origin=ORIGIN) as ledger:
        for n in range(2):
            ledger.append("a.b", actor, {"n": n})
    return tmp_path / "prepared"


def work(folder: Path, signer: Signer, actor: dict[str, Any], disk: Disk) -> list[Receipt]:
    """Open, and append 2, 3 and 4, going on after a failure as a server would; returns the receipts had."""
    receipts: list[Receipt] = []
    ledger: Ledger | None = None
    try:
        for n in range(2, 5):
            try:
                ledger = ledger or Ledger.open(folder, signer, origin=ORIGIN, disk=disk)
                receipts.append(ledger.append("a.b", actor, {"n": n}))
            except LedgerUnavailable:
                continue
    except Death:
        pass
    finally:
        if ledger is not None:
            ledger._book.folder.disk = ledger._book.folder.tree._disk = Disk()
            ledger.close()
    return receipts


def examine(folder: Path, signer: Signer, actor: dict[str, Any], receipts: list[Receipt], before: int = 2) -> None:
    """What must hold after any fault."""
    with Ledger.open(folder, signer, origin=ORIGIN) as ledger:
        last = ledger.append("a.b", actor, {"n": 99})
        report = verify.verify_folder(folder, signer.verifier)
        assert report.size == ledger.size == last.seq + 1
        told = [found.body["n"] for found in ledger.entries() if found.kind == "a.b"]
        assert told == sorted(set(told)), "an entry stands twice or out of order"
        assert told[:before] == list(range(before))
        for receipt in [*receipts, last]:
            assert ledger.entry(receipt.seq).raw == receipt.entry.encode()
            verify_receipt(receipt.as_json(), signer.verifier.text)


@pytest.mark.parametrize("fault", ["fails before", "fails after", "fails within"])
def test_each_call_fails_once(
    prepared: Path, tmp_path: Path, signer: Signer, actor: dict[str, Any], fault: str
) -> None:
    for at in itertools.count():
        folder = tmp_path / f"run-{at}"
        shutil.copytree(prepared, folder)
        disk = Faulty(at, fault)
        receipts = work(folder, signer, actor, disk)
        # One failure costs one receipt: the next append goes through.
        assert len(receipts) >= 2, at
        examine(folder, signer, actor, receipts)
        if disk.calls <= at:
            break
        shutil.rmtree(folder)
    assert at > 40
    assert len(receipts) == 3


@pytest.mark.parametrize("fault", ["dies before", "dies after", "dies within"])
def test_it_is_killed_at_each_call(
    prepared: Path, tmp_path: Path, signer: Signer, actor: dict[str, Any], fault: str
) -> None:
    for at in itertools.count():
        folder = tmp_path / f"run-{at}"
        shutil.copytree(prepared, folder)
        disk = Faulty(at, fault)
        receipts = work(folder, signer, actor, disk)
        examine(folder, signer, actor, receipts)
        if not disk.dead:
            break
        shutil.rmtree(folder)
    assert at > 40
    assert len(receipts) == 3


def test_the_power_fails_at_each_call(prepared: Path, tmp_path: Path, signer: Signer, actor: dict[str, Any]) -> None:
    for at in itertools.count():
        folder = tmp_path / f"run-{at}"
        shutil.copytree(prepared, folder)
        disk = Powerless(at)
        disk.assume_durable(folder)
        receipts = work(folder, signer, actor, disk)
        disk.lose_power(folder)
        examine(folder, signer, actor, receipts)
        if not disk.dead:
            break
        shutil.rmtree(folder)
    assert at > 40
    assert len(receipts) == 3


def test_the_power_fails_while_the_ledger_is_made(tmp_path: Path, signer: Signer, actor: dict[str, Any]) -> None:
    for at in itertools.count():
        folder = tmp_path / f"run-{at}" / "ledger"
        folder.parent.mkdir()
        disk = Powerless(at)
        receipts = work(folder, signer, actor, disk)
        if folder.parent not in disk.names:
            assert not receipts
        disk.lose_power(folder)
        examine(folder, signer, actor, receipts, before=0)
        if not disk.dead:
            break
    assert at > 40
    assert len(receipts) == 3


class Full(Disk):
    """A disk without room, or one that is mounted read-only."""

    def __init__(self) -> None:
        self.refuses: int | None = None

    def write(self, fd: int, data: bytes, offset: int) -> None:
        if self.refuses:
            if self.refuses == errno.ENOSPC:
                os.pwrite(fd, data[:7], offset)
            raise OSError(self.refuses, os.strerror(self.refuses))
        super().write(fd, data, offset)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EIO, errno.EDQUOT])
def test_a_disk_without_room_gives_no_receipt_until_it_has(
    open_ledger: Callable[..., Ledger], folder: Path, actor: dict[str, Any], code: int
) -> None:
    disk = Full()
    ledger = open_ledger(disk)
    ledger.append("a.b", actor, {"n": 0})
    before = folder.joinpath("entries.jsonl").read_bytes()
    disk.refuses = code
    for _ in range(3):
        with pytest.raises(LedgerUnavailable) as caught:
            ledger.append("a.b", actor, {"n": 1})
        assert caught.value.details["errno"] == errno.errorcode[code]
    assert folder.joinpath("entries.jsonl").read_bytes() == before
    assert ledger.entry(0).body == {"n": 0}
    disk.refuses = None
    assert ledger.append("a.b", actor, {"n": 2}).seq == 1
    assert [found.kind for found in ledger.entries()] == ["a.b", "a.b"]
    verify.verify_folder(folder, VerifierKey.parse(ledger.vkey))


def test_a_ledger_on_a_disk_that_cannot_be_written_can_be_read(
    open_ledger: Callable[..., Ledger], folder: Path, actor: dict[str, Any], key_path: Path
) -> None:
    open_ledger().append("a.b", actor, {"n": 0})
    with folder.joinpath("entries.jsonl").open("ab") as file:
        file.write(b'{"torn":')

    class ReadOnly(Disk):
        def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
            if flags & (os.O_WRONLY | os.O_RDWR):
                raise OSError(errno.EROFS, "Read-only file system")
            return super().open(path, flags, mode)

    ledger = Ledger.open(folder, keys.load(key_path), origin=ORIGIN, disk=ReadOnly())
    assert ledger.size == 1
    assert ledger.entry(0).body == {"n": 0}
    with pytest.raises(LedgerUnavailable):
        ledger.append("a.b", actor, {})
    ledger.close()
