"""What people did, as an overseer looks at it: plain records made out of the ledger's entries.

`seq` is always the number of the entry that says so. Times are aware UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from countenance.domain.traits import ProbeTraits


@dataclass(frozen=True, slots=True)
class Grant:
    """An authority that came into force. `by` granted or approved it, `holder` may use it; `request` is what it was
    asked for with, if somebody asked."""

    seq: int
    at: datetime
    authority: str
    by: str
    holder: str
    case: str
    purpose: str
    basis: str
    collections: tuple[str, ...]
    self_approved: bool
    request: str = ""
    reasons: tuple[str, ...] = ()
    """Why it was asked for, in words (necessity, proportionality); there only when what is sealed was opened, and not
    shredded."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a search was answered with: how many candidate groups and sightings, and whether the best was reliable."""

    seq: int
    at: datetime
    groups: int
    sightings: int
    reliable: bool


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done with a result: `kind` is "opened", "exported", "verdict" or "action"; `words` is the recipient of
    an export, or the verdict."""

    kind: str
    seq: int
    at: datetime
    who: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Search:
    """One search from its beginning on. `case` and `purpose` are its authority's; `traits` are there only when what is
    sealed was opened, and not shredded; `shown` is None when nothing was."""

    seq: int
    at: datetime
    search: str
    who: str
    authority: str
    case: str
    purpose: str
    collections: tuple[str, ...]
    self_approved: bool
    shown: Shown | None = None
    traits: tuple[ProbeTraits, ...] = ()
    deeds: tuple[Deed, ...] = ()

    def done(self, kind: str) -> tuple[Deed, ...]:
        """Its deeds of one kind."""
        return tuple(deed for deed in self.deeds if deed.kind == kind)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A search that was refused, and why in one word."""

    seq: int
    at: datetime
    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class Closed:
    """A case that was closed."""

    seq: int
    at: datetime
    case: str


@dataclass(frozen=True, slots=True)
class Lapse:
    """Searches that went ahead before anybody approved, and were declined (`declined`) or not approved in time."""

    seq: int
    at: datetime
    authority: str
    declined: bool


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure: what kind of thing, and how many sightings."""

    seq: int
    at: datetime
    who: str
    kind: str
    sightings: int


@dataclass(frozen=True, slots=True)
class Acts:
    """What happened from `since` up to, not including, `until`; `grants` also from before, as far as searches rest on
    them. `adjudicates` says whether verdicts stand anywhere in this ledger: without, their absence says nothing."""

    since: datetime
    until: datetime
    entries: int = 0
    grants: tuple[Grant, ...] = ()
    searches: tuple[Search, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    closed: tuple[Closed, ...] = ()
    erasures: tuple[Erasure, ...] = ()
    lapses: tuple[Lapse, ...] = ()
    adjudicates: bool = False
    opened: bool = False
    """Whether what is sealed was opened."""


@dataclass(frozen=True, slots=True)
class FaceLabels:
    """Which searches looked for one face, as the comparing of their probes found: labels, and nothing of a likeness.

    `alike` gives searches of surely one face the same label. `apart` gives searches of one case different labels when
    their faces surely differ; across cases it says nothing. A search that is in neither could not be compared.
    """

    alike: dict[str, int] = field(default_factory=dict)
    apart: dict[str, int] = field(default_factory=dict)
    why_none: str = "no probe is kept any longer"
    """Why `alike` is empty, when it is."""
