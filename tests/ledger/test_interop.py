"""An independent implementation of RFC 6962 agrees: pymerkle, over the same entries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from pymerkle import InmemoryTree, verify_consistency, verify_inclusion
from pymerkle.proof import MerkleProof

from countenance.ledger import checkpoint, merkle
from countenance.ledger.draft import Draft
from countenance.ledger.log import Ledger

SIZES = [*range(1, 18), 31, 32, 33, 64, 100]


def tree_of(entries: Sequence[bytes]) -> Any:
    tree = InmemoryTree(algorithm="sha256")
    for entry in entries:
        tree.append_entry(entry)
    return tree


@pytest.fixture
def entries(ledger: Ledger, actor: dict[str, Any]) -> list[bytes]:
    ledger.append_many([Draft("a.b", actor, {"n": n}) for n in range(100)])
    return [found.raw for found in ledger.entries()]


def test_roots_are_the_same(ledger: Ledger, entries: list[bytes]) -> None:
    tree = tree_of(entries)
    for size in SIZES:
        assert tree.get_root(size) == merkle.root_of(map(merkle.leaf_hash, entries[:size]))
    assert tree.get_root() == ledger.root == checkpoint.parse(ledger.checkpoint().encode()).head.root


def test_the_other_accepts_our_inclusion_proofs(ledger: Ledger, entries: list[bytes]) -> None:
    """The path of a receipt, in the other's form: from the root's side, with a bit for the side of each step."""
    tree = tree_of(entries)
    for seq in range(0, 100, 7):
        receipt = ledger.receipt(seq)
        theirs = tree.prove_inclusion(seq + 1)
        assert theirs.path == [receipt.leaf, *receipt.inclusion]
        ours = MerkleProof.deserialize(
            theirs.serialize() | {"path": [receipt.leaf.hex(), *(step.hex() for step in receipt.inclusion)]}
        )
        verify_inclusion(receipt.leaf, ledger.root, ours, index=seq + 1, size=100, algorithm="sha256")


def test_each_accepts_its_consistency_proofs_under_the_other_roots(ledger: Ledger, entries: list[bytes]) -> None:
    """The two forms differ in what they leave out; what they prove is the same."""
    leaves = [merkle.leaf_hash(entry) for entry in entries]
    tree, node = tree_of(entries), merkle.nodes_of(leaves)
    for old in SIZES:
        for new in SIZES:
            if old > new:
                continue
            theirs = tree.prove_consistency(old, new)
            verify_consistency(merkle.root_of(leaves[:old]), merkle.root_of(leaves[:new]), theirs)
            ours = merkle.consistency_proof(old, new, node)
            assert merkle.verify_consistency(old, new, tree.get_root(old), tree.get_root(new), ours)
