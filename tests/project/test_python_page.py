"""The page about Python does what it shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import pretend
from tests.places import ROOT

BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_every_block_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], pretending: None
) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "me.png").write_bytes(pretend.photograph("ada", note="one"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COUNTENANCE_KEY_DIR", str(tmp_path / "keys"))
    blocks = BLOCK.findall((ROOT / "docs" / "python.md").read_text(encoding="utf-8"))
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "docs/python.md", "exec"), names)
    said = capsys.readouterr().out
    assert said.startswith("1 faces, kept until")
    assert "search.shown at" in said
    assert said.endswith("1 templates erased; pending: ()\n")
