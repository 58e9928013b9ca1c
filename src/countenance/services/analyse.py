"""Analyse proxy logs: read → judge → lay beside the ledger → record → tell, under pseudonyms.

An analysis of what staff did is itself an act that somebody answers for: it begins with an entry, and nothing of it is
told before the entry that it was made, with the hash of every file, is durable. What was read so far lies in the home's
work folder, so that one that was cut off goes on; it goes when the analysis is done.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import countenance
from countenance.domain.authority import Actor
from countenance.domain.errors import BadInput, Refused
from countenance.domain.proxy import Rejected, Session
from countenance.ledger import seal
from countenance.services import fit, tell
from countenance.services.home import Home
from countenance.services.unmask import BOUND
from countenance.settings import ProxyLogSettings
from countenance.store import analyses, items, moments

if TYPE_CHECKING:
    from countenance.proxylog.scan import Scanned
    from countenance.proxylog.site import Profile

STARTED = "proxylog.started"
ANALYSED = "proxylog.analysed"
LISTED = 1000
"""Rejected lines that an analysis lists; all of them can be had while it is made."""

BY = {"name": "user", "user": "user", "address": "address", "both": "both"}


@dataclass(frozen=True, slots=True)
class NewAnalysis:
    """What is asked for. `profiles` are names or files, all that are known when empty; `users` is name, address or
    both; `clock_offsets` are "SECONDS" or "FILE=SECONDS"; `mapping` is the text of a generic format's TOML."""

    paths: tuple[str, ...]
    profiles: tuple[str, ...] = ()
    users: str = "name"
    user_map: Path | None = None
    format: str | None = None
    logformat: str | None = None
    mapping: str | None = None
    time_zone: str | None = None
    clock_offsets: tuple[str, ...] = ()
    why: str = ""
    dpia: str | None = None


@dataclass(frozen=True, slots=True)
class LogAnalyst:
    """Everything an analysis needs, handed over."""

    home: Home
    policy: ProxyLogSettings

    def analyse(
        self,
        asked: NewAnalysis,
        profiles: Sequence[Profile],
        actor: Actor,
        *,
        rejected: Callable[[Iterable[Rejected]], None] = lambda _: None,
        on_progress: Callable[[int, int | None], None] = lambda *_: None,
    ) -> str:
        """Make an analysis and return its id. `rejected` is handed every line that could not be read.

        Raises BadInput, Refused without the id of an impact assessment where one is required, LedgerUnavailable.
        """
        dpia = asked.dpia or self.policy.dpia
        if self.policy.require_dpia and not dpia:
            raise Refused(
                "an analysis of what staff did needs the id of its impact assessment",
                advice="give it with --dpia, or set proxylog.dpia",
            )
        if asked.users not in BY:
            raise BadInput(f"people are not told apart by {asked.users}", advice="choose name, address or both")
        record = self.home.record
        started = record.enter(STARTED, actor, {"inputs": len(asked.paths), "dpia": dpia})
        work = self._work(asked, profiles)
        with _read(asked, profiles, work, on_progress) as scanned:
            sessions = _judged(scanned, asked, profiles, self.policy)
            rejected(scanned.rejected())
            body, told = self._told(scanned, sessions, asked, profiles)
        id = body["analysis"]
        receipt = record.enter(
            ANALYSED,
            actor,
            {
                "analysis": id,
                "started": started.seq,
                "files": [
                    {"sha256": f["sha256"], "lines": f["lines"], "rejected": f["rejected"]} for f in body["input"]
                ],
                "profiles": [{"name": p["name"], "version": p["version"]} for p in body["profiles"]],
                "dpia": dpia,
                "totals": body["totals"],
            },
            sealed={analyses.note_item(id): {"why": asked.why, "files": [f["file"] for f in body["input"]]}},
        )
        now = moments.now()
        kept = analyses.Analysis(
            id, now, receipt.seq, actor.user, asked.why, dpia, body, now + timedelta(days=self.policy.retain_days)
        )
        with record.database.write() as c:
            keys = items.keys_for(c, [analyses.session_item(id, sid) for sid in told])
            rows = []
            for sid, (shown, hidden) in told.items():
                item = analyses.session_item(id, sid)
                sealed = seal.seal(seal.ItemKey(item, keys[item]), BOUND, hidden)
                rows.append(analyses.LogSession(id, sid, shown, sealed))
            analyses.put(c, kept, rows)
        shutil.rmtree(work, ignore_errors=True)
        return str(id)

    def _work(self, asked: NewAnalysis, profiles: Sequence[Profile]) -> Path:
        """The folder of what was read so far, the same when the same is asked again."""
        said = json.dumps([str(asked), sorted((p.name, p.version) for p in profiles), countenance.__version__])
        folder = self.home.log_work / hashlib.sha256(said.encode(errors="surrogateescape")).hexdigest()[:16]
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def _told(
        self, scanned: Scanned, sessions: Sequence[Session], asked: NewAnalysis, profiles: Sequence[Profile]
    ) -> tuple[dict[str, Any], dict[str, tuple[dict[str, Any], dict[str, Any]]]]:
        """The analysis without its sessions; and each session's id → (what is told, what is sealed)."""
        names = tell.Names(self.home.pseudonym_key)
        known = fit.calendar(self.home.record, {s.who for s in sessions if s.by == "user"})
        told = {}
        for session in sessions:
            beside = known.fit(session)
            shown = tell.told(session, names, beside)
            told[shown["id"]] = (shown, tell.hidden(session, beside))
        return tell.body(scanned, sessions, names, profiles, _options(asked, self.policy), listed=LISTED), told


def _options(asked: NewAnalysis, policy: ProxyLogSettings) -> dict[str, Any]:
    """What the outcome depends on beside the files and the profiles."""
    return {
        "by": BY[asked.users],
        "gap_minutes": policy.gap_minutes,
        "time_zone": asked.time_zone or "UTC",
        "clock_offsets": sorted(asked.clock_offsets),
        "format": asked.format,
        "logformat": asked.logformat,
        "mapping": hashlib.sha256(asked.mapping.encode()).hexdigest() if asked.mapping else None,
        "user_map": hashlib.sha256(asked.user_map.read_bytes()).hexdigest() if asked.user_map else None,
    }
