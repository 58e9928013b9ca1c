"""What people change of their own account: password, authenticator, passkeys, recovery codes.

The web asks for the password again before most of it (`SignIn.right_password`); each change is an entry.
"""

from __future__ import annotations

import secrets
import time
from typing import Any

from countenance.access import authenticator, passkeys
from countenance.access.passkeys import Site
from countenance.domain.authority import Actor
from countenance.domain.errors import BadInput, NotSignedIn, UnknownThing
from countenance.domain.people import Account
from countenance.services.people import People, digest
from countenance.services.sign_in import bears_out, digest_of
from countenance.store import moments, signing

ADDED = "people.factor-added"
REMOVED = "people.factor-removed"
MOST = 20
"""Passkeys of one account."""


class OwnAccount:
    """One person's changes to their account."""

    def __init__(self, people: People, factor_key: bytes) -> None:
        self.people = people
        self.record = people.record
        self._key = factor_key

    def begin_authenticator(self, account: Account) -> None:
        """A new secret, to be confirmed with its first code; one that was not confirmed is forgotten."""
        if account.totp is not None:
            raise BadInput("there is an authenticator already", advice="remove it first")
        sealed = authenticator.seal(self._key, account.id, authenticator.new_secret())
        with self.record.database.write() as c:
            for row in signing.of_account(c, account.id, "totp"):
                signing.drop(c, row.id)
            id = f"totp:{secrets.token_hex(8)}"
            signing.put(c, id, account.id, "totp", {"sealed": sealed}, "", now=moments.now())

    def waiting_secret(self, account: Account) -> str:
        """The secret that waits to be confirmed. Raises UnknownThing."""
        return self._waiting(account)[1]

    def authenticator_picture(self, account: Account) -> bytes:
        """Its QR code (SVG). Raises UnknownThing."""
        address = authenticator.address(self.waiting_secret(account), account.name, "Countenance")
        return authenticator.picture(address)

    def confirm_authenticator(self, account: Account, code: str, actor: Actor) -> list[str]:
        """Take the authenticator into use, with its code of the moment. Returns new recovery codes, shown this once."""
        row, secret = self._waiting(account)
        step = authenticator.step_of(secret, code, time.time())
        if step is None:
            raise BadInput("this is not the code of the moment", advice="is the clock of the device right?")
        with self.record.database.write() as c:
            signing.use(c, row.id, step, now=moments.now(), rising=False)
        body = {"account": account.id, "factor": row.id, "kind": "totp", "digest": digest_of(row.body)}
        self.record.enter(ADDED, actor, body)
        return self.new_codes(account, actor)

    def remove_authenticator(self, account: Account, actor: Actor) -> None:
        """Go on without; only with a password that is long enough to stand alone. Raises BadInput."""
        if account.totp is None:
            return
        if not account.long:
            raise BadInput("the password is too short to stand alone", advice="choose one of 15 characters first")
        self._remove(account, account.totp.id, actor)

    def _waiting(self, account: Account) -> tuple[Any, str]:
        with self.record.database.read() as c:
            rows = signing.of_account(c, account.id, "totp")
        for row in rows:
            secret = authenticator.unseal(self._key, account.id, row.body["sealed"])
            if not bears_out(account, row) and secret is not None:
                return row, secret
        raise UnknownThing("no authenticator waits to be confirmed", advice="begin again")

    def new_codes(self, account: Account, actor: Actor) -> list[str]:
        """New recovery codes in place of those before; only their digests are kept, in the ledger."""
        codes = authenticator.recovery_codes()
        digests = [digest(authenticator.plain(code)) for code in codes]
        self.record.enter("people.codes-made", actor, {"account": account.id, "digests": digests})
        return codes

    def passkey_wanted(self, account: Account, site: Site) -> tuple[dict[str, Any], bytes]:
        """What the browser is asked for a new passkey, and the challenge."""
        if len(self._passkeys(account)) >= MOST:
            raise BadInput(f"an account has at most {MOST} passkeys", advice="remove one first")
        there = [row.id.removeprefix("passkey:") for row in self._passkeys(account)]
        return passkeys.to_register(site, account.id, account.name, there)

    def add_passkey(
        self, account: Account, site: Site, challenge: bytes, answer: dict[str, Any], label: str, actor: Actor
    ) -> None:
        """Keep a passkey that the browser made. Raises NotSignedIn, BadInput."""
        id, key, counter = passkeys.registered(site, challenge, answer)
        row = f"passkey:{id}"
        with self.record.database.read() as c:
            if signing.credential(c, row) is not None:
                raise NotSignedIn("this passkey is known already", advice="make another one")
        with self.record.database.write() as c:
            body = {"key": key, "site": site.name}
            signing.put(c, row, account.id, "passkey", body, label.strip()[:60] or "Passkey", now=moments.now())
            signing.use(c, row, counter, now=moments.now(), rising=False)
        said = {"account": account.id, "factor": row, "kind": "passkey", "digest": digest_of(body)}
        self.record.enter(ADDED, actor, said)

    def remove_passkey(self, account: Account, id: str, actor: Actor) -> None:
        """Forget a passkey. Raises UnknownThing, and BadInput when nothing would be left to sign in with."""
        if id not in account.factors or account.factors[id].kind != "passkey":
            raise UnknownThing("there is no such passkey")
        if account.password is None and len(account.factors) == 1 and not account.subjects:
            raise BadInput("nothing would be left to sign in with", advice="set a password first")
        self._remove(account, id, actor)

    def passkeys(self, account: Account) -> list[dict[str, Any]]:
        """Those in use: id, name, when they were made and last used."""
        return [
            {
                "id": row.id,
                "label": row.label,
                "created": moments.from_row(row.created_at),
                "used": moments.maybe(row.used_at),
            }
            for row in self._passkeys(account)
        ]

    def _passkeys(self, account: Account) -> list[Any]:
        with self.record.database.read() as c:
            rows = signing.of_account(c, account.id, "passkey")
        return [row for row in rows if bears_out(account, row)]

    def _remove(self, account: Account, id: str, actor: Actor) -> None:
        kind = account.factors[id].kind
        self.record.enter(REMOVED, actor, {"account": account.id, "factor": id, "kind": kind})
        with self.record.database.write() as c:
            signing.drop(c, id)
