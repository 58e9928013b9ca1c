"""Bearer tokens: shown once, kept as a digest, limited in scope and time.

The secret is 256 random bits, so its plain SHA-256 cannot be guessed back and needs no salt or slow hash. The entries
that say a token was made or revoked are the service's; these functions only keep the rows.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from countenance.access import scopes
from countenance.domain.errors import BadInput, NotSignedIn, UnknownThing
from countenance.store.moments import from_row, maybe, to_row
from countenance.store.schema import tokens

PREFIX = "ctn_"
"""Begins every secret, so that scanners of code and logs can find one that leaked."""

_SHAPE = re.compile(r"ctn_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token; never its secret. Times are aware UTC. `account` is whose it is, None for whoever runs
    a personal home; `digest` is SHA-256 (hex) over the secret's."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    account: str | None = None
    digest: str = field(default="", repr=False)

    def state(self, now: datetime) -> str:
        """live, expired or revoked."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and now >= self.expires_at:
            return "expired"
        return "live"

    def as_json(self, now: datetime) -> dict[str, Any]:
        """For output."""
        return {
            "id": self.id,
            "name": self.name,
            "scopes": list(self.scopes),
            "created": self.created_at.isoformat(),
            "expires": self.expires_at.isoformat() if self.expires_at else None,
            "state": self.state(now),
            "account": self.account,
        }


def create(
    connection: Connection,
    name: str,
    wanted: Iterable[str],
    *,
    now: datetime,
    expires_at: datetime | None = None,
    account: str | None = None,
) -> tuple[Token, str]:
    """A new token and its secret, which is not kept and cannot be shown again.

    Raises BadInput for an empty name, an unknown scope, or an end that has passed.
    """
    name = name.strip()
    if not name or len(name) > 200:
        raise BadInput("a token needs a name of at most 200 characters", advice="name the program that will use it")
    if expires_at is not None and expires_at <= now:
        raise BadInput("the token would have expired already", advice="give a time to come")
    secret = PREFIX + secrets.token_urlsafe(32)
    kept, id = _digest(secret), f"token-{secrets.token_hex(6)}"
    token = Token(id, name, scopes.checked(wanted), now, expires_at, None, account, _shown(kept))
    connection.execute(
        insert(tokens).values(
            id=token.id,
            name=token.name,
            secret=kept,
            scopes=list(token.scopes),
            created_at=to_row(now),
            expires_at=to_row(expires_at) if expires_at else None,
            account=account,
        )
    )
    return token, secret


def enter(connection: Connection, id: str, seq: int) -> None:
    """Name the entry that bears a token out."""
    connection.execute(update(tokens).where(tokens.c.id == id).values(seq=seq))


def listed(connection: Connection) -> list[Token]:
    """Every token, the newest first, revoked ones too."""
    return [_token(row) for row in connection.execute(select(tokens).order_by(tokens.c.created_at.desc(), tokens.c.id))]


def get(connection: Connection, id: str) -> Token:
    """One token. Raises UnknownThing."""
    row = connection.execute(select(tokens).where(tokens.c.id == id)).first()
    if row is None:
        raise UnknownThing(f"there is no token {id}", advice="`countenance token list` shows them")
    return _token(row)


def revoke(connection: Connection, id: str, *, now: datetime) -> Token:
    """End a token, at once and for good; a second time changes nothing. Raises UnknownThing."""
    connection.execute(
        update(tokens).where(tokens.c.id == id, tokens.c.revoked_at.is_(None)).values(revoked_at=to_row(now))
    )
    return get(connection, id)


def check(connection: Connection, secret: str, *, now: datetime) -> tuple[Token, int | None]:
    """The live token that this secret opens, and the entry that it names; the caller asks the ledger.

    Raises NotSignedIn, without saying which of the reasons it was.
    """
    row = None
    if _SHAPE.fullmatch(secret):
        row = connection.execute(select(tokens).where(tokens.c.secret == _digest(secret))).first()
    token = _token(row) if row is not None else None
    if token is None or token.state(now) != "live":
        raise NotSignedIn("the token is unknown, expired or revoked", advice="make one with `countenance token create`")
    return token, row.seq if row is not None else None


def ended(connection: Connection, *, before: datetime) -> list[tuple[str, datetime]]:
    """Tokens that were revoked or expired up to a moment, and when."""
    found = [(one, min(filter(None, (one.revoked_at, one.expires_at)), default=None)) for one in listed(connection)]
    return sorted((one.id, at) for one, at in found if at is not None and at <= before)


def forget(connection: Connection, ids: Iterable[str]) -> None:
    """Delete the rows of these tokens."""
    connection.execute(delete(tokens).where(tokens.c.id.in_(list(ids))))


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _shown(kept: bytes) -> str:
    """What an entry says of a secret: a digest of the digest that the row keeps."""
    return hashlib.sha256(kept).hexdigest()


def _token(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        scopes=tuple(row.scopes),
        created_at=from_row(row.created_at),
        expires_at=maybe(row.expires_at),
        revoked_at=maybe(row.revoked_at),
        account=row.account,
        digest=_shown(row.secret),
    )
