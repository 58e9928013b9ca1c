"""The core carries no GPL, AGPL or LGPL, and the locks name no registry."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools import licences
from tools.licences import ROOT, Package, absent_faults, faults_of, installed, locked_names

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def package(expression: str = "MIT", libraries: tuple[str, ...] = (), objects: tuple[Path, ...] = ()) -> Package:
    return Package("thing", "1", expression, libraries, objects)


def test_core_is_free_of_copyleft() -> None:
    names = locked_names(ROOT / "requirements" / "base.txt")
    packages = list(installed(names))
    assert len(packages) > 60, "the locked core is not installed here"
    faults = absent_faults(names, packages)
    for one in packages:
        faults += faults_of(one)
    assert faults == []


@pytest.mark.parametrize(
    "expression",
    ["GPL-3.0-or-later", "AGPL-3.0", "LGPL-2.1", "MIT AND GPL-2.0", "(MIT OR Apache-2.0) AND LGPL-3.0", "Proprietary"],
)
def test_refused_licences(expression: str) -> None:
    assert licences.licence_faults(package(expression))


@pytest.mark.parametrize("expression", ["MIT", "Apache-2.0 OR BSD-3-Clause", "Apache-2.0 AND MIT", "GPL-2.0 OR MIT"])
def test_accepted_licences(expression: str) -> None:
    assert not licences.licence_faults(package(expression))


@pytest.mark.parametrize(
    "library",
    ["libx264-12ab34cd.so.164", "libx265.so.199", "libavcodec-1f2e3d4c.so.60.3.100", "libpostproc.so", "libnovel.so.1"],
)
def test_refused_libraries(library: str) -> None:
    assert licences.library_faults(package(libraries=(library,)))


def test_reviewed_library() -> None:
    assert not licences.library_faults(package(libraries=("libwebp-51b0b3f7.so.7.2.0", "libopenvino_c.so.2641")))


def test_static_link_is_found(tmp_path: Path) -> None:
    shared = tmp_path / "codec.so"
    shared.write_bytes(b"\x7fELF" + bytes(5000) + b"x264_encoder_open_164\0")
    assert licences.static_faults(package(objects=(shared,))) == ["thing: x264 is linked into it"]
    shared.write_bytes(bytes(5000))
    assert licences.static_faults(package(objects=(shared,))) == []


def test_unreviewed_absent_package() -> None:
    assert absent_faults(["colorama", "nowhere"], []) == ["nowhere: locked but neither installed here nor reviewed"]


def test_there_are_five_locks() -> None:
    assert [lock.stem for lock in LOCKS] == ["base", "build", "dev", "docs", "extras"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_lock_is_hashed_and_names_no_registry(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert not re.search(r"https?:|//|--(extra-)?index-url|--find-links|--trusted-host|^-[if]\b", text, re.MULTILINE)
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)
    unhashed = [entry.splitlines()[0] for entry in entries if entry.strip() and "--hash=sha256:" not in entry]
    assert unhashed == []


def test_locks_agree() -> None:
    pins: dict[tuple[str, str], set[str]] = {}
    for lock in LOCKS:
        for name, version, marker in re.findall(r"^([\w.-]+)==(\S+)(.*?) ?\\?$", lock.read_text("utf-8"), re.MULTILINE):
            pins.setdefault((name, marker.strip()), set()).add(version)
    assert {name: versions for (name, _), versions in pins.items() if len(versions) > 1} == {}
