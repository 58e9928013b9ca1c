"""Signing in and out: whoever comes to the door, and the session that they get.

A session, like everything else here, is only what its entry bears out: a row that somebody wrote into the database
opens nothing, and neither does a password, an authenticator or a passkey whose digest the ledger does not hold.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from countenance.access import authenticator, lockout, passkeys, passwords
from countenance.access.passkeys import Site
from countenance.domain.authority import Actor
from countenance.domain.errors import NotSignedIn, SecondFactorNeeded, TooManyAttempts
from countenance.domain.people import Account
from countenance.services.people import People, digest, system_actor
from countenance.settings import PeopleSettings
from countenance.store import moments, signing

BEGUN = "session.begun"
REFUSED = "session.refused"
LOCKED = "session.locked"
ENDED = "session.ended"

IDLE = timedelta(hours=1)
KEEP_ALIVE = timedelta(minutes=1)
"""How often a session in use is written down as such."""

LINK = "one-time link"

NOBODY = "nobody"
"""Who acts when somebody could not be signed in."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What a browser gets: the session's secret and the device's, each for a cookie of its own, and for how long."""

    account: Account
    secret: str
    device: str
    life: timedelta


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where somebody comes from: the address as far as it is known, and the device's secret if the browser has one."""

    address: str
    device: str | None = None


class SignIn:
    """The door of one home. Safe for several threads and processes."""

    def __init__(self, people: People, factor_key: bytes, life: timedelta, settings: PeopleSettings) -> None:
        self.people = people
        self.record = people.record
        self.life = life
        self._key = factor_key
        self._settings = settings

    # Coming in

    def by_password(self, name: str, password: str, code: str | None, visitor: Visitor) -> Opened:
        """Sign in with a password, and a code of the authenticator (or a recovery code) where the account has one.

        Raises NotSignedIn without saying what was wrong, SecondFactorNeeded, TooManyAttempts.
        """
        account = self.people.told().by_name(name)
        if account is not None and account.disabled:
            account = None
        counted = self._count(account, visitor)
        kept = self._password(account) if account is not None else None
        if not passwords.verify(kept, password) or account is None:
            raise self._refused("password", account)
        how = "password"
        if account.totp is not None:
            if not code:
                # The password was right: asking for the code is no failure, but is counted until the code is right.
                raise SecondFactorNeeded(
                    "a code is needed too", advice="from your authenticator, or one of your recovery codes"
                )
            how = f"password and {self._second(account, code)}"
        elif not account.long:
            raise self._refused("password", account)
        self._forgive(counted)
        return self.begin(account, how, visitor)

    def by_passkey(self, site: Site, challenge: bytes, answer: dict[str, Any], visitor: Visitor) -> Opened:
        """Sign in with a passkey, which says whose it is. Raises NotSignedIn, TooManyAttempts."""
        counted = self._count(None, visitor)
        with self.record.database.read() as c:
            row = signing.credential(c, f"passkey:{answer.get('id', '')}")
        account = self.people.told().accounts.get(row.account) if row is not None else None
        if row is None or account is None or account.disabled or not bears_out(account, row):
            raise self._refused("passkey", account)
        try:
            counter = passkeys.signed(site, challenge, answer, row.body["key"], row.counter)
        except NotSignedIn:
            raise self._refused("passkey", account) from None
        with self.record.database.write() as c:
            signing.use(c, row.id, counter, now=moments.now(), rising=False)
        self._forgive(counted)
        return self.begin(account, "passkey", visitor)

    def by_subject(self, subject: str, visitor: Visitor) -> Opened:
        """Sign in as the account that a provider's subject (its digest) is linked to. Raises NotSignedIn."""
        counted = self._count(None, visitor)
        account = next((a for a in self.people.told().accounts.values() if subject in a.subjects), None)
        if account is None or account.disabled:
            self._refused("provider", account)
            raise NotSignedIn(
                "this sign-in of the provider is linked to no account here",
                advice=f"an administrator links it: countenance user link NAME --subject {subject}",
            )
        self._forgive(counted)
        return self.begin(account, "provider", visitor)

    def by_link(self) -> None:
        """Enter that somebody came in through the one-time link: whoever is at the machine."""
        self.record.enter(BEGUN, self.people.known(system_actor("page")), {"account": None, "how": LINK})

    def refused_by_link(self) -> None:
        """Enter that somebody came with a link that opens nothing."""
        self._refused(LINK, None)

    def by_provider(self, subject_of: Callable[[], str], visitor: Visitor) -> Opened:
        """Sign in as whom the provider names: `subject_of` has its answer checked, and digested.

        Raises NotSignedIn, TooManyAttempts, and Unavailable when the provider does not answer.
        """
        try:
            subject = subject_of()
        except NotSignedIn:
            self._count(None, visitor)
            self._refused("provider", None)
            raise
        return self.by_subject(subject, visitor)

    def left_by_link(self) -> None:
        """Enter that they left."""
        self.record.enter(ENDED, self.people.known(system_actor("page")), {"account": None, "how": LINK})

    def set_up(self, code: str, password: str, visitor: Visitor) -> Opened:
        """Choose the first password of an account, with the code that an administrator handed over; then sign in.

        Raises NotSignedIn for a code that is wrong, used or too old, BadInput for a password that will not do.
        """
        counted = self._count(None, visitor)
        account = self.waiting(code)
        if account is None:
            raise self._refused("set-up code", None)
        self._forgive(counted)
        self.put_password(account, password, Actor(account.user, "page"))
        return self.begin(self.people.account(account.id), "set-up code", visitor)

    def waiting(self, code: str) -> Account | None:
        """The account that a set-up code is for, while it is good."""
        wanted, now = digest(code), moments.now()
        for account in self.people.told().accounts.values():
            if account.setup == wanted and not account.disabled and account.setup_until and now < account.setup_until:
                return account
        return None

    def put_password(self, account: Account, password: str, actor: Actor) -> None:
        """A new password, which ends every session. Raises BadInput when it will not do."""
        passwords.check(
            password,
            second_factor=account.totp is not None,
            own_words=(account.name,),
            breached=self._settings.breached_passwords,
        )
        kept = passwords.hashed(password)
        long = len(password) >= passwords.ALONE
        body = {"account": account.id, "digest": digest(kept), "long": long}
        self.record.enter("people.password-set", actor, body)
        with self.record.database.write() as c:
            row = f"password:{secrets.token_hex(8)}"
            signing.put(c, row, account.id, "password", {"hash": kept}, "", now=moments.now())
            signing.end(c, account=account.id)

    def right_password(self, account: Account, password: str, visitor: Visitor) -> None:
        """Asked again before something is changed that a stranger at an open page must not. Raises NotSignedIn …"""
        counted = self._count(account, visitor)
        if not passwords.verify(self._password(account), password):
            raise self._refused("password", account)
        self._forgive(counted)

    def _password(self, account: Account) -> str | None:
        with self.record.database.read() as c:
            rows = signing.of_account(c, account.id, "password")
        return next((row.body["hash"] for row in rows if digest(row.body["hash"]) == account.password), None)

    def _second(self, account: Account, code: str) -> str:
        """What the code was. Raises NotSignedIn."""
        if self.uses_step(account, code):
            return "authenticator"
        plain = digest(authenticator.plain(code))
        if plain in account.codes:
            # The entry is what uses it up; of two at once, the second finds it gone.
            with self.people.changing():
                if plain in self.people.account(account.id).codes:
                    body = {"account": account.id, "digest": plain}
                    self.record.enter("people.code-used", Actor(account.user, "page"), body)
                    return "recovery code"
        raise self._refused("code", account)

    def uses_step(self, account: Account, code: str) -> bool:
        """Whether this is the authenticator's code of the moment, for the first time."""
        with self.record.database.read() as c:
            rows = [row for row in signing.of_account(c, account.id, "totp") if bears_out(account, row)]
        for row in rows:
            secret = authenticator.unseal(self._key, account.id, row.body["sealed"])
            step = authenticator.step_of(secret, code, time.time()) if secret is not None else None
            if step is not None:
                with self.record.database.write() as c:
                    return signing.use(c, row.id, step, now=moments.now(), rising=True)
        return False

    def mac(self, purpose: bytes, value: bytes) -> bytes:
        """A mark of this home's own on something that a browser keeps for a moment (HMAC-SHA256)."""
        return hmac.digest(self._key, b"cookie " + purpose + b"\n" + value, "sha256")

    # Failing

    def _count(self, account: Account | None, visitor: Visitor) -> list[tuple[str, str]]:
        """Count an attempt as a failure before it is judged, so that many at once are many. Raises TooManyAttempts."""
        now = moments.now()
        with self.record.database.write() as c:
            buckets = [("address", lockout.address_key(visitor.address))]
            if account is not None:
                device = _key(visitor.device or "")
                known = visitor.device is not None and signing.knows(c, device, account.id, now=now)
                buckets = [("device", f"device:{device.hex()}")] if known else [*buckets, ("account", account.user)]
            found = [(kind, key, *signing.failures(c, key, now=now)) for kind, key in buckets]
            until = max(moments.from_row(one[3]) for one in found)
            if until > now:
                seconds = int((until - now) / timedelta(seconds=1)) + 1
                raise TooManyAttempts(
                    "signing in failed too often",
                    advice=f"try again in {seconds} seconds",
                    details={"seconds": seconds},
                )
            locked = []
            for kind, key, failures, _ in found:
                wait = lockout.wait(kind, failures + 1)
                signing.fail(c, key, failures + 1, now + wait, now=now)
                if wait:
                    locked.append({"what": kind, "seconds": int(wait.total_seconds())})
        if locked:
            body = {"account": account.id if account else None, "locked": locked}
            self.record.enter(LOCKED, Actor(NOBODY, "page"), body)
        return buckets

    def _forgive(self, buckets: list[tuple[str, str]]) -> None:
        """It was no failure. Of an address only this one is forgiven: whoever has an account may guess at others'."""
        now = moments.now()
        with self.record.database.write() as c:
            for kind, key in buckets:
                left = signing.failures(c, key, now=now)[0] - 1 if kind == "address" else 0
                signing.fail(c, key, max(0, left), now, now=now)

    def _refused(self, what: str, account: Account | None) -> NotSignedIn:
        """Enter that somebody was turned away, without what was typed, and return the error to raise."""
        self.record.enter(REFUSED, Actor(NOBODY, "page"), {"account": account.id if account else None, "what": what})
        return NotSignedIn("that did not open an account", advice="look at the name and the rest, then try again")

    # Being in

    def begin(self, account: Account, how: str, visitor: Visitor) -> Opened:
        """A session for somebody whose credentials were just seen to be right."""
        now, secret = moments.now(), secrets.token_urlsafe(32)
        device = visitor.device or secrets.token_urlsafe(32)
        until, key = now + self.life, _key(secret)
        with self.record.database.read() as c:
            new = not signing.knows(c, _key(device), account.id, now=now)
        body = _said(account.id, key, how, moments.to_row(until)) | {"new_device": new}
        receipt = self.record.enter(BEGUN, Actor(account.user, "page"), body)
        with self.record.database.write() as c:
            signing.begin(c, key, account.id, how, now=now, until=until, seq=receipt.seq)
            signing.remember(c, _key(device), account.id, now=now)
        return Opened(account, secret, device, self.life)

    def session(self, secret: str) -> Account:
        """Whose session this is, which this call keeps from being idle. Raises NotSignedIn."""
        key, now = _key(secret), moments.now()
        with self.record.database.read() as c:
            row = signing.session(c, key)
        account = self.people.told().accounts.get(row.account) if row is not None else None
        if (
            row is None
            or account is None
            or account.disabled
            or row.seq < account.since
            or now >= moments.from_row(row.until)
            or now >= moments.from_row(row.used_at) + IDLE
            or not self._borne(row)
        ):
            raise NotSignedIn("this browser is not signed in, or its session has ended", advice="sign in again")
        if now >= moments.from_row(row.used_at) + KEEP_ALIVE:
            with self.record.database.write() as c:
                signing.used(c, key, now=now)
        return account

    def _borne(self, row: Any) -> bool:
        said, by = _said(row.account, row.key, row.how, row.until), f"user:{row.account}"
        return any(self.record.bears(row.seq, BEGUN, said | {"new_device": new}, by=by) for new in (True, False))

    def sessions(self, account: Account) -> list[dict[str, Any]]:
        """The sessions of an account that are not over, newest first."""
        now = moments.now()
        with self.record.database.read() as c:
            rows = signing.sessions(c, account.id)
        return [
            {"begun": moments.from_row(r.begun_at), "used": moments.from_row(r.used_at), "how": r.how, "key": r.key}
            for r in rows
            if r.seq >= account.since and now < moments.from_row(r.until) and now < moments.from_row(r.used_at) + IDLE
        ]

    def sign_out(self, secret: str) -> None:
        """End one session; nothing happens when it has ended."""
        with self.record.database.write() as c:
            row = signing.session(c, _key(secret))
            signing.end(c, key=_key(secret))
        if row is not None:
            self.record.enter(ENDED, Actor(f"user:{row.account}", "page"), {"session": _shown(row.key)})

    def end_all(self, account: Account, actor: Actor) -> int:
        """End every session of an account. Returns how many there were."""
        self.record.enter("people.sessions-ended", actor, {"account": account.id})
        with self.record.database.write() as c:
            return signing.end(c, account=account.id)


def bears_out(account: Account, row: Any) -> bool:
    """Whether the ledger holds exactly this authenticator or passkey of this account."""
    factor = account.factors.get(row.id)
    return factor is not None and (factor.kind, factor.digest) == (row.kind, digest_of(row.body))


def digest_of(body: dict[str, Any]) -> str:
    """SHA-256 (hex) over what a row keeps of an authenticator or a passkey."""
    return digest("\n".join(f"{name}={body[name]}" for name in sorted(body)))


def csrf_of(secret: str) -> str:
    """The CSRF token of a session: made of its secret, which no script and no other site can read."""
    return hashlib.sha256(b"countenance csrf\n" + secret.encode()).hexdigest()


def key_of(secret: str) -> bytes:
    """Under which a session or a device is kept."""
    return _key(secret)


def _key(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _said(account: str, key: bytes, how: str, until: int) -> dict[str, Any]:
    return {"how": how, "session": _shown(key), "until": until, "account": account}


def _shown(key: bytes) -> str:
    """A session as entries name it."""
    return hashlib.sha256(key).hexdigest()
