"""Accounts that an administrator reset: whoever resets one can set it up themselves, so it is told.

The person is told when they next come in, and overseers on their page: who reset it, when, and when it was first opened
with the code. It stands in the ledger alone, and reading goes on where the last reading ended.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from countenance.services.record import Record
from countenance.store import moments

TOLD = timedelta(days=30)
"""How long a reset is told of."""

_RESET = '"type":"people.reset"'
_OPENED = '"how":"set-up code"'
"""What the entries that are read hold, in canonical JSON; no text of a person's can."""


@dataclass(frozen=True, slots=True)
class Reset:
    """An account (its id), by whose user, when and in which entry; and when and where it was first opened since."""

    account: str
    by: str
    at: datetime
    entry: int
    opened_at: datetime | None = None
    opened: int | None = None


class Resets:
    """The resets of one home. Safe for several threads."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._lock = threading.Lock()
        self._upto = 0
        self._found: dict[int, Reset] = {}

    def lately(self, account: str | None = None) -> list[Reset]:
        """Those of the last 30 days, the newest first; of one account, or all. Raises LedgerBroken."""
        since = moments.now() - TOLD
        return [
            one for one in reversed(self._read()) if one.at >= since and (account is None or one.account == account)
        ]

    def _read(self) -> list[Reset]:
        with self._lock:
            ledger, size = self._record.ledger, self._record.ledger.size
            for entry in ledger.mentioning(_RESET, self._upto, size):
                at = datetime.fromisoformat(entry.at)
                self._found[entry.seq] = Reset(entry.body["account"], entry.actor["authenticated"], at, entry.seq)
            for entry in ledger.mentioning(_OPENED, self._upto, size):
                waiting = [
                    r for r in self._found.values() if r.account == entry.body["account"] and r.entry < entry.seq
                ]
                if waiting and waiting[-1].opened is None:
                    at = datetime.fromisoformat(entry.at)
                    self._found[waiting[-1].entry] = replace(waiting[-1], opened_at=at, opened=entry.seq)
            self._upto = size
            return list(self._found.values())
