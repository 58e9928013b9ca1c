"""The transparency report: what an operator tells the public of its searches, in numbers that name nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from countenance.domain.acts import Acts, Search
from countenance.domain.inspections import FINDINGS, Inspection
from countenance.domain.publishing import SMALL, Published, publish, rate

OUTCOMES = {
    "cut_off": "nothing was shown",
    "none": "no candidate",
    "unreliable": "only candidates that are no better than strangers",
    "same": "a reliable candidate, judged to be the person",
    "different": "a reliable candidate, judged not to be the person",
    "cannot_tell": "a reliable candidate, judged to be neither",
    "unjudged": "a reliable candidate that nobody has judged",
}
"""Every search is in exactly one of these."""


INSPECTED = {
    **{code: words.rstrip(".").lower() for code, words in FINDINGS.items()},
    "not-yet": "nobody has looked at it yet",
}
"""What inspections of searches came to, in plain words."""


def transparency(acts: Acts, purposes: Sequence[str], inspections: Iterable[Inspection] = ()) -> dict[str, Any]:
    """The report's body as JSON values. It depends on the acts alone: same acts, same body.

    Purposes are somebody's own words, and are told only where they are one of `purposes`; the others are counted
    together. Legal bases come from a fixed list.
    """
    grants = {grant.authority: grant for grant in acts.grants}
    outcomes = dict.fromkeys(OUTCOMES, 0) | Counter(outcome(one) for one in acts.searches)
    bases = Counter(grants[one.authority].basis if one.authority in grants else "" for one in acts.searches)
    named = Counter(one.purpose if one.purpose in purposes else "" for one in acts.searches)
    total = len(acts.searches)
    exported = sum(bool(one.done("exported")) for one in acts.searches)
    tables = {
        "outcome": publish(outcomes),
        "basis": publish({name or "not known": count for name, count in bases.items()}),
        "purpose": publish({name: named[name] for name in purposes} | {"other": named[""]}),
        "month": publish(Counter(f"{one.at:%Y-%m}" for one in acts.searches)),
        "disclosed": publish({"disclosed to somebody": exported, "not disclosed": total - exported}),
    }
    if any(table.total is None for table in tables.values()):
        # One total is the total of all: told in one table, it would undo what another hides.
        tables = {name: Published(None, _without_total(table)) for name, table in tables.items()}
    mine = {one.search for one in acts.searches}
    inspected = Counter(one.finding.finding if one.finding else "not-yet" for one in inspections if one.search in mine)
    refused = Counter(refusal.reason for refusal in acts.refusals)
    return {
        "period": {"from": acts.since.isoformat(), "to": acts.until.isoformat()},
        "small": SMALL,
        "searches": next(iter(tables.values())).total,
        "tables": {name: _json(table) for name, table in sorted(tables.items())},
        "refused": _json(publish(refused)),
        "inspected": _json(publish({code: inspected[code] for code in INSPECTED})),
        "rates": _rates(tables["outcome"]),
        "adjudicates": acts.adjudicates,
    }


def outcome(one: Search) -> str:
    """In which of the outcomes a search is. The last verdict stands."""
    if one.shown is None:
        return "cut_off"
    if one.shown.groups == 0:
        return "none"
    if not one.shown.reliable:
        return "unreliable"
    verdicts = one.done("verdict")
    if not verdicts:
        return "unjudged"
    return verdicts[-1].words if verdicts[-1].words in ("same", "different") else "cannot_tell"


def _without_total(table: Published) -> dict[str, int | None]:
    """Without its total a table could still be added up, if all its cells were told."""
    return {name: 0 if value == 0 else None for name, value in table.cells.items()}


def _rates(outcomes: Published) -> list[dict[str, Any]]:
    """False alerts by both denominators: of searches, and of reliable candidates that somebody judged. Told only where
    every number in it is."""
    cells = {name: outcomes.cells[name] for name in ("same", "different", "cannot_tell")}
    wrong = cells["different"]
    found: list[dict[str, Any]] = []
    if outcomes.total and wrong is not None:
        found.append(_rate("false alerts of all searches", wrong, outcomes.total))
    judged = [value for value in cells.values() if value is not None]
    trials = sum(judged)
    if wrong is not None and len(judged) == len(cells) and trials:
        found.append(_rate("false alerts of the alerts that were judged", wrong, trials))
    return found


def _rate(what: str, errors: int, trials: int) -> dict[str, Any]:
    told = rate(errors, trials)
    ends = {"low": round(told.low, 8), "high": round(told.high, 8)}
    return {"what": what, "errors": errors, "trials": trials, "rate": round(told.value, 8)} | ends


def _json(table: Published) -> dict[str, Any]:
    return {"total": table.total, "cells": dict(sorted(table.cells.items())), "hidden": table.hidden}
