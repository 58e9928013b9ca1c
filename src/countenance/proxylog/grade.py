"""A session's count → its class, never above what its lines can show, with the reasons and the lines that say so.

From the top: results that were opened, searches that were submitted, an upload, an opt-out; then what cannot be told;
and only where nothing is left open, what was no search: refused, in the background, a visit. The agent and the referrer
never make a submission less than it is, so that a log without these columns never makes more of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

from countenance.domain.proxy import Bounds, Ceiling, Evidence, Grade, Session
from countenance.proxylog.bounds import Count, Person
from countenance.proxylog.rows import Flag, Options, Row, State, Texts
from countenance.proxylog.site import Profile
from countenance.proxylog.wording import Found, reasons, would_change


def graded(
    rows: Sequence[Row],
    it: Count,
    profile: Profile,
    who: tuple[str, str],
    person: Person,
    options: Options,
    texts: Texts,
) -> Session:
    """The session of these rows, which are in order and not empty; `who` is the name and what it is."""
    grade, deciding = _grade(rows, it, person)
    ceiling = max((row.ceiling for row in deciding), default=Ceiling.V0)
    start, end = rows[0].at, max(row.end for row in rows)
    stale = _stale(profile, deciding, _day(start), _day(end))
    evidence = _evidence(rows, deciding, it, options, texts)
    found = Found(grade, ceiling, it, profile, person, rows, stale=stale, unlisted=len(rows) - len(evidence))
    return Session(
        who=who[0],
        by="user" if who[1] == "user" else "address",
        site=profile.name,
        category=profile.category,
        start=start,
        end=end,
        requests=len(rows),
        grade=grade,
        ceiling=ceiling,
        searches=Bounds(it.at_least, it.at_most),
        attempted=it.attempted,
        reasons=reasons(found),
        would_change=would_change(found),
        evidence=evidence,
        addresses=tuple(sorted({row.address for row in rows if row.address is not None})),
        stale=bool(stale),
    )


def _grade(rows: Sequence[Row], it: Count, person: Person) -> tuple[Grade, Sequence[Row]]:
    """The class, and the rows that decide it."""
    if it.results and (person.submitted < it.results[-1].at or it.searches or _around(rows, it.results)):
        return Grade.RESULTS_VIEWED, [*it.results, *it.searches, *it.uploads]
    if it.at_least:
        return Grade.SEARCH_SUBMITTED, [*it.searches, *it.uploads]
    if it.uploads:
        return Grade.UPLOAD, it.uploads
    if it.opt_outs:
        return Grade.OPT_OUT, it.opt_outs
    if it.probable:
        return Grade.UPLOAD, it.probable
    open_ones = [*it.unsure, *it.unsure_uploads, *it.redirected, *it.results_hosts, *it.polls]
    open_ones += [row for row in (*it.unsure_results, *it.results) if not row.flags & Flag.BOT]
    if it.in_hidden:
        open_ones += [*it.hidden, *it.names, *it.calls, *it.strange]
    if open_ones:
        return Grade.INDETERMINATE, open_ones
    alive = [
        row for row in rows if row.state is not State.CHALLENGE and not row.flags & (Flag.FOLDED | Flag.SEEN_INSIDE)
    ]
    alive = [row for row in alive if row.kind != "dns"] or alive
    reached = [row for row in alive if row.flags & Flag.REACHED]
    if reached:
        return (Grade.BACKGROUND if _background(reached) else Grade.VISIT), reached
    if any(row.flags & Flag.MAYBE_REACHED for row in alive):
        return Grade.INDETERMINATE, alive
    return Grade.BLOCKED, alive or rows


def _around(rows: Sequence[Row], results: Sequence[Row]) -> bool:
    """Whether something of the page around the results was fetched too: a link scanner fetches the link alone."""
    links = {(row.host, row.key) for row in results}
    return len(links) > 1 or any(
        row.sure and (row.host, row.key) not in links and not row.flags & (Flag.FOLDED | Flag.IGNORED) for row in rows
    )


def _background(reached: Sequence[Row]) -> bool:
    """Whether all of it is what machines do on their own: scanners and previews, embeds, a page fetched alone."""
    asked = [row for row in reached if not row.flags & Flag.IGNORED]
    if all(row.flags & (Flag.BOT | Flag.ASSET) for row in asked):
        return True
    pages = [row for row in asked if row.state is not State.REDIRECT]
    return len(pages) == 1 and pages[0].method == "GET" and all(row.flags & Flag.BLANK for row in asked)


def _stale(profile: Profile, deciding: Iterable[Row], first: date, last: date) -> str:
    """Why what the finding rests on is not known for its day; "" when it is."""
    title = f"The profile of {profile.title} (version {profile.version}, checked on {profile.checked})"
    if last > profile.stale_after:
        return f"{title} is good until {profile.stale_after}; this is later, and the site may work otherwise by now."
    if first < profile.since:
        return f"{title} says nothing of the time before {profile.since}; the site may have worked otherwise."
    young = {row.stage.since for row in deciding if row.stage is not None and row.stage.since is not None}
    if young and first < max(young):
        return f"{title} knows what this rests on only since {max(young)}; the site may have worked otherwise."
    return ""


def _day(seconds: float) -> date:
    return datetime.fromtimestamp(seconds, UTC).date()


def _evidence(
    rows: Sequence[Row], deciding: Sequence[Row], it: Count, options: Options, texts: Texts
) -> tuple[Evidence, ...]:
    """The lines of a session in time order: those that decide before all others, and few of a plain kind."""
    special = {id(row): "search, asked again" for row in it.polls}
    special |= {id(row): "call, all of which look alike" for row in it.calls}
    special |= {id(row): "upload for the opt-out" for row in it.opt_outs if row.fits == "upload"}
    for row in it.searches:
        special.pop(id(row), None)
    decide = {id(row) for row in deciding}
    telling = {id(row) for row in (*it.refused, *it.refused_uploads, *it.uploads, *it.opt_outs, *it.searches)}
    by_weight: tuple[list[tuple[Row, str]], ...] = ([], [], [])
    plain: dict[str, int] = {}
    for row in rows:
        role = special.get(id(row)) or _role(row)
        if role in _PLAIN:
            plain[role] = plain.get(role, 0) + 1
            if plain[role] > options.most_plain:
                continue
        by_weight[0 if id(row) in decide else 1 if id(row) in telling else 2].append((row, role))
    kept = [one for ones in by_weight for one in ones][: options.most_evidence]
    places = {id(row): at for at, row in enumerate(rows)}
    kept.sort(key=lambda one: places[id(one[0])])
    return tuple(Evidence(row.file, row.line, row.at, role, *texts.get(row.text)) for row, role in kept)


_PLAIN = frozenset({"part of a page", "tunnel, its requests are seen", "search, asked again", "asks about a page"})
_STAGES = {
    "look": "page",
    "asset": "part of a page",
    "pricing": "prices",
    "quota": "question for what is left to search",
    "other": "of no account",
}
_STATES = {
    State.REDIRECT: ", sent elsewhere",
    State.REFUSED: ", answered with an error",
    State.DENIED: ", refused by the proxy",
    State.FAILED: ", never got there",
    State.UNKNOWN: ", outcome not known",
}


def _role(row: Row) -> str:
    """What a row was taken for, in words."""
    if row.state is State.CHALLENGE:
        return "asked to sign in"
    if row.opaque:
        text = {"dns": "look-up of the name", "flow": "connection", "tunnel": "tunnel"}[row.kind]
        if row.flags & Flag.FOLDED:
            return f"{text}, opened"
        if row.flags & Flag.SEEN_INSIDE:
            return f"{text}, its requests are seen"
        return text + (" to a host of results" if row.flags & Flag.ON_RESULTS_HOST else "") + _STATES.get(row.state, "")
    if row.flags & Flag.IGNORED:
        return "asks about a page"
    if row.flags & Flag.STRANGE:
        text = "sent to a path that is not known"
    elif row.fits:
        text = _STAGES.get(row.fits, row.fits)
    elif row.flags & (Flag.CAN_SEARCH | Flag.CAN_UPLOAD | Flag.CAN_RESULTS):
        could = [name for name, flag in _COULD if row.flags & flag]
        text = "could be " + " or ".join(could)
    else:
        text = "part of a page" if row.flags & Flag.ASSET else _STAGES.get(row.name, row.name or "page")
    return text + _STATES.get(row.state, "")


_COULD = (("a search", Flag.CAN_SEARCH), ("an upload", Flag.CAN_UPLOAD), ("results", Flag.CAN_RESULTS))
