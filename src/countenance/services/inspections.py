"""The desk of inspections: an overseer draws searches, people with no part in them look and say what they found.

Every step is an entry, and what the entries say is what counts (`inspected`). Reading what the ledger holds on a search
is an entry too. What people write is sealed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from countenance.access import roles
from countenance.domain.acts import Acts
from countenance.domain.authority import Actor
from countenance.domain.errors import AlreadyThere, BadInput, Refused, UnknownThing
from countenance.domain.inspections import FINDINGS, IN_ORDER, RANDOM, RISK, Draw, Inspected, Inspection, drawn, seed_of
from countenance.domain.misuse.flag import Flag
from countenance.domain.people import Account
from countenance.ledger.checkpoint import parse
from countenance.ledger.merkle import verify_consistency
from countenance.services import drawing
from countenance.services.inspected import words_item
from countenance.services.one_act import entries_of
from countenance.services.oversight import Asked, OversightDesk
from countenance.services.record import Record
from countenance.settings import OverseeSettings
from countenance.store import moments

LONGEST = 2000
"""Most letters of what somebody writes."""
MOST = 500
"""Most searches of one draw."""
SPAN = timedelta(days=30)
"""How far the first draw goes back; each later one begins where the last one ended."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be drawn. None takes the setting, or the time since the last draw; `word` is the overseer's own."""

    purpose: str
    since: datetime | None = None
    until: datetime | None = None
    random: int | None = None
    risk: int | None = None
    word: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """What is drawn: as wanted, with all that was left out. `scheduled` when the clock draws."""

    purpose: str
    since: datetime
    until: datetime
    random: int
    risk: int
    word: str = ""
    scheduled: bool = False


@dataclass(frozen=True, slots=True)
class InspectionDesk:
    """Inspections of one home. Safe for several threads."""

    record: Record
    admit: Callable[[Actor, str], Actor]
    oversight: OversightDesk
    policy: OverseeSettings
    accounts: Callable[[], Mapping[str, Account]]
    changing: Callable[[], AbstractContextManager[None]]
    """Held from looking at an inspection until what was done is entered."""

    # Reading

    def every(self, actor: Actor) -> list[Inspection]:
        """Every inspection, the newest first; to a reviewer those that are theirs to do, and that they did."""
        actor = self.admit(actor, "inspections:read")
        draws = self._draws(actor)
        found = [one for one in self._told().inspections.values() if draws or self._mine(one, actor)]
        return sorted(found, key=lambda one: (-one.entry, one.kind, one.id))

    def counts(self, actor: Actor) -> dict[str, int]:
        """How inspections stand, in numbers."""
        self.admit(actor, "inspections:read")
        return self._told().counts(moments.now())

    def draws(self, actor: Actor) -> list[Draw]:
        """Every draw, the newest first."""
        self.admit(actor, "inspections:read")
        return sorted(self._told().draws.values(), key=lambda one: -one.entry)

    def one(self, id: str, actor: Actor) -> Inspection:
        """One inspection. Raises UnknownThing, also for one that is not this reviewer's."""
        found = next((one for one in self.every(actor) if one.id == id), None)
        if found is None:
            raise UnknownThing(f"there is no inspection {id[:64]}", advice="`countenance inspection list` shows them")
        return found

    def written(self, one: Inspection) -> dict[str, str]:
        """What people wrote on it: "found", "follow-up", "done", as far as it is kept."""
        entries = {"found": one.finding.entry if one.finding else None}
        if one.follow_up:
            entries |= {"follow-up": one.follow_up.entry, "done": one.follow_up.done_entry}
        found = {}
        for name, seq in entries.items():
            if seq is not None:
                opened = self.record.opened(self.record.ledger.entry(seq)).get(words_item(one.id, name), {})
                found[name] = str(opened.get("words", ""))
        return found

    def file(self, id: str, actor: Actor) -> dict[str, Any]:
        """Everything that the ledger holds on the search, for whoever looks at it. Reading it is an entry."""
        actor = self.admit(actor, "inspections:judge")
        one = self.one(id, actor)
        self.record.enter("inspection.read", actor, {"inspection": id, "act": one.search})
        return entries_of(self.record, one.search)

    def check(self, draw: str, actor: Actor) -> dict[str, Any]:
        """Draw the random ones again from the ledger, and say whether they are those that were drawn."""
        self.admit(actor, "inspections:read")
        told = self._told()
        known = told.draws.get(draw)
        if known is None:
            raise UnknownThing(f"there is no draw {draw[:64]}", advice="`countenance inspection list` shows them")
        earlier = {one.search for one in told.inspections.values() if one.entry < known.entry}
        again = drawing.drawn_again(known, self.record.ledger, earlier)
        there = [one.search for one in told.inspections.values() if one.draw == draw and one.kind == RANDOM]
        ledger = self.record.ledger
        head = parse(ledger.checkpoint().encode()).head
        proof = ledger.consistency(known.size, head)
        root = verify_consistency(known.size, head.size, bytes.fromhex(known.root), head.root, proof)
        return known.as_json() | {
            "drawn": there,
            "drawn_again": again,
            "root_holds": root,
            "agrees": root and there == again,
        }

    # Drawing and assigning

    def draw(self, wanted: Wanted, actor: Actor) -> Draw:
        """Draw searches and assign each to somebody with no part in it. It reads the ledger, for a lawful purpose.

        Raises BadInput for a purpose that is none, for too many, or for a time in which nobody searched.
        """
        actor = self.admit(actor, "inspections:draw")
        random = self.policy.inspections_random if wanted.random is None else wanted.random
        risk = self.policy.inspections_by_risk if wanted.risk is None else wanted.risk
        if random < 0 or risk < 0 or not 0 < random + risk <= MOST:
            raise BadInput(f"a draw is of 1 to {MOST} searches", advice="choose other numbers")
        if len(wanted.word) > 200:
            raise BadInput("the word is too long", advice="at most 200 letters")
        # Not beyond now: the next draw begins where this one ends, and would leave out what comes in between.
        until = min(wanted.until or moments.now(), moments.now())
        since = wanted.since or max((one.until for one in self._told().draws.values()), default=until - SPAN)
        acts, flags = self.oversight.signs(Asked(wanted.purpose, since, until), "inspections", actor)
        return self._draw(Sample(wanted.purpose, since, until, random, risk, wanted.word), acts, flags, actor)

    def keep(self, actor: Actor) -> Draw | None:
        """Draw by the clock what `oversee.draw_every_days` has due: of the searches since the clock's last draw up to
        the beginning of this period, whatever stretches people drew from in between, those that are not drawn yet;
        once a period whichever server comes first. One entry, and no reading of anybody's: nothing sealed is opened and
        no probes are compared. None when nothing is due, or another server was quicker.

        Raises LedgerUnavailable, LedgerBroken.
        """
        policy = self.policy
        if not policy.draw_every_days or not policy.inspections_random + policy.inspections_by_risk:
            return None
        until = drawing.period_of(moments.now(), policy.draw_every_days)
        if self._had(until):
            return None
        told, ledger = self._told(), self.record.ledger
        span = max(SPAN, timedelta(days=policy.draw_every_days))
        since = max((one.until for one in told.draws.values() if one.scheduled), default=until - span)
        before = {one.search for one in told.inspections.values()}
        if since >= until or not drawing.waits(ledger, since, until, before):
            return None
        acts, flags = self.oversight.signs_in_the_open(since, until)
        random, risk = policy.inspections_random, policy.inspections_by_risk
        # A word that nobody knew, since no entry of a reading comes before and the moment is known to all.
        sample = Sample("self-monitoring", since, until, random, risk, secrets.token_hex(16), scheduled=True)
        try:
            return self._draw(sample, acts, flags, actor)
        except AlreadyThere:
            return None

    def _had(self, period: datetime) -> bool:
        """Whether the clock has drawn in the period that began then."""
        return any(one.scheduled and one.until >= period for one in self._told().draws.values())

    def _draw(self, sample: Sample, acts: Acts, flags: Iterable[Flag], actor: Actor) -> Draw:
        since, until, random, risk = sample.since, sample.until, sample.random, sample.risk
        weights = drawing.weighed(acts, flags)
        with self.changing():
            if sample.scheduled and self._had(until):
                raise AlreadyThere("another server has drawn in this period")
            # The root of now. Somebody's reading was just entered in it, or the clock has a word: nobody knew the seed.
            head = parse(self.record.ledger.checkpoint().encode()).head
            seed = seed_of(head.root, sample.word)
            told = self._told()
            before = {one.search for one in told.inspections.values()}
            ids = drawing.population(self.record.ledger, since, until, head.size, before)
            if not ids:
                raise BadInput(
                    "nobody searched in this time, or every search was drawn before", advice="choose another time"
                )
            chosen = dict.fromkeys(drawn(seed, ids, random), RANDOM)
            rest = [search for search in ids if search not in chosen]
            chosen |= dict.fromkeys(drawing.by_risk(weights, rest, seed, risk), RISK)
            apart = {
                one.search: drawing.parties(self.record, one, acts) for one in acts.searches if one.search in chosen
            }
            whose = self._assign(chosen, apart, told, seed, actor)
            id = "D-" + secrets.token_hex(6)
            self.record.enter(
                "inspection.drawn",
                actor,
                {
                    "draw": id,
                    "purpose": sample.purpose,
                    "since": since.isoformat(),
                    "until": until.isoformat(),
                    "size": head.size,
                    "root": head.root.hex(),
                    "word": sample.word,
                    "random": random,
                    "risk": risk,
                    "population": len(ids),
                    "due": (moments.now() + timedelta(days=self.policy.inspection_days)).isoformat(),
                    "inspections": [
                        {
                            "inspection": "I-" + secrets.token_hex(6),
                            "act": search,
                            "kind": kind,
                            "assigned": whose[search],
                            "weight": weights.get(search, (0, ()))[0],
                            "rules": list(weights.get(search, (0, ()))[1]),
                        }
                        for search, kind in chosen.items()
                    ],
                }
                | ({"scheduled": True} if sample.scheduled else {}),
            )
        return self._told().draws[id]

    def _assign(
        self, chosen: Mapping[str, str], apart: dict[str, frozenset[str]], told: Inspected, seed: bytes, actor: Actor
    ) -> Mapping[str, str | None]:
        if not self.record.profile.two_people:
            # One person alone: they look at their own, and the entry says so.
            return dict.fromkeys(chosen, actor.user)
        return drawing.assign(chosen, apart, self.accounts().values(), told.inspections.values(), seed)

    def assign(self, id: str, reference: str, actor: Actor) -> Inspection:
        """Give an inspection to somebody else. Raises Refused for one who had a part in the search, UnknownThing."""
        actor = self.admit(actor, "inspections:draw")
        with self.changing():
            one = self.one(id, actor)
            if one.finding is not None:
                raise Refused(
                    "it was looked at already", advice="a later draw may have the same person's other searches"
                )
            account = self._account(reference)
            if self.record.profile.two_people:
                self._no_part(one, drawing.names_of(account))
                if not set(drawing.ROLES) & set(account.roles):
                    raise Refused("only a reviewer or an auditor looks at searches", advice="choose another account")
            self.record.enter("inspection.assigned", actor, {"inspection": id, "assigned": account.user})
        return self._told().inspections[id]

    # Finding and following up

    def find(self, id: str, finding: str, words: str, actor: Actor) -> Inspection:
        """Say what one found. Raises BadInput, Refused for somebody whose it is not or who had a part, UnknownThing."""
        actor = self.admit(actor, "inspections:judge")
        if finding not in FINDINGS:
            raise BadInput(f"no such finding: {finding}", advice=f"one of {', '.join(FINDINGS)}")
        self._check_words(words)
        with self.changing():
            one = self.one(id, actor)
            if one.finding is not None:
                raise Refused("it was looked at already")
            if one.assigned not in actor.names:
                raise Refused("this inspection is somebody else's", advice="an overseer can assign it anew")
            if self.record.profile.two_people:
                self._no_part(one, actor.names)
            sealed = {words_item(id, "found"): {"words": words}}
            self.record.enter("inspection.found", actor, {"inspection": id, "finding": finding}, sealed=sealed)
        return self._told().inspections[id]

    def follow_up(self, id: str, owner: str, due: date, words: str, actor: Actor) -> Inspection:
        """Say what has to come of a finding, who sees to it and by when. Raises BadInput, Refused, UnknownThing."""
        actor = self.admit(actor, "inspections:judge")
        self._check_words(words)
        with self.changing():
            one = self.one(id, actor)
            if one.finding is None or one.finding.finding == IN_ORDER:
                raise Refused("there is nothing to follow up", advice="first somebody finds something")
            if one.follow_up is not None:
                raise Refused("it is followed up already", advice="record what was done, when it was")
            if due < moments.now().date():
                raise BadInput("this day has gone by", advice="choose a later one")
            body = {"inspection": id, "owner": self._account(owner).user, "due": due.isoformat()}
            sealed = {words_item(id, "follow-up"): {"words": words}}
            self.record.enter("inspection.follow-up-set", actor, body, sealed=sealed)
        return self._told().inspections[id]

    def follow_ups(self, actor: Actor) -> list[Inspection]:
        """Those whose follow-up is one's own, what is still to be done first, and by when."""
        actor = self.admit(actor, "inspections:answer")
        every = self._told().inspections.values()
        mine = [(one.follow_up, one) for one in every if one.follow_up and one.follow_up.owner in actor.names]
        return [one for _, one in sorted(mine, key=lambda both: (both[0].done is not None, both[0].due, both[1].id))]

    def asked(self, one: Inspection) -> dict[str, str]:
        """What the owner of a follow-up reads of what people wrote: what has to come of it, and what was done."""
        return {name: words for name, words in self.written(one).items() if name != "found"}

    def followed_up(self, id: str, words: str, actor: Actor, acts: frozenset[str] | None = None) -> Inspection:
        """Record what was done: whoever judges inspections of those that they see, anybody else of a follow-up of
        their own. `acts` are what the caller may do, where that is less than the actor's roles give (a token). Raises
        BadInput without words, Refused where nothing is to be done, UnknownThing."""
        actor = self.admit(actor, "inspections:answer")
        self._check_words(words)
        may = roles.acts_of(actor.roles) if acts is None else acts & roles.acts_of(actor.roles)
        with self.changing():
            one = self.one(id, actor) if "inspections:judge" in may else self._owned(id, actor)
            if one.follow_up is None or one.follow_up.done is not None:
                raise Refused("nothing is open here")
            sealed = {words_item(id, "done"): {"words": words}}
            self.record.enter("inspection.followed-up", actor, {"inspection": id}, sealed=sealed)
        return self._told().inspections[id]

    # Inside

    def _told(self) -> Inspected:
        return self.record.inspecting.read(self.record)

    def _owned(self, id: str, actor: Actor) -> Inspection:
        found = next((one for one in self.follow_ups(actor) if one.id == id), None)
        if found is None:
            raise UnknownThing(
                f"there is no follow-up of yours on {id[:64]}", advice="`countenance inspection follow-ups` shows them"
            )
        return found

    def _draws(self, actor: Actor) -> bool:
        return "inspections:draw" in roles.acts_of(actor.roles)

    def _mine(self, one: Inspection, actor: Actor) -> bool:
        names = {one.assigned, one.finding.by if one.finding else None, one.follow_up.owner if one.follow_up else None}
        return bool(names & actor.names)

    def _account(self, reference: str) -> Account:
        told = self.record.people.read(self.record)
        found = told.find(reference)
        if found is None or found.disabled:
            raise UnknownThing(f"there is no account {reference[:80]}", advice="`countenance user list` shows them")
        return found

    def _no_part(self, one: Inspection, names: frozenset[str]) -> None:
        """Raises Refused when any of these had a part in the search."""
        file = entries_of(self.record, one.search)
        request = file["request"] or {"steps": ()}
        had = {entry["who"] for entry in file["entries"] if entry["part"] != "inspection"} | {
            step["by"] for step in request["steps"]
        }
        had |= {str(file["terms"].get(name)) for name in ("granted_by", "holder")}
        if had & names:
            raise Refused(
                "whoever had a part in a search does not look at it afterwards", advice="an overseer can assign it anew"
            )

    def _check_words(self, words: str) -> None:
        if not words.strip() or len(words) > LONGEST:
            raise BadInput(
                f"say it in words, at most {LONGEST} letters", advice="what you looked at, and what you found"
            )
