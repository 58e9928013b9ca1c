"""The project's own tools fail when they should."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.docs import documents, faults_in
from tools.licences import ROOT


def run_pytest(folder: Path, body: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_one.py").write_text(body)
    (folder / "pytest.ini").write_text("[pytest]\n")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tools.no_skips", "-p", "no:cacheprovider", str(folder)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("def test_a(): pass\n", 0),
        ("import pytest\n@pytest.mark.skip\ndef test_a(): pass\ndef test_b(): pass\n", 1),
        ("import pytest\ndef test_a(): pytest.skip('no')\n", 1),
        ("import pytest\nmissing = pytest.importorskip('no_such_module')\ndef test_a(): pass\n", 1),
    ],
    ids=["none", "marked", "called", "module"],
)
def test_a_skip_fails_the_run(tmp_path: Path, body: str, code: int) -> None:
    run = run_pytest(tmp_path, body)
    # 5 means that nothing was collected, which fails a run as well.
    assert run.returncode == code or (code and run.returncode == 5), run.stdout
    assert ("nothing may be skipped here" in run.stdout) is bool(code)


def test_documents_have_no_faults() -> None:
    assert [fault for page in documents() for fault in faults_in(page)] == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[x](nowhere.md)", "leads nowhere"),
        ("[x](#no-such)", "no heading"),
        ("see `src/countenance/no/such.py`", "there is no"),
        ("run `make moonshine`", "no target"),
    ],
)
def test_faults_in_documents_are_found(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "Makefile").write_text("venv:\n")
    page = tmp_path / "README.md"
    page.write_text(f"# Title\n\n{text}\n")
    assert [fault in one for one in faults_in(page, tmp_path)] == [True]
    page.write_text("# Title\n\n[x](#title) and [y](https://example.org) and `make venv`\n")
    assert list(faults_in(page, tmp_path)) == []


def test_missing_packages_are_named_to_people_who_are_not_root(tmp_path: Path) -> None:
    """With an `id` that says 1000 and a `dpkg-query` that knows nothing."""
    for name, body in (("id", "echo 1000"), ("dpkg-query", "exit 1")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    run = subprocess.run(
        ["/bin/sh", ROOT / "tools" / "debian_packages.sh", "sh", "no-such-package"],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert "sudo apt-get update && sudo apt-get install -y --no-install-recommends no-such-package" in run.stderr


def test_present_packages_need_nothing() -> None:
    subprocess.run(["/bin/sh", ROOT / "tools" / "debian_packages.sh", "sh"], check=True)
