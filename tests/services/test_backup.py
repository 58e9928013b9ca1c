"""A backup is one moment of a home; what comes back is that home, and nobody who was erased since."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyrage
import pytest

from countenance.app import Countenance
from countenance.cli import backup as command
from countenance.domain.errors import BadInput, Broken, CountenanceError, KeyTrouble, LedgerBroken, Unavailable
from countenance.services import archive, backup
from countenance.services.backup import To, back_up
from countenance.services.erasure_list import LIST, Gone, note, read_list
from countenance.services.home import Where
from countenance.services.keys import export_keys, import_keys
from countenance.services.restore import With
from countenance.services.retention import run_retention
from tests import databases, pretend
from tests.places import ROOT, TESTER, Place, ask, grant, ingest, kinds, register

PROBE = pretend.photograph("ada", note="asked")
OWN = pyrage.x25519.Identity.generate()
TO = To(None, (str(OWN.to_public()),))
OPEN = With(identities=(str(OWN),))


def answers(product: Countenance, probe: bytes = PROBE) -> dict[Any, float]:
    result = ask(product, grant(product, "album", "wall"), probe)
    return {(s.image, s.box): round(s.likeness, 6) for g in result.groups for s in g.sightings}


def save(product: Countenance, file: Path, **more: Any) -> dict[str, Any]:
    return back_up(product.eraser.home, file, more.pop("to", TO), TESTER, **more)


def bring_back(file: Path, home: Path, keys: Path, given: With) -> dict[str, Any]:
    return command.bring_back(file, Where(home, keys, databases.address(home)), given)


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Place]:
    """An empty machine."""
    place = Place(tmp_path / "elsewhere")
    place.root.mkdir()
    yield place
    place.drop()


@pytest.fixture
def saved(house: Place, tmp_path: Path) -> Path:
    with house.open() as product:
        save(product, tmp_path / "home.age")
    return tmp_path / "home.age"


def test_on_an_empty_machine_it_answers_as_before(house: Place, bare: Place, tmp_path: Path) -> None:
    with house.open() as product:
        before = answers(product)
        export_keys(product.key_ring, tmp_path / "keys.json", TESTER)
        made = save(product, tmp_path / "home.age")
        size = product.ledger_size
        assert made["entries"] == size
        assert kinds(product)[-1] == "backup.made"
    assert (tmp_path / "home.age").stat().st_mode & 0o077 == 0
    with pytest.raises(KeyTrouble, match="keys of this home are not here"):
        bring_back(tmp_path / "home.age", bare.home, bare.keys, OPEN)
    assert not bare.home.exists()
    import_keys(bare.where, tmp_path / "keys.json", TESTER, force=False)
    bring_back(tmp_path / "home.age", bare.home, bare.keys, OPEN)
    with bare.open() as product:
        assert "home.restored" in kinds(product)[size:]
        assert answers(product) == before
        assert product.examine()["findings"] == []
    assert sorted(path.name for path in bare.root.iterdir()) == ["home", "keys"]


def test_with_keys_and_a_passphrase_by_command(house: Place, bare: Place, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("five or six random words\n")
    made = house.command("backup", tmp_path / "b.age", "--with-keys", "--passphrase-file", secret, "--json")
    assert made.code == 0, made.err
    short = house.command("backup", tmp_path / "c.age", "--json", env={"COUNTENANCE_PASSPHRASE": "short"})
    assert short.code == 2
    assert not (tmp_path / "c.age").exists()
    other = {"COUNTENANCE_PASSPHRASE": "five or six other words"}
    wrong = bare.command("restore", tmp_path / "b.age", "--json", env=other)
    assert wrong.json["error"]["code"] == "key-trouble"
    assert not bare.home.exists()
    done = bare.command("restore", tmp_path / "b.age", "--passphrase-file", secret, "--json")
    assert done.code == 0, done.err
    with bare.open() as product:
        assert answers(product)


def test_other_keys_that_are_there_stay(house: Place, bare: Place, tmp_path: Path) -> None:
    with house.open() as product:
        save(product, tmp_path / "home.age", with_keys=True)
        id = product.eraser.home.id
    (bare.keys / id).mkdir(parents=True)
    (bare.keys / id / "names.key").write_bytes(b"x" * 32)
    with pytest.raises(KeyTrouble, match="other keys"):
        bring_back(tmp_path / "home.age", bare.home, bare.keys, OPEN)
    assert [path.name for path in (bare.keys / id).iterdir()] == ["names.key"]
    assert not bare.home.exists()


def test_a_backup_that_does_not_verify_leaves_no_keys(house: Place, bare: Place, tmp_path: Path) -> None:
    with house.open() as product:
        save(product, tmp_path / "home.age", with_keys=True)
    alter(tmp_path / "home.age", tmp_path, "home/ledger/entries.jsonl", lambda c: c.replace(b"tester", b"tefter"))
    with pytest.raises(LedgerBroken):
        bring_back(tmp_path / "home.age", bare.home, bare.keys, OPEN)
    assert list(bare.root.iterdir()) == []


def test_no_byte_of_the_home_is_legible_in_it(house: Place, saved: Path) -> None:
    content = saved.read_bytes()
    for piece in (b"SQLite format 3", b"home.created", b"shared.png", pretend.crop("ada", "one")):
        assert piece not in content
    assert [path.name for path in house.home.iterdir() if path.name.startswith(".backup")] == []


def test_another_key_does_not_open_it(house: Place, saved: Path, bare: Place) -> None:
    other = With(identities=(str(pyrage.x25519.Identity.generate()),))
    with pytest.raises(KeyTrouble, match="does not open"):
        bring_back(saved, bare.home, house.keys, other)
    with pytest.raises(BadInput, match="opens with a key"):
        bring_back(saved, bare.home, house.keys, With(passphrase="five or six random words"))
    assert list(bare.root.iterdir()) == []


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.7, 0.999])
def test_a_file_that_was_cut_off_restores_nothing(house: Place, saved: Path, bare: Place, share: float) -> None:
    content = saved.read_bytes()
    saved.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(BadInput):
        bring_back(saved, bare.home, house.keys, OPEN)
    assert list(bare.root.iterdir()) == []


def test_a_flipped_bit_restores_nothing(house: Place, saved: Path, bare: Place) -> None:
    content = bytearray(saved.read_bytes())
    content[len(content) // 2] ^= 1
    saved.write_bytes(content)
    with pytest.raises(BadInput):
        bring_back(saved, bare.home, house.keys, OPEN)
    assert list(bare.root.iterdir()) == []


def test_a_home_that_is_there_is_left_alone(house: Place, saved: Path) -> None:
    before = house.files()
    with pytest.raises(BadInput, match="something already"):
        bring_back(saved, house.home, house.keys, OPEN)
    assert house.files() == before


def forged(*members: tuple[str, bytes]) -> bytes:
    """What a stranger who knows the recipient could send."""
    import io

    out = io.BytesIO()
    made = iter([archive.of_bytes(name, content) for name, content in members])
    archive.write(out, made, passphrase=None, recipients=list(TO.recipients))
    return out.getvalue()


def alter(file: Path, work: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """Another file of that name in the backup."""
    folder = work / "unpacked"
    folder.mkdir()
    with file.open("rb") as content:
        archive.read(content, folder, passphrase=None, identities=[str(OWN)])
    (folder / name).write_bytes(change((folder / name).read_bytes()))
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    file.write_bytes(forged(*((name, (folder / name).read_bytes()) for name in names)))


@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped", "home/../../escaped"])
def test_a_name_that_leads_out_is_refused(bare: Place, tmp_path: Path, name: str) -> None:
    (tmp_path / "f.age").write_bytes(forged((name, b"x")))
    with pytest.raises(BadInput, match="no file of a home"):
        bring_back(tmp_path / "f.age", bare.home, bare.keys, OPEN)
    assert not list(tmp_path.rglob("escaped"))


def test_an_altered_ledger_is_found_before_it_opens(house: Place, bare: Place, tmp_path: Path) -> None:
    """Whoever can encrypt to the recipient cannot sign in the ledger's name."""
    with house.open() as product:
        save(product, tmp_path / "home.age")
    alter(tmp_path / "home.age", tmp_path, "home/ledger/entries.jsonl", lambda c: c.replace(b"tester", b"tefter"))
    with pytest.raises(LedgerBroken):
        bring_back(tmp_path / "home.age", bare.home, house.keys, OPEN)
    assert not bare.home.exists()


def test_damaged_rows_are_found_before_it_opens(house: Place, bare: Place, saved: Path, tmp_path: Path) -> None:
    alter(saved, tmp_path, "home/countenance.db", lambda c: c[:-8192] + b"\xff" * 8192)
    with pytest.raises(Broken):
        bring_back(saved, bare.home, house.keys, OPEN)
    assert not bare.home.exists()


# Erased means erased


WAYS = ("beside the keys", "a copy", "a newer ledger")


@pytest.mark.parametrize("way", WAYS)
def test_who_was_erased_after_the_backup_does_not_come_back(
    house: Place, saved: Path, bare: Place, tmp_path: Path, way: str
) -> None:
    with house.open() as product:
        result = ask(product, grant(product, "album", "wall"), PROBE, min_likeness=0.5)
        gone = [s.id for g in result.groups for s in g.sightings if s.source == "album"]
        crops = [pretend.crop("ada", "one"), pretend.crop("dan", "one")]
        product.erase(product.eraser.plan_sightings(gone), TESTER)
        product.erase(product.eraser.plan_sources(["wall"]), TESTER)
        (tmp_path / "bundle.zip").write_bytes(product.ledger_bundle(TESTER))
        size = product.ledger_size
    given = OPEN
    if way != "beside the keys":
        (house.keys / product.eraser.home.id / LIST).rename(tmp_path / "copy.jsonl")
    if way == "a copy":
        given = With(identities=(str(OWN),), erasures=tmp_path / "copy.jsonl")
    if way == "a newer ledger":
        given = With(identities=(str(OWN),), ledger=tmp_path / "bundle.zip")
    body = bring_back(saved, bare.home, house.keys, given)
    assert body["erased_again"]["sightings"] + body["erased_again"]["sources"] == len(gone) + 1
    assert (body["entries"] == size) == (way == "a newer ledger")
    bare.keys.symlink_to(house.keys)
    with bare.open() as product:
        assert [source.name for source in product.sources()] == ["album"]
        found = ask(product, grant(product, "album"), PROBE, min_likeness=0.5)
        assert found.groups == ()
        assert product.examine()["findings"] == []
        ingest(product, "album")
        assert ask(product, grant(product, "album"), PROBE, min_likeness=0.5).groups == ()
    everything = b"".join(bare.files().values())
    assert not any(crop in everything for crop in crops)


def test_a_probe_that_was_forgotten_stays_forgotten(house: Place, bare: Place, tmp_path: Path) -> None:
    with house.open() as product:
        result = ask(product, grant(product, "album"), PROBE)
        save(product, tmp_path / "home.age")
        with product.database.write() as c:
            c.exec_driver_sql("UPDATE searches SET keep_until = 1")
        assert run_retention(product.eraser, TESTER, product.settings)["probes"] == 1
    body = bring_back(tmp_path / "home.age", bare.home, house.keys, OPEN)
    assert body["erased_again"]["keys"] == 1
    bare.keys.symlink_to(house.keys)
    with bare.open() as product, product.database.read() as c:
        assert c.exec_driver_sql("SELECT probe FROM searches WHERE id = ?", (result.search,)).scalar() in (None, "null")
        assert c.exec_driver_sql("SELECT count(*) FROM item_keys WHERE item LIKE 'probe:%'").scalar() == 0


def test_tokens_do_not_come_back(house: Place, bare: Place, tmp_path: Path) -> None:
    """One may have been revoked after the backup, because somebody had stolen it."""
    with house.open() as product:
        token, _ = product.create_token("robot", ["status:read"], None, TESTER)
        save(product, tmp_path / "home.age")
        product.revoke_token(token.id, TESTER)
    bring_back(tmp_path / "home.age", bare.home, house.keys, OPEN)
    bare.keys.symlink_to(house.keys)
    with bare.open() as product:
        assert [one.revoked_at is None for one in product.tokens()] == [False]


def test_the_list_names_nobody(house: Place) -> None:
    with house.open() as product:
        product.erase(product.eraser.plan_image(product_address(product)), TESTER)
        text = (house.keys / product.eraser.home.id / LIST).read_text()
    assert "png" not in text
    assert "ada" not in text
    assert len(next(iter(read_list(house.keys / product.eraser.home.id / LIST))).marks) == 1


def product_address(product: Countenance) -> str:
    result = ask(product, grant(product, "album"), PROBE)
    address = result.groups[0].sightings[0].image
    assert address is not None
    return str(address)


def test_a_torn_line_is_passed_over(tmp_path: Path) -> None:
    assert note(tmp_path, Gone(1, ("sighting:1",))) is None
    with (tmp_path / LIST).open("a") as file:
        file.write('{"seq": 2, "it')
    assert note(tmp_path, Gone(2, ("sighting:2",))) is None
    assert [one.seq for one in read_list(tmp_path / LIST)] == [1, 2]
    (tmp_path / "other").write_text('{"seq": 1}\n')
    with pytest.raises(BadInput):
        list(read_list(tmp_path / "other"))


def test_an_erasure_does_not_fail_for_the_list(product: Countenance, monkeypatch: pytest.MonkeyPatch) -> None:
    (product.key_folder / LIST).mkdir()
    erased = product.erase(product.eraser.plan_sources(["wall"]), TESTER)
    assert "list of erasures" in erased.pending[0]
    assert [source.name for source in product.sources()] == ["album"]


# Roll-back


def test_a_roll_back_is_said_plainly(house: Place, saved: Path, bare: Place, tmp_path: Path) -> None:
    with house.open() as product:
        size = product.ledger_size
        for _ in range(3):
            ask(product, grant(product, "album"), PROBE)
        lost = product.ledger_size - size
        (tmp_path / "kept").write_text(product.checkpoint())
        (tmp_path / "bundle.zip").write_bytes(product.ledger_bundle(TESTER))
    kept = With(identities=(str(OWN),), since=tmp_path / "kept")
    with pytest.raises(LedgerBroken, match=f"roll-back.* {lost} entries would be missing"):
        bring_back(saved, bare.home, house.keys, kept)
    assert not bare.home.exists()
    newer = With(identities=(str(OWN),), since=tmp_path / "kept", ledger=tmp_path / "bundle.zip")
    assert bring_back(saved, bare.root / "newer", house.keys, newer)["rolled_back"] == 0
    accepted = With(identities=(str(OWN),), since=tmp_path / "kept", roll_back=True)
    assert bring_back(saved, bare.home, house.keys, accepted)["rolled_back"] == lost
    bare.keys.symlink_to(house.keys)
    with bare.open() as product:
        said = next(e for e in product.ledger_entries(size, product.ledger_size) if e["type"] == "home.restored")
        assert said["body"]["rolled_back"] == lost


# While it is used, full disks, kills


def test_while_others_read_and_search(house: Place, bare: Place, tmp_path: Path) -> None:
    for n in range(60):
        house.put(f"more/{n}.png", pretend.photograph("ada" if n % 2 else "bob", note=f"more {n}"))
    stop, failures = threading.Event(), []

    def searching() -> None:
        try:
            with house.open() as other:
                authority = grant(other, "album", searches=10_000)
                while not stop.is_set():
                    ask(other, authority, PROBE)
        except BaseException as error:
            failures.append(error)

    def reading() -> None:
        try:
            with house.open() as other:
                register(other, "more", house.photos / "more")
                while not stop.is_set():
                    ingest(other, "more")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=one) for one in (searching, reading)]
    with house.open() as product:
        for thread in threads:
            thread.start()
        for n in range(4):
            save(product, tmp_path / f"{n}.age")
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []
    bare.keys.symlink_to(house.keys)
    for n in range(4):
        bring_back(tmp_path / f"{n}.age", bare.home, house.keys, OPEN)
        with bare.open() as product:
            assert product.examine()["findings"] == []
            for authority in product.authorities():
                assert product.check_authority(authority.id, None, TESTER).id == authority.id
            assert answers(product)
        bare.drop()
        shutil.rmtree(bare.home)


def test_a_full_disk_leaves_no_backup(house: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def __init__(self, file: Any) -> None:
            self.file = file

        def __getattr__(self, name: str) -> Any:
            return getattr(self.file, name)

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def write(self, data: bytes) -> int:
            if self.file.tell() > 70_000:
                raise OSError(28, "No space left on device")
            return int(self.file.write(data))

    real = os.fdopen
    monkeypatch.setattr(backup.os, "fdopen", lambda fd, mode: Full(real(fd, mode)) if mode == "wb" else real(fd, mode))
    (tmp_path / "out").mkdir()
    with house.open() as product, pytest.raises(Unavailable):
        save(product, tmp_path / "out" / "home.age")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_full_disk_restores_nothing(house: Place, saved: Path, bare: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive._Unpacking, "_begin", full)
    with pytest.raises(Unavailable, match="No space left"):
        bring_back(saved, bare.home, house.keys, OPEN)
    monkeypatch.undo()
    assert list(bare.root.iterdir()) == []


@pytest.mark.parametrize(
    "where",
    [
        "countenance.services.archive:_Unpacking._begin@5",
        "countenance.services.restore:_check_rows@1",
        "countenance.services.reapply:reapply@1+",
        "countenance.services.restore:Staged.settle@1",
    ],
)
def test_a_killed_restore_leaves_no_home_and_the_next_one_works(
    house: Place, saved: Path, bare: Place, tmp_path: Path, where: str
) -> None:
    with house.open() as product:
        product.erase(product.eraser.plan_sources(["wall"]), TESTER)
    (tmp_path / "id").write_text(str(OWN))
    script = "from countenance.cli import main; from tests import child; child.install(); "
    script += f"child.die_at({where!r}); main.main()"
    environment = bare.environment | {"COUNTENANCE_KEY_DIR": str(house.keys)}
    words = [sys.executable, "-c", script, "restore", str(saved), "--identity", str(tmp_path / "id")]
    run = subprocess.run(words, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == -9, run.stderr
    assert not bare.home.exists()
    body = bring_back(saved, bare.home, house.keys, OPEN)
    assert body["erased_again"]["sources"] == 1
    assert [path.name for path in bare.root.iterdir()] == ["home"]


def test_a_backup_goes_to_somebody(house: Place, tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        To(None)
    with house.open() as product:
        with pytest.raises(BadInput, match="not a recipient"):
            save(product, tmp_path / "x.age", to=To(None, ("age1nonsense",)))
        with pytest.raises(BadInput, match="does not lie in the home"):
            save(product, house.home / "x.age")
        (tmp_path / "there").write_bytes(b"x")
        with pytest.raises(CountenanceError, match="a file already"):
            save(product, tmp_path / "there")
    assert not (tmp_path / "x.age").exists()
