"""The profile of a home when it is made, and that of a home from before there were profiles."""

from __future__ import annotations

from typing import Any

from countenance.domain.authority import Actor
from countenance.domain.errors import LedgerBroken, Refused
from countenance.domain.people import PERSONAL, PERSONAL_BASES, Document, Profile
from countenance.services.record import Record
from countenance.store import authorities, moments, sources


def check_documents(profile: Profile) -> None:
    """An organisation's home names both documents, and they hold. Raises Refused."""
    if lapsed := profile.lapsed(moments.now().date()):
        raise Refused(
            f"the home of an organisation rests on two documents: {'; '.join(lapsed)}",
            advice="name them: --policy ID --policy-until DATE --dpia ID --dpia-until DATE",
        )


def body_of(profile: Profile) -> dict[str, Any]:
    """What an entry says of it."""
    return {name: value for name, value in profile.as_json().items() if name != "entry"}


def settle(record: Record, actor: Actor) -> None:
    """A home whose ledger names no profile is one person's from now on, as an entry says.

    The bases that its sources and authorities rest on stay allowed, so that it goes on as it did; the entry names them.
    """
    try:
        if record.people.read(record).profile is not None:
            return
    except LedgerBroken:  # `ledger verify`, for which the home has to open, says where
        return
    with record.database.read() as c:
        used = {source.basis for source in sources.every(c)} | {one.basis for one in authorities.every(c)}
    profile = Profile(PERSONAL, tuple(sorted(used - set(PERSONAL_BASES))))
    record.enter("people.profile-set", actor, body_of(profile) | {"before": None})


def made(name: str, policy: Document | None = None, dpia: Document | None = None) -> Profile:
    """The profile of a home that is about to be made. Raises Refused for an organisation without its documents."""
    profile = Profile(name, (), policy, dpia)
    check_documents(profile)
    return profile
