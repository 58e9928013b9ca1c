"""The settings that bear on results or promises, so that a change of one of them is an entry.

Compared at each opening, under the lock that every opening takes, with what the home remembers. What a setting is in
force with is what counts, wherever it was said: in the file, in the environment or as an option.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from countenance.domain.authority import Actor
from countenance.services.record import Record
from countenance.settings import Settings

REMEMBERED = "settings"
PARTS = (
    "search", "faces", "images", "retention", "crawl", "proxylog", "ledger", "authority", "oversee", "mail", "people",
    "oidc",
)  # fmt: skip

_BOUND = "faces.pack"
"""Not among them: a home keeps the pack it began with, and another one is refused."""

_PATHS = (
    "faces.weights",
    "people.breached_passwords",
    "ledger.tsa_certificates",
    "mail.ca_file",
    "mail.password_file",
)
_ADDRESSES = ("mail.sender", "mail.to", "mail.user")
_SAFE_INTEGER = 2**53 - 1


def effective(settings: Settings) -> dict[str, Any]:
    """Every such setting by its full name, as a value that stands in canonical JSON; of a path a text."""
    found: dict[str, Any] = {"demo": settings.demo}
    for part in PARTS:
        for name, value in getattr(settings, part).model_dump().items():
            found[f"{part}.{name}"] = _plain(value)
    del found[_BOUND]
    return found


def told(values: Mapping[str, Any]) -> dict[str, Any]:
    """What an entry may hold of them: a path of this machine is nobody's business, only whether there is one."""
    return {name: _hidden(name, value) for name, value in values.items()}


def notice(record: Record, now: Mapping[str, Any], actor: Actor) -> None:
    """Enter what has changed since the last opening, then remember it. The caller holds the home's opening.

    A crash in between enters it once more; nothing changes without an entry.
    """
    kept = record.database.meta(REMEMBERED)
    before: dict[str, Any] = json.loads(kept) if kept is not None else {}
    if before == now:
        return
    changed = [
        {"name": name, "old": _hidden(name, before.get(name)), "new": _hidden(name, now.get(name))}
        for name in sorted(before.keys() | now.keys())
        if name not in before or name not in now or before[name] != now[name]
    ]
    record.enter("settings.changed", actor, {"changed": changed})
    remember(record, now)


def remember(record: Record, now: Mapping[str, Any]) -> None:
    """Keep them as those in force."""
    record.database.set_meta(REMEMBERED, json.dumps(now, sort_keys=True))


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    exact = isinstance(value, float) and value - value == 0
    small = isinstance(value, int) and abs(value) <= _SAFE_INTEGER
    if isinstance(value, (dict, tuple)):
        value = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return value if value is None or isinstance(value, str) or exact or small else str(value)


def _hidden(name: str, value: Any) -> Any:
    if name in _ADDRESSES:
        return "an address" if value not in (None, "[]") else None
    return "a path" if name in _PATHS and value is not None else value
