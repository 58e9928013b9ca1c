"""What an administrator did that lets somebody in as the person whose account it is: it is told.

Whoever resets an account can set it up themselves, and whoever links a sign-in of the provider or a user of the system
to it can come in by that. The person is told when they next come in, and overseers on their page: who did it, when, and
when a reset account was first opened since. It stands in the ledger alone, and reading goes on where the last reading
ended.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from countenance.ledger.entry import Entry
from countenance.services.record import Record
from countenance.store import moments

TOLD = timedelta(days=30)
"""How long it is told."""

RESET, SUBJECT, SYSTEM_USER = "people.reset", "people.subject-linked", "people.system-user-linked"

_KINDS = (RESET, SUBJECT, SYSTEM_USER)
_BEGUN = '"type":"session.begun"'


@dataclass(frozen=True, slots=True)
class Reset:
    """An account (its id) that was reset or linked (`kind`, of its entry), by whose user, when and in which entry. Of a
    link to a user of the system, which; of a reset, when, where and how it was first opened since."""

    kind: str
    account: str
    by: str
    at: datetime
    entry: int
    system_user: str = ""
    opened_at: datetime | None = None
    opened: int | None = None
    how: str = ""


class Resets:
    """The resets and links of one home that were made by somebody else. Safe for several threads."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._lock = threading.Lock()
        self._upto = 0
        self._found: dict[int, Reset] = {}

    def lately(self, account: str | None = None) -> list[Reset]:
        """Those of the last 30 days, the newest first; of one account, or all. Raises LedgerBroken."""
        since = moments.now() - TOLD
        return [one for one in self._read(since) if one.at >= since and (account is None or one.account == account)]

    def _read(self, since: datetime) -> list[Reset]:
        with self._lock:
            ledger, size = self._record.ledger, self._record.ledger.size
            for entry in ledger.mentioning([f'"type":"{kind}"' for kind in _KINDS], self._upto, size):
                if (one := _told(entry)) is not None:
                    self._found[entry.seq] = one
            # Whoever comes in after a reset, in whichever way, opens the account: only its last reset waits for that.
            resets = {one.account: one for _, one in sorted(self._found.items()) if one.kind == RESET}
            waiting = {id: one for id, one in resets.items() if one.opened is None and one.at >= since}
            if waiting:
                first = max(self._upto, min(one.entry for one in waiting.values()))
                for entry in ledger.mentioning(_BEGUN, first, size):
                    one = waiting.get(entry.body["account"] or "")
                    if one is not None and one.entry < entry.seq:
                        at, how = datetime.fromisoformat(entry.at), str(entry.body["how"])
                        self._found[one.entry] = replace(one, opened_at=at, opened=entry.seq, how=how)
                        del waiting[one.account]
            self._upto = size
            return [one for _, one in sorted(self._found.items(), reverse=True)]


def _told(entry: Entry) -> Reset | None:
    """What the entry tells, unless of somebody's own account: whoever makes the first account links themselves."""
    account, by = entry.body["account"], entry.actor["authenticated"]
    system_user = str(entry.body.get("system_user", ""))
    if by == f"user:{account}" or (system_user and by == f"os:{system_user}"):
        return None
    return Reset(entry.kind, account, by, datetime.fromisoformat(entry.at), entry.seq, system_user)
