"""The overseer's desk: what stands in the ledger, read as the acts of people. Every reading is an entry first, with one
of the four purposes for which logs may be read."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from countenance.domain.acts import Acts
from countenance.domain.alike import Sameness
from countenance.domain.authority import Actor
from countenance.domain.errors import BadInput, UnknownThing
from countenance.domain.lawful import check_lawful
from countenance.domain.misuse.flag import Flag
from countenance.domain.misuse.matters import matters_of
from countenance.domain.misuse.rules import RULES, Found, look
from countenance.domain.strangers import Calibration
from countenance.domain.verdicts import bands
from countenance.services.compare_probes import compare_probes
from countenance.services.figures import figures
from countenance.services.home import Home
from countenance.services.listing import EVERYTHING, KINDS, Chosen, listed
from countenance.services.one_act import entries_of
from countenance.services.overview import overview
from countenance.services.recall import Recall
from countenance.services.transparency import transparency
from countenance.services.tuning import tunables_of
from countenance.services.verdicts import hard_impostors, sample
from countenance.settings import OverseeSettings
from countenance.store import moments

_TYPED = ("user", "case", "purpose")
_SEARCH = re.compile(r"S-[0-9a-f]{16}")
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
    recall: Recall = field(default_factory=Recall, repr=False, compare=False)

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
            "matters": [one.as_json() for one in matters_of(found.flags)],
            "silent": [{"rule": rule, "what": RULES[rule], "why": why} for rule, why in sorted(found.silent.items())],
        }

    def summary(self, asked: Asked, actor: Actor) -> dict[str, Any]:
        """How many searches, by whom, for what, how many led anywhere, what is overdue, what looks wrong."""
        acts, seq = self._read("summary", asked, actor, opened=True)
        found = self._look(acts, asked, actor)
        told = overview(acts, found, self.policy.due_days) | {"figures": figures(acts, self._zone)}
        inspected = self.home.record.inspecting.read(self.home.record)
        told["inspections"] = inspected.counts(moments.now())
        told["last_draw"] = _text(max((draw.at for draw in inspected.draws.values()), default=None))
        return {"read": seq, "since": _text(asked.since), "until": acts.until.isoformat()} | told

    def acts(self, asked: Asked, chosen: Chosen, actor: Actor, part: slice = EVERYTHING) -> dict[str, Any]:
        """The acts behind a figure, the newest first, or a part of them; `found` is how many there are. What is sealed
        is opened only when a sign is asked for.

        Raises BadInput, also for a kind of act or a sign that there is none of.
        """
        if chosen.sign and chosen.sign not in RULES:
            raise BadInput(f"there is no sign called {chosen.sign[:64]}", advice=f"one of {', '.join(RULES)}")
        if chosen.kind and chosen.kind not in KINDS:
            raise BadInput(f"there is no kind of act called {chosen.kind[:64]}", advice=f"one of {', '.join(KINDS)}")
        acts, seq = self._read("acts", asked, actor, opened=bool(chosen.sign), narrowed=chosen)
        flags = self._look(acts, asked, actor).flags if chosen.sign else ()
        found, rows = listed(acts, flags, chosen, self._zone, part)
        told = {"read": seq, "since": _text(asked.since), "until": acts.until.isoformat(), "chosen": chosen.given}
        return told | {"found": found, "acts": rows}

    def act(self, search: str, asked: Asked, actor: Actor) -> dict[str, Any]:
        """Everything that the ledger holds on one search, from the asking for leave on. Raises UnknownThing."""
        if not _SEARCH.fullmatch(search):
            raise UnknownThing(f"there is no search {search[:64]}", advice="the page Oversight lists them")
        actor = self.admit(actor, "oversight:read")
        check_lawful(asked.purpose)
        body = {"what": "act", "purpose": asked.purpose, "act": search, "opened": False}
        receipt = self.home.record.enter("oversight.read", actor, body)
        return {"read": receipt.seq} | entries_of(self.home.record, search)

    def transparency(self, asked: Asked, actor: Actor) -> dict[str, Any]:
        """What may be told to the public: see `services.transparency`. Nothing sealed is opened for it."""
        acts, _ = self._read("transparency", asked, actor, opened=False)
        inspected = self.home.record.inspecting.read(self.home.record).inspections
        return transparency(acts, self.policy.published_purposes, inspected.values())

    def signs(self, asked: Asked, what: str, actor: Actor) -> tuple[Acts, tuple[Flag, ...]]:
        """The acts with every sign of misuse on them; the reading's entry says `what` it was for besides."""
        acts, _ = self._read(what, asked, actor, opened=True)
        return acts, self._look(acts, asked, actor).flags

    def signs_in_the_open(self, since: datetime, until: datetime) -> tuple[Acts, tuple[Flag, ...]]:
        """The acts with the signs on them that rest on nothing sealed and compare no probes, for the clock, which reads
        for nobody: what it finds is told by what it enters."""
        acts = self.recall.acts(self.home.record, since, until, opened=False)
        return acts, look(acts, None, tunables_of(self.policy)).flags

    @property
    def _zone(self) -> ZoneInfo:
        return tunables_of(self.policy).zone

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

    def _read(
        self, what: str, asked: Asked, actor: Actor, *, opened: bool, narrowed: Chosen | None = None
    ) -> tuple[Acts, int]:
        """The acts, and the entry that says they were read: durable before the first of them is."""
        since, _, seq = self._enter(what, asked, actor, opened=opened, narrowed=narrowed)
        return self.recall.acts(self.home.record, since, asked.until, opened=opened), seq

    def _enter(
        self, what: str, asked: Asked, actor: Actor, *, opened: bool, narrowed: Chosen | None = None
    ) -> tuple[datetime, datetime, int]:
        """Since when and until when is read, and the entry that says so, durable before anything is."""
        actor = self.admit(actor, "oversight:read")
        check_lawful(asked.purpose)
        until = asked.until or moments.now()
        since = asked.since or BEGINNING
        if since >= until:
            raise BadInput("this time ends before it begins", advice="give --since a time before --until")
        tunables_of(self.policy)
        record = self.home.record
        body: dict[str, Any] = {
            "what": what,
            "purpose": asked.purpose,
            "since": _text(asked.since),
            "until": until.isoformat(),
            "opened": opened,
        }
        sealed: dict[str, dict[str, str]] = {}
        if narrowed is not None:
            body["narrowed"] = {name: value for name, value in narrowed.given.items() if name not in _TYPED}
            # What somebody typed may be anything, a name too.
            if typed := {name: value for name, value in narrowed.given.items() if name in _TYPED}:
                sealed[f"reading:{secrets.token_hex(8)}"] = typed
        receipt = record.enter("oversight.read", actor, body, sealed=sealed)
        return since, until, receipt.seq


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
