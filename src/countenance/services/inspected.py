"""What the ledger tells of inspections: what was drawn, who looks at it until when, what was found, what followed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from countenance.domain.inspections import Draw, Finding, FollowUp, Inspected, Inspection
from countenance.services.telling import Telling

if TYPE_CHECKING:
    from countenance.ledger.entry import Entry
    from countenance.services.record import Record


class Inspecting(Telling[Inspected]):
    """What was read of inspections so far."""

    needles = ('"type":"inspection.',)

    def __init__(self) -> None:
        super().__init__(Inspected({}, {}))

    def after(self, told: Inspected, entries: Iterable[Entry], record: Record) -> Inspected:
        inspections, draws = dict(told.inspections), dict(told.draws)
        for entry in entries:
            apply(inspections, draws, entry)
        return Inspected(inspections, draws)


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
        scheduled=bool(body.get("scheduled", False)),
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
