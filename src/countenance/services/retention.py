"""Let go of what is over its time, by the schedule, and leave a receipt of it.

Sources and analyses are erased as anything is, each with its own entry. The rest goes in one step, after the one entry
that is the run's receipt: by which rule, when it was due, how much. What a legal hold keeps is told and stays.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from countenance.access import tokens
from countenance.domain.authority import Actor
from countenance.domain.errors import Busy, OnHold, UnknownThing
from countenance.services.due import Due, due
from countenance.services.erase import Eraser
from countenance.services.erasure import EXPIRED, Plan
from countenance.services.erasure_list import Gone, note
from countenance.services.schedule import RULES
from countenance.settings import Settings
from countenance.store import items, moments, reviews, searches, signing

DESTROYED = "retention.destroyed"


@dataclass(slots=True)
class _Told:
    """What a run says of one rule in its receipt."""

    count: int = 0
    due: list[datetime] = field(default_factory=list)
    parts: Counter[str] = field(default_factory=Counter)
    entries: list[int] = field(default_factory=list)

    def as_json(self, rule: str) -> dict[str, Any]:
        return {
            "rule": rule,
            "count": self.count,
            "due_from": min(self.due).isoformat(timespec="seconds"),
            "due_to": max(self.due).isoformat(timespec="seconds"),
            "parts": {name: count for name, count in sorted(self.parts.items()) if count},
            "entries": self.entries,
        }


@dataclass(slots=True)
class Run:
    """One run of the job."""

    eraser: Eraser
    settings: Settings
    actor: Actor
    told: dict[str, _Told] = field(default_factory=lambda: defaultdict(_Told))
    erased: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    pending: list[str] = field(default_factory=list)
    held: list[Due] = field(default_factory=list)

    def go(self) -> dict[str, Any]:
        """Do it. Returns JSON values: names and counts, what is held, and the receipt's entry (None: nothing went).

        Raises LedgerUnavailable before anything goes that has no entry.
        """
        record = self.eraser.record
        found = due(record, self.settings, moments.now())
        free = [one for one in found if not one.holds]
        self.held = [one for one in found if one.holds]
        self._whole([one for one in free if one.rule == "sources"], self.eraser.plan_sources)
        self._whole([one for one in free if one.rule == "analyses"], self.eraser.plan_analyses)
        rest = [one for one in free if one.rule not in ("sources", "analyses")]
        entry = self._enter(rest)
        candidates = self._destroy(rest) if rest else 0
        return {
            "sources": self.erased["sources"],
            "probes": self._count(rest, "probes"),
            "notes": self._count(rest, "notes"),
            "results": candidates,
            "analyses": self.erased["analyses"],
            "destroyed": {rule: told.count for rule, told in sorted(self.told.items())},
            "held": [{"rule": rule, **held} for rule, held in _held(self.held).items()],
            "entry": entry,
            "pending": self.pending,
        }

    def _whole(self, over: Sequence[Due], plan: Callable[..., Plan]) -> None:
        """Sources, or analyses, by the way that everything is erased, one at a time."""
        for one in over:
            try:
                planned = plan([one.id], EXPIRED)
                if planned.kept and not any(planned.counts.values()):
                    self.held.append(_on(one, planned))
                    continue
                done = self.eraser.erase(planned, self.actor)
            except Busy as error:
                self.pending.append(f"{one.id}: {error.message}")
                continue
            except OnHold:
                continue  # somebody placed a hold meanwhile: the next run tells of it
            except UnknownThing:
                continue  # another run was quicker
            if planned.kept:
                self.held.append(_on(one, planned))
            else:
                self.erased[one.rule].append(one.id)
            told = self.told[one.rule]
            told.count += 1
            told.due.append(one.at)
            told.parts.update({name: n for name, n in done.counts.items() if name not in ("sources", "analyses")})
            told.entries.append(int(done.receipt["seq"]))
            self.pending.extend(done.pending)

    def _enter(self, rest: Sequence[Due]) -> int | None:
        """The receipt: durable before the rest goes, so that what is shredded has an entry that names it."""
        for one in rest:
            told = self.told[one.rule]
            told.count += 1
            told.due.append(one.at)
        if not self.told:
            return None
        record = self.eraser.record
        shredded = list(dict.fromkeys(one.item for one in rest if one.item is not None))
        body = {
            "destroyed": [self.told[rule.code].as_json(rule.code) for rule in RULES if rule.code in self.told],
            "held": [{"rule": rule, **held} for rule, held in _held(self.held).items()],
            "items": shredded,
        }
        receipt = record.enter(DESTROYED, self.actor, body)
        if shredded and (why := note(self.eraser.home.keys, Gone(receipt.seq, tuple(shredded)))):
            self.pending.append(why)
        return receipt.seq

    def _destroy(self, rest: Sequence[Due]) -> int:
        """Rows and keys, in one transaction. Returns how many candidates there were."""
        record = self.eraser.record

        def of(rule: str) -> list[str]:
            return [one.id for one in rest if one.rule == rule]

        with record.database.write() as c:
            searches.forget_probes(c, of("probes"))
            candidates = searches.forget_results(c, of("results"))
            reviews.drop(c, of("review-pictures") + of("known-pairs"))
            tokens.forget(c, of("tokens"))
            for account in of("closed-accounts"):
                signing.forget(c, account)
            _clear(c, rest)
            items.destroy(c, [one.item for one in rest if one.item is not None])
        for pair in of("known-pairs"):
            record.enter("review.control-removed", self.actor, {"review": pair})
        # What was just destroyed still lies in the journal, or in the files of a database server.
        self.pending.extend(self.eraser.shred())
        return candidates

    def _count(self, rest: Iterable[Due], rule: str) -> int:
        return sum(one.rule == rule for one in rest)


def run_retention(eraser: Eraser, actor: Actor, settings: Settings) -> dict[str, Any]:
    """Destroy what is due now; see `Run.go`."""
    return Run(eraser, settings, actor).go()


def _clear(c: Connection, rest: Iterable[Due]) -> None:
    if any(one.rule in ("sessions", "devices", "attempts") for one in rest):
        signing.clear(c, now=moments.now())


def _on(one: Due, planned: Plan) -> Due:
    return Due(one.rule, one.id, one.at, one.item, planned.kept.holds)


def _held(kept: Iterable[Due]) -> dict[str, dict[str, Any]]:
    """What holds keep, by rule: how many, and which holds."""
    found: dict[str, dict[str, Any]] = {}
    for one in kept:
        entry = found.setdefault(one.rule, {"count": 0, "holds": []})
        entry["count"] += 1
        entry["holds"] = sorted({*entry["holds"], *one.holds})
    return found
