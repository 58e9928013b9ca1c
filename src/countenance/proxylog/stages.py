"""A request → the stage of a site's profile that it is, or all that it could be where the line shows too little.

What is missing from a line is never filled in: a line without a method is a search only in the sense that it *could*
be one, and widens the bounds instead of being counted.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from countenance.domain.proxy import WebRequest
from countenance.proxylog.patterns import MAX_PATH, plain_path
from countenance.proxylog.rows import OPENING_BYTES, Flag, Row, State, Texts
from countenance.proxylog.site import Profile, Stage

REMEMBERED = 8192
"""Distinct requests of a site whose stage is remembered."""

_ASSET = re.compile(
    r"\.(?:js|mjs|css|map|png|jpe?g|gif|svg|webp|avif|ico|woff2?|ttf|otf|eot|mp4|webm|wasm|webmanifest)", re.ASCII
)
_BOTS = re.compile(
    r"bot\b|bots\b|crawler|spider|externalhit|facebot|uripreview|linkpreview|link preview|prefetch|safelinks|"
    r"proofpoint|mimecast|barracuda|urlscan|scanner|url ?check|link ?check|microsoft office|ms-office|"
    r"google-safety|apis-google|mediapartners|embedly|slack-imgproxy|whatsapp/|ahrefs|archiver",
    re.ASCII,
)
_SENDS = frozenset({"POST", "PUT", "PATCH"})
_ASKS = frozenset({"HEAD", "OPTIONS", "TRACE"})


N = TypeVar("N", int, float)


@dataclass(frozen=True, slots=True)
class Match:
    """What a request is: its stage (the likeliest where several fit), and flags for what else it could be.

    `known`: some stage fits or could fit.
    """

    stage: Stage | None
    flags: int
    known: bool


class Site:
    """A profile at work: the stages of its requests, remembered."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self._seen: dict[tuple[str, str | None, str | None, str | None, int | None], Match] = {}
        self._numbers: dict[tuple[type, float], Any] = {}
        self._by_query = any(stage.query for stage in profile.stages)
        self._by_sent = any(s.min_sent is not None or s.max_sent is not None for s in profile.stages)
        self._opt_outs = [stage for stage in profile.stages if stage.stage == "opt-out"]

    def match(self, request: WebRequest) -> Match:
        """The stage of a request."""
        key = (
            request.host,
            request.method,
            None if request.path is None else plain_path(request.path),
            request.query if self._by_query else None,
            request.sent if self._by_sent else None,
        )
        found = self._seen.get(key)
        if found is None:
            if len(self._seen) >= REMEMBERED:
                self._seen.clear()
            found = self._seen[key] = self._match(*key)
        return found

    def _match(self, host: str, method: str | None, path: str | None, query: str | None, sent: int | None) -> Match:
        if method in _ASKS:
            return Match(None, Flag.IGNORED, any(_fits(s, host, None, path, query, sent) for s in self.profile.stages))
        flags = 0
        likely: Stage | None = None
        for stage in self.profile.stages:
            fits = _fits(stage, host, method, path, query, sent)
            if fits is None:
                likely = likely or stage
                flags |= _could(stage)
            elif fits:
                if flags & _WEIGHTY and likely is not None:
                    # What came before and could have fitted is the graver: keep the line as what it may be.
                    return Match(likely, flags | (Flag.CAN_SEARCH if stage.may_search else 0), True)
                return Match(stage, Flag.FITS | (Flag.CAN_SEARCH if stage.may_search else 0), True)
        if path is None:
            return Match(likely, flags | (Flag.CAN_SEARCH if method is None or method in _SENDS else 0), bool(likely))
        if likely is not None:
            return Match(likely, flags, True)
        if _ASSET.search(path[-12:].lower()) and method in (None, "GET"):
            return Match(None, Flag.ASSET, False)
        if method is None or method in _SENDS:
            return Match(None, Flag.CAN_SEARCH | Flag.STRANGE, False)
        return Match(None, 0, False)

    def kept(self, number: N | None) -> N | None:
        """The number, each once: a million lines hold few different ones. None for one that cannot be."""
        if number is None or number < 0:
            return None
        if len(self._numbers) >= REMEMBERED:
            self._numbers.clear()
        kept: N = self._numbers.setdefault((type(number), number), number)
        return kept

    def from_opt_out(self, referrer: str | None) -> int:
        """FROM_OPT_OUT, FROM_ELSEWHERE on the same site, or 0 where the referrer does not tell."""
        if not referrer or not self._opt_outs:
            return 0
        try:
            parts = urlsplit(referrer[:MAX_PATH])
            host = (parts.hostname or "").rstrip(".")
        except ValueError:
            return 0
        if not self.profile.owns(host) or parts.path in ("", "/"):
            return 0  # a site that hides its pages from the referrer still names itself
        path = plain_path(parts.path)
        found = any(_fits(stage, host, None, path, None, None) is not False for stage in self._opt_outs)
        return Flag.FROM_OPT_OUT if found else Flag.FROM_ELSEWHERE


_WEIGHTY = Flag.CAN_SEARCH | Flag.CAN_RESULTS | Flag.CAN_UPLOAD


def _could(stage: Stage) -> int:
    flags = {"search": Flag.CAN_SEARCH, "results": Flag.CAN_RESULTS, "upload": Flag.CAN_UPLOAD}.get(stage.stage, 0)
    return flags | (Flag.CAN_SEARCH if stage.may_search else 0)


def _fits(
    stage: Stage, host: str, method: str | None, path: str | None, query: str | None, sent: int | None
) -> bool | None:
    """Whether a stage fits; None where it could, if what is missing were there."""
    if stage.host_expression is not None and not stage.host_expression.fullmatch(host):
        return False
    if method is not None and stage.methods and method not in stage.methods:
        return False
    if path is not None and not any(one.fullmatch(path) for one in stage.expressions):
        return False
    if query is not None and stage.query and not _holds(query, stage.query):
        return False
    unsure = path is None or (method is None and bool(stage.methods)) or (query is None and bool(stage.query))
    if stage.min_sent is not None or stage.max_sent is not None:
        if sent is None:
            unsure = True
        elif not (stage.min_sent or 0) <= sent <= (stage.max_sent if stage.max_sent is not None else sys.maxsize):
            return False
    return None if unsure else True


def _holds(query: str, wanted: Sequence[str]) -> bool:
    pairs = {unquote(pair) for pair in query[:MAX_PATH].removeprefix("?").split("&")}
    keys = {pair.partition("=")[0] for pair in pairs}
    return all(one in pairs if "=" in one else one in keys for one in wanted)


class Sites:
    """All profiles at work: which one a request concerns, and its row."""

    def __init__(self, profiles: Sequence[Profile]) -> None:
        self._sites = [Site(profile) for profile in sorted(profiles, key=lambda profile: profile.name)]
        self._owner: dict[str, tuple[Site | None, tuple[Site, ...]]] = {}

    def of(self, request: WebRequest) -> tuple[Site, Match] | None:
        """The site of a request and its stage there; None for one that concerns no site.

        On a shared host only a request that matches a stage, or could, is the site's.
        """
        known = self._owner.get(request.host)
        if known is None:
            if len(self._owner) >= REMEMBERED:
                self._owner.clear()
            owner = next((site for site in self._sites if site.profile.owns(request.host)), None)
            shared = tuple(site for site in self._sites if site.profile.shares(request.host))
            known = self._owner[request.host] = (owner, shared)
        owner, shared = known
        if owner is not None:
            return owner, (owner.match(request) if request.kind == "request" else _NOTHING)
        if shared and request.kind == "request" and request.path is not None:
            for site in shared:
                match = site.match(request)
                if match.known:
                    return site, match
        return None


_NOTHING = Match(None, 0, False)


def row_of(request: WebRequest, site: Site, match: Match, texts: Texts) -> Row:
    """The row that a request becomes."""
    state = _state(request, match.stage)
    flags = match.flags
    whole = request.kind == "request" and request.method and request.path is not None and request.status
    flags |= Flag.SHOWS if whole else 0
    if request.outcome == "allowed":
        flags |= Flag.REACHED
    elif request.outcome is None or state is State.UNKNOWN:
        flags |= Flag.MAYBE_REACHED
    if request.agent:
        flags |= Flag.BOT if _BOTS.search(request.agent.lower()) else 0
    elif request.agent is not None:
        flags |= Flag.BLANK
    flags |= Flag.FILE if request.file_name else 0
    flags |= Flag.ASKED_TO_SIGN_IN if request.status == 407 else 0
    flags |= Flag.SUBMITS if request.method in _SENDS else 0
    if request.kind == "tunnel" and request.received is not None and request.received <= OPENING_BYTES:
        flags |= Flag.OPENED_ONLY
    flags |= Flag.ON_RESULTS_HOST if site.profile.shows_results(request.host) else 0
    if match.stage is not None and match.stage.stage == "upload":
        flags |= site.from_opt_out(request.referrer)
    return Row(
        at=request.at,
        seconds=site.kept(request.seconds),
        file=sys.intern(request.file),
        line=request.line,
        kind=request.kind,
        host=sys.intern(request.host),
        address=None if not request.address else sys.intern(request.address),
        method=None if request.method is None else sys.intern(request.method),
        key=None if request.path is None else sys.intern(plain_path(request.path)),
        stage=match.stage,
        state=state,
        flags=site.kept(flags) or 0,
        ceiling=request.ceiling,
        sent=site.kept(request.sent),
        connection=sys.intern(request.connection) if request.connection else None,
        text=texts.put(request.text, request.in_short()),
    )


def _state(request: WebRequest, stage: Stage | None) -> State:
    status = request.status or None
    if request.outcome == "denied" or status == 407:
        return State.DENIED
    if request.outcome == "failed":
        return State.FAILED if status is not None and status >= 400 else State.UNKNOWN
    if status is not None and status >= 400:
        return State.REFUSED if request.kind == "request" else State.FAILED
    if request.kind != "request":
        return State.OK if request.outcome == "allowed" else State.UNKNOWN
    if status is None or status < 200:
        return State.UNKNOWN
    if status >= 300 and not (status == 304 and request.method == "GET"):
        usual = stage is not None and stage.redirects and request.outcome == "allowed"
        return State.OK if usual else State.REDIRECT
    # Without the outcome even a 200 can be the proxy's own page that says no.
    return State.OK if request.outcome == "allowed" else State.UNKNOWN
