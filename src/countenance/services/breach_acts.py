"""What somebody with an account, or with a token, did and could see in a time, as the ledger tells it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from countenance.access import roles
from countenance.domain.errors import UnknownThing
from countenance.ledger.entry import Entry, parse_time
from countenance.services.people import People
from countenance.services.recall import first_at
from countenance.services.record import Record
from countenance.store import pictures, sources

WITHOUT_ENTRY = {
    "sources:read": "the list of sources, with owners, places and what was not read",
    "authorities:read": "authorities and requests, with cases, purposes and reasons",
    "reviews:read": "reviews and how reviewers judge",
    "ledger:read": "the ledger; on the machine itself also what it seals, as far as it is not destroyed",
    "proxylog:read": "analyses of proxy logs, under pseudonyms",
    "accounts:read": "accounts, with names and roles",
    "holds:read": "legal holds, with their reasons",
    "inspections:answer": "what inspections ask of whose account it is",
    "keys": "the keys of the home, on the machine itself",
}
"""What may be looked at without leaving an entry, by act."""

_IN = ("session.begun", "session.refused", "session.locked", "session.ended")
_GATE = ("session.", "people.", "token.")
_CHANGES = ("source.", "authority.", "case.", "hold.", "settings.", "key.", "keys.", "ledger.", "backup.", "erasure",
            "review.control", "ingest.", "refresh.", "proxylog.profile")  # fmt: skip
_TAKEN_OUT = {
    "ledger.exported": "the ledger, or an extract",
    "keys.exported": "the keys of the home",
    "backup.made": "a backup of the whole home",
}


@dataclass(slots=True)
class Suspect:
    """An account or a token that somebody else may have used. `needles` find its entries in the ledger; `read` fills
    the rest. Sightings are with the first entry and time at which they were shown."""

    who: str
    user: str
    token: bool
    needles: tuple[str, ...]
    roles: frozenset[str] = frozenset()
    acts: frozenset[str] = frozenset()
    entries: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    gate: list[dict[str, Any]] = field(default_factory=list)
    searches: dict[str, dict[str, Any]] = field(default_factory=dict)
    shown: dict[int, str] = field(default_factory=dict)
    opened: list[dict[str, Any]] = field(default_factory=list)
    given: list[dict[str, Any]] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    unmasked: list[int] = field(default_factory=list)
    reviewed: int = 0
    overseen: int = 0
    taken: list[dict[str, Any]] = field(default_factory=list)
    collections: set[str] = field(default_factory=set)
    listed: set[int] = field(default_factory=set)
    """Every entry that what is told rests on."""

    def read(self, record: Record, since: datetime, until: datetime) -> Suspect:
        """Read the ledger: acts in the time, and what was done about it after its beginning."""
        ledger = record.ledger
        size = ledger.size
        first = first_at(ledger, since, size)
        for entry in ledger.mentioning(self.needles, first, size):
            at = parse_time(entry.at)
            if at < since:
                continue
            mine = self._mine(entry)
            if not mine:
                self._about(entry, at < until)
            elif at < until:
                self._act(entry)
        return self

    def _mine(self, entry: Entry) -> bool:
        if self.token:
            return entry.body.get("via") == f"token:{self.who}"
        return entry.actor["authenticated"] == self.user or entry.actor["authenticated"] in self.needles_of_system

    @property
    def needles_of_system(self) -> tuple[str, ...]:
        """The system's users who act as this account."""
        return tuple(n.split('"')[3] for n in self.needles if n.startswith('"authenticated":"os:'))

    def _about(self, entry: Entry, within: bool) -> None:
        """Somebody else's act about this account or token: attempts to get in, and measures."""
        body = entry.body
        if self.token and body.get("token") != self.who:
            return
        if not self.token and body.get("account") != self.user.removeprefix("user:"):
            return
        told = {"entry": entry.seq, "at": entry.at, "type": entry.kind}
        if entry.kind == "token.created":
            self.gate.append(told)
        elif entry.kind in _IN and within:
            self.gate.append(told | {"how": body.get("how") or body.get("what")})
        elif entry.kind.startswith(_GATE) and entry.kind not in _IN:
            self.taken.append(told)
        else:
            return
        self.listed.add(entry.seq)

    def _act(self, entry: Entry) -> None:
        body, kind = entry.body, entry.kind
        self.entries += 1
        self.listed.add(entry.seq)
        self.kinds[kind] += 1
        told = {"entry": entry.seq, "at": entry.at}
        search = str(body.get("search", ""))
        if kind.startswith(_GATE):
            more = {name: body[name] for name in ("how", "new_device", "token", "scopes", "via") if name in body}
            self.gate.append(told | {"type": kind} | more)
        elif kind in ("search.started", "erase.started", "subject.started"):
            self.collections.update(body.get("collections") or ())
            self.searches[search] = told | {"search": search, "authority": body["authority"], "shown": 0, "groups": 0}
        elif kind in ("search.shown", "erase.shown", "subject.shown"):
            names = [name for group in body.get("groups") or () for name in group] or body.get("sightings") or ()
            one = self.searches.setdefault(search, told | {"search": search, "authority": body.get("authority")})
            one |= {"shown": len(names), "groups": len(body.get("groups") or ())}
            if kind != "erase.shown":  # an erasure by face tells numbers alone
                self._saw(names, entry.at)
        elif kind == "picture.opened":
            self.opened.append(told | {"search": search, "sighting": body["sighting"]})
            self._saw([body["sighting"]], entry.at)
        elif kind == "search.disclosed":
            self.given.append(
                told | {"what": search, "recipient": body["recipient"], "pictures": len(body["sightings"])}
            )
        elif kind in _TAKEN_OUT:
            self.given.append(told | {"what": _TAKEN_OUT[kind], "recipient": None, "pictures": None})
        elif kind == "proxylog.unmasked":
            self.unmasked.append(entry.seq)
        elif kind == "review.shown":
            self.reviewed += 1
        elif kind == "oversight.read":
            self.overseen += 1
        elif kind.startswith(_CHANGES):
            what = {name: body[name] for name in ("name", "authority", "request", "hold", "case") if body.get(name)}
            self.changes.append(told | {"type": kind} | what)

    def _saw(self, names: Iterable[str], at: str) -> None:
        for name in names:
            self.shown.setdefault(int(str(name).removeprefix("sighting:")), at)

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "id": self.who,
            "user": self.user,
            "roles": sorted(self.roles),
            "entries": self.entries,
            "by_type": dict(sorted(self.kinds.items())),
            "signing_in": sorted(self.gate, key=lambda one: int(one["entry"])),
            "searches": list(self.searches.values()),
            "sightings_shown": len(self.shown),
            "pictures_opened": self.opened,
            "handed_out": self.given,
            "changed": self.changes,
            "unmasked": self.unmasked,
            "pairs_reviewed": self.reviewed,
            "ledger_readings": self.overseen,
            "collections_searched": sorted(self.collections),
            "readable_without_entry": [what for act, what in WITHOUT_ENTRY.items() if act in self.acts],
            "measures": self.taken,
        }


def suspect_account(people: People, reference: str) -> Suspect:
    """An account by name or id, or a system's user (``os:NAME``). Raises UnknownThing."""
    account = people.told().find(reference)
    if account is None and reference.startswith("os:"):
        held = roles.EVERY_ROLE if not people.profile.two_people else frozenset()
        named = (f'"authenticated":"{reference}"',)
        return Suspect(reference, reference, False, named, held, roles.acts_of(held))
    if account is None:
        raise UnknownThing(f"there is no account {reference}", advice="`countenance user list` shows them")
    before, said = _before(people.record, account.id, account.system_users)
    held = frozenset(account.roles) | before
    needles: tuple[str, ...] = (
        f'"authenticated":"{account.user}"',
        f'"account":"{account.id}"',
        *(f'"authenticated":"os:{user}"' for user in sorted(account.system_users)),
    )
    return Suspect(account.id, account.user, False, needles, held, roles.acts_of(held), listed=said)


def _before(record: Record, account: str, system_users: Collection[str]) -> tuple[frozenset[str], set[int]]:
    """Roles that it had at any time: somebody may have used it while it had more. And the entries that say which roles
    and which of these users of the system it has, whenever they were made."""
    found: set[str] = set()
    said: set[int] = set()
    for entry in record.ledger.mentioning('"type":"people.'):
        if entry.body.get("account") != account:
            continue
        if entry.kind == "people.roles-changed":
            found |= set(entry.body.get("before") or ())
        elif entry.kind == "people.system-user-linked":
            if entry.body["system_user"] not in system_users:
                continue
        elif entry.kind != "people.added":
            continue
        said.add(entry.seq)
    return frozenset(found & set(roles.ROLES)), said


def suspect_token(record: Record, id: str) -> Suspect:
    """A token by its id, as the entry says that made it. Raises UnknownThing."""
    for entry in record.ledger.mentioning(f'"token":"{id}"') if id.isascii() and '"' not in id else ():
        if entry.kind == "token.created":
            owner = entry.body.get("account")
            user = f"user:{owner}" if owner else str(entry.actor["authenticated"])
            needles = (f'"via":"token:{id}"', f'"token":"{id}"')
            scopes = frozenset(entry.body["scopes"])
            return Suspect(id, user, True, needles, frozenset(), scopes, listed={entry.seq})
    raise UnknownThing(f"there is no token {id[:64]}", advice="`countenance token list` shows them")


def people_shown(record: Record, suspects: Iterable[Suspect]) -> dict[str, Any]:
    """How many sightings, faces and pictures were shown to them all, from when on, and where they were seen."""
    first: dict[int, str] = {}
    looked: set[str] = set()
    for one in suspects:
        looked |= one.searches.keys()
        for sighting, at in one.shown.items():
            first[sighting] = min(first.get(sighting, at), at)
    with record.database.read() as c:
        there = pictures.sightings_by_id(c, sorted(first))
        named = {one.id: one.collection for one in sources.every(c)}
    return {
        "searches": len(looked),
        "sightings": len(first),
        "erased_since": len(first) - len({one.id for one in there}),
        "faces": len({one.face_id for one in there}),
        "pictures": len({one.picture_id for one in there}),
        "sources": sorted({one.row.source for one in there}),
        "collections": sorted({named[one.row.source_id] for one in there if one.row.source_id in named}),
        "first_shown": min(first.values(), default=None),
        "last_shown": max(first.values(), default=None),
    }
