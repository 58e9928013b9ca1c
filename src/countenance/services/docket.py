"""What the ledger tells of reviews: which pairs there are to judge, who was shown which, and what they said of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from countenance.domain.reviews import Review, Verdict
from countenance.services.telling import Telling

if TYPE_CHECKING:
    from countenance.ledger.entry import Entry
    from countenance.services.record import Record


class Docket(Telling[Mapping[str, Review]]):
    """What was read of reviews so far: every review by its id."""

    needles = ('"review":"J-',)

    def __init__(self) -> None:
        super().__init__({})

    def after(self, told: Mapping[str, Review], entries: Iterable[Entry], record: Record) -> Mapping[str, Review]:
        reviews = dict(told)
        for entry in entries:
            apply(reviews, entry)
        return reviews


def apply(reviews: dict[str, Review], entry: Entry) -> None:
    """What one more entry tells. Entries of other kinds change nothing."""
    body, at, by = entry.body, datetime.fromisoformat(entry.at), str(entry.actor["authenticated"])
    if entry.kind in ("review.opened", "review.control-added"):
        control = entry.kind == "review.control-added"
        sighting = 0 if control else int(str(body["sighting"]).removeprefix("sighting:"))
        reviews[body["review"]] = Review(
            body["review"], entry.seq, by, at, control, body.get("search", ""), body.get("authority", ""), sighting
        )
        return
    known = reviews.get(body.get("review", ""))
    if known is None:
        return
    if entry.kind == "review.shown":
        looking = {**dict(known.looking), by: dict(known.looking).get(by, at)}
        reviews[known.id] = replace(known, looking=tuple(looking.items()))
    elif entry.kind == "verdict.given":
        since = dict(known.looking).get(by, at)
        verdict = Verdict(by, str(body["verdict"]), (at - since).total_seconds(), at, entry.seq)
        looking = {who: when for who, when in known.looking if who != by}
        reviews[known.id] = replace(known, verdicts=(*known.verdicts, verdict), looking=tuple(looking.items()))
    elif entry.kind == "review.control-removed":
        del reviews[known.id]
