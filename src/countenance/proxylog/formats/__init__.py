"""Formats of proxy logs: one small module each, told apart by content. `known` has them all."""
