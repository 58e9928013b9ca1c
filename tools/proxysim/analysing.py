"""A world through the analyser: its logs written to files, read and judged as an officer's would be."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

from countenance.domain.proxy import Rejected, Session
from tools.proxysim.views import View
from tools.proxysim.world import World
from tools.proxysim.writers import logs
from tools.proxysim.writers.product import Product


@dataclass(frozen=True, slots=True)
class Analysed:
    """What came out. `formats` are those that the files were recognised as, `requests` lines to sites of profiles."""

    sessions: tuple[Session, ...]
    rejected: tuple[Rejected, ...]
    formats: tuple[str, ...]
    lines: int
    requests: int


def analysed(world: World, product: Product, view: View) -> Analysed:
    """Write, read and judge, with the profiles that ship. The formats are left to be recognised."""
    from countenance.proxylog.formats.kind import Reading
    from countenance.proxylog.profiles import load_shipped, needles
    from countenance.proxylog.scan import ScanOptions, scan
    from countenance.proxylog.sessions import judge

    profiles = load_shipped()
    told = product.asks(view)
    options = ScanOptions(
        wanted=lambda host: any(one.owns(host) or one.shares(host) for one in profiles),
        literals=needles(profiles),
        reading=Reading(zone=UTC, logformat=told.get("logformat"), mapping=told.get("mapping")),
    )
    with _written(world, product, view) as (folder, work), scan([folder], options, work) as scanned:
        requests = list(scanned.requests())
        return Analysed(
            sessions=judge(requests, profiles),
            rejected=tuple(scanned.rejected()),
            formats=tuple(sorted({one.format for one in scanned.files})),
            lines=sum(one.lines for one in scanned.files),
            requests=len(requests),
        )


@contextmanager
def _written(world: World, product: Product, view: View) -> Iterator[tuple[Path, Path]]:
    with tempfile.TemporaryDirectory(prefix="proxysim-") as name:
        folder, work = Path(name, "logs"), Path(name, "work")
        folder.mkdir()
        for file, text in logs(world, product, view).items():
            (folder / file).write_text(text, encoding="utf-8", newline="\n")
        yield folder, work
