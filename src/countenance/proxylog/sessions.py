"""Requests → sessions: who did what where in one stretch of time, judged.

    judge(requests, profiles, options) → sessions, by (start, site, who)
    judged(requests, profiles, options) → the same, one after another, in the order in which they are judged

Lines of one person on one site lie together in time order; what tells of the same act is folded: the proxy's demand to
sign in and the same request after it, a tunnel's two rows, a redirect and where it led, a tunnel and the requests that
were seen inside it. Then a session is a stretch without a long pause. Nothing depends on the order in which requests
come, on what files are called, or on how lines are spread over them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from math import inf
from typing import Literal

from countenance.domain.proxy import Session, WebRequest
from countenance.proxylog.bounds import Person, count
from countenance.proxylog.grade import graded
from countenance.proxylog.rows import Flag, Options, Row, State, Texts
from countenance.proxylog.site import Profile
from countenance.proxylog.stages import Sites, row_of

SIGN_IN_SECONDS = 120.0
"""How long after a 407 the same request still is its answer."""
REDIRECT_SECONDS = 30.0
LEAST_MORE = 8000
"""Bytes beyond those of the requests seen in it from which a tunnel may hold more, where a profile knows no photo."""
HEAD_BYTES = 2000
"""Bytes that a request may have on top of what its line counts."""
NOBODY = "-"
MANY = 200_000
"""Lines that concern the sites, beyond which a session keeps `FEW` of them as evidence, and one of each plain kind."""
FEW = 25

By = Literal["user", "address"]
Who = tuple[str, By, bool, str | None]
"""Name, what it is, whether it stands in for what the log lacks, and the address where that tells people apart too."""

_RANK = {"look": 0, "opt-out": 0, "upload": 2, "search": 3, "results": 5}


def judge(
    requests: Iterable[WebRequest], profiles: Sequence[Profile], options: Options | None = None
) -> tuple[Session, ...]:
    """The sessions on the profiles' sites, in the order of `place`. Requests to other sites are passed over."""
    return tuple(sorted(judged(requests, profiles, options), key=place))


def place(session: Session) -> tuple[float, str, str, str, tuple[str, ...], float]:
    """What sessions are put in order by."""
    return session.start, session.site, session.who, session.by, session.addresses, session.end


def judged(
    requests: Iterable[WebRequest], profiles: Sequence[Profile], options: Options | None = None
) -> Iterator[Session]:
    """The same, each as soon as it is judged.

    A million lines that concern the sites take some hundred megabytes; of so many, fewer are kept as evidence.
    """
    options = options or Options()
    sites = Sites(profiles)
    by_name = {profile.name: profile for profile in profiles}
    with Texts() as texts:
        piles: dict[str, dict[Who, list[Row]]] = defaultdict(dict)
        lines = 0
        for request in requests:
            found = sites.of(request)
            if found is None:
                continue
            site, match = found
            who = _who(request, options.by)
            row = row_of(request, site, match, texts)
            piles[site.profile.name].setdefault(who, []).append(row)
            lines += 1
        if lines > MANY:
            options = replace(options, most_evidence=min(options.most_evidence, FEW), most_plain=1)
        for name in sorted(piles):
            yield from _on_site(piles.pop(name), by_name[name], options, texts)


def _who(request: WebRequest, by: Literal["user", "address", "both"]) -> Who:
    user = None if request.user in (None, "", NOBODY) else request.user
    address = None if request.address in (None, "", NOBODY) else request.address
    if by == "both" and user and address:
        return user, "user", False, address
    if by == "address":
        if address:
            return address, "address", False, None
        return (user, "user", True, None) if user else (NOBODY, "address", True, None)
    if user:
        return user, "user", by == "both", None
    return address or NOBODY, "address", True, None


def _on_site(piles: dict[Who, list[Row]], profile: Profile, options: Options, texts: Texts) -> Iterator[Session]:
    """The sessions of everybody on one site. Empties `piles` as it goes."""
    _sign_ins(piles, options)
    stand_ins = _addresses(piles, stand_in=True)
    named = _addresses(piles, stand_in=False)
    for who in sorted(piles, key=lambda one: (one[0], one[1], one[2], one[3] or "")):
        rows = piles.pop(who)
        rows.sort(key=_order)
        others = named if who[2] else stand_ins
        person = Person(shared=who[1] == "address", stand_in=who[2], mixed=_meet(_where(rows), others))
        _fold(rows, options)
        _look_inside(rows, profile, options, shared=person.shared)
        for stretch in _stretches(rows, options.idle_seconds):
            it = count(stretch, profile, person, options)
            yield graded(stretch, it, profile, (who[0], who[1]), person, options, texts)


def _order(row: Row) -> tuple[float, int, str, str, str, int, int, str]:
    # Clocks tick in seconds: within one, what comes first on the site comes first here, whatever the files are called.
    rank = 1 if row.opaque else _RANK.get(row.name, 4)
    return row.at, rank, row.host, row.key or "", row.method or "", row.mark, row.line, row.file


def _where(rows: Iterable[Row]) -> set[str | None]:
    """The addresses of lines that can have been more than refusals."""
    return {row.address for row in rows if row.state not in (State.DENIED, State.FAILED, State.CHALLENGE)}


def _addresses(piles: dict[Who, list[Row]], *, stand_in: bool) -> set[str | None]:
    return _where(row for who, rows in piles.items() if who[2] is stand_in for row in rows)


def _meet(mine: set[str | None], others: set[str | None]) -> bool:
    """Whether lines may be of one person: the same address, or one that is not known."""
    return bool(mine and others) and (None in mine or None in others or not mine.isdisjoint(others))


def _sign_ins(piles: dict[Who, list[Row]], options: Options) -> None:
    """Lay a proxy's demand to sign in to the same request that followed it, which names the user that it lacks."""
    asked = [(who, row) for who, rows in piles.items() for row in rows if row.flags & Flag.ASKED_TO_SIGN_IN]
    if not asked:
        return
    keys = {_same(row, who) for who, row in asked}
    answers: dict[tuple[object, ...], list[tuple[float, str, int, Who]]] = defaultdict(list)
    for who, rows in piles.items():
        for row in rows:
            if not row.flags & Flag.ASKED_TO_SIGN_IN and (key := _same(row, who)) in keys:
                answers[key].append((row.at, who[0], row.mark, who))
    for found in answers.values():
        found.sort(key=lambda answer: answer[:3])
    leave: dict[Who, set[int]] = defaultdict(set)
    join: list[tuple[Who, Row]] = []
    for who, row in asked:
        found = answers.get(_same(row, who), [])
        at = bisect_left(found, row.at - options.skew_seconds, key=lambda answer: answer[0])
        if at == len(found) or found[at][0] > row.at + SIGN_IN_SECONDS:
            continue
        row.state = State.CHALLENGE
        if found[at][3] != who:
            leave[who].add(id(row))
            join.append((found[at][3], row))
    for who, ids in leave.items():
        piles[who] = [row for row in piles[who] if id(row) not in ids]
        if not piles[who]:
            del piles[who]
    for who, row in join:
        piles.setdefault(who, []).append(row)


def _same(row: Row, who: Who) -> tuple[object, ...]:
    return row.address or who, row.host, row.kind, row.method, row.key


def _fold(rows: Sequence[Row], options: Options) -> None:
    """Mark lines of which another line tells more: a CONNECT beside its tunnel's own row, a redirect."""
    connects: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.kind == "tunnel" and row.method == "CONNECT" and row.state in (State.OK, State.UNKNOWN):
            connects[row.host].append(row)
    for row in rows:
        if row.kind == "tunnel" and row.method is None and row.state in (State.OK, State.UNKNOWN):
            beside = connects[row.host]
            at = bisect_left(beside, row.at - options.skew_seconds, key=lambda one: one.at)
            if at < len(beside) and beside[at].at <= row.at + options.skew_seconds:
                beside.pop(at).flags |= Flag.FOLDED
    searches = [row for row in rows if row.fits == "search"]
    for row, following in pairwise(searches):
        if row.state is State.REDIRECT and following.at - row.end <= REDIRECT_SECONDS:
            row.flags |= Flag.FOLDED


def _look_inside(rows: Sequence[Row], profile: Profile, options: Options, *, shared: bool) -> None:
    """Mark tunnels whose requests are lines of their own, and those that may hold more than these requests.

    A connection that the log names is known by its name. Else, a proxy that looks into a person's connections to a host
    at a time looks into all of them. Of an address, which several people may share, that cannot be said: there a tunnel
    has to be one that the proxy itself ended, which is known by how little came back through it.
    """
    inside: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if not row.opaque:
            inside[row.host].append(row)
    named = {(row.connection, row.host) for of in inside.values() for row in of if row.connection is not None}
    skew, least = options.skew_seconds, profile.least_photo or LEAST_MORE
    for row in rows:
        requests = inside.get(row.host)
        if not requests or row.kind not in ("tunnel", "flow"):
            continue
        if (row.connection, row.host) in named:
            row.flags |= Flag.SEEN_INSIDE
            continue
        first = bisect_left(requests, row.at - skew, key=lambda one: one.at)
        last = bisect_right(requests, (inf if row.seconds is None else row.end) + skew, key=lambda one: one.at)
        if first >= last:
            continue
        row.flags |= Flag.MORE_INSIDE
        if requests[first].at > row.at + options.join_seconds + skew or (shared and not row.flags & Flag.OPENED_ONLY):
            continue
        ended = row.end if row.seconds is not None else row.at + options.unknown_seconds
        seen = sum((one.sent or 0) + HEAD_BYTES for one in requests[first:last] if one.at <= ended + skew)
        if row.sent is None or row.sent - seen < least:
            row.flags = (row.flags | Flag.SEEN_INSIDE) & ~Flag.MORE_INSIDE


def _stretches(rows: Sequence[Row], idle: float) -> Iterator[Sequence[Row]]:
    """Rows in order → those of one session each."""
    start, until = 0, rows[0].end
    for at, row in enumerate(rows):
        if row.at - until > idle:
            yield rows[start:at]
            start = at
        until = max(until, row.end)
    yield rows[start:]
