"""The house keeps its shape: layers, the verifier that stands alone, and imports without effect."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tools.licences import ROOT

SRC = ROOT / "src"
PACKAGE = SRC / "countenance"
HEAVY = (
    "PIL",
    "aiohttp",
    "alembic",
    "altair",
    "argon2",
    "authlib",
    "fastapi",
    "faiss",
    "jinja2",
    "lxml",
    "numpy",
    "onnx",
    "onnxruntime",
    "openvino",
    "polars",
    "pyotp",
    "pyarrow",
    "requests",
    "scrapy",
    "segno",
    "sqlalchemy",
    "starlette",
    "turbovec",
    "typst",
    "twisted",
    "uvicorn",
    "vl_convert",
    "webauthn",
    "zxcvbn",
)
"""What must not be loaded before a command needs it: together they take seconds."""


def modules_named(node: ast.Import | ast.ImportFrom, inside: str) -> list[str]:
    """Every name that an import statement may load, relative ones resolved."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = node.module or ""
    if node.level:
        parent = inside.split(".")[: -node.level]
        base = ".".join([*parent, base] if base else parent)
    return [base, *(f"{base}.{alias.name}" for alias in node.names)]


def file_of(module: str) -> Path | None:
    path = SRC / Path(*module.split("."))
    if (path / "__init__.py").is_file():
        return path / "__init__.py"
    return path.with_suffix(".py") if path.with_suffix(".py").is_file() else None


def reached_from(start: str) -> tuple[set[str], set[str]]:
    """Own modules and foreign top-level names that importing `start` can ever load, function bodies included."""
    own: set[str] = set()
    foreign: set[str] = set()
    todo = [start]
    while todo:
        module = todo.pop()
        file = file_of(module)
        if file is None or module in own:
            continue
        own.add(module)
        inside = f"{module}.__init__" if file.name == "__init__.py" else module
        parts = module.split(".")
        todo += [".".join(parts[:n]) for n in range(1, len(parts))]
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for name in modules_named(node, inside):
                    if name.startswith("countenance"):
                        todo.append(name)
                    else:
                        foreign.add(name.split(".")[0])
    return own, foreign - sys.stdlib_module_names


def test_the_verifier_needs_nothing_else() -> None:
    own, foreign = reached_from("countenance.ledger.verify")
    allowed = {"countenance", "countenance.domain", "countenance.domain.errors", "countenance.ledger"}
    assert "countenance.ledger.verify" in own
    assert {name for name in own if name not in allowed and not name.startswith("countenance.ledger.")} == set()
    assert foreign == {"cryptography"}


def test_the_witness_needs_nothing_else() -> None:
    own, foreign = reached_from("countenance.ledger.witness_server")
    allowed = {"countenance", "countenance.domain", "countenance.domain.errors", "countenance.ledger"}
    assert {name for name in own if name not in allowed and not name.startswith("countenance.ledger.")} == set()
    assert foreign == {"cryptography"}


def test_contracts_are_kept() -> None:
    run = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-logo", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    assert "3 kept, 0 broken" in run.stdout


def test_every_part_is_a_package_with_a_word_about_itself() -> None:
    for folder in (path for path in PACKAGE.rglob("*") if path.is_dir() and any(path.glob("*.py"))):
        init = folder / "__init__.py"
        if folder.name == "versions":
            continue
        assert init.is_file(), f"{folder.relative_to(ROOT)} has no __init__.py"
        assert ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))), f"{init.relative_to(ROOT)} says nothing"


def test_modules_can_be_read_in_a_sitting() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for folder in (PACKAGE, ROOT / "demo")
        for path in folder.rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}


def test_no_module_is_named_after_nothing() -> None:
    vague = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
    assert [str(path) for path in PACKAGE.rglob("*.py") if path.stem in vague] == []


@pytest.mark.parametrize("module", ["countenance", "countenance.cli.main", "countenance.ledger.verify"])
def test_importing_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*sorted({{name.split('.')[0] for name in sys.modules}} & set({HEAVY!r})))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, runpy\n"
        "sys.argv = ['countenance', '--help']\n"
        "from countenance.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print(*sorted({{name.split('.')[0] for name in sys.modules}} & set({HEAVY!r})), file=sys.stderr)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Usage" in run.stdout
    assert run.stderr.split() == []
