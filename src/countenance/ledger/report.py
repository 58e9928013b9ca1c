"""What the verifier says: for people in lines, for programs in JSON. Nothing of what the entries say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from countenance.ledger.audit import Handover
from countenance.ledger.block import Gap
from countenance.ledger.cosignature import WitnessKey
from countenance.ledger.note import VerifierKey

SHOWN = 20
"""Longest list for people; JSON holds all."""


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A checkpoint of `size` entries, a part of what was verified, that witnesses have co-signed.

    `witnesses` are those that were checked, with the time that each states; `unchecked` are names alone.
    """

    size: int
    witnesses: tuple[tuple[WitnessKey, datetime], ...]
    unchecked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What was verified: `size` entries under `root`, from the time `first` to `last` (None when there are none).

    `given` of them were there to be read: all, but in an extract, which says what was `asked` for and in `absent` which
    numbers are not in it, first and last. `gap` is the longest time between neighbours, `backs` the entries before
    which the clock was set back, and by how many seconds. `signer_checked` is True when a trusted key was given and
    found; `since` is the size of the earlier checkpoint, `stamped` that of the one with a time-stamp.
    """

    origin: str
    size: int
    root: bytes
    first: str | None
    last: str | None
    key: VerifierKey
    signer_checked: bool
    handovers: tuple[Handover, ...]
    since: int | None
    given: int
    absent: tuple[tuple[int, int], ...]
    gap: Gap
    backs: tuple[tuple[int, float], ...]
    asked: Mapping[str, str] | None = None
    cosigned: Cosigned | None = None
    stamped: int | None = None

    def as_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "ok": True,
            "origin": self.origin,
            "size": self.size,
            "root": self.root.hex(),
            "first": self.first,
            "last": self.last,
            "signer": "checked" if self.signer_checked else "not checked",
            "key": self.key.text,
            "fingerprint": self.key.fingerprint,
            "key_changes": [{"entry": change.seq, "lost": change.lost} for change in self.handovers],
            "since": self.since,
            "largest_gap": {"before_entry": self.gap.seq, "seconds": self.gap.seconds},
            "clock_set_back": [{"entry": seq, "seconds": seconds} for seq, seconds in self.backs],
        }
        if self.asked is not None:
            told |= {"asked": dict(self.asked), "given": self.given, "absent": [list(run) for run in self.absent]}
        if self.cosigned is not None:
            told["cosigned"] = {
                "size": self.cosigned.size,
                "witnesses": [
                    {"name": key.name, "key": key.text, "at": at.isoformat()} for key, at in self.cosigned.witnesses
                ],
                "not_checked": list(self.cosigned.unchecked),
            }
        if self.stamped is not None:
            told["stamped"] = self.stamped
        return told

    def as_text(self) -> str:
        """Some lines for people."""
        whole = self.asked is None
        times = f", from {self.first} to {self.last}" if self.given else ""
        rows = [
            f"{'verified' if self.signer_checked else 'internally consistent; signer not checked'}: {self.origin}",
            f"entries      {self.size}{times if whole else ''}",
        ]
        if not whole:
            rows += self._of_the_extract(times)
        rows += [
            f"root         {self.root.hex()}",
            f"key          {self.key.text}",
            f"fingerprint  {self.key.fingerprint}",
        ]
        if self.gap.seq is not None:
            passed = timedelta(seconds=self.gap.seconds)
            rows.append(f"longest gap  {passed} before entry {self.gap.seq}")
        for seq, seconds in self.backs[:SHOWN]:
            rows.append(f"entry {seq}: the clock was set back by {timedelta(seconds=seconds)}")
        if len(self.backs) > SHOWN:
            rows.append(f"and {len(self.backs) - SHOWN} more; --json lists them")
        rows += [f"entry {h.seq}: the signing key was {'lost' if h.lost else 'changed'}" for h in self.handovers]
        if self.since is not None:
            rows.append(f"continues the earlier checkpoint of {self.since} entries")
        if self.cosigned is not None:
            rows += self._of_witnesses(self.cosigned)
        if self.stamped is not None:
            rows.append(f"a time-stamp on the first {self.stamped} entries is enclosed, and not checked here")
        return "\n".join(rows)

    def _of_the_extract(self, times: str) -> list[str]:
        asked = ", ".join(f"{name} {text}" for name, text in (self.asked or {}).items())
        runs = [f"{first}" if first == last else f"{first}–{last}" for first, last in self.absent]
        listed = ", ".join(runs[:SHOWN]) + (f" and {len(runs) - SHOWN} more runs" if len(runs) > SHOWN else "")
        return [
            f"an extract   {self.given} of them are given{times}; each is in the tree",
            f"asked for    {asked} (that all such entries are given is the operator's word)",
            f"not in it    {self.size - self.given}: {listed or 'nothing'}",
        ]

    def _of_witnesses(self, found: Cosigned) -> list[str]:
        rows = [
            f"co-signed    the first {found.size} entries, by {key.name} at {at.isoformat()}"
            for key, at in found.witnesses
        ]
        rows += [
            f"not checked  a co-signature in the name of {name}: give its key as --witness" for name in found.unchecked
        ]
        if found.witnesses and self.size > found.size:
            rows.append(f"             no witness speaks for the {self.size - found.size} entries after these")
        return rows
