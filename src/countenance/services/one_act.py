"""One search from the asking to the last thing that was done with it: every entry that the ledger holds on it."""

from __future__ import annotations

from typing import Any

from countenance.domain.errors import UnknownThing
from countenance.ledger.entry import Entry
from countenance.services.record import Record
from countenance.store import moments

_OF_AUTHORITY = ("authority.", "case.")


def entries_of(record: Record, search: str) -> dict[str, Any]:
    """Everything on one search, by its id, as JSON values. Raises UnknownThing, LedgerBroken.

    `entries` are in order, each with what part of the story it belongs to: the leave (`authority`), the search itself
    (`search`) or the looking at it afterwards (`review`, `inspection`).
    """
    found: dict[int, tuple[str, Entry]] = {}

    def take(needle: str, part: str, kinds: tuple[str, ...] = ("",)) -> None:
        for entry in record.ledger.mentioning(needle):
            if entry.kind.startswith(kinds):
                found.setdefault(entry.seq, (part, entry))

    take(
        f'"search":"{search}"',
        "search",
        ("search.", "picture.", "verdict.", "review.", "action.", "subject.", "erase."),
    )
    started = next((e for _, e in found.values() if e.kind.endswith(".started")), None)
    if started is None:
        raise UnknownThing(f"there is no search {search[:64]}", advice="the page Oversight lists them")
    authority = str(started.body["authority"])
    take(f'"authority":"{authority}"', "authority", _OF_AUTHORITY)
    papers = record.papers.read(record)
    request = papers.of_authority(authority)
    if request is not None:
        take(f'"request":"{request.id}"', "authority", _OF_AUTHORITY)
    reviews = [one for one in record.docket.read(record).values() if one.search == search]
    for review in reviews:
        take(f'"review":"{review.id}"', "review")
    found |= {seq: ("review", e) for seq, (_, e) in found.items() if e.kind.startswith(("verdict.", "review."))}
    inspected = [one for one in record.inspecting.read(record).inspections.values() if one.search == search]
    for one in inspected:
        take(f'"inspection":"{one.id}"', "inspection", ("inspection.",))
    granted = next((e for _, e in found.values() if e.kind in ("authority.granted", "authority.urgent")), None)
    terms = dict(granted.body) if granted is not None else {}
    return {
        "search": search,
        "entry": started.seq,
        "at": started.at,
        "who": str(started.actor["authenticated"]),
        "stated": started.actor["stated"],
        "authority": authority,
        "terms": terms,
        "request": request.as_json() if request is not None else None,
        "closed": closed.isoformat() if (closed := papers.closed.get(str(terms.get("case")))) else None,
        "reviews": [one.as_json() for one in reviews],
        "inspections": [one.as_json(moments.now()) for one in inspected],
        "entries": [_told(part, entry) for _, (part, entry) in sorted(found.items())],
    }


def _told(part: str, entry: Entry) -> dict[str, Any]:
    return {
        "seq": entry.seq,
        "part": part,
        "at": entry.at,
        "type": entry.kind,
        "who": str(entry.actor["authenticated"]),
        "stated": entry.actor["stated"],
        "body": dict(entry.body),
        "sealed": [item["item"] for item in entry.sealed],
    }
