"""Time-stamps by a real authority on loopback: real DER, checked by this program and by openssl."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from countenance.domain.errors import FetchFailed, KeyTrouble, LedgerBroken, Unavailable
from countenance.ledger import kept, timestamp, verify
from countenance.ledger.log import Ledger
from countenance.ledger.note import VerifierKey
from tests.ledger.authority import OPENSSL, Authority, make_certificates

pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl is not here")
TEXT = "countenance.test/ledger\n3\nAAAA\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    running = Authority(tmp_path_factory.mktemp("tsa") / "authority")
    yield running
    running.stop()


@pytest.fixture
def root(authority: Authority) -> bytes:
    return (authority.folder / "root.pem").read_bytes()


def test_a_stamp_is_checked(authority: Authority, root: bytes) -> None:
    raw, at = timestamp.ask(authority.url, TEXT)
    assert abs(datetime.now(UTC) - at) < timedelta(seconds=60)
    assert timestamp.check(raw, TEXT, root) == at
    with pytest.raises(LedgerBroken):
        timestamp.check(raw, TEXT.replace("3", "4"), root)


def test_no_part_of_a_stamp_is_free(authority: Authority, root: bytes) -> None:
    raw, _ = timestamp.ask(authority.url, TEXT)
    good = timestamp.check(raw, TEXT, root)
    for place in range(0, len(raw), 13):
        changed = bytearray(raw)
        changed[place] ^= 1
        try:
            told = timestamp.check(bytes(changed), TEXT, root)
        except LedgerBroken:
            continue
        assert told == good, f"byte {place} changes the time"


def test_another_authority_is_not_this_one(authority: Authority, tmp_path: Path) -> None:
    raw, _ = timestamp.ask(authority.url, TEXT)
    make_certificates(tmp_path)
    with pytest.raises(LedgerBroken):
        timestamp.check(raw, TEXT, (tmp_path / "root.pem").read_bytes())
    for none in (b"", b"nonsense", (authority.folder / "tsa.pem").read_bytes()):
        with pytest.raises(KeyTrouble):
            timestamp.check(raw, TEXT, none)


def test_what_is_no_stamp_of_this_is_refused(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier, _ = timestamp.ask(authority.url, TEXT)
    for answer in (b"", b"nonsense", earlier):
        monkeypatch.setattr(authority, "answers", answer)
        with pytest.raises(FetchFailed):
            timestamp.ask(authority.url, TEXT)
    with pytest.raises(FetchFailed, match="cannot be reached"):
        timestamp.ask("http://127.0.0.1:9/", TEXT)


def test_without_its_package_it_says_so(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    with pytest.raises(Unavailable) as caught:
        timestamp.ask(authority.url, TEXT)
    assert "countenance[timestamps]" in caught.value.advice


def test_a_bundle_carries_it_and_openssl_agrees(
    ledger: Ledger,
    folder: Path,
    tmp_path: Path,
    actor: dict[str, Any],
    authority: Authority,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ledger.append("a.b", actor, {"n": 0})
    text = ledger.checkpoint()
    raw, at = timestamp.ask(authority.url, text)
    kept.stamped(folder, text, raw)
    ledger.append("a.b", actor, {"n": 1})
    bundle = tmp_path / "bundle.zip"
    ledger.export(bundle)
    with bundle.open("rb") as file:
        report = verify.verify_bundle(file, VerifierKey.parse(ledger.vkey))
    assert (report.stamped, report.size) == (1, 2)
    assert "time-stamp on the first 1 entries" in report.as_text()

    assert timestamp.main([str(bundle), "--certificates", str(authority.folder / "root.pem")]) == 0
    assert at.isoformat() in capsys.readouterr().out
    with zipfile.ZipFile(bundle) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    assert list(members)[:4] == ["checkpoint", "stamped", "timestamp.tsr", "leaves"]
    for name in ("stamped", "timestamp.tsr"):
        (tmp_path / name).write_bytes(members[name])
    command = [OPENSSL, "ts", "-verify", "-data", tmp_path / "stamped", "-in", tmp_path / "timestamp.tsr"]
    done = subprocess.run([*command, "-CAfile", authority.folder / "root.pem"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr

    raw_bundle = bundle.read_bytes()
    place = raw_bundle.index(members["timestamp.tsr"])
    for offset in range(0, len(members["timestamp.tsr"]), 97):
        changed = bytearray(raw_bundle)
        changed[place + offset] ^= 1
        with pytest.raises(LedgerBroken):
            verify.verify_bundle(io.BytesIO(bytes(changed)))


def test_the_command_says_what_is_wrong(
    ledger: Ledger, folder: Path, tmp_path: Path, authority: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str | Path) -> int:
        return timestamp.main([str(word) for word in words])

    pem = authority.folder / "root.pem"
    ledger.export(tmp_path / "plain.zip")
    assert run(tmp_path / "plain.zip", "--certificates", pem) == 1
    assert "no time-stamp" in capsys.readouterr().out
    kept.stamped(folder, ledger.checkpoint(), b"no stamp")
    ledger.export(tmp_path / "wrong.zip")
    assert run(tmp_path / "wrong.zip", "--certificates", pem) == 1
    assert run(tmp_path / "missing.zip", "--certificates", pem) == 2
    assert run(tmp_path / "wrong.zip", "--certificates", tmp_path / "plain.zip") == 2


def test_a_stamp_of_another_history_does_not_pass(
    open_ledger: Callable[..., Ledger], folder: Path, tmp_path: Path, actor: dict[str, Any]
) -> None:
    ledger = open_ledger()
    signer = ledger._book.signer
    with Ledger.open(tmp_path / "other", signer, origin=ledger.origin) as other:
        other.append("a.b", actor, {"other": 1})
        kept.stamped(folder, other.checkpoint(), b"x")
    ledger.append("a.b", actor, {"n": 0})
    with pytest.raises(LedgerBroken, match="stamped checkpoint"):
        verify.verify_folder(folder, signer.verifier)
    # A crash while a stamp is replaced leaves one half: it says nothing, and is left aside.
    (folder / "timestamp.tsr").unlink()
    assert verify.verify_folder(folder, signer.verifier).stamped is None
