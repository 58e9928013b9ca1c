"""What the repository may not hold: registry addresses, this or that machine's paths, photographs of people."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tools.licences import ROOT

PICTURES = {
    ".jpg",
    ".jpeg",
    ".png",
    ".webp",
    ".gif",
    ".bmp",
    ".tif",
    ".tiff",
    ".avif",
    ".heic",
    ".heif",
    ".ico",
    ".svg",
}
WEIGHTS = {".onnx", ".tflite", ".pt", ".pth", ".pkl", ".bin", ".npz", ".whl"}

# Written in pieces, so that this file does not hold what it looks for.
UNWANTED = {
    "a registry's host": re.compile(
        "|".join(re.escape(a + b) for a, b in (("pypi.", "org"), ("pythonhosted", ".org"), ("npmjs", ".org"))),
        re.IGNORECASE,
    ),
    "one machine's path": re.compile("/(?:wo" + r"rk|tmp/te" + r"am|ro" + r"ot|home/[a-z]+)/[\w.]"),
    "a path out of the repository": re.compile(r"\.\./sha" + "red"),
    "credentials": re.compile("-----BEGIN [A-Z ]*PRI" + "VATE KEY"),
}


@cache
def files() -> tuple[Path, ...]:
    """What git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return tuple(path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file())


def test_there_is_something_to_look_at() -> None:
    assert ROOT / "pyproject.toml" in files()


@pytest.mark.parametrize("what", UNWANTED)
def test_unwanted_text(what: str) -> None:
    found = []
    for path in files():
        if path.suffix in PICTURES:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if UNWANTED[what].search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}")
    assert found == []


def test_pictures_are_screenshots_and_drawings_only() -> None:
    """Photographs enter no repository; screenshots show the synthetic people of the demo."""
    pictures = [path.relative_to(ROOT) for path in files() if path.suffix.lower() in PICTURES]
    drawings = Path("src/countenance/web/static")
    screenshots = Path("docs/images")
    strays = [
        str(path)
        for path in pictures
        if not (path.parent == screenshots and path.suffix == ".png")
        and not (path.suffix == ".svg" and (drawings in path.parents or path.parent == screenshots))
    ]
    assert strays == []


def test_no_weights_and_nothing_large() -> None:
    assert [str(path.relative_to(ROOT)) for path in files() if path.suffix.lower() in WEIGHTS] == []
    assert [str(path.relative_to(ROOT)) for path in files() if path.stat().st_size > 2_000_000] == []


def test_the_wheel_is_the_package_alone() -> None:
    assert '[tool.hatch.build.targets.wheel]\npackages = ["src/countenance"]' in (ROOT / "pyproject.toml").read_text()
