"""A new key takes over: announced, followed by verifiers, settled after a crash; and the way out when a key is lost."""

from __future__ import annotations

import io
import itertools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from countenance.domain.errors import BadInput, KeyTrouble, LedgerBroken, LedgerUnavailable
from countenance.ledger import checkpoint, keys, rotation, verify
from countenance.ledger.disk import Disk
from countenance.ledger.draft import Draft
from countenance.ledger.log import Ledger
from countenance.ledger.note import Signer, VerifierKey
from countenance.ledger.receipt import verify_receipt

ORIGIN = "countenance.test/ledger"
Opener = Callable[..., Ledger]


def check(folder: Path, vkey: str, since: str | None = None) -> verify.Report:
    earlier = checkpoint.parse(since.encode()) if since else None
    return verify.verify_folder(folder, VerifierKey.parse(vkey), earlier)


def test_a_new_key_takes_over_and_the_old_is_gone(
    ledger: Ledger, folder: Path, key_path: Path, actor: dict[str, Any]
) -> None:
    first = ledger.append("a.b", actor, {"n": 0})
    old, before = ledger.vkey, ledger.checkpoint()
    old_line = key_path.read_text()
    receipt = ledger.rotate_key(actor)
    new = ledger.vkey
    assert new != old
    assert keys.load(key_path).verifier.text == new
    assert [path.name for path in key_path.parent.iterdir()] == ["ledger.key"]
    assert old_line.rpartition("+")[2] not in key_path.read_text()
    assert folder.joinpath("key").read_text() == new + "\n"

    announced = ledger.entry(1)
    assert announced.kind == "ledger.key-rotated"
    assert (announced.body["old"], announced.body["new"]) == (old, new)
    both = checkpoint.parse(ledger.checkpoint().encode())
    assert both.note.signed_by(VerifierKey.parse(old))
    assert both.note.signed_by(VerifierKey.parse(new))
    # Receipts from before and of the handover are checked with the old key, later ones with the new.
    verify_receipt(first.as_json(), old)
    for key in (old, new):
        verify_receipt(receipt.as_json(), key)
    later = ledger.append("a.b", actor, {"n": 1})
    verify_receipt(later.as_json(), new)
    with pytest.raises(LedgerBroken):
        verify_receipt(later.as_json(), old)

    for key in (old, new):
        for since in (None, before, ledger.checkpoint()):
            assert [h.seq for h in check(folder, key, since).handovers] == [1]
    with pytest.raises(LedgerBroken):
        check(folder, Signer.generate(ORIGIN).verifier.text)


def test_another_opening_goes_on_with_the_new_key(open_ledger: Opener, folder: Path, actor: dict[str, Any]) -> None:
    first, second = open_ledger(), open_ledger()
    old = first.vkey
    for _ in range(3):
        first.rotate_key(actor)
        second.append("a.b", actor, {})
        assert second.vkey == first.vkey
    assert first.append("a.b", actor, {}).seq == 6
    assert len(check(folder, old).handovers) == 3
    assert check(folder, first.vkey).size == 7


def test_a_key_in_memory_is_not_rotated(tmp_path: Path, actor: dict[str, Any]) -> None:
    ledger = Ledger.open(tmp_path / "ledger", Signer.generate(ORIGIN), origin=ORIGIN)
    with pytest.raises(KeyTrouble):
        ledger.rotate_key(actor)
    ledger.close()


class Death(BaseException):
    pass


class Dying(Disk):
    """Kills the process at call number `at`, or fails there once."""

    def __init__(self, at: int, error: type[BaseException]) -> None:
        self.at, self.error, self.calls = at, error, 0

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name not in ("open", "write", "sync", "replace", "sync_folder", "truncate"):
            return found

        def doing(*given: Any, **more: Any) -> Any:
            self.calls += 1
            if self.calls > self.at and (self.error is Death or self.calls == self.at + 1):
                raise self.error(28, "No space left on device")
            return found(*given, **more)

        return doing


@pytest.mark.usefixtures("no_real_sync")
@pytest.mark.parametrize("error", [Death, OSError])
def test_a_crash_at_any_moment_of_a_rotation_is_settled(
    ledger: Ledger, folder: Path, key_path: Path, tmp_path: Path, actor: dict[str, Any], error: type[BaseException]
) -> None:
    ledger.append("a.b", actor, {"n": 0})
    first = ledger.vkey
    rotated = set()
    for at in itertools.count():
        base = tmp_path / f"run-{at}"
        shutil.copytree(folder, base / "ledger")
        shutil.copytree(key_path.parent, base / "keys")
        path = base / "keys" / "ledger.key"
        disk = Dying(10**9, error)
        running = Ledger.open(base / "ledger", keys.load(path), origin=ORIGIN, disk=disk)
        disk.at, disk.calls = at, 0
        try:
            running.rotate_key(actor)
            running.append("a.b", actor, {})
        except (Death, LedgerUnavailable):
            pass
        with Ledger.open(base / "ledger", keys.load(path), origin=ORIGIN) as again:
            again.append("a.b", actor, {"n": 1})
            rotated.add(again.vkey != first)
            assert keys.load(path).verifier.text == again.vkey
            assert (base / "ledger" / "key").read_text() == again.vkey + "\n"
            for key in (first, again.vkey):
                assert check(base / "ledger", key).size == again.size
            again.rotate_key(actor)
            again.append("a.b", actor, {"n": 2})
            assert check(base / "ledger", first).key.text == again.vkey
        done = disk.calls <= at
        disk.at = 10**9
        running.close()
        shutil.rmtree(base)
        if done:
            break
    assert at > 12
    assert rotated == {True, False}


# Lost keys


def test_a_lost_key_is_replaced_and_told(
    ledger: Ledger, folder: Path, key_path: Path, tmp_path: Path, actor: dict[str, Any]
) -> None:
    ledger.append("a.b", actor, {"n": 0})
    old, before = ledger.vkey, ledger.checkpoint()
    ledger.close()
    key_path.unlink()
    assert folder.joinpath("key").read_text().strip() == old

    new = keys.create(key_path, ORIGIN)
    with pytest.raises(KeyTrouble):
        Ledger.open(folder, new, origin=ORIGIN)
    with Ledger.replace_lost_key(folder, new, origin=ORIGIN, lost=old, actor=actor) as again:
        assert again.entry(1).kind == "ledger.key-lost"
        again.append("a.b", actor, {"n": 2})
        assert again.vkey == new.verifier.text
        assert folder.joinpath("key").read_text().strip() == again.vkey
        report = check(folder, again.vkey, before)
        assert [(h.seq, h.lost) for h in report.handovers] == [(1, True)]
        with pytest.raises(LedgerBroken) as caught:
            check(folder, old)
        assert "lost" in caught.value.message
        assert caught.value.advice
    with Ledger.open(folder, keys.load(key_path), origin=ORIGIN) as later:
        assert later.size == 3


@pytest.mark.usefixtures("no_real_sync")
def test_a_crash_while_a_lost_key_is_replaced_leaves_both_ways_open(
    ledger: Ledger, folder: Path, tmp_path: Path, actor: dict[str, Any]
) -> None:
    ledger.append("a.b", actor, {"n": 0})
    old, new = ledger._book.signer, Signer.generate(ORIGIN)
    lost = old.verifier.text
    ways = set()
    for at in itertools.count():
        first, second = tmp_path / f"run-{at}-a", tmp_path / f"run-{at}-b"
        shutil.copytree(folder, first)
        disk = Dying(at, Death)
        try:
            Ledger.replace_lost_key(first, new, origin=ORIGIN, lost=lost, actor=actor, disk=disk)
        except Death:
            pass
        else:
            break
        shutil.copytree(first, second)
        # It was lost: doing it once more succeeds, if it had not happened already.
        try:
            again = Ledger.replace_lost_key(first, new, origin=ORIGIN, lost=lost, actor=actor)
        except KeyTrouble:
            again = Ledger.open(first, new, origin=ORIGIN)
        assert [found.kind for found in again.entries()] == ["a.b", "ledger.key-lost"]
        check(first, new.verifier.text)
        again.close()
        # It was found again: the old key does not sign its own loss.
        try:
            with Ledger.open(second, old, origin=ORIGIN) as found:
                found.append("a.b", actor, {"n": 1})
            assert not check(second, lost).handovers
            ways.add("old")
        except KeyTrouble:
            assert check(second, new.verifier.text).size == 2
            ways.add("new")
    assert at > 8
    assert ways == {"old", "new"}


def test_a_lost_key_must_be_the_one_that_signed(ledger: Ledger, folder: Path, actor: dict[str, Any]) -> None:
    new = Signer.generate(ORIGIN)
    with pytest.raises(KeyTrouble):
        Ledger.replace_lost_key(folder, new, origin=ORIGIN, lost=Signer.generate(ORIGIN).verifier.text, actor=actor)
    with pytest.raises(BadInput):
        Ledger.replace_lost_key(folder, new, origin=ORIGIN, lost="nonsense", actor=actor)
    assert ledger.append("a.b", actor, {}).seq == 0


# Forgeries: entries that claim a handover


def test_a_handover_nobody_agreed_to_is_refused(
    ledger: Ledger, folder: Path, tmp_path: Path, actor: dict[str, Any]
) -> None:
    """Whoever signs a log of their own cannot make it follow from somebody else's key."""
    victim = Signer.generate(ORIGIN)
    mine = Signer.generate(ORIGIN)
    ledger.append("a.b", actor, {})
    head = ledger._book.head
    true_body = rotation.body(head, victim.verifier, mine, [victim, mine])
    for name, body in {
        "old key's signature missing": rotation.body(head, victim.verifier, mine, [mine]),
        "new key's signature missing": rotation.body(head, victim.verifier, mine, [victim]),
        "another new key": true_body | {"new": Signer.generate(ORIGIN).verifier.text},
        "another tree": rotation.body(
            checkpoint.TreeHead(ORIGIN, head.size, bytes(32)), victim.verifier, mine, [victim, mine]
        ),
        "another place": rotation.body(
            checkpoint.TreeHead(ORIGIN, head.size + 1, head.root), victim.verifier, mine, [victim, mine]
        ),
        "a third signature": rotation.body(head, victim.verifier, mine, [victim, mine, Signer.generate("x")]),
        "no note": {"old": victim.verifier.text, "new": mine.verifier.text},
        "more": true_body | {"more": 1},
    }.items():
        forged = tmp_path / name.replace(" ", "-")
        shutil.copytree(folder, forged)
        with Ledger.open(forged, ledger._book.signer, origin=ORIGIN) as other, other._writing() as book:
            book.commit([Draft("ledger.key-rotated", actor, body)], [mine])
        for key in (victim, mine):
            with pytest.raises(LedgerBroken):
                check(forged, key.verifier.text)

    # And a true handover from a key that never signed this log does not make it theirs.
    with ledger._writing() as book:
        book.commit([Draft("ledger.key-rotated", actor, true_body)], [mine])
    assert check(folder, victim.verifier.text).size == 2


def test_a_handover_between_strangers_is_no_link_of_the_chain(
    ledger: Ledger, folder: Path, actor: dict[str, Any]
) -> None:
    """Rightly signed by its own two keys, and inserted by whoever holds neither the first key nor the second."""
    ledger.append("a.b", actor, {})
    first = ledger.vkey
    ledger.rotate_key(actor)
    second = ledger.vkey
    third, fourth = Signer.generate(ORIGIN), Signer.generate(ORIGIN)
    with ledger._writing() as book:
        body = rotation.body(book.head, third.verifier, fourth, [third, fourth])
        book.commit([Draft("ledger.key-rotated", actor, body)], [fourth])
    for key in (first, second, third.verifier.text, fourth.verifier.text):
        with pytest.raises(LedgerBroken) as caught:
            check(folder, key)
        assert "entry 2" in caught.value.message


def test_a_replaced_key_cannot_sign_on(ledger: Ledger, folder: Path, actor: dict[str, Any]) -> None:
    ledger.append("a.b", actor, {})
    old = ledger._book.signer
    ledger.rotate_key(actor)
    ledger.append("a.b", actor, {})
    head = ledger._book.head
    path = folder / "checkpoint"
    good = path.read_text()
    path.write_text(checkpoint.sign(head, [old]))
    for key in (old.verifier.text, VerifierKey.parse(ledger._book.signer.verifier.text).text):
        with pytest.raises(LedgerBroken):
            check(folder, key)
    path.write_text(good)
    with pytest.raises(LedgerBroken):
        check(folder, old.verifier.text, checkpoint.sign(head, [old]))


def test_bundles_follow_the_keys_too(ledger: Ledger, tmp_path: Path, actor: dict[str, Any]) -> None:
    first = VerifierKey.parse(ledger.vkey)
    ledger.rotate_key(actor)
    for expected in (1, 2):
        ledger.export(tmp_path / "b.zip")
        raw = io.BytesIO((tmp_path / "b.zip").read_bytes())
        assert verify.verify_bundle(raw, first).size == expected
        assert verify.verify_bundle(raw, VerifierKey.parse(ledger.vkey)).signer_checked
        ledger.append("a.b", actor, {})
