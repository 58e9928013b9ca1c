"""Which acts are behind a figure: the ledger's acts, one a row, narrowed to what an overseer asks for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any
from zoneinfo import ZoneInfo

from countenance.domain.acts import Acts, Search
from countenance.domain.misuse.flag import Flag
from countenance.services.figures import came_of

KINDS = {
    "search": "searches",
    "refused": "refused searches",
    "granted": "authorities",
    "lapsed": "urgent use that was declined, or not approved in time",
    "erased": "erasures",
}
"""Kinds of acts that are listed."""


EVERYTHING = slice(None)

Signs = dict[int, set[str]]
"""Which signs rest on an entry."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a list is narrowed to; what is empty narrows nothing. `day` is 0 for Monday and `hour` local, both of
    `oversee.time_zone`; `led` is a kind of deed ("opened", "verdict", "exported"), and `approved` "self"
    leaves searches that somebody approved for themselves."""

    kind: str = ""
    user: str = ""
    case: str = ""
    purpose: str = ""
    basis: str = ""
    collection: str = ""
    sign: str = ""
    came: str = ""
    led: str = ""
    approved: str = ""
    day: str = ""
    hour: str = ""

    @property
    def given(self) -> dict[str, str]:
        """Everything that narrows, by name."""
        return {one.name: value for one in fields(self) if (value := getattr(self, one.name))}

    @property
    def of_searches(self) -> bool:
        """Whether something is asked that only a search has."""
        return bool(
            self.purpose
            or self.basis
            or self.collection
            or self.came
            or self.led
            or self.approved
            or self.day
            or self.hour
        )


def listed(
    acts: Acts, flags: Iterable[Flag], chosen: Chosen, zone: ZoneInfo, part: slice = EVERYTHING
) -> tuple[int, list[dict[str, Any]]]:
    """How many acts there are, and the rows of a part of them, the newest first, as JSON values."""
    bases = {grant.authority: grant.basis for grant in acts.grants}
    signs: Signs = defaultdict(set)
    for flag in flags:
        for seq in flag.entries:
            signs[seq].add(flag.rule)
    found: list[tuple[int, Search | dict[str, Any]]] = [
        (one.seq, one)
        for one in acts.searches
        if _fits(one, bases, chosen, zone) and (not chosen.sign or chosen.sign in _signs(signs, *_entries(one)))
    ]
    if not chosen.of_searches:
        found += [(row["entry"], row) for row in _others(acts, signs) if _wanted(row, chosen)]
    found.sort(key=lambda one: -one[0])
    rows = [
        _search(one, bases.get(one.authority, ""), signs) if isinstance(one, Search) else one for _, one in found[part]
    ]
    return len(found), rows


def _wanted(row: dict[str, Any], chosen: Chosen) -> bool:
    asked = {"kind": chosen.kind, "who": chosen.user, "case": chosen.case}
    if any(value and row[name] != value for name, value in asked.items()):
        return False
    if chosen.sign:
        return chosen.sign in row["signs"]
    # What is asked for is counted in searches, and in what was refused; grants are listed under a sign or by name.
    return bool(chosen.kind) or row["kind"] != "granted"


def _fits(one: Search, bases: dict[str, str], chosen: Chosen, zone: ZoneInfo) -> bool:
    if chosen.day or chosen.hour:
        local = one.at.astimezone(zone)
        if chosen.day not in ("", str(local.weekday())) or chosen.hour not in ("", str(local.hour)):
            return False
    return (
        chosen.kind in ("", "search")
        and (not chosen.user or one.who == chosen.user)
        and (not chosen.case or one.case == chosen.case)
        and (not chosen.purpose or one.purpose == chosen.purpose)
        and (not chosen.basis or bases.get(one.authority, "") == chosen.basis)
        and (not chosen.collection or chosen.collection in one.collections)
        and (not chosen.came or came_of(one) == chosen.came)
        and (not chosen.led or bool(one.done(chosen.led)))
        and (chosen.approved != "self" or one.self_approved)
    )


def _entries(one: Search) -> tuple[int, ...]:
    return (one.seq, *([one.shown.seq] if one.shown else ()), *(deed.seq for deed in one.deeds))


def _search(one: Search, basis: str, signs: Signs) -> dict[str, Any]:
    return {
        "kind": "search",
        "entry": one.seq,
        "at": one.at.isoformat(),
        "who": one.who,
        "case": one.case,
        "purpose": one.purpose,
        "basis": basis,
        "search": one.search,
        "authority": one.authority,
        "came": came_of(one),
        "deeds": {kind: len(one.done(kind)) for kind in ("opened", "verdict", "exported")},
        "self_approved": one.self_approved,
        "signs": _signs(signs, *_entries(one)),
    }


def _others(acts: Acts, signs: Signs) -> list[dict[str, Any]]:
    cases = {grant.authority: grant for grant in acts.grants}
    rows = [_row("refused", one.seq, one.at, one.who, signs, what=one.reason) for one in acts.refusals]
    rows += [
        _row("erased", one.seq, one.at, one.who, signs, what=f"{one.kind}, {one.sightings} sightings")
        for one in acts.erasures
    ]
    for lapse in acts.lapses:
        grant = cases.get(lapse.authority)
        what = "declined" if lapse.declined else "not approved in time"
        row = _row("lapsed", lapse.seq, lapse.at, grant.holder if grant else "", signs, what=what)
        rows.append(row | {"authority": lapse.authority, "case": grant.case if grant else ""})
    rows += [
        _row("granted", one.seq, one.at, one.holder, signs, what=f"by {one.by}")
        | {"authority": one.authority, "case": one.case, "purpose": one.purpose, "basis": one.basis}
        for one in acts.grants
        if one.at >= acts.since or _signs(signs, one.seq)
    ]
    return rows


def _row(kind: str, seq: int, at: Any, who: str, signs: Signs, *, what: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "entry": seq,
        "at": at.isoformat(),
        "who": who,
        "case": "",
        "purpose": "",
        "basis": "",
        "what": what,
        "signs": _signs(signs, seq),
    }


def _signs(signs: Signs, *entries: int) -> list[str]:
    return sorted({rule for seq in entries if seq in signs for rule in signs[seq]})
