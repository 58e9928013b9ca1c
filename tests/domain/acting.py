"""Acts to try rules on: short to write, one person and one case unless said otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from countenance.domain.acts import Acts, Deed, FaceLabels, Grant, Search, Shown
from countenance.domain.misuse.flag import Flag
from countenance.domain.traits import ProbeTraits

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""A Monday morning within the ordinary shift."""

COLLEAGUES = [f"os:{name}" for name in ("bea", "cat", "dee", "eve", "fay", "gus", "hal", "ian")]

PLAIN = ProbeTraits("jpg", 0.75, "medium", screen=False, camera=True, front=False, faces=2, share=0.05)
SCREEN = ProbeTraits("png", 2.16, "medium", screen=True, camera=False, front=False, faces=1, share=0.1)
SELFIE = ProbeTraits("jpg", 1.33, "large", screen=False, camera=True, front=True, faces=1, share=0.3)


class Numbers:
    """Entry numbers, one after another."""

    def __init__(self) -> None:
        self.next = 0

    def __call__(self) -> int:
        self.next += 1
        return self.next


def search(seq: int, who: str = "os:ann", case: str = "C-1", at: datetime = MONDAY, **more: Any) -> Search:
    values: dict[str, Any] = {"authority": f"A-{case}", "purpose": "p", "collections": ("press",)}
    values |= {"self_approved": False, "shown": Shown(seq, at, 1, 1, reliable=True), "search": f"S-{seq}"}
    return Search(seq=seq, at=at, who=who, case=case, **(values | more))


def grant(seq: int, purpose: str, case: str, holder: str = "os:ann") -> Grant:
    return Grant(seq, MONDAY, f"A-{seq}", "os:chief", holder, case, purpose, "consent", ("press",), False)


def deed(kind: str, seq: int, at: datetime = MONDAY, who: str = "os:ann", words: str = "") -> Deed:
    return Deed(kind, seq, at, who, words)


def acts(searches: Iterable[Search] = (), **more: Any) -> Acts:
    values: dict[str, Any] = {"since": MONDAY - timedelta(days=400), "until": MONDAY + timedelta(days=100)}
    return Acts(searches=tuple(searches), **(values | more))


def labels(alike: dict[str, int] | None = None, apart: dict[str, int] | None = None) -> FaceLabels:
    return FaceLabels(alike or {}, apart or {})


def in_vain(searches: Iterable[Search]) -> list[Search]:
    """The same, answered with nobody."""
    return [replace(one, shown=Shown(one.seq, one.at, 0, 0, reliable=False)) for one in searches]


def rules(found: Iterable[Flag], who: str | None = None) -> list[str]:
    """The rules that speak, or those that speak of one person."""
    return [flag.rule for flag in found if who is None or who in flag.people]
