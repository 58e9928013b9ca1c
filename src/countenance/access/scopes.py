"""What a bearer token may be good for."""

from __future__ import annotations

from collections.abc import Iterable

from countenance.domain.errors import BadInput

SCOPES: dict[str, str] = {
    "status:read": "See what the home holds, in numbers.",
    "sources:read": "List and show sources, collections and runs.",
    "sources:write": "Register a source.",
    "ingest": "Start a run that reads a source.",
    "search": "Find faces in a photograph, search under an authority, open what a search showed.",
    "export": "Export a search, naming its recipient.",
    "authorities:read": "List and show authorities.",
    "authorities:request": "Ask for an authority.",
    "authorities:write": "Approve, decline, grant and revoke authorities; close cases.",
    "oversight:read": "Read the ledger as acts of people, for one of the lawful purposes.",
    "subject": "Answer somebody who asks what is held about them, under an authority.",
    "retention:read": "See how long what is kept, what is due, what was destroyed.",
    "holds:read": "See legal holds, with their cases and reasons.",
    "holds:write": "Place and release legal holds.",
    "reviews:read": "List reviews and how each reviewer judges.",
    "reviews:judge": "Judge pairs of faces.",
    "inspections:read": "List inspections: all of them, or one's own.",
    "inspections:judge": "Read the file of a search that one inspects, and say what one found.",
    "inspections:answer": "See the follow-ups of inspections that are one's own, and say what was done.",
    "inspections:draw": "Draw searches for inspection, and say who looks at them.",
    "ledger:read": "Read, check and export the ledger.",
    "proxylog:read": "Read analyses of proxy logs, under pseudonyms.",
    "proxylog:unmask": "Be the second person who agrees that somebody in a proxy log is named.",
    "accounts:read": "List accounts and their roles.",
    "accounts:write": "Make, change, disable and reset accounts.",
}
"""Every scope, in plain words. A scope never stands in for an authority: a search needs both."""

EVERY_SCOPE = frozenset(SCOPES)
"""What the one person of a personal home has."""


def checked(names: Iterable[str]) -> tuple[str, ...]:
    """The scopes, each once, in the order of :data:`SCOPES`. Raises BadInput for an unknown one, or for none."""
    wanted = frozenset(names)
    if unknown := sorted(wanted - EVERY_SCOPE):
        raise BadInput(f"no such scope: {', '.join(unknown)}", advice=f"choose from {', '.join(SCOPES)}")
    if not wanted:
        raise BadInput("a token needs at least one scope", advice=f"choose from {', '.join(SCOPES)}")
    return tuple(name for name in SCOPES if name in wanted)
