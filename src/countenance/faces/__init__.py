"""Pixels to templates: model packs, weights, inference, detection, alignment, quality, embedding, protection."""
