"""The last resort: two people who each keep a secret can together restore a lost last administrator.

The secrets are made once, for two holders; their digests stand in the ledger and nowhere else. Using them is an entry,
uses them up, and is shown on every start page and by every doctor for a month.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta

from countenance.access import roles
from countenance.domain.authority import Actor
from countenance.domain.errors import NotSignedIn, Refused
from countenance.domain.people import Account
from countenance.services.people import People, digest
from countenance.store import moments

MADE = "people.recovery-made"
USED = "people.recovery-used"
WRONG = "people.recovery-refused"
PREFIX = "ctr_"
LOUD = timedelta(days=30)


def make(people: People, actor: Actor) -> tuple[str, str]:
    """Two secrets for two holders, shown this once; those before are void. Raises RoleMissing."""
    actor = people.admit(actor, "recovery")
    first, second = (PREFIX + secrets.token_urlsafe(32) for _ in range(2))
    people.record.enter(MADE, actor, {"digests": [digest(first), digest(second)]})
    return first, second


def use(people: People, first: str, second: str, name: str, actor: Actor) -> tuple[Account, str]:
    """Make this account an administrator's and give it a new set-up code; a name that nobody has gets an account.

    Needs no role: the secrets are the leave. Raises NotSignedIn when they are not the two, Refused when there are none.
    """
    known = people.known(actor)
    recovery = people.told().recovery
    if recovery is None or recovery.used:
        raise Refused("there are no recovery secrets", advice="an administrator makes them: countenance recovery make")
    given = sorted((digest(first.strip()), digest(second.strip())))
    if not hmac.compare_digest("".join(given), "".join(sorted(recovery.digests))):
        people.record.enter(WRONG, known, {})
        raise NotSignedIn("these are not the two recovery secrets", advice="both holders give theirs, each once")
    with people.changing():
        account = people.told().by_name(name)
        id = account.id if account is not None else secrets.token_hex(6)
        people.record.enter(USED, known, {"account": id, "new": account is None})
        given = ["administrator"] if people.profile.two_people else list(roles.checked(roles.EVERY_ROLE, apart=False))
        if account is None:
            code = people.enrol(id, name, given, known, first=False)
        else:
            if account.disabled:
                people.record.enter("people.enabled", known, {"account": id})
            body = {"account": id, "roles": given, "before": list(account.roles)}
            people.record.enter("people.roles-changed", known, body)
            code = people.renew(account, known)
    return people.account(id), code


def used_lately(people: People) -> datetime | None:
    """When the secrets were used, as long as people are told of it."""
    used = people.told().restored_at
    return used if used is not None and moments.now() < used + LOUD else None
