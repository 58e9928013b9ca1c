"""What the ledger tells of inspections: what was drawn, who looks at it until when, what was found, what followed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from countenance.domain.inspections import Draw, Finding, FollowUp, Inspected, Inspection

if TYPE_CHECKING:
    from countenance.ledger.entry import Entry
    from countenance.services.record import Record

NEEDLE = '"type":"inspection.'
"""Stands in every entry that is read here. JSON escapes quotes, so no text of a person's holds it."""


class Inspecting:
    """What was read of the ledger so far. Safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told = Inspected({}, {})
        self._upto = 0

    def read(self, record: Record) -> Inspected:
        """Everything up to the newest entry. Raises LedgerBroken where the ledger is not what was signed."""
        with self._lock:
            size = record.ledger.size
            if size > self._upto:
                inspections, draws = dict(self._told.inspections), dict(self._told.draws)
                for entry in record.ledger.mentioning(NEEDLE, self._upto, size):
                    apply(inspections, draws, entry)
                self._told, self._upto = Inspected(inspections, draws), size
            return self._told


def words_item(inspection: str, entry: str) -> str:
    """The item under which it is sealed what somebody wrote: `entry` is the kind's last part."""
    return f"note:{inspection}:{entry}"


def apply(inspections: dict[str, Inspection], draws: dict[str, Draw], entry: Entry) -> None:
    """What one more entry tells. Entries of other kinds change nothing."""
    body, at, by = entry.body, datetime.fromisoformat(entry.at), str(entry.actor["authenticated"])
    if entry.kind == "inspection.drawn":
        draw = _draw(body, entry.seq, at, by)
        draws[draw.id] = draw
        for one in body["inspections"]:
            inspections[one["inspection"]] = _drawn(one, draw, datetime.fromisoformat(body["due"]))
        return
    change, known = _CHANGES.get(entry.kind), inspections.get(str(body.get("inspection", "")))
    if change is not None and known is not None:
        inspections[known.id] = change(known, body, by, at, entry.seq)


def _draw(body: Mapping[str, Any], seq: int, at: datetime, by: str) -> Draw:
    return Draw(
        id=body["draw"],
        entry=seq,
        at=at,
        by=by,
        since=datetime.fromisoformat(body["since"]),
        until=datetime.fromisoformat(body["until"]),
        size=body["size"],
        root=body["root"],
        word=body["word"],
        random=body["random"],
        risk=body["risk"],
        population=body["population"],
    )


def _drawn(one: Mapping[str, Any], draw: Draw, due: datetime) -> Inspection:
    return Inspection(
        id=one["inspection"],
        draw=draw.id,
        search=one["act"],
        kind=one["kind"],
        entry=draw.entry,
        drawn_at=draw.at,
        due=due,
        assigned=one["assigned"],
        weight=one["weight"],
        rules=tuple(one["rules"]),
    )


def _assigned(one: Inspection, body: Mapping[str, Any], _by: str, _at: datetime, _seq: int) -> Inspection:
    return replace(one, assigned=body["assigned"])


def _found(one: Inspection, body: Mapping[str, Any], by: str, at: datetime, seq: int) -> Inspection:
    return replace(one, finding=Finding(by, str(body["finding"]), at, seq))


def _following(one: Inspection, body: Mapping[str, Any], _by: str, _at: datetime, seq: int) -> Inspection:
    return replace(one, follow_up=FollowUp(str(body["owner"]), date.fromisoformat(body["due"]), seq))


def _followed(one: Inspection, _body: Mapping[str, Any], _by: str, at: datetime, seq: int) -> Inspection:
    done = replace(one.follow_up, done=at, done_entry=seq) if one.follow_up else None
    return replace(one, follow_up=done)


_Change = Callable[[Inspection, Mapping[str, Any], str, datetime, int], Inspection]
_CHANGES: dict[str, _Change] = {
    "inspection.assigned": _assigned,
    "inspection.found": _found,
    "inspection.follow-up-set": _following,
    "inspection.followed-up": _followed,
}
