"""The tree against known roots, and its proofs against the definition."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countenance.ledger import merkle

# The inputs and roots of Certificate Transparency's own test data.
INPUTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [merkle.leaf_hash(data) for data in INPUTS]


def definition(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + definition(leaves[:k]) + definition(leaves[k:])).digest()


def some_leaves(count: int) -> list[bytes]:
    return [merkle.leaf_hash(b"%d" % n) for n in range(count)]


@pytest.mark.parametrize("size", range(9))
def test_known_roots(size: int) -> None:
    assert merkle.root_of(LEAVES[:size]).hex() == ROOTS[size]


def test_a_leaf_is_no_node() -> None:
    left, right = LEAVES[:2]
    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)


@given(st.integers(0, 300))
def test_root_is_the_definition(size: int) -> None:
    assert merkle.root_of(some_leaves(size)) == definition(some_leaves(size))


@given(st.integers(1, 200).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1))))
def test_positions_are_those_of_the_appends(where: tuple[int, int]) -> None:
    size, seq = where
    frontier, written = merkle.Frontier(), []
    for leaf in some_leaves(size):
        written += frontier.push(leaf)
    assert written[merkle.position(0, seq)] == some_leaves(size)[seq]
    node = merkle.nodes_of(some_leaves(size))
    again = merkle.frontier_of(size, lambda level, index: written[merkle.position(level, index)])
    assert again.hashes == frontier.hashes == merkle.frontier_of(size, node).hashes


@given(st.integers(1, 130).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1))), st.data())
def test_inclusion(where: tuple[int, int], data: st.DataObject) -> None:
    size, seq = where
    leaves = some_leaves(size)
    root = definition(leaves)
    proof = merkle.inclusion_proof(seq, size, merkle.nodes_of(leaves))
    assert len(proof) <= max(size - 1, 0).bit_length()
    assert merkle.verify_inclusion(seq, size, leaves[seq], proof, root)

    other = data.draw(st.integers(0, size).filter(lambda n: n != seq))
    assert not merkle.verify_inclusion(other, size, leaves[seq], proof, root)
    assert not merkle.verify_inclusion(seq, size, merkle.leaf_hash(b"other"), proof, root)
    assert not merkle.verify_inclusion(seq, size, leaves[seq], [*proof, root], root)
    assert not merkle.verify_inclusion(seq, size, leaves[seq], proof, merkle.leaf_hash(b"other"))
    for n in range(len(proof)):
        assert not merkle.verify_inclusion(seq, size, leaves[seq], proof[:n] + proof[n + 1 :], root)
        altered = [*proof]
        altered[n] = merkle.leaf_hash(altered[n])
        assert not merkle.verify_inclusion(seq, size, leaves[seq], altered, root)


@given(st.integers(0, 130).flatmap(lambda new: st.tuples(st.integers(0, new), st.just(new))))
def test_consistency(sizes: tuple[int, int]) -> None:
    old, new = sizes
    leaves = some_leaves(new)
    old_root, new_root = definition(leaves[:old]), definition(leaves)
    proof = merkle.consistency_proof(old, new, merkle.nodes_of(leaves))
    assert merkle.verify_consistency(old, new, old_root, new_root, proof)

    wrong = merkle.leaf_hash(b"other")
    assert not merkle.verify_consistency(old, new, wrong, new_root, proof)
    assert not merkle.verify_consistency(old, new, old_root, new_root, [*proof, wrong])
    if old:
        assert not merkle.verify_consistency(old, new, old_root, wrong, proof)
    for n in range(len(proof)):
        assert not merkle.verify_consistency(old, new, old_root, new_root, proof[:n] + proof[n + 1 :])
        altered = [*proof]
        altered[n] = wrong
        assert not merkle.verify_consistency(old, new, old_root, new_root, altered)


def test_there_is_no_proof_of_what_is_not_there() -> None:
    node = merkle.nodes_of(LEAVES)
    for seq in (-1, 8):
        with pytest.raises(ValueError):
            merkle.inclusion_proof(seq, 8, node)
    with pytest.raises(ValueError):
        merkle.consistency_proof(9, 8, node)
    with pytest.raises(ValueError):
        merkle.Frontier(3, [LEAVES[0]])
    assert not merkle.verify_consistency(9, 8, LEAVES[0], LEAVES[1], [])
