"""How times, numbers and codes read to people."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from markupsafe import Markup, escape

from countenance.reports.plain import visible

ACTS = {
    "home.created": "Home made",
    "key.created": "Key made",
    "source.registered": "Source registered",
    "ingest.started": "Reading began",
    "ingest.ended": "Reading ended",
    "refresh.started": "Reading again began",
    "refresh.ended": "Reading again ended",
    "authority.granted": "Authority granted",
    "authority.drafted": "Request drafted",
    "authority.requested": "Authority asked for",
    "authority.urgent": "Authority used before approval",
    "request.shown": "Reasons of a request read",
    "authority.approved": "Urgent authority approved",
    "authority.declined": "Request declined",
    "authority.withdrawn": "Request taken back",
    "authority.lapsed": "Urgent authority lapsed, results deleted",
    "authority.revoked": "Authority revoked",
    "review.opened": "Review asked for",
    "review.shown": "Pair shown to a reviewer",
    "review.control-added": "Known pair added",
    "review.control-removed": "Known pair taken away",
    "verdict.given": "Pair judged",
    "inspection.drawn": "Searches drawn for inspection",
    "inspection.assigned": "Inspection given to somebody else",
    "inspection.read": "File of a search read by an inspector",
    "inspection.found": "Inspection done",
    "inspection.follow-up-set": "Follow-up of an inspection set",
    "inspection.followed-up": "Inspection followed up",
    "case.closed": "Case closed",
    "case.reopened": "Case goes on",
    "authority.refused": "Search refused",
    "search.started": "Search began",
    "search.shown": "Candidates shown",
    "search.cut-off": "Search cut off, nothing shown",
    "search.disclosed": "Search exported",
    "picture.opened": "Picture opened",
    "retention.destroyed": "Destroyed, its time being over",
    "hold.placed": "Legal hold placed",
    "hold.released": "Legal hold released",
    "hold.lapsed": "Legal hold ended at its date",
    "subject.started": "Subject report began",
    "subject.corrected": "Somebody else taken out of a subject report",
    "subject.shown": "Told to the person it is about",
    "erase.started": "Erasure by face began",
    "erase.shown": "Sightings counted for an erasure",
    "erasure": "Erased",
    "erasure.pending": "Erasure waits for a legal hold to end",
    "token.created": "Token made",
    "token.revoked": "Token revoked",
    "ledger.exported": "Ledger exported",
    "ledger.mailed": "Checkpoint mailed to overseers",
    "ledger.key-rotated": "Signing key changed",
    "ledger.key-lost": "Signing key lost",
    "ledger.recovered": "Ledger recovered",
    "key.rotated": "Key of templates changed",
    "keys.exported": "Keys exported",
    "keys.imported": "Keys put back",
    "settings.changed": "Settings changed",
    "backup.made": "Backup made",
    "home.restored": "Home restored from a backup",
    "ledger.read": "Entries read",
    "oversight.read": "Ledger read by an overseer",
    "probes.compared": "Probes compared by an overseer",
    "proxylog.started": "Analysis of proxy logs began",
    "proxylog.analysed": "Proxy logs analysed",
    "proxylog.unmasked": "Session unmasked",
    "proxylog.profile-added": "Site profile added",
    "proxylog.profile-dropped": "Site profile dropped",
    "people.profile-set": "Profile set",
    "people.added": "Account made",
    "people.reset": "Account reset",
    "people.roles-changed": "Roles changed",
    "people.disabled": "Account disabled",
    "people.enabled": "Account enabled",
    "people.system-user-linked": "System user linked",
    "people.system-user-unlinked": "System user unlinked",
    "people.subject-linked": "Provider’s sign-in linked",
    "people.subject-unlinked": "Provider’s sign-in unlinked",
    "people.password-set": "Password set",
    "people.factor-added": "Authenticator or passkey added",
    "people.factor-removed": "Authenticator or passkey removed",
    "people.codes-made": "Recovery codes made",
    "people.code-used": "Recovery code used",
    "people.sessions-ended": "All sessions ended",
    "people.recovery-made": "Recovery secrets made",
    "people.recovery-used": "Recovery secrets used",
    "people.recovery-refused": "Recovery refused",
    "session.begun": "Signed in",
    "session.refused": "Sign-in failed",
    "session.locked": "Sign-in slowed down",
    "session.ended": "Signed out",
}
"""Types of entries, for people. A type that is not here is shown as it is."""

FORMER = {"probes.expired": "Probes forgotten"}
"""Types that older versions wrote."""

KINDS = {"folder": "Folder", "urls": "List of addresses", "website": "Website"}

REASONS = {
    "empty": "empty file",
    "not-an-image": "not a picture",
    "unsupported": "format without a decoder",
    "truncated": "incomplete picture",
    "corrupt": "damaged picture",
    "too-many-bytes": "file too large",
    "too-many-pixels": "picture too large",
    "too-small": "picture too small",
    "too-slow": "took too long",
    "out-of-memory": "needed too much memory",
    "robots": "the site asks robots to stay away",
    "noindex": "the page asks not to be indexed",
}
"""Why something was not read, for people. Others are shown with their hyphens as spaces."""


def when(moment: datetime | str | None) -> Markup:
    """A time element: date and minutes in UTC, the exact moment for machines."""
    if moment is None:
        return Markup("–")
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), f"{at.day} {at:%b %Y, %H:%M} UTC")


def second(moment: str) -> Markup:
    """A time element: date and seconds in UTC, the exact moment for machines."""
    at = datetime.fromisoformat(moment)
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), f"{at.day} {at:%b %Y, %H:%M:%S} UTC")


def day(moment: datetime | str | None) -> Markup:
    """A time element: the day alone."""
    if moment is None:
        return Markup("–")
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), f"{at.day} {at:%b %Y}")


def number(value: int | float) -> str:
    """With thousands apart."""
    return f"{value:,}"


def count(value: int, one: str, many: str | None = None) -> str:
    """ "1 face", "2 faces"."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def act(kind: str) -> str:
    """A type of entry."""
    return ACTS.get(kind) or FORMER.get(kind, kind)


def reason(code: str) -> str:
    """Why something was not read."""
    return REASONS.get(code, code.replace("-", " "))


def breakable(address: str) -> Markup:
    """An address that may be broken into lines after its slashes."""
    return Markup("/<wbr>").join(escape(part) for part in address.split("/"))


FILTERS: dict[str, Any] = {
    "when": when,
    "second": second,
    "seen": visible,
    "day": day,
    "number": number,
    "count": count,
    "act": act,
    "reason": reason,
    "breakable": breakable,
}
