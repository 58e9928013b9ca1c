"""docs/api.md names every operation with its scope, and every code."""

from __future__ import annotations

import re
from pathlib import Path

from countenance.web.problems import _CODES
from tests.web.test_scopes import WANTED

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()


def test_every_operation_is_described() -> None:
    rows = re.findall(r"^\| (GET|POST) \| `([^`]+)` \| `([^`]+)` \| \S", PAGE, re.MULTILINE)
    assert {(method.lower(), path): scope for method, path, scope in rows} == WANTED


def test_every_code_is_described() -> None:
    rows = re.findall(r"^\| (\d+) \| `([^`]+)` \| \S", PAGE, re.MULTILINE)
    assert {int(status): code for status, code in rows} == _CODES
