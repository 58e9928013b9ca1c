"""What the ledger tells of one kind of thing, as far as it was read: only what came since is read again."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from countenance.ledger.entry import Entry

if TYPE_CHECKING:
    from countenance.services.record import Record

T = TypeVar("T")


class Telling(ABC, Generic[T]):
    """One kind of thing. Safe for several threads; what `read` gave is never changed afterwards."""

    needles: ClassVar[tuple[str, ...]]
    """One of them stands in every entry that tells of it. JSON escapes quotes, so no text of a person's holds any.
    `ledger.finding` knows where they stand: see there which texts can be."""

    def __init__(self, nothing: T) -> None:
        """`nothing` is what an empty ledger tells."""
        self._lock = threading.Lock()
        self._told = nothing
        self._upto = 0

    def read(self, record: Record) -> T:
        """Everything up to the newest entry. Raises LedgerBroken where the ledger is not what was signed."""
        with self._lock:
            size = record.ledger.size
            if size > self._upto:
                came = record.ledger.mentioning(self.needles, self._upto, size)
                self._told, self._upto = self.after(self._told, came, record), size
            return self._told

    @abstractmethod
    def after(self, told: T, entries: Iterable[Entry], record: Record) -> T:
        """What is told once these entries, in their order, were read too. `told` stays as it is."""
