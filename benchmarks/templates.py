"""Templates of a folder's photographs, made by the same worker processes as an ingest, for measures of accuracy."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from countenance.domain.faces import PIPELINE_VERSION

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


@dataclass(frozen=True, slots=True)
class Templates:
    """(n, dimension) unit templates of the largest usable face of each photograph that has one, and their file names.
    `photographs` counts all that were looked at."""

    names: list[str]
    vectors: Any
    photographs: int

    def people(self) -> Any:
        """A number for each photograph: the folder that it lies in."""
        numbers: dict[str, int] = {}
        return np.array([numbers.setdefault(name.rpartition("/")[0], len(numbers)) for name in self.names])


def templates(folder: Path, pack: str, cache: Path | None = None) -> Templates:
    """Read them, or take them from `cache`, a folder of what was read before with the same models and names."""
    files = sorted(one for one in folder.rglob("*") if one.suffix.lower() in SUFFIXES)
    kept = cache / f"{_key(folder, files, pack)}.npz" if cache else None
    if kept is not None and kept.exists():
        with np.load(kept) as held:
            return Templates(held["names"].tolist(), held["vectors"], int(held["photographs"]))
    found = _embedded(folder, files, pack)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, names=np.array(found.names), vectors=found.vectors, photographs=found.photographs)
    return found


def _key(folder: Path, files: list[Path], pack: str) -> str:
    from countenance.faces.packs import find_pack

    said = [find_pack(pack).fingerprint, str(PIPELINE_VERSION), *(str(one.relative_to(folder)) for one in files)]
    return f"{pack}-{hashlib.sha256(chr(0).join(said).encode()).hexdigest()[:16]}"


def _embedded(folder: Path, files: list[Path], pack: str) -> Templates:
    from countenance.faces.packs import find_pack
    from countenance.services.engine import eyes_config
    from countenance.services.workers import Seen, Workers, worker_count
    from countenance.settings import Settings

    names, vectors = [], []
    with Workers(eyes_config(Settings(), find_pack(pack)), worker_count(0)) as workers:
        waiting = [(n, file) for n, file in enumerate(files)]
        while waiting or workers.busy:
            while waiting and workers.room:
                batch, waiting = waiting[:8], waiting[8:]
                workers.submit([(n, file.read_bytes()) for n, file in batch])
            for n, outcome in workers.collect(0.5):
                usable = (
                    [face.template for face in outcome.faces if face.template is not None]
                    if isinstance(outcome, Seen)
                    else []
                )
                if usable:
                    names.append(str(files[n].relative_to(folder)))
                    vectors.append(usable[0])
    order = np.argsort(names)
    return Templates([names[n] for n in order], np.stack(vectors)[order], len(files))
