"""An organisation's home with one account a role, and the words they sign in with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from countenance.app import Countenance
from countenance.domain.authority import Actor
from countenance.domain.people import ORGANISATION, Account, Document, Profile
from countenance.services.people import system_actor
from countenance.services.sign_in import Opened, Visitor
from countenance.store import moments
from tests.places import Place

ROLES = ("administrator", "requester", "authoriser", "reviewer", "auditor")
PASSWORD = "copper lantern drives slowly"
HERE = Visitor("192.0.2.7")


def organisation(days: int = 400) -> Profile:
    """With two documents that hold for so many days."""
    until = moments.now().date() + timedelta(days=days)
    return Profile(ORGANISATION, (), Document("POL-7", until), Document("DPIA-4", until))


@dataclass
class Team:
    """One account a role, each with the same password."""

    product: Countenance
    codes: dict[str, str] = field(default_factory=dict)

    def account(self, role: str) -> Account:
        return self.product.people.account(role)

    def actor(self, role: str, via: str = "page") -> Actor:
        return self.product.people.known(Actor(self.account(role).user, via))

    def sign_in(self, role: str, visitor: Visitor = HERE, code: str | None = None) -> Opened:
        return self.product.people.door.by_password(role, PASSWORD, code, visitor)

    def token(self, role: str, *scopes: str) -> str:
        return self.product.create_token("tests", scopes, None, self.actor(role))[1]


def found(product: Countenance, *, set_up: bool = True) -> Team:
    """Make the accounts: the first by whoever is at the machine, the rest by that administrator."""
    team, people = Team(product), product.people
    _, team.codes["administrator"] = people.add("administrator", ["administrator"], system_actor("command"))
    for role in ROLES[1:]:
        _, team.codes[role] = people.add(role, [role], team.actor("administrator"))
    if set_up:
        for code in team.codes.values():
            people.door.set_up(code, PASSWORD, HERE)
    return team


def team_at(place: Place, **changes: object) -> Team:
    """A new home of an organisation, with its team."""
    return found(place.open(making=organisation(), **changes))
