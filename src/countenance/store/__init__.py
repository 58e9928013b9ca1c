"""Rows and blobs."""
