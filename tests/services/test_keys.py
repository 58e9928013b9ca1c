"""Keys: exported, put back, replaced; at whatever moment the power goes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from countenance.app import Countenance, system_actor
from countenance.domain.errors import BadInput, KeyTrouble, LedgerUnavailable, Unavailable
from countenance.ledger.log import Ledger
from countenance.ledger.receipt import verify_receipt
from countenance.services.home import Where
from countenance.services.keys import (
    export_keys,
    import_keys,
    replace_lost_ledger_key,
    rotate_ledger_key,
    rotate_template_key,
)
from countenance.services.record import Record
from tests import pretend
from tests.child import KILLED
from tests.places import TESTER, Place, ask, grant, kinds
from tests.traces import left, of_template

PROBE = pretend.photograph("ada", note="asked")


def answers(product: Countenance) -> dict[Any, float]:
    """Every sighting, with its likeness."""
    result = ask(product, grant(product, "album", "wall"), PROBE, min_likeness=-1.0, limit=100)
    found = [((s.image, s.box), s.likeness) for g in result.groups for s in g.sightings]
    assert len(dict(found)) == len(found) > 0
    return dict(found)


def up_to_rounding(before: dict[Any, float]) -> Any:
    """The same sightings, as alike as float16 says: under another rotation every value is rounded anew, to 11 bits.

    That moves a cosine by about 1e-4. A template that is lost, doubled or read with the wrong key moves it by far more.
    """
    return pytest.approx(before, abs=1e-3)


def test_lost_keys_are_put_back_from_an_export(house: Place, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    with house.open() as product:
        before = answers(product)
        names = export_keys(product.key_ring, file, TESTER)
        assert sorted(names) == ["ledger.key", "names.key", "open.rotation"]
        assert kinds(product)[-1] == "keys.exported"
        with pytest.raises(BadInput):
            export_keys(product.key_ring, file, TESTER)
    house.opened.clear()
    assert file.stat().st_mode & 0o077 == 0
    shutil.rmtree(house.keys)
    with pytest.raises(KeyTrouble):
        house.open()
    import_keys(house.where, file, TESTER, force=False)
    with house.open() as product:
        assert answers(product) == before
        product.ledger_verify()
    assert all(path.stat().st_mode & 0o077 == 0 for path in house.keys.rglob("*"))


def test_an_export_is_entered_before_it_is_written(
    house: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "keys.json"
    real = Record.enter

    def enter(self: Record, *args: Any, **named: Any) -> Any:
        assert file.read_bytes() == b"", "no key is out before the entry"
        return real(self, *args, **named)

    with house.open() as product:
        with monkeypatch.context() as patch:
            patch.setattr(Ledger, "append", _refuse)
            with pytest.raises(LedgerUnavailable):
                export_keys(product.key_ring, file, TESTER)
        assert not file.exists()
        with monkeypatch.context() as patch:
            patch.setattr(json, "dump", _full)
            with pytest.raises(Unavailable):
                export_keys(product.key_ring, file, TESTER)
        assert not file.exists(), "half an export is none"
        monkeypatch.setattr(Record, "enter", enter)
        export_keys(product.key_ring, file, TESTER)
        assert json.loads(file.read_text())["keys"].keys() == {"ledger.key", "names.key", "open.rotation"}


def _refuse(*_: Any, **__: Any) -> None:
    raise LedgerUnavailable("no")


def _full(*_: Any, **__: Any) -> None:
    raise OSError(28, "No space left on device")


def imports(product: Countenance) -> list[dict[str, Any]]:
    return [e for e in product.ledger_entries(0, product.ledger_size) if e["type"] == "keys.imported"]


def test_putting_keys_back_is_an_entry(house: Place, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    with house.open() as product:
        export_keys(product.key_ring, file, TESTER)
    house.opened.clear()
    names = ["ledger.key", "names.key", "open.rotation"]
    key = next(house.keys.rglob("names.key"))
    key.write_bytes(bytes(32))
    import_keys(house.where, file, TESTER, force=True)
    with house.open() as product:
        (entry,) = imports(product)
        assert entry["actor"] == {"authenticated": TESTER.user, "stated": TESTER.stated}
        said = {name: value for name, value in entry["body"].items() if name != "via"}
        assert said == {"keys": names, "replaced": ["names.key"], "forced": True}
    house.opened.clear()
    # Entered in the act itself, and once.
    assert not list(house.keys.rglob("imported*"))
    with house.open() as product:
        assert len(imports(product)) == 1


def test_what_cannot_be_entered_yet_is_entered_at_the_next_opening(house: Place, tmp_path: Path) -> None:
    """The home may be restored after its keys, or another of its keys may still be missing."""
    file = tmp_path / "keys.json"
    with house.open() as product:
        export_keys(product.key_ring, file, TESTER)
    house.opened.clear()
    house.home.rename(tmp_path / "away")
    import_keys(house.where, file, TESTER, force=False)
    import_keys(house.where, file, TESTER, force=False)
    (tmp_path / "away").rename(house.home)
    with house.open() as product:
        assert [e["body"]["replaced"] for e in imports(product)] == [[], []]
    house.opened.clear()
    with house.open() as product:
        assert len(imports(product)) == 2


def test_keys_of_another_home_or_other_keys_are_not_put_in_their_place(house: Place, tmp_path: Path) -> None:
    other = Place(tmp_path / "other")
    with other.open() as product:
        export_keys(product.key_ring, tmp_path / "other.json", TESTER)
    with house.open() as product:
        export_keys(product.key_ring, tmp_path / "mine.json", TESTER)
    house.opened.clear()
    files = {path: path.read_bytes() for path in house.keys.rglob("*") if path.is_file()}
    with pytest.raises(KeyTrouble):
        import_keys(house.where, tmp_path / "other.json", TESTER, force=True)
    key = next(house.keys.rglob("names.key"))
    key.write_bytes(bytes(32))
    with pytest.raises(KeyTrouble):
        import_keys(house.where, tmp_path / "mine.json", TESTER, force=False)
    assert key.read_bytes() == bytes(32)
    import_keys(house.where, tmp_path / "mine.json", TESTER, force=True)
    assert {path: path.read_bytes() for path in house.keys.rglob("*") if path.is_file()} == files


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"format": "countenance keys 2", "home": "a", "keys": {"ledger.key": "AA=="}}',
        b'{"format": "countenance keys 1", "home": "../a", "keys": {"ledger.key": "AA=="}}',
        b'{"format": "countenance keys 1", "home": "a", "keys": {"../x": "AA=="}}',
        b'{"format": "countenance keys 1", "home": "a", "keys": {"x": "not base64"}}',
        b'{"format": "countenance keys 1", "home": "a", "keys": {}}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_export_is_refused_and_writes_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(BadInput):
        import_keys(Where(tmp_path / "home", tmp_path / "keys"), tmp_path / "file", TESTER, force=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_a_new_key_for_templates_changes_no_answer_and_leaves_no_old_bytes(house: Place) -> None:
    with house.open() as product:
        before = answers(product)
        needles = of_template(product, "ada", "one")
        assert left(house, needles)
        done = rotate_template_key(product.key_ring, TESTER)
        assert done["old"] != done["new"]
    house.opened.clear()
    with house.open() as product:
        assert answers(product) == up_to_rounding(before)
        assert left(house, {k: v for k, v in needles.items() if "kept" in k or "rotated" in k}) == []
        assert product.engine.index.verify() == []
        assert kinds(product).count("key.rotated") == 1
        # Sealed probes went along: they can still be compared, by whoever may open them.
        _probes_fit(product)


def _probes_fit(product: Countenance) -> None:
    import base64

    import numpy as np

    from countenance.ledger import seal
    from countenance.services.permit import PROBE as BOUND
    from countenance.store import items

    expected = product.engine.protect(pretend.template("ada", "asked")[None, :])[0]
    with product.database.read() as c:
        rows = list(c.exec_driver_sql("SELECT id, CAST(probe AS TEXT) FROM searches WHERE probe IS NOT NULL"))
        assert rows
        for id, probe in rows:
            key = items.open_keys(c, [f"probe:{id}"])[f"probe:{id}"]
            opened = seal.open_sealed(seal.ItemKey(f"probe:{id}", key), BOUND, json.loads(probe))
            values = np.frombuffer(base64.b64decode(opened["template"]), "<f2").astype(np.float32)
            assert float(values @ expected) > 0.999


POINTS = [
    "countenance.faces.protection:save@1+",
    "countenance.store.database:Database.set_meta@1+",
    "countenance.index.vectors:VectorFile.rewrite@1",
    "countenance.index.vectors:VectorFile.rewrite@1+",
    "countenance.index.opening:adopt_key@1",
    "countenance.index.opening:adopt_key@1+",
    "countenance.services.keys:_protect_probes_anew@1",
    "countenance.services.keys:_protect_probes_anew@1+",
    "countenance.services.keys:_sync@1",
    "countenance.services.record:Record.enter@1",
    "countenance.services.record:Record.enter@1+",
]


@pytest.mark.parametrize("point", POINTS)
def test_killed_while_the_key_of_templates_changes_the_home_has_one_key_and_all_its_answers(
    house: Place, point: str
) -> None:
    with house.open() as product:
        before = answers(product)
    house.opened.clear()
    assert house.child("rotate", die=[point]) == KILLED
    with house.open() as product:
        assert answers(product) == up_to_rounding(before)
        assert product.engine.index.verify() == []
        _probes_fit(product)
        product.ledger_verify()
        rotate_template_key(product.key_ring, TESTER)
        assert sorted(path.name for path in next(house.keys.iterdir()).glob("open*")) == ["open.rotation"]
    house.opened.clear()
    with house.open() as product:
        assert answers(product) == up_to_rounding(before)


def test_a_new_signing_key_takes_over_in_an_entry(house: Place) -> None:
    with house.open() as product:
        old = product.vkey
        result = ask(product, grant(product, "album"), PROBE)
        rotate_ledger_key(product.key_ring, TESTER)
        assert product.vkey != old
        assert verify_receipt(result.receipt, old)
        product.ledger_verify()
    house.opened.clear()
    with house.open() as product:
        assert ask(product, grant(product, "album"), PROBE).groups
        product.ledger_verify()


def test_a_lost_signing_key_is_replaced_in_an_entry_and_only_when_it_is_lost(house: Place) -> None:
    with pytest.raises(KeyTrouble):
        replace_lost_ledger_key(house.where, system_actor("command"))
    next(house.keys.rglob("ledger.key")).unlink()
    with pytest.raises(KeyTrouble):
        house.open()
    done = replace_lost_ledger_key(house.where, system_actor("command"))
    with house.open() as product:
        assert product.vkey == done["new"] != done["old"]
        assert kinds(product)[-1] == "ledger.key-lost"
        product.ledger_verify()
        assert ask(product, grant(product, "album"), PROBE).groups
