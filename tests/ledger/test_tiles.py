"""Tiles: the paths and widths of the specification, hashes computed by hand, and proofs from tiles alone."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countenance.domain.errors import LedgerBroken, Refused, Unavailable
from countenance.ledger import checkpoint, merkle, tiles
from countenance.ledger.checkpoint import TreeHead
from countenance.ledger.draft import Draft
from countenance.ledger.log import Ledger
from countenance.ledger.note import Signer, VerifierKey

ORIGIN = "countenance.test/ledger"


def h(*parts: bytes) -> bytes:
    return sha256(b"".join(parts)).digest()


def mth(leaves: list[bytes]) -> bytes:
    """MTH over leaf hashes, as RFC 6962 section 2.1 says."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return h(b"\x01", mth(leaves[:k]), mth(leaves[k:]))


def leaves_of(count: int) -> list[bytes]:
    return [merkle.leaf_hash(b"%d" % n) for n in range(count)]


def test_paths_are_those_of_the_specification() -> None:
    assert tiles.place(0, 1234067) == "tile/0/x001/x234/067"
    assert tiles.place(0, 0) == "tile/0/000"
    assert tiles.place(1, 999) == "tile/1/999"
    assert tiles.place(1, 1000) == "tile/1/x001/000"
    assert tiles.place("entries", 1000000, 7) == "tile/entries/x001/x000/000.p/7"


def test_widths_are_those_of_the_specification() -> None:
    """The examples of the text: trees of 70,000 and of 256."""
    told = list(tiles.tiles_of(70_000))
    assert [t for t in told if t[0] == 0] == [*((0, n, 256) for n in range(273)), (0, 273, 112)]
    assert [t for t in told if t[0] == 1] == [(1, 0, 256), (1, 1, 17)]
    assert [t for t in told if t[0] == 2] == [(2, 0, 1)]
    assert len(told) == 277
    assert list(tiles.tiles_of(256)) == [(0, 0, 256), (1, 0, 1)]
    assert list(tiles.tiles_of(0)) == []


def filled(tmp_path: Path, count: int) -> tuple[Path, list[bytes]]:
    leaves = leaves_of(count)
    head = TreeHead(ORIGIN, count, merkle.root_of(leaves))
    text = checkpoint.sign(head, [Signer.generate(ORIGIN)])
    tiles.Tree(tmp_path / "tiles").update(head, text, merkle.nodes_of(leaves), None)
    return tmp_path / "tiles", leaves


def test_hashes_computed_by_hand(tmp_path: Path) -> None:
    folder, leaves = filled(tmp_path, 600)
    assert (folder / "tile/0/000").read_bytes() == b"".join(leaves[:256])
    assert (folder / "tile/0/001").read_bytes() == b"".join(leaves[256:512])
    assert (folder / "tile/0/002.p/88").read_bytes() == b"".join(leaves[512:])
    assert (folder / "tile/1/000.p/2").read_bytes() == mth(leaves[:256]) + mth(leaves[256:512])
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files == {"checkpoint", "tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2"}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Callable[[str], bytes], list[bytes]]:
    """A tree of three levels, as a reader over HTTP would have it: files by path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda fd: None)
        patch.setattr("os.fdatasync", lambda fd: None)
        folder, leaves = filled(tmp_path_factory.mktemp("large"), 66_000)
    cache: dict[str, bytes] = {}

    def read(path: str) -> bytes:
        if path not in cache:
            cache[path] = (folder / path).read_bytes()
        return cache[path]

    return read, leaves


@given(data=st.data())
def test_proofs_from_tiles_alone(large: tuple[Callable[[str], bytes], list[bytes]], data: st.DataObject) -> None:
    read, leaves = large
    size = len(leaves)
    head = checkpoint.parse(read("checkpoint")).head
    node = tiles.node_from(read, size)
    seq = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(seq, size, node)
    assert merkle.verify_inclusion(seq, size, leaves[seq], proof, head.root)
    old = data.draw(st.integers(1, size))
    old_root = merkle.root_of(leaves[:old])
    assert merkle.verify_consistency(old, size, old_root, head.root, merkle.consistency_proof(old, size, node))


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.usefixtures("no_real_sync")
def test_an_update_writes_what_is_new_and_no_full_tile_twice(
    ledger: Ledger, tmp_path: Path, actor: dict[str, Any]
) -> None:
    target = tmp_path / "tiles"
    assert ledger.tiles(target).size == 0
    ledger.append_many([Draft("a.b", actor, {"n": n}) for n in range(300)])
    assert ledger.tiles(target, entries=True).before == 0
    before = stamps(target)
    ledger.append_many([Draft("a.b", actor, {"n": n}) for n in range(300)])
    done = ledger.tiles(target, entries=True)
    assert (done.size, done.before, done.too_long) == (600, 300, ())
    after = stamps(target)
    for name in ("tile/0/000", "tile/entries/000"):
        assert after[name] == before[name]
    # The full tile 001 has come in the place of the partial one.
    assert "tile/0/001.p/44" in before
    assert "tile/0/001.p/44" not in after
    assert after.keys() >= {"tile/0/001", "tile/0/002.p/88", "tile/1/000.p/1", "tile/1/000.p/2", "tile/entries/001"}
    assert ledger.tiles(target, entries=True).files == 0
    head = checkpoint.parse((target / "checkpoint").read_bytes())
    assert head.note.signed_by(VerifierKey.parse(ledger.vkey))
    assert head.head.size == 600


@pytest.mark.usefixtures("no_real_sync")
def test_entries_are_in_bundles_when_asked_for(ledger: Ledger, tmp_path: Path, actor: dict[str, Any]) -> None:
    ledger.append_many([Draft("a.b", actor, {"n": n}) for n in range(257)])
    ledger.append("a.b", actor, {"long": "x" * 70_000})
    ledger.tiles(tmp_path / "without")
    assert not (tmp_path / "without/tile/entries").exists()
    done = ledger.tiles(tmp_path / "with", entries=True)
    assert done.too_long == (257,), "the format has two bytes for a length"
    raw, found = (tmp_path / "with/tile/entries/000").read_bytes(), []
    while raw:
        length = int.from_bytes(raw[:2], "big")
        found.append(raw[2 : 2 + length])
        raw = raw[2 + length :]
    assert found == [entry.raw for entry in ledger.entries(0, 256)]
    listed = (tmp_path / "with/tile/0/000").read_bytes()
    assert b"".join(map(merkle.leaf_hash, found)) == listed


@pytest.mark.usefixtures("no_real_sync")
def test_another_history_is_refused(ledger: Ledger, tmp_path: Path, actor: dict[str, Any], signer: Signer) -> None:
    target = tmp_path / "tiles"
    with Ledger.open(tmp_path / "other", signer, origin=ORIGIN) as other:
        other.append_many([Draft("a.b", actor, {"other": n}) for n in range(5)])
        other.tiles(target)
    with pytest.raises(LedgerBroken, match="rolled back"):
        ledger.tiles(target)
    ledger.append_many([Draft("a.b", actor, {"n": n}) for n in range(300)])
    before = (target / "checkpoint").read_bytes()
    with pytest.raises(LedgerBroken, match="another history"):
        ledger.tiles(target)
    assert (target / "checkpoint").read_bytes() == before
    strange = Signer.generate("strange")
    with Ledger.open(tmp_path / "strange", strange, origin="strange") as other, pytest.raises(LedgerBroken):
        other.tiles(target)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter").touch()
    with pytest.raises(Refused):
        ledger.tiles(tmp_path / "mine")
    with pytest.raises(Unavailable):
        ledger.tiles(tmp_path / "mine" / "letter")


@pytest.mark.usefixtures("no_real_sync")
def test_damaged_hashes_are_never_published(
    ledger: Ledger, folder: Path, tmp_path: Path, actor: dict[str, Any]
) -> None:
    ledger.append_many([Draft("a.b", actor, {"n": n}) for n in range(300)])
    nodes = folder / "nodes"
    raw = bytearray(nodes.read_bytes())
    raw[merkle.position(0, 17) * 32] ^= 1
    nodes.write_bytes(raw)
    with pytest.raises(LedgerBroken):
        ledger.tiles(tmp_path / "tiles")
    assert not (tmp_path / "tiles" / "checkpoint").exists()


def test_consistency_from_any_size(ledger: Ledger, folder: Path, actor: dict[str, Any]) -> None:
    roots = []
    for n in range(9):
        roots.append(ledger.root)
        ledger.append("a.b", actor, {"n": n})
    nodes = folder / "nodes"
    for damaged in (False, True):
        if damaged:
            raw = bytearray(nodes.read_bytes())
            raw[merkle.position(0, 2) * 32] ^= 1
            nodes.write_bytes(raw)
        for old, root in enumerate(roots):
            head = checkpoint.parse(ledger.checkpoint().encode()).head
            proof = ledger.consistency(old, head)
            assert merkle.verify_consistency(old, head.size, root, head.root, proof)
    with pytest.raises(ValueError):
        ledger.consistency(10, head)
    with pytest.raises(ValueError):
        ledger.consistency(3, TreeHead(ORIGIN, 10, bytes(32)))
    with pytest.raises(LedgerBroken):
        ledger.consistency(3, TreeHead(ORIGIN, 9, bytes(32)))
