"""Tokens of programs: each belongs to an account, reaches no further than its roles, and has its entry."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from countenance.access import roles, tokens
from countenance.access.tokens import Token
from countenance.domain.authority import Actor
from countenance.domain.errors import BadInput, NotSignedIn, Refused
from countenance.services.people import People, system_actor
from countenance.store import moments

CREATED = "token.created"
REVOKED = "token.revoked"


def create(
    people: People, name: str, scopes: Iterable[str], expires: datetime | None, actor: Actor
) -> tuple[Token, str]:
    """A token of whoever makes it, and its secret, shown this once.

    Raises BadInput, also for a scope that no role of theirs reaches.
    """
    actor = people.admit(actor, "tokens")
    scopes = list(scopes)
    if beyond := sorted(set(scopes) & roles.ACTS.keys() - roles.acts_of(actor.roles)):
        raise BadInput(
            f"no role of yours goes so far as {', '.join(beyond)}", advice="a token does what its owner may do, or less"
        )
    account = actor.user.removeprefix("user:") if actor.user.startswith("user:") else None
    record = people.record
    # Held until the entry is written: a token that is in no ledger is never there to be used.
    with record.database.write() as c:
        token, secret = tokens.create(c, name, scopes, now=moments.now(), expires_at=expires, account=account)
        receipt = record.enter(CREATED, actor, _said(token))
        tokens.enter(c, token.id, receipt.seq)
    return token, secret


def check(people: People, secret: str) -> tuple[Token, Actor]:
    """The live token that a secret opens, and who acts through it. Raises NotSignedIn.

    A token from before there were accounts has no entry that bears it out, and is good in a personal home alone.
    """
    with people.record.database.read() as c:
        token, seq = tokens.check(c, secret, now=moments.now())
    old = seq is None and token.account is None and not people.profile.two_people
    if not old and not people.record.bears(seq, CREATED, _said(token)):
        raise NotSignedIn("the ledger does not bear this token out", advice="make one with `countenance token create`")
    door = f"token:{token.id}"
    actor = people.known(Actor(f"user:{token.account}", door) if token.account is not None else system_actor(door))
    if not actor.roles:
        raise NotSignedIn("the account of this token is closed", advice="ask an administrator")
    return token, actor


def listed(people: People, actor: Actor) -> list[Token]:
    """Every token of a personal home; of an organisation, one's own, or for an administrator everybody's."""
    actor = people.admit(actor, "tokens")
    with people.record.database.read() as c:
        return [token for token in tokens.listed(c) if _reaches(people, token, actor)]


def revoke(people: People, id: str, actor: Actor) -> Token:
    """Revoke at once. Revoking twice changes nothing. Raises UnknownThing, Refused for somebody else's."""
    actor = people.admit(actor, "tokens")
    with people.record.database.read() as c:
        found = tokens.get(c, id)
    if not _reaches(people, found, actor):
        raise Refused("this token is somebody else's", advice="its owner revokes it, or an administrator")
    with people.changing():
        with people.record.database.read() as c:
            ended = tokens.get(c, id).revoked_at is not None
        with people.record.database.write() as c:
            token = tokens.revoke(c, id, now=moments.now())
        if not ended:
            people.record.enter(REVOKED, actor, {"token": id})
    return token


def _reaches(people: People, token: Token, actor: Actor) -> bool:
    whose = f"user:{token.account}"
    return not people.profile.two_people or whose == actor.user or "accounts:write" in roles.acts_of(actor.roles)


def _said(token: Token) -> dict[str, Any]:
    return {
        "token": token.id,
        "name": token.name,
        "scopes": list(token.scopes),
        "account": token.account,
        "expires": token.expires_at.isoformat() if token.expires_at else None,
        "digest": token.digest,
    }
