"""The verifier as a command, and alone: with its own files, the standard library and cryptography."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import countenance
from countenance.domain.errors import LedgerBroken
from countenance.ledger import verify
from countenance.ledger.draft import Draft
from countenance.ledger.log import Ledger
from countenance.ledger.note import Signer

ORIGIN = "countenance.test/ledger"


@pytest.fixture
def bundle(ledger: Ledger, tmp_path: Path, actor: dict[str, Any]) -> Path:
    body = {"note": "Ada Lovelace was here"}
    ledger.append_many([Draft("a.b", actor, body)] * 3)
    tmp_path.joinpath("earlier").write_text(ledger.checkpoint())
    ledger.append("a.b", actor, body)
    ledger.export(tmp_path / "bundle.zip")
    return tmp_path / "bundle.zip"


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    try:
        code = verify.main([str(argument) for argument in arguments])
    except SystemExit as stop:
        code = int(stop.code or 0)
    return code, capsys.readouterr().out


def test_without_a_key_the_signer_is_not_checked(
    bundle: Path, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = run(capsys, bundle)
    assert code == 0
    assert "internally consistent; signer not checked" in out
    key = ledger._book.signer.verifier
    for part in (key.fingerprint, key.text, ORIGIN, ledger.root.hex(), "4, from", ledger.entry(0).at):
        assert part in out
    assert "Ada" not in out


def test_with_the_key_the_signer_is_checked(bundle: Path, ledger: Ledger, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, bundle, "--key", ledger.vkey)
    assert code == 0
    assert "not checked" not in out
    code, out = run(capsys, bundle, "--key", Signer.generate(ORIGIN).verifier.text)
    assert code == 1
    assert "DOES NOT VERIFY" in out


def test_since_an_earlier_checkpoint(
    bundle: Path, ledger: Ledger, tmp_path: Path, actor: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    earlier = tmp_path / "earlier"
    code, out = run(capsys, bundle, "--since", earlier)
    assert code == 0
    assert "3 entries" in out
    text = earlier.read_text()

    ledger.append("a.b", actor, {})
    earlier.write_text(ledger.checkpoint())
    code, out = run(capsys, bundle, "--since", earlier)
    assert code == 1
    assert "entry 4 is missing" in out

    signer = ledger._book.signer
    with Ledger.open(tmp_path / "other", signer, origin=ORIGIN) as other:
        earlier.write_text(other.checkpoint())
        assert run(capsys, bundle, "--since", earlier)[0] == 0
        for n in range(3):
            other.append("a.b", actor, {"n": n})
        earlier.write_text(other.checkpoint())
    code, out = run(capsys, bundle, "--since", earlier)
    assert code == 1
    assert "first 3 entries" in out

    for wrong in (text.replace("\n3\n", "\n2\n"), text[:-5], "", text.replace(ORIGIN, "other")):
        earlier.write_text(wrong)
        assert run(capsys, bundle, "--since", earlier)[0] == 1
    with Ledger.open(tmp_path / "strange", Signer.generate(ORIGIN), origin=ORIGIN) as strange:
        earlier.write_text(strange.checkpoint())
    assert run(capsys, bundle, "--since", earlier)[0] == 1


def test_json_is_one_object(bundle: Path, ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, bundle, "--json", "--key", ledger.vkey, "--since", tmp_path / "earlier")
    told = json.loads(out)
    assert code == 0
    assert told == {
        "ok": True,
        "origin": ORIGIN,
        "size": 4,
        "root": ledger.root.hex(),
        "first": ledger.entry(0).at,
        "last": ledger.entry(3).at,
        "signer": "checked",
        "key": ledger.vkey,
        "fingerprint": ledger._book.signer.verifier.fingerprint,
        "key_changes": [],
        "since": 3,
        "largest_gap": told["largest_gap"],
        "clock_set_back": [],
    }
    assert told["largest_gap"]["before_entry"] == 3
    raw = bytearray(bundle.read_bytes())
    raw[raw.index(b'"seq":2') + 6] ^= 1
    bundle.write_bytes(raw)
    code, out = run(capsys, bundle, "--json")
    assert code == 1
    assert json.loads(out)["ok"] is False
    assert json.loads(out)["error"]["entry"] == 2


def test_what_cannot_be_read_is_status_two(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys)[0] == 2
    assert run(capsys, bundle, "--key", "nonsense")[0] == 2
    assert run(capsys, tmp_path / "missing.zip")[0] == 2
    assert run(capsys, tmp_path)[0] == 2
    assert run(capsys, bundle, "--since", tmp_path / "missing")[0] == 2
    assert run(capsys, tmp_path / "earlier")[0] == 1


@pytest.fixture
def island(tmp_path: Path) -> list[str]:
    """A Python that can import nothing but the standard library, cryptography and the files named in the promise."""
    import _cffi_backend
    import cffi
    import cryptography

    packages = tmp_path / "island"
    ours = Path(countenance.__file__).parent
    for folder in ("ledger", "domain"):
        packages.joinpath("countenance", folder).mkdir(parents=True)
    shutil.copy(ours / "__init__.py", packages / "countenance")
    for name in ("__init__.py", "errors.py"):
        shutil.copy(ours / "domain" / name, packages / "countenance" / "domain")
    for source in (ours / "ledger").glob("*.py"):
        shutil.copy(source, packages / "countenance" / "ledger")
    for module in (cryptography, cffi):
        where = Path(str(module.__file__)).parent
        packages.joinpath(where.name).symlink_to(where)
    native = Path(_cffi_backend.__file__)
    packages.joinpath(native.name).symlink_to(native)
    start = f"import sys, runpy; sys.path.append({str(packages)!r}); sys.argv[0] = 'verify'; "
    return [sys.executable, "-I", "-S", "-c", start]


def test_an_outsider_needs_those_files_alone(bundle: Path, ledger: Ledger, island: list[str]) -> None:
    *python, start = island
    module = start + "runpy.run_module('countenance.ledger.verify', run_name='__main__')"
    done = subprocess.run([*python, module, bundle, "--key", ledger.vkey], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "verified" in done.stdout

    bundle.write_bytes(bundle.read_bytes()[:-1])
    assert subprocess.run([*python, module, bundle], capture_output=True, check=False).returncode == 1
    # The island is one: what only the writing side needs is not there.
    for absent in ("rfc8785", "numpy", "countenance.ledger.log"):
        done = subprocess.run([*python, start + f"import {absent}"], capture_output=True, text=True, check=False)
        assert "ModuleNotFoundError" in done.stderr


def test_its_helpers_need_those_files_alone_too(bundle: Path, ledger: Ledger, island: list[str]) -> None:
    *python, start = island
    many = "import countenance.ledger.verify as v; v.MANY = 1; v.hands = lambda: 2; sys.exit(v.main(sys.argv[1:]))"
    done = subprocess.run([*python, start + many, bundle, "--key", ledger.vkey], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"verified")


def test_the_verifier_reaches_nothing_else(island: list[str]) -> None:
    *python, start = island
    shown = "import countenance.ledger.verify; print(*(name for name in sys.modules if name.startswith('countenance')))"
    done = subprocess.run([*python, start + shown], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {name for name in loaded if not name.startswith("countenance.ledger")} == {
        "countenance",
        "countenance.domain",
        "countenance.domain.errors",
    }
    assert not loaded & {f"countenance.ledger.{name}" for name in ("log", "book", "draft", "bundle", "seal", "keys")}


@pytest.mark.parametrize("name", ["checkpoint", "entries.jsonl"])
def test_a_ledger_folder_without_one_of_its_files_does_not_verify(ledger: Ledger, folder: Path, name: str) -> None:
    key = ledger._book.signer.verifier
    assert verify.verify_folder(folder, key).size == 0
    folder.joinpath(name).unlink()
    with pytest.raises(LedgerBroken) as caught:
        verify.verify_folder(folder, key)
    assert name in caught.value.message
