"""Say who a session of an analysis was: two people, a reason, and an entry before anything is told.

The second person agrees with a token made for this (`proxylog:unmask`), which is not the one that the first uses. In an
organisation it belongs to another account, whose roles reach that far.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from countenance.domain.authority import Actor
from countenance.domain.errors import BadInput, NotSignedIn, ScopeMissing, UnknownThing
from countenance.ledger import seal
from countenance.services import tokens
from countenance.services.people import People
from countenance.store import analyses, items

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


def unmask(people: People, asked: Unmasking, actor: Actor) -> dict[str, Any]:
    """Who it was, and the log's own lines. The entry is durable first.

    Raises UnknownThing, BadInput without a reason, NotSignedIn for a token that is not good, ScopeMissing for one that
    was made for something else, LedgerUnavailable.
    """
    record, actor = people.record, people.admit(actor, SCOPE)
    reason = asked.reason.strip()
    if len(reason) < LEAST_REASON:
        raise BadInput("unmasking needs a reason in words", advice="say why this person must be known, in a sentence")
    with record.database.read() as c:
        found = analyses.session(c, asked.session, asked.analysis)
        key = items.open_keys(c, [analyses.session_item(found.analysis, found.id)])
    second, other = tokens.check(people, asked.second_secret)
    if SCOPE not in second.scopes:
        raise ScopeMissing(
            f"the second person's token was not made for `{SCOPE}`",
            advice=f'they make one with: countenance token create "their name" --scope {SCOPE}',
            details={"scope": SCOPE},
        )
    if actor.via == f"token:{second.id}":
        raise NotSignedIn("the second person is somebody else", advice="two people unmask, each with their own token")
    if people.profile.two_people:
        people.admit(other, SCOPE)
        if other.names & actor.names:
            raise NotSignedIn("the second person is somebody else", advice="two people unmask, and this is one")
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
