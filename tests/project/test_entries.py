"""Every type of entry that the code writes has words for people, and none has words that nothing writes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from countenance.web.pages.words import ACTS
from tests.project.test_layers import PACKAGE

KIND = re.compile(r"[a-z]+\.[a-z-]+|erasure")
PREFIXES = {"kind": ("ingest", "refresh"), "purpose.kind": ("search", "erase", "subject")}
"""What an f-string's name stands for where a type of entry is put together."""


def written() -> Iterator[str]:
    """The first argument of every call of `enter`, and the types that the ledger itself names."""
    for file in [*PACKAGE.glob("services/*.py"), PACKAGE / "app.py", PACKAGE / "ledger" / "entry.py"]:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        constants = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        if file.parent.name == "ledger":
            yield from (value for value in constants.values() if isinstance(value, str) and KIND.fullmatch(value))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "enter":
                yield from kinds(node.args[0], constants)


def kinds(node: ast.expr, constants: dict[str, object]) -> Iterator[str]:
    found: object = None
    if isinstance(node, ast.Constant):
        found = node.value
    elif isinstance(node, ast.Name):
        found = constants.get(node.id)
    elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.FormattedValue):
        end = node.values[1]
        assert isinstance(end, ast.Constant)
        for prefix in PREFIXES[ast.unparse(node.values[0].value)]:
            yield f"{prefix}{end.value}"
    if isinstance(found, str) and KIND.fullmatch(found):
        yield found


def test_every_type_of_entry_has_words() -> None:
    there = set(written())
    assert {"search.shown", "search.started", "refresh.ended", "authority.granted", "erasure"} <= there
    assert there - set(ACTS) == set()


def test_no_words_are_left_over() -> None:
    assert set(ACTS) - set(written()) == set()
