"""Say who a session of an analysis was: two people, a reason, and an entry before anything is told.

Until people can sign in, the second person is whoever holds a token made for this (`proxylog:unmask`); the first may
not use one and the same token for both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from countenance.access import tokens
from countenance.domain.authority import Actor
from countenance.domain.errors import BadInput, NotSignedIn, ScopeMissing, UnknownThing
from countenance.ledger import seal
from countenance.services.record import Record
from countenance.store import analyses, items, moments

SCOPE = "proxylog:unmask"
BOUND = b"proxylog session"
LEAST_REASON = 10

UNMASKED = "proxylog.unmasked"


@dataclass(frozen=True, slots=True)
class Unmasking:
    """What is asked: which session, why, and the secret of the second person's token."""

    session: str
    reason: str
    second_secret: str
    analysis: str | None = None


def unmask(record: Record, asked: Unmasking, actor: Actor) -> dict[str, Any]:
    """Who it was, and the log's own lines. The entry is durable first.

    Raises UnknownThing, BadInput without a reason, NotSignedIn for a token that is not good, ScopeMissing for one that
    was made for something else, LedgerUnavailable.
    """
    reason = asked.reason.strip()
    if len(reason) < LEAST_REASON:
        raise BadInput("unmasking needs a reason in words", advice="say why this person must be known, in a sentence")
    with record.database.read() as c:
        found = analyses.session(c, asked.session, asked.analysis)
        second = tokens.check(c, asked.second_secret, now=moments.now())
        key = items.open_keys(c, [analyses.session_item(found.analysis, found.id)])
    if SCOPE not in second.scopes:
        raise ScopeMissing(
            f"the second person's token was not made for `{SCOPE}`",
            advice=f'they make one with: countenance token create "their name" --scope {SCOPE}',
            details={"scope": SCOPE},
        )
    if actor.via == f"token:{second.id}":
        raise NotSignedIn("the second person is somebody else", advice="two people unmask, each with their own token")
    item = analyses.session_item(found.analysis, found.id)
    if item not in key:
        raise UnknownThing("what was sealed of this session has been erased")
    opened = seal.open_sealed(seal.ItemKey(item, key[item]), BOUND, found.sealed)
    receipt = record.enter(
        UNMASKED,
        actor,
        {
            "analysis": found.analysis,
            "session": found.id,
            "pseudonym": found.body["user"],
            "second": {"token": second.id, "name": second.name},
        },
        sealed={analyses.note_item(found.analysis, found.id): {"reason": reason}},
    )
    return {
        "analysis": found.analysis,
        "session": found.id,
        "pseudonym": found.body["user"],
        **opened,
        "second": second.name,
        "entry": receipt.seq,
        "receipt": receipt.as_json(),
    }
