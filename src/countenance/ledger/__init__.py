"""The tamper-evident log: Merkle tree, signed checkpoints, receipts, bundles and their offline verifier."""
