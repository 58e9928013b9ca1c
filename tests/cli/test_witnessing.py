"""A witness in a process of its own, a home that is put back to yesterday, and what an overseer keeps."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from countenance.ledger import verify
from countenance.ledger.receipt import verify_receipt
from tests import databases
from tests.ledger.authority import OPENSSL, Authority
from tests.places import Answer, Place

Run = Callable[..., Answer]


class Witness:
    """`countenance witness serve`, as another organisation runs it: no home, no keys of ours."""

    def __init__(self, folder: Path, name: str, vkey: str, port: int = 0) -> None:
        self.folder, self.state = folder, folder / "state"
        key = [*self.command("key"), "--key", folder / "witness.key", "--name", name, "--json"]
        told = subprocess.run(key, capture_output=True, check=True, env=self.environment)
        self.key = json.loads(told.stdout)["key"]
        serve = ["--vkey", vkey, "--state", self.state, "--key", folder / "witness.key", "--port", str(port), "--json"]
        self.process = subprocess.Popen(
            [*self.command("serve"), *serve], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment
        )
        assert self.process.stdout is not None
        self.url = json.loads(self.process.stdout.readline())["url"]

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"COUNTENANCE_HOME": str(self.folder / "none")}

    def command(self, name: str) -> list[Any]:
        return [sys.executable, "-m", "countenance.cli.main", "witness", name]

    def status(self) -> tuple[int, dict[str, Any]]:
        command = [*self.command("status"), "--state", self.state, "--json"]
        done = subprocess.run(command, capture_output=True, check=False, env=self.environment)
        return done.returncode, json.loads(done.stdout)

    def stop(self) -> str:
        """End it as a service manager does; returns what it wrote to standard error."""
        self.process.send_signal(signal.SIGTERM)
        told = self.process.communicate(timeout=20)[1].decode()
        assert self.process.returncode == 0
        return told


@pytest.fixture
def run(place: Place, at: Callable[[Place], Run]) -> Run:
    run = at(place)
    run("status")
    return run


@pytest.fixture
def witness(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Witness]:
    (tmp_path / "elsewhere").mkdir()
    running = Witness(tmp_path / "elsewhere", "witness.test/w1", run("ledger", "key", "--json").json["key"])
    told = json.dumps([{"url": running.url, "vkey": running.key}])
    monkeypatch.setenv("COUNTENANCE_LEDGER__WITNESSES", told)
    run("status")
    yield running
    if running.process.poll() is None:
        running.stop()


def outsider(*words: object, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """`python -m countenance.ledger.verify`."""
    capsys.readouterr()
    code = verify.main([str(word) for word in words])
    return code, capsys.readouterr().out


def busy(run: Run) -> None:
    """An act that is an entry."""
    assert run("token", "create", "robot", "--scope", "search", "--json").code == 0


def test_receipts_and_bundles_carry_what_a_witness_signed(
    run: Run, witness: Witness, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = run("ledger", "show", "0", "--json").json["receipt"]
    told = run("ledger", "witness", "--json").json
    assert [one["witness"] for one in told["cosigned"]] == ["witness.test/w1"]
    cosigned = run("ledger", "verify", "--json").json["cosigned"]
    assert (cosigned["size"], [one["key"] for one in cosigned["witnesses"]]) == (told["size"], [witness.key])
    vkey = run("ledger", "key", "--json").json["key"]
    receipt = run("ledger", "show", "0", "--json").json["receipt"]
    verify_receipt(receipt, vkey, witnesses=[witness.key])
    with pytest.raises(Exception, match="not co-signed"):
        verify_receipt(before, vkey, witnesses=[witness.key])

    bundle = tmp_path / "bundle.zip"
    assert run("ledger", "export", bundle, "--json").code == 0
    code, out = outsider(bundle, "--key", vkey, "--witness", witness.key, capsys=capsys)
    assert code == 0
    assert f"co-signed    the first {told['size']} entries, by witness.test/w1 at " in out
    assert "no witness speaks for the 2 entries after these" in out
    code, out = outsider(bundle, "--key", vkey, capsys=capsys)
    assert "not checked  a co-signature in the name of witness.test/w1" in out
    assert witness.status() == (0, {"logs": witness.status()[1]["logs"], "alarms": []})
    assert witness.status()[1]["logs"][0]["size"] == told["size"]


def test_a_home_put_back_to_yesterday_is_found_out(
    run: Run, witness: Witness, place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Database, ledger and all: what is left is consistent in itself. The witness has seen more, and so has whoever
    kept a checkpoint."""
    busy(run)
    assert run("ledger", "witness", "--json").code == 0
    shutil.copytree(place.home, tmp_path / "yesterday")
    databases.copy(place.home, tmp_path / "yesterday")
    busy(run)
    seen = run("ledger", "witness", "--json").json["size"]
    kept = tmp_path / "kept"
    assert run("ledger", "checkpoint", "--out", kept, "--json").json["size"] == seen
    shutil.rmtree(place.home)
    shutil.copytree(tmp_path / "yesterday", place.home)
    databases.copy(tmp_path / "yesterday", place.home)

    assert run("ledger", "verify", "--json").code == 0, "nothing in the home tells"
    answer = run("ledger", "witness", "--json")
    assert answer.code == 6
    assert f"has seen {seen} entries" in answer.json["error"]["message"]
    assert (answer.json["error"]["seen"], answer.json["error"]["witness"]) == (seen, "witness.test/w1")
    code, told = witness.status()
    assert code == 1
    assert [alarm["kind"] for alarm in told["alarms"]] == ["roll-back"]

    answer = run("ledger", "verify", "--since", kept, "--json")
    assert answer.code == 6
    assert "missing" in answer.json["error"]["message"]
    bundle = tmp_path / "bundle.zip"
    run("ledger", "export", bundle, "--json")
    vkey = run("ledger", "key", "--json").json["key"]
    assert outsider(bundle, "--key", vkey, capsys=capsys)[0] == 0
    code, out = outsider(bundle, "--key", vkey, "--since", kept, capsys=capsys)
    assert code == 1
    assert "DOES NOT VERIFY" in out

    # Going on as if nothing had happened makes another history of the same length, and then a longer one.
    while json.loads(run("ledger", "checkpoint", "--json").out)["size"] < seen:
        busy(run)
    assert run("ledger", "witness", "--json").code == 6
    busy(run)
    answer = run("ledger", "witness", "--json")
    assert answer.code == 6
    assert "another history" in answer.json["error"]["message"]
    kinds = [alarm["kind"] for alarm in witness.status()[1]["alarms"]]
    assert kinds[0] == "roll-back"
    assert set(kinds[1:]) <= {"split-view", "unproven"}
    assert len(kinds) >= 2
    assert outsider(bundle, "--since", kept, capsys=capsys)[0] == 1
    assert witness.stop().count("ALARM ") == len(kinds)


def test_a_second_history_under_the_same_key_is_found_out(
    run: Run, witness: Witness, place: Place, at: Callable[[Place], Run], tmp_path: Path
) -> None:
    """Two copies of one home, each shown to the witness as if it were the only one."""
    busy(run)
    assert run("ledger", "witness", "--json").code == 0
    copy = Place(tmp_path / "copy")
    place.copy_to(copy)
    busy(run)
    assert run("ledger", "witness", "--json").code == 0
    second = at(copy)
    busy(second)
    busy(second)
    answer = second("ledger", "witness", "--json")
    assert answer.code == 6
    code, told = witness.status()
    assert code == 1
    assert told["alarms"][-1]["kind"] in ("split-view", "unproven")


def test_a_witness_that_is_away_costs_nothing_but_its_word(
    run: Run, witness: Witness, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "second").mkdir()
    second = Witness(tmp_path / "second", "witness.test/w2", run("ledger", "key", "--json").json["key"])
    both = [{"url": one.url, "vkey": one.key} for one in (witness, second)]
    monkeypatch.setenv("COUNTENANCE_LEDGER__WITNESSES", json.dumps(both))
    told = run("ledger", "witness", "--json").json
    assert [one["witness"] for one in told["cosigned"]] == ["witness.test/w1", "witness.test/w2"]
    text = (place.home / "ledger" / "cosigned").read_text()
    assert text.count("\n— ") == 3
    assert run("ledger", "checkpoint", "--json").json["checkpoint"] == text
    second.stop()
    busy(run)
    answer = run("ledger", "witness", "--json")
    assert answer.code == 5
    assert [one["witness"] for one in answer.json["error"]["cosigned"]] == ["witness.test/w1"]
    assert (place.home / "ledger" / "cosigned").read_text().count("\n— ") == 2
    witness.stop()
    before = (place.home / "ledger" / "cosigned").read_text()
    assert run("ledger", "witness", "--json").code == 5
    assert (place.home / "ledger" / "cosigned").read_text() == before


def test_without_witness_or_authority_it_says_what_to_set(run: Run) -> None:
    for name in ("witness", "stamp"):
        answer = run("ledger", name, "--json")
        assert answer.code == 2
        assert "ledger." in answer.json["error"]["advice"]


def test_a_witness_that_cannot_start_says_why(run: Run, witness: Witness, tmp_path: Path) -> None:
    vkey = run("ledger", "key", "--json").json["key"]
    where = ("--key", witness.folder / "witness.key")
    assert run("witness", "serve", "--vkey", "nonsense", "--state", tmp_path / "a", *where, "--json").code == 2
    assert run("witness", "serve", "--vkey", vkey, "--state", witness.state, *where, "--json").code == 5
    port = witness.url.rpartition(":")[2]
    answer = run("witness", "serve", "--vkey", vkey, "--state", tmp_path / "a", *where, "--port", port, "--json")
    assert answer.code == 5
    assert run("witness", "serve", "--vkey", vkey, "--state", tmp_path / "a", "--key", tmp_path / "x").code == 6
    assert run("witness", "status", "--state", tmp_path / "nowhere", "--json").code == 2
    assert run("witness", "key", "--key", tmp_path / "new", "--name", "two words", "--json").code == 2
    assert run("witness", "key", *where, "--json").json["key"] == witness.key


def test_a_change_of_witnesses_is_an_entry(run: Run, witness: Witness) -> None:
    (last,) = (e for e in run("ledger", "show", "--json").json["entries"] if e["type"] == "settings.changed")
    assert [change["name"] for change in last["body"]["changed"]] == ["ledger.witnesses"]
    assert witness.url in last["body"]["changed"][0]["new"]


@pytest.mark.skipif(OPENSSL is None, reason="openssl is not here")
def test_a_stamp_is_kept_and_verified(run: Run, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path / "authority")
    try:
        monkeypatch.setenv("COUNTENANCE_LEDGER__TSA_URL", authority.url)
        assert run("ledger", "stamp", "--json").json["signer"] == "not checked"
        monkeypatch.setenv("COUNTENANCE_LEDGER__TSA_CERTIFICATES", str(authority.folder / "root.pem"))
        run("status")
        told = run("ledger", "stamp", "--json").json
        assert told["signer"] == "checked"
        verified = run("ledger", "verify", "--json").json
        assert (verified["stamped"], verified["stamped_at"]) == (told["size"], told["at"])
        stamp = place.home / "ledger" / "timestamp.tsr"
        stamp.write_bytes(stamp.read_bytes()[:-1] + b"x")
        assert run("ledger", "verify", "--json").code == 6
        monkeypatch.setenv("COUNTENANCE_LEDGER__TSA_CERTIFICATES", str(tmp_path / "missing.pem"))
        assert run("ledger", "stamp", "--json").code == 6
    finally:
        authority.stop()


def test_tiles_are_written_and_brought_up_to_date(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "tiles"
    first = run("ledger", "tiles", target, "--json").json
    assert (first["before"], first["entries"]) == (0, False)
    busy(run)
    second = run("ledger", "tiles", target, "--entries", "--json").json
    assert second["before"] == first["size"] < second["size"]
    assert (target / "checkpoint").read_text() == run("ledger", "checkpoint", "--json").json["checkpoint"]
    assert "Wrote 0 files" in run("ledger", "tiles", target).out


def test_an_overseer_keeps_what_is_printed(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "kept"
    kept.write_text(run("ledger", "checkpoint").out)
    busy(run)
    bundle, vkey = tmp_path / "bundle.zip", run("ledger", "key", "--json").json["key"]
    run("ledger", "export", bundle)
    code, out = outsider(bundle, "--key", vkey, "--since", kept, capsys=capsys)
    assert code == 0
    assert "continues the earlier checkpoint" in out
    words = run("ledger", "checkpoint", "--out", kept).out
    assert f"--since {kept}" in words
    assert run("ledger", "verify", "--since", kept, "--json").json["since"] > 0
    assert run("ledger", "verify", "--since", tmp_path / "none", "--json").code == 2
    assert run("ledger", "checkpoint", "--out", tmp_path / "none" / "x", "--json").code == 5
