"""How far a run is, what it counted, and how it ended."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands. `rate` is pictures a second; `total` is None while it is not known."""

    done: int
    total: int | None
    faces: int
    skipped: int
    rate: float
    phase: str


@dataclass(slots=True)
class Tally:
    """What a run counted."""

    images: int = 0
    new: int = 0
    unchanged: int = 0
    faces: int = 0
    indexed: int = 0
    no_face: int = 0
    pages: int = 0
    vanished: int = 0
    below_floor: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "images": self.images,
            "new": self.new,
            "unchanged": self.unchanged,
            "pages": self.pages,
            "vanished": self.vanished,
            "faces": self.faces,
            "indexed": self.indexed,
            "no_face": self.no_face,
            "below_floor": dict(sorted(self.below_floor.items())),
            "skipped": dict(sorted(self.skipped.items())),
        }


@dataclass(frozen=True, slots=True)
class IngestReport:
    """How a run ended. `images` are the pictures that were decoded or known already; `skipped` those that were not."""

    source: str
    run: int | None
    dry_run: bool
    tally: Tally
    seconds: float
    complete: bool

    def as_json(self) -> dict[str, Any]:
        """The JSON contract of `ingest`."""
        return (
            {"source": self.source}
            | self.tally.as_json()
            | {
                "run": self.run,
                "dry_run": self.dry_run,
                "complete": self.complete,
                "seconds": round(self.seconds, 3),
            }
        )


def bump(counts: dict[str, int], reason: str) -> None:
    """Count one more."""
    counts[reason] = counts.get(reason, 0) + 1


def rate(done: int, started: float) -> float:
    """Pictures a second since a monotonic moment."""
    return done / max(time.monotonic() - started, 1e-6)


def silent(_: Progress) -> None:
    """For nobody."""
