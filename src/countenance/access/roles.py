"""Who may do what: one table, which every page, operation of the API and command asks.

A role can do its thing and nothing else. The administrator runs the house and sees no case; the auditor sees everything
and changes nothing; who asks for a search is not who approves it.
"""

from __future__ import annotations

from collections.abc import Iterable

from countenance.access.scopes import SCOPES
from countenance.domain.errors import BadInput

ROLES: dict[str, str] = {
    "requester": "Asks for authorities, searches under them, exports, erases.",
    "authoriser": "Approves and declines requests, revokes authorities, places legal holds.",
    "reviewer": "Judges candidates, inspects searches, and analyses proxy logs.",
    "auditor": "Reads everything and draws searches for inspection; changes nothing else.",
    "administrator": "Runs the house: sources, accounts, keys. Neither searches nor reads cases.",
    "subject": "The person whose face it is. Nothing yet.",
}
"""Every role, in plain words."""

ACTS: dict[str, str] = SCOPES | {
    "backup": "Write the home into an encrypted file.",
    "erase": "Erase sightings, images and sources.",
    "keys": "Show, export and change the keys.",
    "ledger:witness": "Have the ledger co-signed by witnesses and stamped by a time-stamping service.",
    "ledger:mail": "Mail the ledger's checkpoint to its overseers.",
    "profile:read": "See which profile the home has, and its documents.",
    "profile:write": "Change the profile and name its documents.",
    "proxylog:analyse": "Analyse a proxy's log.",
    "proxylog:profiles": "Add and drop profiles of sites.",
    "recovery": "Make the two secrets that restore a lost last administrator.",
    "reviews:controls": "Add and take away known pairs.",
    "retention": "Erase what is over its time.",
    "serve": "Start the server.",
    "tokens": "Make, list and revoke one's own tokens.",
}
"""Every act that somebody is asked leave for: what a token can be good for, and what only people do."""

_EVERYBODY = frozenset({"status:read", "sources:read", "profile:read", "retention:read", "inspections:answer"})

TABLE: dict[str, frozenset[str]] = {
    "requester": _EVERYBODY
    | {"authorities:request", "authorities:read", "search", "export", "erase", "subject"}
    | {"reviews:read", "tokens"},
    "authoriser": _EVERYBODY
    | {"authorities:read", "authorities:write", "holds:read", "holds:write"}
    | {"proxylog:read", "proxylog:unmask", "tokens"},
    "reviewer": _EVERYBODY
    | {"reviews:judge", "authorities:read", "proxylog:read", "proxylog:analyse", "tokens"}
    | {"inspections:read", "inspections:judge"},
    "auditor": _EVERYBODY
    | {
        "oversight:read",
        "holds:read",
        "inspections:read",
        "inspections:judge",
        "inspections:draw",
        "reviews:read",
        "authorities:read",
        "ledger:read",
        "ledger:witness",
        "ledger:mail",
        "proxylog:read",
        "proxylog:unmask",
        "accounts:read",
    },
    "administrator": _EVERYBODY
    | {"sources:write", "ingest", "erase", "retention", "keys", "serve", "accounts:read", "accounts:write"}
    | {
        "backup",
        "ledger:mail",
        "ledger:witness",
        "reviews:controls",
        "profile:write",
        "proxylog:profiles",
        "recovery",
        "tokens",
    },
    "subject": frozenset(),
}
"""What each role may do. What is not here it may not."""

EVERY_ROLE = frozenset(ROLES) - {"subject"}
"""What the one person of a personal home has."""

ALONE = frozenset({"administrator", "auditor"})
"""Roles that, in an organisation, go together with no other."""


def may(role: str, act: str) -> bool:
    """Whether a role may do an act. Raises KeyError for either that does not exist: a misspelt act opens nothing."""
    if act not in ACTS:
        raise KeyError(act)
    return act in TABLE[role]


def acts_of(roles: Iterable[str]) -> frozenset[str]:
    """Everything that somebody with these roles may do."""
    return frozenset(act for role in roles for act in TABLE[role])


def checked(names: Iterable[str], *, apart: bool) -> tuple[str, ...]:
    """The roles, each once, in the order of :data:`ROLES`. With `apart`, those that must stand alone do.

    Raises BadInput for an unknown one, for none, or for two that do not go together.
    """
    wanted = frozenset(names)
    if unknown := sorted(wanted - frozenset(ROLES)):
        raise BadInput(f"no such role: {', '.join(unknown)}", advice=f"choose from {', '.join(ROLES)}")
    if not wanted:
        raise BadInput("an account needs at least one role", advice=f"choose from {', '.join(ROLES)}")
    if apart and len(wanted) > 1 and (alone := sorted(wanted & ALONE)):
        raise BadInput(
            f"{' and '.join(alone)} cannot be held together with another role",
            advice="who runs the house sees no case, and who audits it takes no part in it; make a second account",
        )
    return tuple(name for name in ROLES if name in wanted)
