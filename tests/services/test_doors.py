"""Nothing but the permit's own module opens an index: read in the source code of the whole package."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import countenance

PACKAGE = Path(countenance.__file__).parent

MINT = "services/permit.py"
LOOKERS = {"services/search.py", "services/erase.py", "services/subject.py"}
"""Who may ask the permit's module for a look-up."""

KNOW_PERMITS = {"domain/index.py", "index/embedded.py", MINT}
KNOW_INDEXES = {"services/engine.py": {"countenance.index.embedded"}, "services/keys.py": {"countenance.index.opening"}}
"""Who may import an index: the engine opens it, the keys ask which key its file was made with."""

SEARCHERS = {
    (MINT, "index"),
    ("app.py", "self.engine.searcher()"),
    ("cli/search.py", "countenance"),
    ("web/api/searches.py", "house"),
    ("index/faiss_flat.py", "self._index"),
    ("index/turbo.py", "self._base"),
}
"""Every call of something's `search`, but for regular expressions, which are `re` or a constant in capitals."""


def modules(root: Path) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(root.rglob("*.py")):
        yield path.relative_to(root).as_posix(), ast.parse(path.read_text(), str(path))


def imported(tree: ast.Module) -> set[str]:
    """Every module that is imported, by whatever form of words."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def faults(root: Path) -> list[str]:
    """What goes round the permit, in words."""
    found = []
    for name, tree in modules(root):
        inside = name.startswith("index/")
        imports = imported(tree)
        if any(i.startswith("countenance.domain.permits") for i in imports) and name not in KNOW_PERMITS:
            found.append(f"{name} knows permits")
        indexes = {i for i in imports if i.startswith("countenance.index")}
        allowed = KNOW_INDEXES.get(name, set())
        if not inside and any(not any(i == a or i.startswith(f"{a}.") for a in allowed) for i in indexes):
            found.append(f"{name} imports an index")
        calls = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        for node in ast.walk(tree):
            if name not in LOOKERS | {MINT} and _names_a_door(node):
                found.append(f"{name}:{getattr(node, 'lineno', 0)} takes a door of the permit's module")
            if isinstance(node, ast.Attribute) and id(node) not in calls and not inside:
                # To call it later, under another name.
                index = ast.unparse(node.value).rpartition(".")[2].strip("_") == "index"
                if node.attr in ("search", "vectors") and index:
                    found.append(f"{name}:{node.lineno} takes {node.attr} out of an index")
            if isinstance(node, ast.Constant) and node.value in ("search", "look_up", "vectors") and not inside:
                parent = f"{name}:{node.lineno}"
                if any(isinstance(n, ast.Call) and _named(n) == "getattr" and node in n.args for n in ast.walk(tree)):
                    found.append(f"{parent} asks for {node.value} by name")
            if not isinstance(node, ast.Call):
                continue
            called, where = _named(node), f"{name}:{node.lineno}"
            receiver = ast.unparse(node.func.value) if isinstance(node.func, ast.Attribute) else ""
            if called == "Permit" and name != MINT:
                found.append(f"{where} makes a permit")
            if called in ("mint", "look_up") and name not in LOOKERS | {MINT}:
                found.append(f"{where} calls {called}")
            if called == "vectors" and receiver and not inside:
                found.append(f"{where} reads templates out of an index")
            regular = receiver == "re" or receiver.rpartition(".")[2].strip("_").isupper()
            if called == "search" and receiver and not regular and (name, receiver) not in SEARCHERS:
                found.append(f"{where} searches {receiver}")
    return found


def _names_a_door(node: ast.AST) -> bool:
    """`permit.mint` and `permit.look_up`, called or not, and importing them under whatever name."""
    if isinstance(node, ast.ImportFrom) and node.module == "countenance.services.permit":
        return any(alias.name in ("mint", "look_up", "*") for alias in node.names)
    return isinstance(node, ast.Attribute) and node.attr in ("mint", "look_up")


def _named(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def test_nothing_goes_round_the_permit() -> None:
    assert faults(PACKAGE) == []


def test_every_door_that_is_allowed_is_there() -> None:
    """So that this list cannot keep a name that something else takes later."""
    calls = {
        (name, ast.unparse(node.func.value))
        for name, tree in modules(PACKAGE)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "search"
    }
    assert calls >= SEARCHERS


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("from countenance.domain.permits import Permit as P\n", "knows permits"),
        ("import countenance.domain.permits\n", "knows permits"),
        ("from countenance.domain import permits\n", "knows permits"),
        ("from countenance.index.embedded import EmbeddedIndex\n", "imports an index"),
        ("from countenance import index\n", "imports an index"),
        ("def f(i, p):\n    return i.search(p, p, min_score=0, limit=9)\n", "searches i"),
        ("def f(e, p):\n    return e.engine.index.search(p)\n", "searches e.engine.index"),
        ("def f(i):\n    return i.vectors([1])\n", "reads templates"),
        ("def f(i):\n    return getattr(i, 'search')\n", "by name"),
        ("def f(p):\n    return Permit(authority='A', search='S', probes=p, sources=())\n", "makes a permit"),
        ("from countenance.services.permit import mint\nmint(1)\n", "calls mint"),
        ("from countenance.services import permit\npermit.look_up(1)\n", "calls look_up"),
        ("from countenance.services.permit import mint as make\nmake(1)\n", "takes a door"),
        ("from countenance.services import permit\nlook = permit.look_up\nlook(1)\n", "takes a door"),
        ("def f(e):\n    read = e.index.vectors\n    return read([1])\n", "takes vectors"),
        ("def f(index, p):\n    look = index.search\n    return look(p, p, min_score=0, limit=9)\n", "takes search"),
    ],
)
def test_a_way_round_is_noticed(tmp_path: Path, code: str, fault: str) -> None:
    (tmp_path / "services").mkdir()
    (tmp_path / "services" / "round.py").write_text(code)
    assert any(fault in said for said in faults(tmp_path))
