"""Analyse proxy logs: read → judge → lay beside the ledger → record → tell, under pseudonyms.

An analysis of what staff did is itself an act that somebody answers for: it begins with an entry, and nothing of it is
told before the entry that it was made, with the hash of every file, is durable. What was read so far lies in the home's
work folder, so that one that was cut off goes on; it goes when the analysis is done.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta, timezone, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection

import countenance
from countenance.domain.authority import Actor
from countenance.domain.errors import BadInput, Refused
from countenance.domain.proxy import Rejected, Session
from countenance.ledger import seal
from countenance.services import fit, tell
from countenance.services.home import Home
from countenance.services.judged import AT_ONCE, Judged
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

BY: dict[str, Literal["user", "address", "both"]] = {
    "name": "user",
    "user": "user",
    "address": "address",
    "both": "both",
}


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
    keep_days: int

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
        with _scanned(asked, profiles, work, on_progress) as scanned:
            judged = Judged(work)
            try:
                judged.keep(_sessions(scanned, asked, profiles, self.policy))
                rejected(scanned.rejected())
                body = tell.body(
                    _read(scanned),
                    judged.tally,
                    _dated(profiles, judged.tally.stale),
                    _options(asked, self.policy),
                    tell.Names(self.home.pseudonym_key),
                )
                id = self._kept(body, judged, asked, actor, started.seq)
            finally:
                judged.close()
        shutil.rmtree(work, ignore_errors=True)
        return id

    def _kept(self, body: dict[str, Any], judged: Judged, asked: NewAnalysis, actor: Actor, started: int) -> str:
        """Enter the analysis into the ledger, then keep it and its sessions. Returns its id."""
        record, dpia = self.home.record, asked.dpia or self.policy.dpia
        id = str(body["analysis"])
        receipt = record.enter(
            ANALYSED,
            actor,
            {
                "analysis": id,
                "started": started,
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
            id, now, receipt.seq, actor.user, asked.why, dpia, body, now + timedelta(days=self.keep_days)
        )
        known = fit.calendar(record, judged.people)
        with record.database.write() as c:
            analyses.put(c, kept, self._rows(c, id, judged, known))
        return id

    def _rows(self, c: Connection, id: str, judged: Judged, known: fit.Calendar) -> Iterator[analyses.LogSession]:
        """The sessions as they are kept, in their order: told under pseudonyms, with what names people sealed."""
        names = tell.Names(self.home.pseudonym_key)
        sessions, done = iter(judged), set()
        while part := list(itertools.islice(sessions, AT_ONCE)):
            told = {}
            for session in part:
                beside = known.fit(session)
                shown = tell.told(session, names, beside)
                if shown["id"] not in done:
                    done.add(shown["id"])
                    told[analyses.session_item(id, shown["id"])] = shown, tell.hidden(session, beside)
            keys = items.keys_for(c, told)
            for item, (shown, hidden) in told.items():
                sealed = seal.seal(seal.ItemKey(item, keys[item]), BOUND, hidden)
                yield analyses.LogSession(id, shown["id"], shown, sealed)

    def _work(self, asked: NewAnalysis, profiles: Sequence[Profile]) -> Path:
        """The folder of what was read so far, the same when the same is asked again."""
        said = json.dumps([str(asked), sorted((p.name, p.version) for p in profiles), countenance.__version__])
        folder = self.home.log_work / hashlib.sha256(said.encode(errors="surrogateescape")).hexdigest()[:16]
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder


def _scanned(
    asked: NewAnalysis, profiles: Sequence[Profile], work: Path, on_progress: Callable[[int, int | None], None]
) -> Scanned:
    """Read everything; the caller closes it."""
    from countenance.proxylog.formats.kind import Reading
    from countenance.proxylog.profiles import needles
    from countenance.proxylog.scan import ScanOptions, scan

    options = ScanOptions(
        wanted=lambda host: any(profile.owns(host) or profile.shares(host) for profile in profiles),
        literals=needles(profiles),
        reading=Reading(_zone(asked.time_zone), asked.logformat, asked.mapping),
        format=asked.format or ("squid-custom" if asked.logformat else None),
        clock_offsets=asked.clock_offsets,
        key=" ".join(f"{profile.name} {profile.version}" for profile in profiles),
    )
    return scan(asked.paths, options, work, lambda done, total, _: on_progress(done, total))


def _sessions(
    scanned: Scanned, asked: NewAnalysis, profiles: Sequence[Profile], policy: ProxyLogSettings
) -> Iterable[Session]:
    """The sessions, as they are judged."""
    from countenance.proxylog.people import load
    from countenance.proxylog.rows import Options
    from countenance.proxylog.sessions import judged

    requests = scanned.requests()
    if asked.user_map is not None:
        requests = map(load(asked.user_map, _zone(asked.time_zone)).named, requests)
    return judged(requests, profiles, Options(by=BY[asked.users], idle_seconds=60.0 * policy.gap_minutes))


def _read(scanned: Scanned) -> tell.Read:
    """What was read, as it is told."""
    faults = {fault.file: fault.words for fault in scanned.faults}
    files = [
        file.as_json() | ({"fault": faults.pop(file.file)} if file.file in faults else {}) for file in scanned.files
    ]
    coverage = scanned.coverage.as_json() | {
        "faults": [fault.as_json() for fault in scanned.faults],
        "order": [one.as_json() for one in scanned.order],
    }
    return tell.Read(
        files=files,
        coverage=coverage,
        rejected=sum(scanned.reasons.values()),
        by_reason=dict(scanned.reasons),
        listed=[
            {"file": line.file, "line": line.line, "reason": line.reason}
            for line in itertools.islice(scanned.rejected(), LISTED)
        ],
    )


def _dated(profiles: Sequence[Profile], stale: set[str]) -> list[dict[str, Any]]:
    """The profiles, each with whether a finding rests on it outside of its dates: by the log's dates, not today's."""
    return [
        {
            "name": profile.name,
            "title": profile.title,
            "category": profile.category,
            "version": profile.version,
            "since": profile.since.isoformat(),
            "checked": profile.checked.isoformat(),
            "stale_after": profile.stale_after.isoformat(),
            "how_verified": profile.how_verified,
            "stale": profile.name in stale,
        }
        for profile in profiles
    ]


def _zone(text: str | None) -> tzinfo | None:
    """A zone by name (Europe/London) or offset (+01:00). Raises BadInput."""
    if text is None:
        return None
    if found := re.fullmatch(r"([+-])(\d{1,2}):?(\d{2})?", text, re.ASCII):
        sign = -1 if found[1] == "-" else 1
        minutes = int(found[2]) * 60 + int(found[3] or 0)
        if minutes <= 24 * 60 - 1:
            return timezone(sign * timedelta(minutes=minutes))
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInput(f"not a time zone: {text}", advice="write it as Europe/London or +01:00") from None


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
