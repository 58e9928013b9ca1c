"""What a killed run left behind: templates and crops that no row names, and half-written files."""

from __future__ import annotations

from countenance.domain.index import VectorIndex
from countenance.store import pictures
from countenance.store.blobs import Blobs
from countenance.store.database import Database


def stray_templates(database: Database, index: VectorIndex) -> list[int]:
    """Erase templates that no row names; they match nothing that is shown, but they are somebody's. Under the home's
    lock, which a run holds while it writes. Returns their ids."""
    with database.read() as c:
        stray = pictures.vectors_without_face(c, set(index.ids()))
    if stray:
        index.erase(stray)
    return stray


def stray_crops(database: Database, blobs: Blobs) -> None:
    """Erase crops and originals that no row names, and half-written ones. Under the home's lock."""
    blobs.sweep()
    with database.read() as c:
        stray = blobs.names() - pictures.blob_names(c)
    for name in sorted(stray):
        blobs.erase(name)
