"""Which entries an extract gives: those of a time, of a person, of a case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from countenance.domain.errors import BadInput
from countenance.ledger import entry


@dataclass(slots=True)
class Extract:
    """What was asked for; every part that is given must hold. `begin` is in it, `end` is not.

    `user` is what was authenticated or stated. `entries` are the numbers of those that something lists, and `listed_by`
    says what. A `case` has the entries that name it, those about an authority that
    does, and those about a search under such an authority. Entries by which a signing key took over are always given.
    Asked about entries in order, it remembers what belongs to the case.
    """

    begin: datetime | None = None
    end: datetime | None = None
    user: str | None = None
    case: str | None = None
    entries: frozenset[int] | None = None
    listed_by: str = ""
    _authorities: set[str] = field(default_factory=set, init=False, repr=False)
    _searches: set[str] = field(default_factory=set, init=False, repr=False)

    def __post_init__(self) -> None:
        """Raises BadInput when nothing is asked for, or nothing can be in it."""
        if not self.asked:
            raise BadInput("an extract needs a time, a person or a case")
        if self.begin is not None and self.end is not None and self.begin >= self.end:
            raise BadInput("the extract would end before it begins")
        if any("\n" in text or len(text) > 500 for text in (self.user or "", self.case or "")):
            raise BadInput("a person or a case that is longer than any name")

    @property
    def asked(self) -> Mapping[str, str]:
        """The same for the manifest."""
        parts = {
            "from": entry.time_text(self.begin) if self.begin else None,
            "to": entry.time_text(self.end) if self.end else None,
            "user": self.user,
            "case": self.case,
            "entries": f"those that {self.listed_by} lists" if self.entries is not None else None,
        }
        return {name: text for name, text in parts.items() if text is not None}

    def picks(self, raw: bytes, seq: int) -> bool:
        """Whether entry `seq` is given. Raises LedgerBroken when it is no entry."""
        found = entry.load(raw, seq)
        of_case = self.case is None or self._of_case(found["body"])
        if found["type"] in (entry.ROTATED, entry.LOST):
            return True
        if self.begin is not None and found["at"] < entry.time_text(self.begin):
            return False
        if self.end is not None and found["at"] >= entry.time_text(self.end):
            return False
        if self.entries is not None and seq not in self.entries:
            return False
        return of_case and (self.user is None or self.user in found["actor"].values())

    def _of_case(self, body: Mapping[str, Any]) -> bool:
        authority, search = (f"{body.get(name)}" if name in body else None for name in ("authority", "search"))
        known = body.get("case") == self.case or authority in self._authorities or search in self._searches
        if known and authority is not None:
            self._authorities.add(authority)
        if known and search is not None:
            self._searches.add(search)
        return known
