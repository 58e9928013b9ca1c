"""The overseer's desk: what stands in the ledger, read as the acts of people. Every reading is an entry first, with one
of the four purposes for which logs may be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from countenance.domain.acts import Acts
from countenance.domain.alike import Sameness
from countenance.domain.authority import Actor
from countenance.domain.errors import BadInput
from countenance.domain.lawful import check_lawful
from countenance.domain.misuse.rules import RULES, Found, look
from countenance.domain.strangers import Calibration
from countenance.domain.verdicts import bands
from countenance.services.acts import read_acts
from countenance.services.compare_probes import compare_probes
from countenance.services.home import Home
from countenance.services.overview import overview
from countenance.services.transparency import transparency
from countenance.services.tuning import tunables_of
from countenance.services.verdicts import hard_impostors, sample
from countenance.settings import OverseeSettings
from countenance.store import moments

BEGINNING = datetime(1, 1, 3, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for what time: `since` up to `until` (aware; None for all there is), and for which lawful purpose."""

    purpose: str
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class OversightDesk:
    """What one home's overseers ask. `calibration` opens the pack's measured strangers when they are first needed."""

    home: Home
    admit: Callable[[Actor, str], Actor]
    policy: OverseeSettings
    calibration: Callable[[], Calibration]

    @property
    def sameness(self) -> Sameness:
        """From when on two kept probes are of one face, and of two."""
        return Sameness(self.policy.same_face_strangers, self.policy.other_face_share)

    def flags(self, asked: Asked, actor: Actor) -> dict[str, Any]:
        """What looks wrong, and on which entries each sign rests. Raises BadInput, LedgerUnavailable, LedgerBroken."""
        acts, seq = self._read("flags", asked, actor, opened=True)
        found = self._look(acts, asked, actor)
        return {
            "read": seq,
            "since": _text(asked.since),
            "until": acts.until.isoformat(),
            "searches": len(acts.searches),
            "flags": [flag.as_json() for flag in found.flags],
            "silent": [{"rule": rule, "what": RULES[rule], "why": why} for rule, why in sorted(found.silent.items())],
        }

    def summary(self, asked: Asked, actor: Actor) -> dict[str, Any]:
        """How many searches, by whom, for what, how many led anywhere, what is overdue, what looks wrong."""
        acts, seq = self._read("summary", asked, actor, opened=True)
        found = self._look(acts, asked, actor)
        return {"read": seq, "since": _text(asked.since), "until": acts.until.isoformat()} | overview(
            acts, found, self.policy.due_days
        )

    def transparency(self, asked: Asked, actor: Actor) -> dict[str, Any]:
        """What may be told to the public: see `services.transparency`. Nothing sealed is opened for it."""
        acts, _ = self._read("transparency", asked, actor, opened=False)
        return transparency(acts, self.policy.published_purposes)

    def verdicts(self, asked: Asked, actor: Actor) -> tuple[dict[str, Any], dict[str, Any]]:
        """How the expected strangers of judged candidates compare with what two people said of them, by their size; and
        the scores that were judged to be of two people, as `countenance calibrate --verdicts` takes them."""
        since, until, seq = self._enter("verdicts", asked, actor, opened=True)
        calibration = self.calibration()
        found = sample(self.home.record, calibration, since, until)
        told = {
            "read": seq,
            "since": _text(asked.since),
            "until": until.isoformat(),
            "pack": found.pack,
            "searches": found.searches,
            "judged": len(found.pairs),
            "bands": [band.as_json() for band in bands(found)],
        }
        return told | {"too_hopeful": any(band.too_hopeful for band in bands(found))}, hard_impostors(found)

    def _look(self, acts: Acts, asked: Asked, actor: Actor) -> Found:
        limits = self.sameness
        labels = None
        if acts.searches:
            labels = compare_probes(self.home.record, acts.searches, self.calibration(), limits, asked.purpose, actor)
        return look(acts, labels, tunables_of(self.policy))

    def _read(self, what: str, asked: Asked, actor: Actor, *, opened: bool) -> tuple[Acts, int]:
        """The acts, and the entry that says they were read: durable before the first of them is."""
        since, until, seq = self._enter(what, asked, actor, opened=opened)
        return read_acts(self.home.record, since, until, opened=opened), seq

    def _enter(self, what: str, asked: Asked, actor: Actor, *, opened: bool) -> tuple[datetime, datetime, int]:
        """Since when and until when is read, and the entry that says so, durable before anything is."""
        actor = self.admit(actor, "oversight:read")
        check_lawful(asked.purpose)
        until = asked.until or moments.now()
        since = asked.since or BEGINNING
        if since >= until:
            raise BadInput("this time ends before it begins", advice="give --since a time before --until")
        tunables_of(self.policy)
        record = self.home.record
        body = {
            "what": what,
            "purpose": asked.purpose,
            "since": _text(asked.since),
            "until": until.isoformat(),
            "opened": opened,
        }
        receipt = record.enter("oversight.read", actor, body)
        return since, until, receipt.seq


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
