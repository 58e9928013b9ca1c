"""What everybody may know of retention: the schedule in force, what is due, what was destroyed, how much is held."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from countenance.domain.errors import UnknownThing
from countenance.ledger.receipt import verify_receipt
from countenance.services.due import Due, due
from countenance.services.hold import held_numbers
from countenance.services.recall import first_at
from countenance.services.record import Record
from countenance.services.retention import DESTROYED
from countenance.services.schedule import BY_CODE, PEOPLE, RULES, policy
from countenance.settings import Settings
from countenance.store import moments

LATELY = timedelta(days=90)
"""How far back receipts are listed."""

NEXT = timedelta(days=30)
"""How far ahead it is said what is due."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """The retention of one home, to be looked at."""

    record: Record
    settings: Settings

    def policy(self) -> dict[str, Any]:
        """The schedule in force; see `services.schedule.policy`."""
        return policy(self.settings)

    def held(self) -> dict[str, Any]:
        """How much legal holds keep, in numbers."""
        return held_numbers(self.record)

    def receipt(self, seq: int) -> dict[str, Any]:
        """The receipt of one run: what it says, and the proof that the ledger holds it, checked. Raises UnknownThing,
        LedgerBroken."""
        record = self.record
        entry = record.ledger.entry(seq) if 0 <= seq < record.ledger.size else None
        if entry is None or entry.kind != DESTROYED:
            raise UnknownThing(
                f"entry {seq} is no receipt of a destruction", advice="`countenance retention receipts` lists them"
            )
        proof = record.ledger.receipt(seq).as_json()
        verify_receipt(proof, record.ledger.vkey)
        body = entry.body
        return {
            "receipt": seq,
            "destroyed_at": entry.at,
            "by": entry.actor["authenticated"],
            "destroyed": [one | {"title": BY_CODE[one["rule"]].title} for one in body["destroyed"]],
            "held": list(body["held"]),
            "keys": len(body["items"]),
            "proof": proof,
            "key": record.ledger.vkey,
        }

    def receipts(self, since: datetime | None = None) -> list[dict[str, Any]]:
        """The runs that destroyed something, of the last 90 days unless said otherwise, the newest first."""
        ledger = self.record.ledger
        first = first_at(ledger, since or moments.now() - LATELY, ledger.size)
        found = [
            {
                "receipt": entry.seq,
                "destroyed_at": entry.at,
                "destroyed": {one["rule"]: one["count"] for one in entry.body["destroyed"]},
                "held": {one["rule"]: one["count"] for one in entry.body["held"]},
            }
            for entry in ledger.mentioning(f'"type":"{DESTROYED}"', first)
            if since is None or datetime.fromisoformat(entry.at) >= since
        ]
        return found[::-1]

    def coming(self, ahead: timedelta = NEXT) -> dict[str, Any]:
        """What is due by each rule within a time, what is overdue, and which backups people have to destroy.

        Names of sources alone are told; everything else is a number.
        """
        now = moments.now()
        found = due(self.record, self.settings, now + ahead)
        rows = []
        for rule in RULES:
            of_rule = [one for one in found if one.rule == rule.code]
            if of_rule:
                rows.append(_row(rule.code, rule.title, of_rule, now))
        return {
            "until": (now + ahead).isoformat(),
            "due": rows,
            "backups": list(_backups(self.record, self.settings, now)),
        }


def _row(rule: str, title: str, found: list[Due], now: datetime) -> dict[str, Any]:
    free = [one for one in found if not one.holds]
    return {
        "rule": rule,
        "title": title,
        "count": len(free),
        "overdue": sum(one.at <= now for one in free),
        "first": min(one.at for one in free).isoformat() if free else None,
        "held": len(found) - len(free),
        "names": [one.id for one in free] if rule == "sources" else [],
    }


def _backups(record: Record, settings: Settings, now: datetime) -> Iterator[dict[str, Any]]:
    """Backups of the last ten times their time, with the day on which people have to have destroyed them."""
    rule = BY_CODE["backups"]
    length = rule.length(settings)
    assert length is not None
    assert rule.by == PEOPLE
    ledger = record.ledger
    for entry in ledger.mentioning('"type":"backup.made"', first_at(ledger, now - 10 * length, ledger.size)):
        over = datetime.fromisoformat(entry.at) + length
        yield {"entry": entry.seq, "made": entry.at, "until": over.isoformat(), "over": over <= now}
