"""The one thing that opens an index: a permit, minted for one probe set under one authority, good for one use."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable

from countenance.domain.errors import PermitMisused
from countenance.domain.faces import Vectors


def probe_digest(probes: Vectors) -> bytes:
    """SHA-256 over the shape and the float32 bytes of the probes; binds a permit to one probe set."""
    return hashlib.sha256(repr(probes.shape).encode() + probes.astype("<f4").tobytes()).digest()


class Permit:
    """Leave to compare one probe set with one set of sources, once.

    Only `countenance.services.permit` makes these, after the authority was checked and a use of it reserved in the
    ledger; a test finds any other maker, and any caller of an index outside that module.
    """

    __slots__ = ("_lock", "_probes", "_used", "authority", "search", "sources")

    def __init__(self, *, authority: str, search: str, probes: Vectors, sources: Iterable[int]) -> None:
        self.authority = authority
        self.search = search
        self.sources = frozenset(sources)
        self._probes = probe_digest(probes)
        self._used = False
        self._lock = threading.Lock()

    def spend(self, probes: Vectors) -> None:
        """Use the permit up. Every index calls this before it compares anything.

        Raises PermitMisused when it was used before or when these are not the probes it was minted for.
        """
        with self._lock:
            if self._used:
                raise PermitMisused("this permit was used already; a new search needs a new one")
            if probe_digest(probes) != self._probes:
                raise PermitMisused("these are not the probes that the permit was minted for")
            self._used = True
