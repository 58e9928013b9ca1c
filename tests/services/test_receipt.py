"""No receipt, no result: nobody sees a candidate before the entry that says so is durable."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from countenance.app import Countenance
from countenance.domain.errors import LedgerBroken, LedgerUnavailable
from countenance.index.embedded import EmbeddedIndex
from countenance.ledger import seal
from countenance.ledger.disk import Disk
from countenance.ledger.receipt import verify_receipt
from countenance.services.permit import PROBE as BOUND
from countenance.services.record import Record
from countenance.store import items, moments, searches
from tests import pretend
from tests.child import KILLED
from tests.places import Place, ask, grant, kinds
from tests.traces import digests, left, of_template

PROBE = pretend.photograph("ada", note="the probe")


def rows(product: Countenance, columns: str) -> list[Any]:
    with product.database.read() as c:
        return list(c.exec_driver_sql(f"SELECT {columns} FROM searches ORDER BY started_at"))


def nothing_was_shown(product: Countenance, authority: str, *, started: bool = True) -> None:
    """A use is spent, the ledger says at most that it began, and nothing opens."""
    assert product.authority(authority).used == 1
    assert kinds(product).count("search.started") == int(started)
    assert "search.shown" not in kinds(product)
    assert rows(product, "state, result_seq, handle, result") == [("started", None, None, None)]
    with product.database.read() as c:
        assert c.exec_driver_sql("SELECT count(*) FROM candidates").scalar() == 0
    product.ledger_verify()


FAULTS = {
    "a full disk": ("write", errno.ENOSPC),
    "a quota": ("write", errno.EDQUOT),
    "a disk that does not sync": ("sync", errno.EIO),
    "a disk that is read-only by now": ("write", errno.EROFS),
    "a checkpoint that cannot take its place": ("replace", errno.EIO),
    "a folder that does not sync": ("sync_folder", errno.EIO),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_entry_that_is_not_durable_shows_nothing(
    product: Countenance, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = grant(product, "album", "wall")
    call, number = FAULTS[fault]
    real = Record.enter

    def enter(self: Record, kind: str, *args: Any, **named: Any) -> Any:
        if kind != "search.shown":
            return real(self, kind, *args, **named)
        with monkeypatch.context() as patch:
            patch.setattr(Disk, call, _fails(number))
            return real(self, kind, *args, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Record, "enter", enter)
        with pytest.raises(LedgerUnavailable) as caught:
            ask(product, authority, PROBE)
    assert caught.value.exit_code == 5
    assert "ada" not in str(caught.value.as_json())
    if call in ("write", "sync"):
        nothing_was_shown(product, authority.id)
    assert rows(product, "state, handle, result") == [("started", None, None)]
    # The disk is well again: the next search is shown.
    assert ask(product, authority, PROBE).groups
    product.ledger_verify()


def _fails(number: int) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise OSError(number, "made to fail")

    return fail


def test_a_beginning_that_cannot_be_entered_compares_nothing(
    product: Countenance, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = grant(product, "album")
    with monkeypatch.context() as patch:
        patch.setattr(Disk, "sync", _fails(errno.EIO))
        patch.setattr(EmbeddedIndex, "search", _never)
        with pytest.raises(LedgerUnavailable):
            ask(product, authority, PROBE)
    nothing_was_shown(product, authority.id, started=False)


def _never(*_: Any, **__: Any) -> Any:
    raise AssertionError("compared")


@pytest.fixture
def full(house: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Lets the disk under the ledger run full: a real small one where we may mount it, and a made-up one elsewhere."""
    folder = house.home / "ledger"
    kept = folder.with_name("kept")
    shutil.copytree(folder, kept)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode == 0:
        shutil.copytree(kept, folder, dirs_exist_ok=True)
    shutil.rmtree(kept)

    def fill() -> None:
        if mounted.returncode != 0:
            monkeypatch.setattr(Disk, "write", _fails(errno.ENOSPC))
            return
        with (folder / "filler").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
            _write_for_ever(file)

    yield fill
    house.close()
    if mounted.returncode == 0:
        subprocess.run(["umount", str(folder)], check=True)


def _write_for_ever(file: Any) -> None:
    while True:
        file.write(bytes(512))


def test_a_disk_that_runs_full_shows_nothing_and_loses_nothing(
    house: Place, full: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with house.open() as product:
        authority = grant(product, "album")
        real = EmbeddedIndex.search

        def search(*args: Any, **named: Any) -> Any:
            found = real(*args, **named)
            full()
            return found

        monkeypatch.setattr(EmbeddedIndex, "search", search)
        with pytest.raises(LedgerUnavailable):
            _ask_for_ever(product, authority.id)
        monkeypatch.undo()
        shown, started = kinds(product).count("search.shown"), kinds(product).count("search.started")
        assert product.authority(authority.id).used > shown
        assert started - shown in (0, 1)
        states = [row[0] for row in rows(product, "state")]
        assert states.count("shown") == shown
        (house.home / "ledger" / "filler").unlink(missing_ok=True)
        product.ledger_verify()


def _ask_for_ever(product: Countenance, authority: str) -> None:
    """What is left of the last page may hold one entry more, so it is asked until none fits."""
    while True:
        ask(product, authority, PROBE)


def test_the_command_prints_nothing_of_it(house: Place) -> None:
    with house.open() as product:
        authority = grant(product, "album", holder=_user())
    house.opened.clear()
    probe = house.put("secret-name.png", PROBE)
    words = ["search", probe, "--authority", authority.id]
    for kind in ("search.started", "search.shown"):
        plain = house.command(*words, env={"TEST_FAILS_AT": kind})
        assert (plain.code, plain.out) == (5, "")
        assert "durable" in plain.err
        answer = house.command(*words, "--json", env={"TEST_FAILS_AT": kind})
        assert answer.code == 5
        assert set(answer.json) == {"error"}
        assert answer.json["error"]["code"] == "ledger-unavailable"
        assert "secret-name" not in answer.out + answer.err + plain.err
    good = house.command(*words, "--json")
    assert good.code == 0
    assert good.json["groups"]


def _user() -> str:
    from countenance.app import system_actor

    return system_actor("command").user


POINTS = {
    "countenance.store.authorities:reserve_use@1+": (0, [], False),
    "countenance.services.record:Record.enter@1": (1, [], True),
    "countenance.services.record:Record.enter@1+": (1, ["search.started"], False),
    "countenance.index.embedded:EmbeddedIndex.search@1": (1, ["search.started"], False),
    "countenance.index.embedded:EmbeddedIndex.search@1+": (1, ["search.started"], False),
    "countenance.services.record:Record.enter@2": (1, ["search.started"], False),
    "countenance.services.record:Record.enter@2+": (1, ["search.started", "search.shown"], False),
    "countenance.store.searches:shown@1+": (1, ["search.started", "search.shown"], False),
}


@pytest.mark.parametrize("point", POINTS)
def test_killed_between_it_costs_a_use_and_the_ledger_says_what_began(
    house: Place, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    used, said, late = POINTS[point]
    with house.open() as product:
        authority = grant(product, "album", searches=2)
    house.opened.clear()
    assert house.child("search", authority.id, PROBE, die=[point]) == KILLED
    with house.open() as product:
        assert product.authority(authority.id).used == used
        told = kinds(product)
        assert told[told.index("authority.granted") + 1 :] == said
        assert rows(product, "state, handle") == [("started", None)] * used
        product.ledger_verify()
    house.opened.clear()
    moment = moments.now() + timedelta(minutes=2)
    monkeypatch.setattr(moments, "now", lambda: moment)
    for _ in range(2):
        with house.open() as product:
            told = kinds(product)
            assert told[told.index("authority.granted") + 1 :] == said + ["search.cut-off"] * late
            if late:
                entry = product.ledger_entries(product.ledger_size - 1, product.ledger_size)[0]
                assert entry["body"]["authority"] == authority.id
                assert entry["body"]["shown"] is False
    with house.open() as product:
        # What is left of the authority can still be used.
        assert ask(product, authority, PROBE).groups


def test_the_entry_is_on_the_disk_before_anything_is_kept_for_showing(
    product: Countenance, house: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = grant(product, "album")
    order: list[str] = []
    real, sync = searches.shown, Disk.sync

    def watched(*args: Any, **named: Any) -> Any:
        lines = (house.home / "ledger" / "entries.jsonl").read_bytes().splitlines()
        assert json.loads(lines[-1])["type"] == "search.shown"
        assert int((house.home / "ledger" / "checkpoint").read_text().splitlines()[1]) == len(lines)
        order.append("kept")
        return real(*args, **named)

    def synced(self: Disk, fd: int) -> None:
        order.append("synced")
        sync(self, fd)

    monkeypatch.setattr(searches, "shown", watched)
    monkeypatch.setattr(Disk, "sync", synced)
    ask(product, authority, PROBE)
    assert order.count("kept") == 1
    assert order.index("kept") > 2
    assert order[-1] == "kept"


def test_the_entry_names_exactly_what_was_returned(product: Countenance) -> None:
    result = ask(product, grant(product, "album", "wall"), PROBE, min_likeness=-1.0)
    entry = product.ledger_entries(result.receipt["seq"], result.receipt["seq"] + 1, opened=True)[0]
    body, shown = entry["body"], result.as_json()
    assert body["groups"] == [[s["id"].replace("-", ":") for s in g["sightings"]] for g in shown["groups"]]
    assert (body["search"], body["authority"]) == (shown["search"], shown["authority"])
    assert (body["faces"], body["pack"]) == (shown["index"]["faces"], shown["index"]["pack"])
    assert (body["reliable"], body["truncated"]) == (shown["reliable"], shown["truncated"])
    seen = {s["id"].replace("-", ":"): (g, s) for g in shown["groups"] for s in g["sightings"]}
    assert set(entry["opened"]) == set(entry["sealed"]) == set(seen)
    for item, (group, sighting) in seen.items():
        said = entry["opened"][item]
        assert said["rank"] == group["rank"]
        assert said["likeness"] == pytest.approx(sighting["likeness"], abs=1e-6)
        for name in ("source", "page", "image", "box"):
            assert said[name] == sighting[name]
    started = product.ledger_entries(body["started"], body["started"] + 1)[0]
    assert started["type"] == "search.started"
    assert started["body"]["search"] == shown["search"]
    assert started["body"]["use"] == 1


def test_the_receipt_proves_it_and_nothing_else(product: Countenance) -> None:
    result = ask(product, grant(product, "album"), PROBE)
    proven = verify_receipt(result.receipt, product.vkey)
    assert proven.kind == "search.shown"
    assert proven.body["search"] == result.search
    forged = result.receipt | {"entry": result.receipt["entry"].replace(result.authority, "A-000000000000")}
    with pytest.raises(LedgerBroken):
        verify_receipt(forged, product.vkey)


def test_of_probe_and_pictures_the_ledger_and_the_receipt_hold_no_digest_path_or_name(house: Place) -> None:
    probe = house.put("whoever-it-is.png", PROBE)
    with house.open() as product:
        authority = grant(product, "album", holder=_user())
    house.opened.clear()
    answer = house.command("search", probe, "--authority", authority.id, "--json")
    assert answer.code == 0
    with house.open() as product:
        of_probe = {"name": b"whoever-it-is", "path": str(probe).encode()} | digests(PROBE)
        of_probe |= of_template(product, "ada", "the probe")
        # Nowhere in the home is anything of the probe but its sealed template.
        assert left(house, of_probe) == []
        # Of the pictures, nothing in the ledger or the receipt.
        needles: dict[str, bytes] = {}
        for path in (house.photos / "album").iterdir():
            needles |= {f"{path.name}: {k}": v for k, v in digests(path.read_bytes()).items()}
            needles |= {f"{path.name}: name": path.name.encode(), f"{path.name}: path": str(path).encode()}
        ledger = [found for found in left(house, needles) if "ledger/" in found]
        assert ledger == []
        receipt = json.dumps(answer.json["receipt"]).encode()
        assert [what for what, needle in (needles | of_probe).items() if needle in receipt] == []
        assert [what for what, needle in of_probe.items() if needle in answer.err.encode()] == []


def test_the_probe_is_kept_sealed_and_opens_with_its_key_alone(product: Countenance) -> None:
    result = ask(product, grant(product, "album"), PROBE)
    item = f"probe:{result.search}"
    with product.database.read() as c:
        kept = json.loads(c.exec_driver_sql("SELECT CAST(probe AS TEXT) FROM searches").scalar())
        key = items.open_keys(c, [item])[item]
    opened = seal.open_sealed(seal.ItemKey(item, key), BOUND, kept)
    import base64

    values = np.frombuffer(base64.b64decode(opened["template"]), "<f2")
    expected = product.engine.protect(pretend.template("ada", "the probe")[None, :])[0]
    assert np.allclose(values, expected, atol=1e-3)
    # The photograph is committed to, so that it can be shown later that it was this one.
    started = next(e for e in product.ledger_entries(0, product.ledger_size) if e["type"] == "search.started")
    (commitment,) = started["body"]["photographs"]
    assert seal.commits_to(seal.ItemKey(item, key), digests(PROBE)["digest"], commitment)
    assert not seal.commits_to(seal.ItemKey(item, key), digests(b"another")["digest"], commitment)
