"""The bundle: one form, every byte accounted for, nothing accepted after any change."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from countenance.domain.errors import LedgerBroken, Unavailable
from countenance.ledger import bundle, checkpoint, kept, manifest, merkle, verify
from countenance.ledger.container import Reader, Writer
from countenance.ledger.draft import Draft
from countenance.ledger.log import Ledger
from countenance.ledger.note import Signer, VerifierKey

ORIGIN = "countenance.test/ledger"
Members = dict[str, bytes]


def pack(members: list[tuple[str, bytes]]) -> bytes:
    """A container with the members given, in the right form whatever they are."""
    file = io.BytesIO()
    writer = Writer(file)
    for name, data in members:
        writer.add(name, iter([data]))
    writer.finish()
    return file.getvalue()


def accepted(raw: bytes, key: VerifierKey | None = None) -> verify.Report:
    return verify.verify_bundle(io.BytesIO(raw), key)


def refusal(raw: bytes, key: VerifierKey | None = None) -> str:
    with pytest.raises(LedgerBroken) as caught:
        accepted(raw, key)
    return caught.value.message


@pytest.fixture
def exported(ledger: Ledger, tmp_path: Path, actor: dict[str, Any]) -> bytes:
    ledger.append_many([Draft("a.b", actor, {"n": n}) for n in range(5)])
    ledger.export(tmp_path / "bundle.zip")
    return (tmp_path / "bundle.zip").read_bytes()


@pytest.fixture
def members(exported: bytes) -> Members:
    with zipfile.ZipFile(io.BytesIO(exported)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_bundle_verifies_and_its_members_are_the_five(
    exported: bytes, members: Members, ledger: Ledger, folder: Path
) -> None:
    report = accepted(exported)
    assert (report.size, report.root, report.origin) == (5, ledger.root, ORIGIN)
    assert (report.first, report.last) == (ledger.entry(0).at, ledger.entry(4).at)
    assert not report.signer_checked
    assert accepted(exported, VerifierKey.parse(ledger.vkey)).signer_checked
    assert list(members) == ["checkpoint", "leaves", "entries.jsonl", "manifest", "manifest.sig"]
    assert members["entries.jsonl"] == folder.joinpath("entries.jsonl").read_bytes()
    assert members["checkpoint"] == folder.joinpath("checkpoint").read_bytes()
    lines = members["entries.jsonl"].split(b"\n")[:-1]
    assert members["leaves"] == b"".join(sha256(b"\0" + line).digest() for line in lines)


def test_common_programs_open_it(exported: bytes, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(exported)) as archive:
        assert archive.testzip() is None
    unzip = shutil.which("unzip")
    if unzip:
        assert subprocess.run([unzip, "-tq", tmp_path / "bundle.zip"], check=False, capture_output=True).returncode == 0


def test_the_same_ledger_gives_the_same_bytes(ledger: Ledger, exported: bytes, tmp_path: Path) -> None:
    ledger.export(tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == exported


def test_an_empty_ledger_has_a_bundle_too(ledger: Ledger, tmp_path: Path) -> None:
    assert ledger.export(tmp_path / "empty.zip").size == 0
    assert accepted((tmp_path / "empty.zip").read_bytes(), VerifierKey.parse(ledger.vkey)).size == 0


def test_no_single_bit_is_free(ledger: Ledger, tmp_path: Path, actor: dict[str, Any]) -> None:
    for n in range(2):
        ledger.append("a.b", actor, {"n": n})
    ledger.export(tmp_path / "small.zip")
    raw = bytearray((tmp_path / "small.zip").read_bytes())
    accepted(bytes(raw))
    for place in range(len(raw)):
        for bit in range(8):
            raw[place] ^= 1 << bit
            try:
                accepted(bytes(raw))
            except LedgerBroken:
                pass
            else:
                pytest.fail(f"bit {bit} of byte {place} can be changed")
            raw[place] ^= 1 << bit


def test_no_byte_is_free_to_go_or_come(exported: bytes) -> None:
    for raw in (b"", exported[:-1], exported[1:], exported + b"\0", b"\0" + exported, exported * 2, b"PK" + exported):
        refusal(raw)
    for place in range(0, len(exported), 7):
        refusal(exported[:place] + exported[place + 1 :])
        refusal(exported[:place] + b"\0" + exported[place:])


def test_a_checksum_that_is_wrong_in_both_places_is_refused(exported: bytes) -> None:
    """The zip file's own checksums are part of its one form, though nothing here relies on them."""
    with zipfile.ZipFile(io.BytesIO(exported)) as archive:
        for info in archive.infolist():
            crc = info.CRC.to_bytes(4, "little")
            assert exported.count(crc) == 2
            refusal(exported.replace(crc, bytes([crc[0] ^ 1]) + crc[1:]))


def test_other_zip_files_with_the_same_members_are_refused(members: Members) -> None:
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", compression) as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        refusal(file.getvalue())


def test_members_that_are_added_missing_doubled_or_moved(members: Members) -> None:
    given = list(members.items())
    assert accepted(pack(given)).size == 5
    for n in range(5):
        refusal(pack(given[:n] + given[n + 1 :]))
        refusal(pack(given[: n + 1] + given[n:]))
        refusal(pack([*given[:n], ("more", b""), *given[n:]]))
        refusal(pack([*given[:n], (given[n][0] + "x", given[n][1]), *given[n + 1 :]]))
    refusal(pack([*given, ("more", b"")]))
    refusal(pack(given[::-1]))


def lines_changed(lines: list[bytes]) -> dict[str, list[bytes]]:
    return {
        "entry 4": lines[:-1],
        "entry 0": lines[1:],
        "entry 2": [*lines[:2], *lines[3:]],
        "entry 1": [lines[0], lines[2], lines[1], *lines[3:]],
        "entry 3": [*lines[:3], lines[2], *lines[3:]],
        "entry 5": [*lines, lines[4].replace(b'"seq":4', b'"seq":5')],
    }


@pytest.mark.parametrize("where", [f"entry {n}" for n in range(6)])
@pytest.mark.parametrize("leaves_too", [False, True])
def test_lines_deleted_swapped_or_added_are_named(members: Members, where: str, leaves_too: bool) -> None:
    changed = lines_changed(members["entries.jsonl"].split(b"\n")[:-1])[where]
    members["entries.jsonl"] = b"".join(line + b"\n" for line in changed)
    if leaves_too:
        members["leaves"] = b"".join(merkle.leaf_hash(line) for line in changed)
    told = refusal(pack(list(members.items())))
    assert where in told


@pytest.mark.parametrize("name", ["checkpoint", "leaves", "entries.jsonl", "manifest", "manifest.sig"])
def test_a_member_of_another_bundle_does_not_fit(
    members: Members, ledger: Ledger, tmp_path: Path, actor: dict[str, Any], name: str
) -> None:
    ledger.append("a.b", actor, {"n": 5})
    ledger.export(tmp_path / "later.zip")
    with zipfile.ZipFile(tmp_path / "later.zip") as archive:
        members[name] = archive.read(name)
    refusal(pack(list(members.items())))


def test_base64_has_one_spelling_in_a_bundle(members: Members) -> None:
    for name in ("checkpoint", "manifest.sig"):
        text = members[name].decode()
        assert text.endswith("=\n")
        before = text[-3]
        for other in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/":
            if other != before:
                refusal(pack([*{**members, name: f"{text[:-3]}{other}=\n".encode()}.items()]))
        refusal(pack([*{**members, name: text.replace("=\n", "\n").encode()}.items()]))


def forge(
    lines: list[bytes],
    signer: Signer,
    *,
    over: bytes | None = None,
    by: Signer | None = None,
    also: Signer | None = None,
    **head: Any,
) -> bytes:
    """A bundle over any lines, rightly signed by `signer`: what a dishonest operator can make.

    `over` replaces the list of leaves, `by` the signer of the checkpoint, and `head` parts of what this states;
    `also` signs the checkpoint too.
    """
    tree = checkpoint.TreeHead(ORIGIN, len(lines), merkle.root_of(map(merkle.leaf_hash, lines)))
    raw = checkpoint.sign(replace(tree, **head), [by or signer, *([also] if also else [])]).encode()
    parts = {
        "checkpoint": raw,
        "leaves": b"".join(map(merkle.leaf_hash, lines)) if over is None else over,
        "entries.jsonl": b"".join(line + b"\n" for line in lines),
    }
    listed = manifest.text(
        ORIGIN, signer.verifier, {name: (len(data), sha256(data).hexdigest()) for name, data in parts.items()}
    )
    parts |= {"manifest": listed.encode(), "manifest.sig": signer.signature_line(listed).encode()}
    return pack(list(parts.items()))


def test_what_the_operator_itself_cannot_do(members: Members, ledger: Ledger) -> None:
    """Entries that are signed and still not right: numbers, times, form, tree."""
    mine = ledger._book.signer
    good = members["entries.jsonl"].split(b"\n")[:-1]
    assert accepted(forge(good, mine), mine.verifier).size == 5
    earlier = good[3].replace(b'"at":"20', b'"at":"10')
    for name, lines in {
        "goes back in time": [*good[:3], earlier, good[4]],
        "skips a number": [*good[:3], good[4]],
        "is spaced": [*good[:3], good[3].replace(b":", b": ", 1), good[4]],
        "is doubled inside": [*good[:3], good[3].replace(b'{"n":3}', b'{"n":3,"n":3}'), good[4]],
        "is empty": [*good[:3], b"", good[4]],
    }.items():
        assert "entry 3" in refusal(forge(lines, mine)), name
    hashes = [merkle.leaf_hash(line) for line in good]
    assert "entry 1" in refusal(forge(good, mine, over=b"".join([hashes[0], hashes[2], *hashes[2:]])))
    assert "entry 4" in refusal(forge(good, mine, over=b"".join(hashes[:4])))
    assert "entry 5" in refusal(forge(good, mine, over=b"".join([*hashes, hashes[0]])))
    assert "leaves is cut off" in refusal(forge(good, mine, over=b"".join(hashes)[:-1]))
    refusal(forge(good, mine, size=4))
    refusal(forge(good, mine, root=bytes(32)))
    refusal(forge(good, mine, origin="other"))


def test_a_bundle_signed_by_another_is_consistent_but_not_ours(members: Members, ledger: Ledger) -> None:
    other = Signer.generate(ORIGIN)
    raw = forge(members["entries.jsonl"].split(b"\n")[:-1], other)
    assert accepted(raw).key == other.verifier
    assert "another key" in refusal(raw, VerifierKey.parse(ledger.vkey))


def test_a_bundle_after_a_handover_is_signed_by_the_new_key(ledger: Ledger, actor: dict[str, Any]) -> None:
    ledger.append("a.b", actor, {})
    old = ledger._book.signer
    ledger.rotate_key(actor)
    new = ledger._book.signer
    lines = [found.raw for found in ledger.entries()]
    assert accepted(forge(lines, new), old.verifier).size == 2
    assert "not signed by the ledger's key" in refusal(forge(lines, new, by=old))
    for other in (old, Signer.generate(ORIGIN)):
        assert "no entry announces" in refusal(forge(lines, other, by=new))
        assert "no entry announces" in refusal(forge(lines, other))


def test_the_manifest_is_signed_once(members: Members) -> None:
    for signatures in (b"", members["manifest.sig"] * 2, members["manifest.sig"] + b"\n"):
        refusal(pack(list((members | {"manifest.sig": signatures}).items())))


def test_a_manifest_or_checkpoint_signed_by_another_is_refused(members: Members, ledger: Ledger) -> None:
    other = Signer.generate(ORIGIN)
    given = members | {"manifest.sig": other.signature_line(members["manifest"].decode()).encode()}
    assert "manifest" in refusal(pack(list(given.items())))
    head = checkpoint.parse(members["checkpoint"]).head
    raw = forge(members["entries.jsonl"].split(b"\n")[:-1], ledger._book.signer)
    assert accepted(raw)
    forged = checkpoint.sign(head, [other]).encode()
    listed = members["manifest"].decode().replace(sha256(members["checkpoint"]).hexdigest(), sha256(forged).hexdigest())
    given = members | {
        "checkpoint": forged,
        "manifest": listed.encode(),
        "manifest.sig": ledger._book.signer.signature_line(listed).encode(),
    }
    assert "checkpoint" in refusal(pack(list(given.items())))


def test_nobody_else_signs_beside_the_ledgers_key(members: Members, ledger: Ledger) -> None:
    """A second signature would lend the bundle a name that has vouched for nothing, or hide a key that was not in
    force."""
    mine = ledger._book.signer
    lines = members["entries.jsonl"].split(b"\n")[:-1]
    for foreign in (Signer.generate(ORIGIN), Signer.generate("countenance.test/witness")):
        for key in (None, mine.verifier):
            assert "not signed by a key in force" in refusal(forge(lines, mine, also=foreign), key)
            assert "not signed by a key in force" in refusal(forge(lines, mine, by=foreign, also=mine), key)


def test_a_long_ledger_is_read_in_pieces(ledger: Ledger, tmp_path: Path, actor: dict[str, Any]) -> None:
    """More than one chunk of entries and of leaves, so that lines and hashes lie across their borders."""
    with ledger._writing() as book:
        book.commit([Draft("a.b", actor, {"n": n, "pad": "x" * 40}) for n in range(34_000)], [book.signer])
    ledger.export(tmp_path / "long.zip")
    assert accepted((tmp_path / "long.zip").read_bytes()).size == 34_000


def test_a_ledger_that_is_not_sound_is_not_exported(
    ledger: Ledger, folder: Path, tmp_path: Path, actor: dict[str, Any]
) -> None:
    ledger.append_many([Draft("a.b", actor, {"n": n}) for n in range(5)])
    entries = folder / "entries.jsonl"
    entries.write_bytes(entries.read_bytes().replace(b'"n":1', b'"n":7'))
    with pytest.raises(LedgerBroken):
        ledger.export(tmp_path / "bundle.zip")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []


def test_a_bundle_that_cannot_be_written_leaves_nothing(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        ledger.export(tmp_path / "missing" / "bundle.zip")
    (tmp_path / "taken").mkdir()
    with pytest.raises(Unavailable):
        ledger.export(tmp_path / "taken")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []


def test_an_export_is_not_disturbed_by_appends(ledger: Ledger, tmp_path: Path, actor: dict[str, Any]) -> None:
    ledger.append("a.b", actor, {})
    chunks: Callable[[bundle.Snapshot], Any] = bundle.Snapshot.chunks

    class Appending(bundle.Snapshot):
        def chunks(self) -> Any:
            ledger.append("a.b", actor, {})
            return chunks(self)

    book = ledger._book
    snapshot = Appending(book.head, book.text, book.end, book.signer, book.folder.path / "entries.jsonl")
    bundle.write(snapshot, tmp_path / "b.zip")
    assert accepted((tmp_path / "b.zip").read_bytes()).size == 1
    assert ledger.size == 3


def test_a_member_cut_off_while_it_is_read(exported: bytes) -> None:
    file = io.BytesIO(exported)
    reader = Reader(file, manifest.MEMBERS, manifest.OPTIONAL)
    file.truncate(600)
    with pytest.raises(LedgerBroken):
        list(reader.chunks("entries.jsonl"))


def test_what_is_kept_is_never_about_a_later_checkpoint_than_the_bundles(
    ledger: Ledger, folder: Path, tmp_path: Path, actor: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process appends, and a witness co-signs, while the export begins."""
    ledger.append("a.b", actor, {"n": 0})
    of = kept.of

    def meanwhile(path: Path) -> Any:
        found = of(path)
        ledger.append("a.b", actor, {"n": 1})
        kept.cosigned(folder, ledger.checkpoint())
        return found

    for _ in range(2):
        monkeypatch.setattr(kept, "of", meanwhile)
        ledger.export(tmp_path / "b.zip")
        monkeypatch.setattr(kept, "of", of)
        accepted((tmp_path / "b.zip").read_bytes(), VerifierKey.parse(ledger.vkey))
