"""The retention schedule: every kind of personal data that a home keeps, for how long, and what ends it.

This table is the only place that says so. The job applies it (`services.retention`), the page shows it, and
`countenance retention policy` prints it; each length is read from the one setting, or the one constant, that is in
force. Nothing of a length is written here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from countenance.services.people import SETUP
from countenance.settings import Settings
from countenance.store import signing

EVERY = timedelta(hours=1)
"""How often the job runs while the server does."""

JOB, CLOCK, PEOPLE, STAYS = "job", "clock", "people", "stays"
BY = {
    JOB: "the retention job",
    CLOCK: "the program itself, at that moment",
    PEOPLE: "people; the program says what is due",
    STAYS: "nobody, as long as the home stands",
}
"""Who ends the keeping of something."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of data. `kept` is what it is; `since` is what its time begins with; `length` reads how long it is kept
    (None: for good); `setting` names where that is set; `ends` is what becomes of it; `why` is said to the public."""

    code: str
    title: str
    kept: str
    since: str
    length: Callable[[Settings], timedelta | None]
    setting: str | None
    ends: str
    by: str
    why: str

    def as_json(self, settings: Settings) -> dict[str, Any]:
        """The rule as it is in force, in words and in seconds."""
        length = self.length(settings)
        return {
            "rule": self.code,
            "title": self.title,
            "kept": self.kept,
            "since": self.since,
            "for": in_words(length),
            "seconds": None if length is None else int(length.total_seconds()),
            "setting": self.setting,
            "ends": self.ends,
            "by": BY[self.by],
            "why": self.why,
        }


def in_words(length: timedelta | None) -> str:
    """A length of time in its largest whole unit: "90 days", "2 days"; "for good" without an end."""
    if length is None:
        return "for good"
    seconds = int(length.total_seconds())
    name, unit = next((n, u) for n, u in _UNITS if seconds % u == 0)
    number = seconds // unit
    return f"{number:,} {name if number == 1 else name + 's'}"


_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def _days(name: str) -> dict[str, Any]:
    return {"setting": f"retention.{name}", "length": lambda s: timedelta(days=getattr(s.retention, name))}


def _fixed(length: timedelta | None) -> dict[str, Any]:
    return {"setting": None, "length": lambda _: length}


RULES: tuple[Rule, ...] = (
    Rule(
        "sources",
        "Sources and everything read from them",
        "pictures' addresses, pages, titles and dates, faces with their templates, crops and kept originals, what was "
        "not read and why, and what the ledger seals of them",
        "its registration, which may state another length",
        **_days("source_days"),
        ends="From that moment it is neither read nor searched. Rows, templates, crops and files are overwritten and "
        "the keys of what is sealed are destroyed.",
        by=JOB,
        why="A picture is kept no longer than whoever answers for the source has stated.",
    ),
    Rule(
        "probes",
        "Probes of searches",
        "the template that was searched with, sealed; and what the photographs were like, for the overseer",
        "the end of the search's authority",
        **_days("probe_days"),
        ends="It is dropped and its key destroyed.",
        by=JOB,
        why="Until then an overseer can tell whether somebody was looked for under many cases.",
    ),
    Rule(
        "notes",
        "Reasons and notes",
        "what an export was for, why an authority was asked for, declined or revoked, why a pair was judged so, why a "
        "hold was placed: sealed in the ledger",
        "the end of the authority, or of the hold",
        **_days("probe_days"),
        ends="The key is destroyed; the entry stays, and nobody can open what it sealed.",
        by=JOB,
        why="They are kept as long as the probes that they explain.",
    ),
    Rule(
        "review-pictures",
        "Pictures kept for a review",
        "the face of a probe that two reviewers judge, sealed",
        "the end of the search's authority",
        **_days("probe_days"),
        ends="It is deleted.",
        by=JOB,
        why="It is kept for the review alone.",
    ),
    Rule(
        "results",
        "Results of searches",
        "which sightings were shown, in which order, and how alike",
        "the moment they are shown",
        length=lambda s: timedelta(minutes=s.search.handle_minutes),
        setting="search.handle_minutes",
        ends="From that moment nobody can open them; the rows are deleted.",
        by=JOB,
        why="Whoever needs them longer searches again, under an authority, or exports them to a named recipient.",
    ),
    Rule(
        "urgent",
        "What an urgent search found that nobody approved",
        "its probe and its results",
        "the search",
        length=lambda s: timedelta(hours=s.authority.urgent_hours),
        setting="authority.urgent_hours",
        ends="Probe and results are deleted, at once also when the request is declined.",
        by=CLOCK,
        why="A search that comes before its approval stands only if it is approved (EU AI Act, article 26(10)).",
    ),
    Rule(
        "known-pairs",
        "Known pairs for reviewers",
        "two faces of which it is known whether they are one person, sealed",
        "the day it is added",
        **_days("known_pair_days"),
        ends="The pair is taken away, with pictures and answer.",
        by=JOB,
        why="They serve to tell how often reviewers err.",
    ),
    Rule(
        "analyses",
        "Analyses of proxy logs",
        "sessions under pseudonyms; whose they were and the log's lines, sealed",
        "the day it is made",
        **_days("analysis_days"),
        ends="Analysis and sessions are deleted and the keys destroyed; nobody can be named any more.",
        by=JOB,
        why="It is what staff did, and is kept while it may have to be acted on.",
    ),
    Rule(
        "sessions",
        "Browser sessions",
        "who is signed in, since when, and how",
        "signing in; less when it is not used, or somebody signs out",
        length=lambda s: timedelta(minutes=s.serve.session_minutes),
        setting="serve.session_minutes",
        ends="From that moment it opens nothing; the row is deleted.",
        by=JOB,
        why="A session that is over serves nothing.",
    ),
    Rule(
        "devices",
        "Known browsers",
        "that an account was signed in from a browser before, by a digest",
        "its last use",
        **_fixed(signing.DEVICE),
        ends="The row is deleted.",
        by=JOB,
        why="A stranger's failed attempts do not lock out a browser that is known.",
    ),
    Rule(
        "attempts",
        "Failed attempts to sign in",
        "how many, by account, browser and network address",
        "the last of them",
        **_fixed(signing.FORGET),
        ends="The row is deleted.",
        by=JOB,
        why="They slow guessing down.",
    ),
    Rule(
        "set-up-codes",
        "Set-up codes",
        "the digest of a code that opens an account once",
        "the moment it is made",
        **_fixed(SETUP),
        ends="It opens nothing any more.",
        by=CLOCK,
        why="A code that lies about is a danger.",
    ),
    Rule(
        "tokens",
        "Programs' tokens",
        "name, scopes, owner and the digest of the secret",
        "its end, after which it opens nothing",
        **_days("token_days"),
        ends="The row is deleted.",
        by=JOB,
        why="For a while it is useful to see which there were.",
    ),
    Rule(
        "closed-accounts",
        "Closed accounts",
        "the name, passwords (hashed), authenticators and passkeys",
        "the day of closing",
        **_days("closed_account_days"),
        ends="The name's key is destroyed and the rows are deleted; entries keep the account's number. It cannot be "
        "opened again.",
        by=JOB,
        why="Who did what stays answerable for as long as it may have to be answered.",
    ),
    Rule(
        "backups",
        "Backups",
        "one moment of all of this, encrypted, wherever the operator put it",
        "the day it is made",
        **_days("backup_days"),
        ends="Whoever keeps it destroys it. What was erased is erased again from a home that is restored from one.",
        by=PEOPLE,
        why="What lies in a backup cannot be erased one by one.",
    ),
    Rule(
        "marks",
        "The list of erasures",
        "numbers of rows that are gone, and keyed digests of pictures",
        "",
        **_fixed(None),
        ends="It names nobody, and keeps what was erased from coming back.",
        by=STAYS,
        why="Without it a new run, or an old backup, would bring somebody back.",
    ),
    Rule(
        "ledger",
        "The ledger",
        "who did what and when, by the numbers of accounts, with purposes and cases as numbers; whatever is personal "
        "is sealed, and goes by the rules above. Rows of searches and authorities say no more than it does.",
        "",
        **_fixed(None),
        ends="Nothing is ever taken out; what it seals is destroyed with its key.",
        by=STAYS,
        why="It is how the operator answers for every use (UK Data Protection Act 2018, section 62).",
    ),
)
"""Every kind. A test holds it against the tables of the database and against the settings."""

BY_CODE = {rule.code: rule for rule in RULES}

NOT_KEPT = (
    "Photographs that were searched with, beside the probe; reports to people whose data it is, exports and other "
    "reports that were written out: the program keeps no copy. It writes no log of its own beside the ledger; what "
    "waits on the way in (fetched pictures, the work of an analysis) goes when its run ends."
)
"""What the program does not keep at all."""


def policy(settings: Settings) -> dict[str, Any]:
    """The schedule in force, as JSON values: what page, text and API show."""
    return {
        "rules": [rule.as_json(settings) for rule in RULES],
        "job": f"The retention job runs at intervals of {in_words(EVERY)} while the server does, and when it is asked "
        "to. What browsers and attempts leave is cleared once a day. Each run that destroyed something leaves a "
        "receipt in the ledger: which rule, when it was due, how much was destroyed, and nothing personal.",
        "not_kept": NOT_KEPT,
        "holds": _holds(settings),
    }


def _holds(settings: Settings) -> str:
    longest = in_words(timedelta(days=settings.retention.hold_days))
    return (
        "A legal hold suspends these rules for what it names, for a stated reason, until its date and for at most "
        f"{longest}. A source that has expired is neither read nor searched while it is held, and a search that was "
        "closed cannot be opened. A person's erasure that meets a hold is refused for that part, waits, and is "
        "carried out when the hold ends; until then nobody is shown those pictures."
    )
