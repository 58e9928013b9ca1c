"""Bytes of strangers → upright RGB pixels, picture hashes and crops; nothing is decoded that was not measured first."""
