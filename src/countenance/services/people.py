"""Accounts: who there is, what they may do, and whether somebody may do a thing.

Every door asks :meth:`People.admit`, with the acts of `access.roles`. What it answers with stands in the ledger alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from countenance.access import roles
from countenance.domain.authority import Actor
from countenance.domain.errors import AlreadyThere, BadInput, Refused, RoleMissing, UnknownThing
from countenance.domain.people import ORGANISATION, PERSONAL, Account, Document, Profile
from countenance.services.home import Home
from countenance.services.profile import body_of, check_documents
from countenance.services.roll import Told, item_of
from countenance.settings import PeopleSettings
from countenance.store import moments, signing

if TYPE_CHECKING:
    from countenance.services.own_account import OwnAccount
    from countenance.services.sign_in import SignIn

SETUP = timedelta(days=7)
"""How long a set-up code is good."""

NEEDS_DOCUMENTS = frozenset({"search", "export", "ingest", "authorities:write", "authorities:request", "serve"})
"""What an organisation does not do while its policy document or its impact assessment is missing or has lapsed."""


def system_actor(via: str, stated: str | None = None) -> Actor:
    """The operating system's user, acting through a door."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"uid-{os.getuid()}"
    return Actor(f"os:{name}", via, stated)


_EVERY = tuple(role for role in roles.ROLES if role in roles.EVERY_ROLE)


class People:
    """The accounts of one home. Safe for several threads and processes."""

    def __init__(self, home: Home, settings: PeopleSettings, life: timedelta) -> None:
        self._home = home
        self._settings = settings
        self._life = life
        self.record = home.record

    @cached_property
    def door(self) -> SignIn:
        """Signing in."""
        from countenance.services.sign_in import SignIn

        return SignIn(self, self._factor_key, self._life, self._settings)

    @cached_property
    def own(self) -> OwnAccount:
        """What people change of their own accounts."""
        from countenance.services.own_account import OwnAccount

        return OwnAccount(self, self._factor_key)

    @property
    def _factor_key(self) -> bytes:
        return hmac.digest(self._home.pseudonym_key, b"countenance second factors\n", "sha256")

    def told(self) -> Told:
        """What the ledger tells."""
        return self.record.people.read(self.record)

    @property
    def profile(self) -> Profile:
        """The profile in force."""
        return self.record.profile

    def notices(self) -> list[str]:
        """What is missing, has lapsed or soon will, of the documents that an organisation rests on."""
        profile, today = self.profile, moments.now().date()
        return [*profile.lapsed(today), *profile.lapsing(today)]

    # Who may what

    def known(self, actor: Actor) -> Actor:
        """The actor with the roles that the ledger gives: of an account, or of whoever is at this machine.

        An operating system's user acts as the account that it is linked to. Linked to none, it has every role in a
        personal home, which is that one person's, and no role in an organisation's.
        """
        told = self.told()
        kind, _, name = actor.user.partition(":")
        account = told.accounts.get(name) if kind == "user" else told.of_system_user(name) if kind == "os" else None
        if account is None:
            alone = kind == "os" and not self.profile.two_people
            return Actor(actor.user, actor.via, actor.stated, _EVERY if alone else ())
        also = frozenset(f"os:{user}" for user in account.system_users)
        return Actor(account.user, actor.via, actor.stated, () if account.disabled else account.roles, also)

    def admit(self, actor: Actor, act: str) -> Actor:
        """The actor, who may do this. Raises RoleMissing, and Refused while an organisation's documents have lapsed."""
        if act not in roles.ACTS:
            raise KeyError(act)
        known = self.known(actor)
        if not any(roles.may(role, act) for role in known.roles):
            raise self._turned_away(known, act)
        if act in NEEDS_DOCUMENTS and (lapsed := self.profile.lapsed(moments.now().date())):
            raise Refused(
                f"this home of an organisation rests on documents that do not hold: {'; '.join(lapsed)}",
                advice="an administrator names those in force with `countenance profile set`",
            )
        return known

    def _turned_away(self, actor: Actor, act: str) -> RoleMissing:
        details = {"act": act, "roles": list(actor.roles)}
        if not actor.roles and actor.user.startswith("os:"):
            return RoleMissing(
                f"the system user {actor.user.removeprefix('os:')} is linked to no account of this organisation",
                advice="an administrator links it: countenance user link NAME --system-user "
                + actor.user.removeprefix("os:"),
                details=details,
            )
        held = ", ".join(actor.roles) or "none"
        return RoleMissing(
            f"no role of this account goes so far as `{act}` (it has: {held})",
            advice="ask an administrator who may do it, or to give the role",
            details=details,
        )

    def account(self, reference: str) -> Account:
        """One account, by id or by name. Raises UnknownThing."""
        found = self.told().find(reference)
        if found is None:
            raise UnknownThing(f"there is no account {reference}", advice="`countenance user list` shows them")
        return found

    def name_of(self, user: str) -> str:
        """How people call the user of an entry or an authority: the account's name, or the user as it stands."""
        account = self.told().accounts.get(user.removeprefix("user:")) if user.startswith("user:") else None
        return account.name or user if account is not None else user

    def accounts(self) -> list[Account]:
        """Every account, in the order in which they were made."""
        return sorted(self.told().accounts.values(), key=lambda account: account.entry)

    # What an administrator does

    def add(
        self, name: str, wanted: Iterable[str], actor: Actor, *, system_user: str | None = None
    ) -> tuple[Account, str]:
        """A new account and its set-up code, shown this once. Raises BadInput, AlreadyThere, Refused.

        The first account of a home may be made by whoever is at the machine: in an organisation it is the
        administrator's, in a personal home that one person's, with every role, linked to their system user.
        """
        with self.changing():
            told = self.told()
            first = not told.accounts
            actor = self._first_comer(actor) if first else self.admit(actor, "accounts:write")
            if told.by_name(name) is not None:
                raise AlreadyThere(f"there is an account called {name} already", advice="choose another name")
            given = self._roles(wanted, first=first)
            id = secrets.token_hex(6)
            code = self.enrol(id, name, given, actor, first=first)
        if system_user is None and first and actor.user.startswith("os:"):
            system_user = actor.user.removeprefix("os:")
        if system_user is not None:
            self._link(id, system_user, actor)
        return self.account(id), code

    def enrol(self, id: str, name: str, given: Iterable[str], actor: Actor, *, first: bool) -> str:
        """Enter a new account; the caller has checked everything but the name. Returns its set-up code."""
        code = _code()
        body = {"account": id, "roles": list(given), "first": first, **_setup(code)}
        self.record.enter("people.added", actor, body, sealed={item_of(id): {"name": _name(name)}})
        return code

    def _first_comer(self, actor: Actor) -> Actor:
        if not actor.user.startswith("os:") or actor.via not in ("command", "python"):
            raise Refused(
                "the first account is made on the machine itself", advice="there: countenance user add NAME --role …"
            )
        return self.known(actor)

    def _roles(self, wanted: Iterable[str], *, first: bool) -> tuple[str, ...]:
        if not self.profile.two_people:
            if not first:
                raise Refused(
                    "a personal home is for one person, who has an account already",
                    advice="make it the home of an organisation: countenance profile set organisation",
                )
            return roles.checked(roles.EVERY_ROLE, apart=False)
        given = roles.checked(wanted, apart=True)
        if first and given != ("administrator",):
            raise Refused("the first account of an organisation is an administrator's", advice="--role administrator")
        return given

    def set_roles(self, reference: str, wanted: Iterable[str], actor: Actor) -> Account:
        """Give an account these roles in place of those it has. Raises BadInput, Refused, UnknownThing."""
        with self.changing():
            actor, account = self._over(reference, actor)
            given = roles.checked(wanted, apart=self.profile.two_people)
            if given == account.roles:
                return account
            if "administrator" not in given:
                self._not_the_last(account)
            before = list(account.roles)
            body = {"account": account.id, "roles": list(given), "before": before}
            self.record.enter("people.roles-changed", actor, body)
        return self.account(account.id)

    def disable(self, reference: str, actor: Actor) -> Account:
        """Close an account, with its sessions and tokens, at once. Raises Refused, UnknownThing."""
        with self.changing():
            actor, account = self._over(reference, actor)
            if not account.disabled:
                self._not_the_last(account)
                self.record.enter("people.disabled", actor, {"account": account.id})
        return self.account(account.id)

    def enable(self, reference: str, actor: Actor) -> Account:
        """Open a closed account again. Raises Refused, UnknownThing."""
        with self.changing():
            actor, account = self._over(reference, actor)
            if account.disabled and not account.name:
                raise Refused(
                    "the name of this closed account, and what it signed in with, were destroyed at their time",
                    advice="make a new account",
                )
            if account.disabled:
                self.record.enter("people.enabled", actor, {"account": account.id})
        return self.account(account.id)

    def reset(self, reference: str, actor: Actor) -> tuple[Account, str]:
        """Forget how an account is signed in to, and make a new set-up code. Raises Refused, UnknownThing."""
        with self.changing():
            actor, account = self._over(reference, actor)
            code = self.renew(account, actor)
        return self.account(account.id), code

    def renew(self, account: Account, actor: Actor) -> str:
        """Forget how an account is signed in to; the caller has checked that it may be. Returns a set-up code."""
        code = _code()
        self.record.enter("people.reset", actor, {"account": account.id, **_setup(code)})
        with self.record.database.write() as c:
            signing.forget(c, account.id)
        return code

    def link(self, reference: str, actor: Actor, *, system_user: str | None = None, subject: str | None = None) -> None:
        """Let a system user, or a subject of the identity provider, act as this account. Raises AlreadyThere …"""
        with self.changing():
            actor, account = self._over(reference, actor)
            if system_user is not None:
                self._link(account.id, system_user, actor)
            if subject is not None:
                self.link_subject(account, subject, actor)

    def _link(self, id: str, system_user: str, actor: Actor) -> None:
        taken = self.told().of_system_user(system_user)
        if taken is not None and taken.id != id:
            raise AlreadyThere(f"the system user {system_user} is linked to {taken.name}", advice="unlink it first")
        if taken is None:
            self.record.enter("people.system-user-linked", actor, {"account": id, "system_user": system_user})

    def link_subject(self, account: Account, subject: str, actor: Actor) -> None:
        """Link a provider's subject, by the digest that `subject_digest` makes. Raises AlreadyThere."""
        taken = next((a for a in self.told().accounts.values() if subject in a.subjects), None)
        if taken is not None and taken.id != account.id:
            raise AlreadyThere("this sign-in of the provider is linked to another account", advice="unlink it first")
        if taken is None:
            self.record.enter("people.subject-linked", actor, {"account": account.id, "subject": subject})

    def unlink(self, reference: str, actor: Actor, *, system_user: str | None = None, subjects: bool = False) -> None:
        """Undo a link. Nothing happens when there is none."""
        with self.changing():
            actor, account = self._over(reference, actor)
            if system_user in account.system_users:
                body = {"account": account.id, "system_user": system_user}
                self.record.enter("people.system-user-unlinked", actor, body)
            for subject in sorted(account.subjects) if subjects else ():
                self.record.enter("people.subject-unlinked", actor, {"account": account.id, "subject": subject})

    def _over(self, reference: str, actor: Actor) -> tuple[Actor, Account]:
        """An administrator, and somebody else's account."""
        actor, account = self.admit(actor, "accounts:write"), self.account(reference)
        if account.user == actor.user and self.profile.two_people:
            raise Refused(
                "nobody changes their own account here", advice="another administrator does; what is yours to change "
                "(password, authenticator, passkeys) is on the page Account",
            )  # fmt: skip
        return actor, account

    def _not_the_last(self, account: Account) -> None:
        others = [a for a in self.accounts() if a.id != account.id and a.state == "live"]
        if "administrator" in account.roles and not any("administrator" in other.roles for other in others):
            raise Refused(
                "this is the last administrator who can sign in", advice="make another account an administrator first"
            )

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """One change at a time: what was checked still holds when it is entered."""
        with (self._home.folder / "people.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    # The profile

    def set_profile(self, name: str, policy: Document | None, dpia: Document | None, actor: Actor) -> Profile:
        """Name the documents, or turn a personal home into an organisation's, which cannot be undone.

        A document that is not given stays as it was. Raises Refused, BadInput.
        """
        with self.changing():
            before = self.profile
            actor = self.admit(actor, "profile:write")
            if name == PERSONAL:
                if before.two_people:
                    raise Refused(
                        "the home of an organisation does not become one person's",
                        advice="two-person rules cannot be taken back; make a new home for yourself",
                    )
                if policy or dpia:
                    raise BadInput("a personal home names no documents", advice="they are for --profile organisation")
                return before
            after = Profile(ORGANISATION, (), policy or before.policy, dpia or before.dpia)
            check_documents(after)
            said = body_of(after)
            self.record.enter("people.profile-set", actor, said | {"before": before.name})
            if not before.two_people:
                # The one person had every role; in an organisation that is more than anybody may hold.
                for account in self.accounts():
                    body = {"account": account.id, "roles": ["administrator"], "before": list(account.roles)}
                    self.record.enter("people.roles-changed", actor, body)
        return self.profile


def document(id: str | None, until: date | None, what: str) -> Document | None:
    """A document out of what a person gave. Raises BadInput for half of one."""
    if id is None and until is None:
        return None
    if not (id or "").strip() or until is None:
        raise BadInput(f"the {what} has an id and a last day", advice=f"give --{what} ID and --{what}-until DATE")
    return Document((id or "").strip()[:200], until)


def subject_digest(issuer: str, subject: str) -> str:
    """What entries hold of a provider's subject: SHA-256 (hex), so that the ledger names nobody."""
    return hashlib.sha256(f"{issuer}\n{subject}".encode()).hexdigest()


def digest(secret: str) -> str:
    """SHA-256 (hex) of a random secret of at least 100 bits, which cannot be guessed back."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _setup(code: str) -> dict[str, str]:
    return {"setup": digest(code), "setup_until": (moments.now() + SETUP).isoformat()}


def _code() -> str:
    return secrets.token_urlsafe(24)


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= 80 or not name.isprintable() or ":" in name:
        raise BadInput(
            "an account has a name of at most 80 characters, without a colon", advice="for instance an e-mail address"
        )
    return name
