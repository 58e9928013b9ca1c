"""A session's lines → how many searches there were, at least and at most, and the lines that say so.

Counted for sure is only what a line shows whole: method, path, an answer that was a success. All that a line leaves
open goes into "at most":

- a connection that is not seen into holds at most one search for every `fastest_search_seconds` that it lasted, and
  where the bytes it sent are known, no more than so many of the smallest photographs. One person's connections
  together hold no more than their time together; connections of an address, which several people may share, do not
  bound one another, so theirs are added up;
- a request that lacks a column, whose outcome is not known, that was redirected or was sent to a path that the
  profile does not know, is at most one search;
- results that come before any submission of that person are at most one search a link: it may have been shared.

What this assumes is said in the reasons: a search sends its own photograph in its session, and nobody submits two of
them within the profile's fastest time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

from countenance.proxylog.rows import Flag, Options, Row, State
from countenance.proxylog.site import Profile

ONE_SEARCH_SECONDS = 60.0
"""At an address that several people may share, uploads closer than this may be the photographs of one search."""


@dataclass(slots=True)
class Person:
    """One person on one site, session after session.

    `shared`: several people may stand behind the name. `stand_in`: the log's lines lack the column that tells people
    apart. `mixed`: lines of this person may stand under another name too, because some lack that column. `submitted`
    is the moment of the first submission.
    """

    shared: bool = False
    stand_in: bool = False
    mixed: bool = False
    submitted: float = inf


@dataclass(slots=True)
class Count:
    """What a session's lines add up to; each line is in the list of what it was taken for."""

    at_least: int = 0
    at_most: int = 0
    attempted: int = 0
    searches: list[Row] = field(default_factory=list)
    polls: list[Row] = field(default_factory=list)
    uploads: list[Row] = field(default_factory=list)
    opt_outs: list[Row] = field(default_factory=list)
    results: list[Row] = field(default_factory=list)
    refused: list[Row] = field(default_factory=list)
    refused_uploads: list[Row] = field(default_factory=list)
    redirected: list[Row] = field(default_factory=list)
    unsure: list[Row] = field(default_factory=list)
    """Could be a search, each."""
    unsure_uploads: list[Row] = field(default_factory=list)
    unsure_results: list[Row] = field(default_factory=list)
    strange: list[Row] = field(default_factory=list)
    hidden: list[Row] = field(default_factory=list)
    """Connections that are not seen into."""
    results_hosts: list[Row] = field(default_factory=list)
    names: list[Row] = field(default_factory=list)
    """Look-ups of a name with nothing beside them."""
    calls: list[Row] = field(default_factory=list)
    """Requests to a site whose requests all look alike."""
    probable: list[Row] = field(default_factory=list)
    """Connections or calls that sent as much as a photograph has."""
    reopened: int = 0
    unclaimed: int = 0
    in_hidden: int = 0
    too_small: bool = False
    """The bytes sent exclude a photograph."""
    taken_seconds: float = 0.0
    """How long connections are taken to have lasted where the log does not say; 0 where it does of all."""


def count(rows: Sequence[Row], profile: Profile, person: Person, options: Options) -> Count:
    """Count one session, its rows in order. Sessions of a person are to be counted in order: `person` remembers."""
    it = Count()
    _sort_out(rows, profile, it)
    if profile.polled:
        _runs(it, profile, person)
    else:
        it.at_least = len(it.searches)
        it.at_most = len(it.searches) + len(it.unsure)
        it.attempted = len(it.refused)
    it.at_most += len(it.redirected)
    _hidden(it, profile, person, options)
    first = it.searches[0].at if it.searches else inf
    person.submitted = min(person.submitted, first)
    before = {
        row.key if row.fits and not row.flags & Flag.ON_RESULTS_HOST else None
        for row in (*it.results, *it.unsure_results)
        if row.at + options.skew_seconds < person.submitted and not row.flags & (Flag.BOT | Flag.CAN_SEARCH)
    }
    it.unclaimed = len(before - {None}) or len(before)
    if it.results_hosts and person.submitted == inf:
        it.unclaimed = max(it.unclaimed, 1)
    it.at_most += it.unclaimed
    _probable(it, profile, person)
    return it


def _sort_out(rows: Sequence[Row], profile: Profile, it: Count) -> None:
    opt_out_page = False
    names, others = [], False
    for row in rows:
        if row.state is State.CHALLENGE or row.flags & (Flag.FOLDED | Flag.IGNORED):
            continue
        if row.kind == "dns":
            names += [row] if row.state not in (State.DENIED, State.FAILED) else []
            continue
        others = True
        if row.opaque:
            _connection(row, it)
            continue
        if row.name in _PAGES or (row.stage is None and not row.flags & (Flag.ASSET | Flag.SUBMITS)):
            opt_out_page = row.name == "opt-out"
        if row.state in (State.DENIED, State.REFUSED, State.FAILED):
            if row.fits == "search":
                it.refused.append(row)
            elif row.fits == "upload":
                it.refused_uploads.append(row)
            continue
        _request(row, profile, it, opt_out_page)
    if not others:
        it.names = names


_PAGES = frozenset({"look", "opt-out", "pricing", "results", "sign-in"})


def _connection(row: Row, it: Count) -> None:
    if row.state in (State.DENIED, State.FAILED):
        return
    if row.flags & Flag.FILE and row.state is State.OK:
        it.uploads.append(row)
    if row.flags & Flag.SEEN_INSIDE:
        return
    (it.results_hosts if row.flags & Flag.ON_RESULTS_HOST else it.hidden).append(row)


def _request(row: Row, profile: Profile, it: Count, opt_out_page: bool) -> None:
    fits, flags = row.fits, row.flags
    if fits == "search" and profile.bytes_only:
        it.calls.append(row)
    elif fits == "search" and profile.polled:
        it.polls.append(row)
    elif fits == "search":
        of = it.searches if row.sure else it.redirected if row.state is State.REDIRECT else it.unsure
        of.append(row)
    elif fits == "upload":
        opt_out = flags & Flag.FROM_OPT_OUT or (opt_out_page and not flags & Flag.FROM_ELSEWHERE)
        of = it.unsure_uploads if not row.sure else it.opt_outs if opt_out else it.uploads
        of.append(row)
    elif fits == "results" and row.state is not State.REDIRECT:
        (it.results if row.sure else it.unsure_results).append(row)
    elif fits == "opt-out" and row.sure and flags & Flag.SUBMITS:
        it.opt_outs.append(row)
    elif flags & Flag.FILE and flags & Flag.SUBMITS and row.sure:
        it.uploads.append(row)
    if flags & Flag.STRANGE:
        it.strange.append(row)
    elif flags & Flag.CAN_SEARCH or (flags & Flag.CAN_UPLOAD and profile.polled):
        it.unsure.append(row)
    if flags & Flag.CAN_UPLOAD:
        it.unsure_uploads.append(row)
    if flags & Flag.CAN_RESULTS:
        it.unsure_results.append(row)


def _runs(it: Count, profile: Profile, person: Person) -> None:
    """Searches of a site that is asked again until one is done: an upload and the run of questions that follows it.

    A run that no upload of its own precedes is at most a search: it may be an old one, opened again.
    """
    uploads = [row for row in (*it.uploads, *it.opt_outs) if row.fits == "upload"]
    maybe = sum(1 for row in it.unsure_uploads if row.fits == "upload")
    waiting, sent, counted, last = 0, -inf, -inf, -inf
    for row in sorted((*uploads, *it.polls), key=_order):
        if row.fits == "upload":
            waiting, sent = waiting + 1, row.at
        elif not row.sure:
            it.unsure.append(row)
        elif waiting:
            it.at_most += waiting
            again = person.shared and sent - counted < ONE_SEARCH_SECONDS
            if not again and not (person.mixed and person.stand_in):
                it.at_least += 1
                it.searches.append(row)
                counted = sent
            waiting, last = 0, row.end
        else:
            if row.at - last > profile.poll_gap_seconds:
                it.at_most += 1
                it.reopened += 1
            last = max(last, row.end)
    it.at_most += len(it.unsure) + maybe + (waiting if person.mixed else 0)
    runs, last = 0, -inf
    for row in it.refused:
        runs += row.at - last > profile.poll_gap_seconds
        last = row.end
    it.attempted = max(len(it.refused_uploads), 0 if any(row.sure for row in it.polls) else runs)


def _order(row: Row) -> tuple[float, int]:
    return row.at, row.name != "upload"


def _hidden(it: Count, profile: Profile, person: Person, options: Options) -> None:
    """What connections that are not seen into, calls that look alike and paths that nobody knows can hold."""
    closed = [*it.hidden, *it.names]
    fastest, least = profile.fastest_search_seconds, profile.least_photo
    # Of a name that was asked for, the line tells how long the asking took and how much it sent, not what came after.
    known = [None if row.kind == "dns" else row.seconds for row in closed]
    lasted = [options.unknown_seconds if seconds is None else seconds for seconds in known]
    it.taken_seconds = options.unknown_seconds if None in known else 0.0
    most = float(sum(1 + int((one + options.skew_seconds) // fastest) for one in lasted))
    if closed and least is not None and not it.names and all(row.sent is not None for row in closed):
        by_bytes = sum((row.sent or 0) // least for row in closed)
        it.too_small = by_bytes == 0
        most = min(most, by_bytes)
    calls = len(it.calls)
    if calls and least is not None and all(row.sent is not None and row.sent < least for row in it.calls):
        calls = 0
        it.too_small = it.too_small or not closed
    most += calls + len(it.strange)
    if most and not person.shared:
        ends = [row.at + one for row, one in zip(closed, lasted, strict=True)]
        open_ones = [*it.calls, *it.strange]
        ends += [row.end for row in open_ones]
        span = max(ends) - min(row.at for row in (*closed, *open_ones)) + options.skew_seconds
        most = min(most, 1 + int(span // fastest))
    it.in_hidden = int(most)
    it.at_most += it.in_hidden


def _probable(it: Count, profile: Profile, person: Person) -> None:
    if profile.photo is None:
        return
    # Where lines of a person stand under another name too, requests that a tunnel held may be among those: then its
    # bytes say nothing.
    tunnels = [row for row in it.hidden if row.state is State.OK and not row.flags & Flag.MORE_INSIDE]
    likely = [*(() if person.mixed else tunnels), *(row for row in it.calls if row.sure)]
    it.probable = [row for row in likely if row.sent is not None and row.sent >= profile.photo.likely]
