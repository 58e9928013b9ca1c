"""Mail the ledger's signed checkpoint to its overseers every day, with the line that checks a later bundle against it.

What an overseer keeps, the operator cannot take back: a ledger that was rolled back or rewritten does not continue it.
The time of the last mail is kept with the home, so that a restart mails nothing twice, and what failed is tried again.
"""

from __future__ import annotations

import json
import smtplib
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Any

from countenance.domain.authority import Actor
from countenance.domain.errors import BadInput, Unavailable
from countenance.ledger.checkpoint import parse
from countenance.services.oversee import Overseer
from countenance.services.record import Record
from countenance.settings import MailSettings
from countenance.store import moments

REMEMBERED = "mail"
AGAIN = timedelta(minutes=15)
"""How long after a mail that failed it is tried again."""
LATE = timedelta(hours=6)
"""How long a day's mail may be late before anybody is told."""
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Kept:
    """What is to be kept: a checkpoint, the file's name, and the line that checks a later bundle against it."""

    text: str
    size: int
    name: str
    line: str

    def as_json(self) -> dict[str, Any]:
        """For output."""
        return {"checkpoint": self.text, "size": self.size, "file": self.name, "command": self.line}


def kept_of(text: str, vkey: str, at: datetime) -> Kept:
    """A checkpoint as a file for an overseer."""
    size = parse(text.encode()).head.size
    name = f"checkpoint-{at:%Y-%m-%d}-{size}.txt"
    return Kept(text, size, name, f"python -m countenance.ledger.verify BUNDLE --key '{vkey}' --since {name}")


@dataclass(frozen=True, slots=True)
class Post:
    """The mails of one home."""

    record: Record
    overseer: Overseer
    settings: MailSettings

    @property
    def on(self) -> bool:
        """Whether mail is set up."""
        return bool(self.settings.host and self.settings.to)

    def kept(self) -> Kept:
        """The latest checkpoint for an overseer to keep."""
        return kept_of(self.overseer.checkpoint(), self.record.ledger.vkey, moments.now())

    def send(self, actor: Actor, to: Iterable[str] = ()) -> dict[str, Any]:
        """Mail the latest checkpoint, to these or to `mail.to`. That it was mailed is an entry.

        Raises BadInput where mail is not set up, Unavailable when the server does not take it; both are remembered.
        """
        recipients = tuple(to) or self.settings.to
        if not (self.settings.host and self.settings.sender and recipients):
            raise BadInput(
                "mail is not set up", advice="set `mail.host`, `mail.sender` and `mail.to`; docs/overseers.md says how"
            )
        at, kept = moments.now(), self.kept()
        # Before anything goes out: where this cannot be kept, a mail would go out every minute.
        self._remember({"failed": at.isoformat(), "error": "it was begun and not ended"})
        try:
            self._hand_over(self._message(kept, recipients, at))
        except (BadInput, Unavailable) as error:
            self._remember({"error": error.message})
            raise
        receipt = self.record.enter("ledger.mailed", actor, {"size": kept.size, "recipients": len(recipients)})
        self._remember({"sent": at.isoformat(), "size": kept.size, "failed": None, "error": None})
        return {"sent": at.isoformat(), "recipients": len(recipients), "entry": receipt.seq} | kept.as_json()

    def keep(self, actor: Actor) -> None:
        """Mail when the day's mail is due, or failed a while ago. Raises as `send` does."""
        if self.on and self._due(moments.now()):
            self.send(actor)

    def state(self) -> dict[str, Any]:
        """How it stands: `on`, when one was last `sent`, when one `failed` since and why, and whether one is `late`."""
        told, now = self._told(), moments.now()
        sent = told.get("sent")
        late = self.on and self._due(now - LATE) and (told.get("failed") is not None or sent is not None)
        return {
            "on": self.on,
            "recipients": len(self.settings.to),
            "sent": sent,
            "size": told.get("size"),
            "failed": told.get("failed"),
            "error": told.get("error"),
            "late": late,
        }

    def _due(self, at: datetime) -> bool:
        """Whether nothing has gone out since the day's hour, nor failed just now."""
        told = self._told()
        today = at.replace(hour=self.settings.hour, minute=0, second=0, microsecond=0)
        since = today if at >= today else today - timedelta(days=1)
        sent, failed = (datetime.fromisoformat(told[name]) if told.get(name) else None for name in ("sent", "failed"))
        return (sent is None or sent < since) and (failed is None or at >= failed + AGAIN)

    def _message(self, kept: Kept, recipients: tuple[str, ...], at: datetime) -> EmailMessage:
        sender = str(self.settings.sender)
        message = EmailMessage()
        try:
            message["From"], message["To"] = sender, ", ".join(recipients)
        except ValueError:
            raise BadInput("not an address to mail to", advice="write it as overseer@example.org") from None
        message["Subject"] = f"Ledger checkpoint of {self.record.ledger.origin}: {kept.size} entries"
        message["Date"] = format_datetime(at)
        message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].strip("<> ") or None)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(
            "Keep the attached file where the operator of this ledger cannot reach it.\n"
            f"It stands for all {kept.size} entries up to now. A later bundle of the ledger\n"
            "must continue it, which this line checks:\n\n"
            f"    {kept.line}\n\n"
            "The same checkpoint as text:\n\n" + kept.text
        )
        # As bytes: a changed line end would break the signature.
        message.add_attachment(kept.text.encode(), maintype="application", subtype="octet-stream", filename=kept.name)
        return message

    def _hand_over(self, message: EmailMessage) -> None:
        s = self.settings
        password = self._password()
        if password and s.security == "none" and s.host not in _LOOPBACK:
            raise BadInput("a password is not sent in the clear", advice="set `mail.security` to tls or starttls")
        try:
            context = ssl.create_default_context(cafile=str(s.ca_file) if s.ca_file else None)
            with self._connected(context) as server:
                if s.security == "starttls":
                    server.starttls(context=context)
                if s.user and password:
                    server.login(s.user, password)
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused:
            raise Unavailable("the mail server refused every recipient", advice="look at `mail.to`") from None
        except smtplib.SMTPException as error:
            raise Unavailable(
                f"the mail server did not take the mail: {type(error).__name__}", advice="look at the server's log"
            ) from None
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise Unavailable(f"the mail server was not reached: {why}", advice="look at `mail.host`") from None

    def _connected(self, context: ssl.SSLContext) -> smtplib.SMTP:
        s = self.settings
        if s.security == "tls":
            return smtplib.SMTP_SSL(str(s.host), s.port, timeout=s.seconds, context=context)
        return smtplib.SMTP(str(s.host), s.port, timeout=s.seconds)

    def _password(self) -> str | None:
        s = self.settings
        if s.password_file is not None:
            try:
                return s.password_file.read_text(encoding="utf-8").strip()
            except OSError as error:
                raise Unavailable(
                    f"the mail password cannot be read: {error.strerror}", advice="look at `mail.password_file`"
                ) from None
        return s.password.get_secret_value() if s.password is not None else None

    def _told(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.record.database.meta(REMEMBERED) or "{}")
        return told

    def _remember(self, changed: dict[str, Any]) -> None:
        self.record.database.set_meta(REMEMBERED, json.dumps(self._told() | changed))
