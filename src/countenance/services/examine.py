"""What really runs, what is wrong, and how to mend it."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from countenance import __version__
from countenance.domain.errors import CountenanceError
from countenance.faces.packs import find_pack
from countenance.faces.runtime import open_engine
from countenance.faces.weights import cache_folder, verify
from countenance.services import recovery
from countenance.services.clock import sentence, troubles
from countenance.services.home import default_key_dir
from countenance.services.keys import KeyRing, described
from countenance.services.people import People
from countenance.services.workers import worker_count
from countenance.store import moments
from countenance.store.server import look

LOW_DISK = 2 * 2**30


@dataclass(frozen=True, slots=True)
class Finding:
    """`severity` is "fault" (something does not work) or "advice" (it could work better)."""

    severity: str
    what: str
    how: str


@dataclass(frozen=True, slots=True)
class Examined:
    """What to look at: plain values out of the settings."""

    home: Path
    key_dir: Path | None
    pack: str
    runtime: str
    weights: Path | None
    workers: int
    offline: bool
    database: str | None = field(default=None, repr=False)
    """Address of a PostgreSQL database of the rows."""


def examine_machine(subject: Examined) -> dict[str, Any]:
    """Facts and findings that need no home: cores, models, inference, disk."""
    findings: list[Finding] = []
    facts: dict[str, Any] = {
        "countenance": __version__,
        "python": platform.python_version(),
        "cores": worker_count(0),
        "workers": worker_count(subject.workers),
        "weights": str(cache_folder()),
    }
    _disk(subject.home, facts, findings)
    _permissions(subject.home, subject.key_dir or default_key_dir(), facts, findings)
    _server(subject.database, facts, findings)
    try:
        pack = find_pack(subject.pack)
        states = verify(pack, weights_dir=subject.weights)
        facts["pack"] = f"{pack.id} ({pack.licence})"
        for state in states:
            if state.state == "missing":
                how = f"countenance models install {pack.id}"
                severity = "fault" if subject.offline else "advice"
                findings.append(Finding(severity, f"the weights {state.file} are not here yet", how))
            elif state.state == "altered":
                how = f"countenance models install {pack.id} replaces them; ask who changed them"
                findings.append(Finding("fault", f"the weights {state.file} are not what the pack says", how))
        engine = open_engine(subject.runtime, 1)  # type: ignore[arg-type]
        described = engine.describe()
        facts |= {f"inference {name}": value for name, value in described.items()}
        if described.get("hint"):
            findings.append(Finding("advice", "the models could run faster", str(described["hint"])))
    except CountenanceError as error:
        findings.append(Finding("fault", error.message, error.advice))
    return {"facts": facts, "findings": [asdict(finding) for finding in findings]}


def examine_home(
    ring: KeyRing,
    people: People,
    mail: Mapping[str, Any],
    clock: Iterable[dict[str, Any]],
    changed: Iterable[str],
) -> dict[str, Any]:
    """Facts and findings of an open home: its keys, profile, mail and clock, whether rows and vectors agree."""
    clock = list(clock)
    faults = ring.index().verify() if ring.pack else []
    findings = [fault(what, "restore the home from a backup") for what in faults]
    for row in changed:
        what = f"a row of the database does not say what its entry in the ledger says: {row}"
        findings.append(fault(what, "ask who changed the database; restore the home from a backup"))
    profile, today = people.profile, moments.now().date()
    name_them = "`countenance profile set organisation` names those in force"
    findings += [fault(f"{what}; the server does not start", name_them) for what in profile.lapsed(today)]
    findings += [asdict(Finding("advice", what, name_them)) for what in profile.lapsing(today)]
    if (used := recovery.used_lately(people)) is not None:
        what = f"the recovery secrets were used on {used:%Y-%m-%d %H:%M} UTC to restore an administrator"
        findings.append(asdict(Finding("advice", what, "was it you? Then make new ones: countenance recovery make")))
    if profile.kept_bases:
        what = f"this personal home rests on bases of an organisation: {', '.join(profile.kept_bases)}"
        how = "they stay allowed here; countenance profile set organisation gives it the rules that go with them"
        findings.append(asdict(Finding("advice", what, how)))
    if mail["on"] and mail["error"]:
        what = f"the checkpoint was not mailed to its overseers: {mail['error']} ({mail['failed'][:16]} UTC)"
        findings.append(fault(what, "mend the settings under `mail`, then: countenance ledger mail"))
    for one in troubles(clock, mail_told=bool(mail["on"] and mail["error"])):
        if one["error"]:
            findings.append(fault(sentence(one), "the log of the server that met it says where; it is tried again"))
        else:
            how = "a running server does it: countenance serve; or by hand: countenance retention run"
            findings.append(asdict(Finding("advice", sentence(one), how)))
    keys = described(ring)
    facts = {
        "ledger key": keys["ledger"],
        "templates' key": keys["templates"],
        "ledger entries": people.record.ledger.size,
        "profile": profile.name,
        "accounts": len(people.accounts()),
        "retention ran": next((one["last"] or "never" for one in clock if one["duty"] == "retention"), "never")[:16],
        "checkpoint mailed": (mail["sent"] or "never")[:16] if mail["on"] else "off",
    }
    return {"facts": facts, "findings": findings}


def fault(what: str, how: str) -> dict[str, str]:
    """Something that does not work, as a report has it."""
    return asdict(Finding("fault", what, how))


def _server(address: str | None, facts: dict[str, Any], findings: list[Finding]) -> None:
    if address is None:
        return
    try:
        server = look(address)
    except CountenanceError as error:
        findings.append(Finding("fault", error.message, error.advice))
        return
    facts["database"] = f"PostgreSQL {server.version} at {server.where}"
    findings.extend(Finding("fault", *said) for said in server.risks)
    findings.extend(Finding("advice", *said) for said in server.advice)


def _disk(home: Path, facts: dict[str, Any], findings: list[Finding]) -> None:
    place = home
    while not place.exists() and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free
    facts["home"] = str(home)
    facts["free disk"] = f"{free / 2**30:.1f} GiB"
    if free < LOW_DISK:
        findings.append(Finding("fault", "the disk is nearly full", "free some room, or move the home with --home"))
    if home.exists() and not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        findings.append(Finding("fault", "the home cannot be written by this user", f"chown or chmod {home}"))


def _permissions(home: Path, keys: Path, facts: dict[str, Any], findings: list[Finding]) -> None:
    facts["keys"] = str(keys)
    if home.exists() and keys.exists() and keys.resolve().is_relative_to(home.resolve()):
        findings.append(
            Finding(
                "advice", "the keys lie inside the home, so every backup of it holds them", "use --key-dir elsewhere"
            )
        )
    if home.exists() and home.stat().st_mode & 0o077:
        findings.append(Finding("advice", "other users can look into the home", f"chmod 700 {home}"))
    if not keys.exists():
        return
    for key in sorted(keys.rglob("*")):
        if key.is_file() and key.stat().st_mode & 0o077:
            findings.append(Finding("fault", f"the key {key.name} is open to other users", f"chmod 600 {key}"))
