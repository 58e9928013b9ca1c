"""A finding in whole plain sentences: why this class, why these bounds, and what would settle it. Nobody is named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from countenance.domain.proxy import Ceiling, Grade
from countenance.proxylog.bounds import Count, Person
from countenance.proxylog.rows import Flag, Row, State
from countenance.proxylog.site import Profile


@dataclass(frozen=True, slots=True)
class Found:
    """All that the sentences are about. `stale` is a sentence or ""."""

    grade: Grade
    ceiling: Ceiling
    it: Count
    profile: Profile
    person: Person
    rows: Sequence[Row]
    stale: str
    unlisted: int


def reasons(found: Found) -> tuple[str, ...]:
    """Why, the most important first."""
    return tuple(_all_reasons(found))


def _all_reasons(found: Found) -> Iterator[str]:
    yield _CLASS[found.grade](found)
    yield from _bounds(found)
    if found.it.attempted:
        count = _n(found.it.attempted, "submission was", "submissions were")
        yield f"{count} refused, by the site or by the proxy, and counts as no search."
    if found.person.shared:
        yield (
            "The lines are told apart by address: several people may stand behind it, so what their connections can "
            "hold is added up."
        )
    if found.stale:
        yield found.stale
    if found.unlisted:
        yield f"{_n(found.unlisted, 'more line belongs', 'more lines belong')} to this session without being listed."


def _results(found: Found) -> str:
    it = found.it
    opened = f"Results were opened ({_n(len(it.results), 'line')})"
    if it.at_least:
        return f"{_n(it.at_least, 'search was', 'searches were')} submitted. {opened}."
    if it.unclaimed:
        return f"{opened}, but no submission before it is in the log: a link can be shared or kept."
    return f"{opened} of a search that was submitted earlier."


def _submitted(found: Found) -> str:
    it = found.it
    said = f"{_n(it.at_least, 'search was', 'searches were')} submitted and accepted by the site."
    if found.profile.polled:
        said += (
            f" Their progress was asked for {_n(len(it.polls), 'time')} in all, which counts as no more. Results come "
            "under the same address, so the log cannot show whether they were looked at."
        )
    return said


def _upload(found: Found) -> str:
    it = found.it
    if it.uploads:
        named = sum(1 for row in it.uploads if row.flags & Flag.FILE)
        how = f" (the log names {_n(named, 'file')})" if named else ""
        return f"{_n(len(it.uploads), 'photograph was', 'photographs were')} sent{how}; no submission is seen."
    largest = max(row.sent or 0 for row in it.probable)
    photo = found.profile.photo
    assert photo is not None
    return (
        f"Probably an upload, by bytes alone: {_n(len(it.probable), 'line tells', 'lines tell')} that the client "
        f"sent {photo.likely:,} bytes or more (the largest {largest:,}), as a photograph would. Of visits, "
        f"{photo.false_positive:.0%} are taken for uploads this way, and of uploads {photo.false_negative:.0%} for "
        f"visits. {' '.join(photo.how_estimated.split())}"
    )


def _opt_out(found: Found) -> str:
    return (
        f"{_n(len(found.it.opt_outs), 'request belongs', 'requests belong')} to the form by which people have "
        "themselves taken out. It takes a photograph, and is no search."
    )


def _unclear(found: Found) -> str:
    it = found.it
    if it.results_hosts:
        return (
            "Probably results were shown: a host that does nothing else was reached, but the log does not show what "
            "was asked of it."
        )
    if it.hidden or it.names:
        what = "a name was looked up" if found.ceiling is Ceiling.V0 else "the site was reached"
        return f"The log shows that {what}, and not what was done there: a search would look the same."
    if it.calls:
        return "Every request to this site looks alike, and the bytes that they sent do not exclude a photograph."
    if it.unsure or it.redirected:
        return "Some lines could be a search, but they do not show a whole request and its success."
    if it.results or it.unsure_results:
        return "A link to results was fetched, with nothing around it: a person may have opened it, or a link scanner."
    if it.polls:
        return "A search's progress was asked for without an upload before it: it may be an old one, opened again."
    if it.strange:
        return "Something was sent to the site on paths that the profile does not know: a search may be among it."
    if it.unsure_uploads:
        return "Some lines could be an upload, but they do not show a whole request and its success."
    return "The log does not show whether the site was reached."


def _blocked(found: Found) -> str:
    denied = sum(1 for row in found.rows if row.state is State.DENIED)
    return f"Nothing got through: of {_n(len(found.rows), 'request')} the proxy refused {denied}."


def _background(found: Found) -> str:
    return (
        f"{_n(len(found.rows), 'request')} of the kind that programs make on their own: a link scanner or preview, a "
        "picture embedded in another site's page, or a page fetched with nothing around it by a program without a name."
    )


def _visit(found: Found) -> str:
    it = found.it
    if it.hidden or it.calls:
        largest = max((row.sent or 0 for row in (*it.hidden, *it.calls)), default=0)
        least = found.profile.least_photo or 0
        return (
            f"A visit: nothing sent as much as the smallest photograph, {least:,} bytes (the most was {largest:,}), "
            "and a search sends one."
        )
    if it.refused_uploads:
        return "A visit: an upload was tried and refused, and nothing was submitted."
    return f"A visit: {_n(len(found.rows), 'request')} without an upload, a submission or results."


_CLASS = {
    Grade.RESULTS_VIEWED: _results,
    Grade.SEARCH_SUBMITTED: _submitted,
    Grade.UPLOAD: _upload,
    Grade.OPT_OUT: _opt_out,
    Grade.INDETERMINATE: _unclear,
    Grade.BLOCKED: _blocked,
    Grade.BACKGROUND: _background,
    Grade.VISIT: _visit,
}


def _bounds(found: Found) -> Iterator[str]:
    """What makes "at most" more than "at least"."""
    it, fastest = found.it, found.profile.fastest_search_seconds
    if it.at_most == it.at_least:
        return
    if it.in_hidden:
        closed = len(it.hidden) + len(it.names) + len(it.calls)
        parts = [_n(closed, "connection or request", "connections or requests")] if closed else []
        parts += [_n(len(it.strange), "request to an unknown path", "requests to unknown paths")] if it.strange else []
        yield (
            f"{' and '.join(parts)} can hold at most {_n(it.in_hidden, 'search', 'searches')}, if nobody submits two "
            f"within {fastest:g} seconds and each sends its own photograph in this session."
        )
        if it.taken_seconds:
            yield (
                "The log does not say how long some connections lasted; these are taken to have lasted "
                f"{it.taken_seconds / 60:g} minutes."
            )
    doubtful = len(it.unsure) + len(it.redirected)
    if doubtful:
        lines = _n(doubtful, "line")
        yield f"{lines} could be a search{_each(doubtful)}: what is missing, or the outcome, does not tell."
    if it.unclaimed:
        links = _n(it.unclaimed, "link")
        yield f"{links} to results could stand for a search{_each(it.unclaimed)} that this log does not show."
    if it.reopened:
        runs = _n(it.reopened, "run")
        yield f"{runs} of questions for progress, without an upload, could be a search{_each(it.reopened)}."


def would_change(found: Found) -> tuple[str, ...]:
    """What further logging would settle it."""
    return tuple(_settling(found))


def _settling(found: Found) -> Iterator[str]:
    it = found.it
    closed = [*it.hidden, *it.names, *it.results_hosts]
    if it.names:
        yield "A proxy's or firewall's log of the connections themselves: hosts, times and bytes."
    if closed:
        yield "Inspection of requests to this host, with method, path and status, would tell a visit from a search."
        if any(row.sent is None for row in (*it.hidden, *it.results_hosts)):
            yield "A column of the bytes that the client sent would tell whether a photograph can have been among them."
        if it.taken_seconds:
            yield "A column of how long each connection lasted would narrow the bounds."
    if it.calls and found.grade in (Grade.INDETERMINATE, Grade.UPLOAD):
        yield "The bodies of the requests, or the names of files sent, would tell an upload from the rest."
    missing = _missing([*it.unsure, *it.unsure_uploads, *it.unsure_results])
    if missing:
        yield f"The log lacks {missing} on lines that could matter."
    if it.strange:
        yield "A newer profile of the site may know the paths that this one does not."
    if it.unclaimed or it.reopened:
        yield "An earlier or fuller log may hold the submission that came before."
    if found.person.stand_in or found.person.mixed:
        yield "User names and addresses on every line would tell people apart."
    if found.stale:
        yield "A profile of the site that was checked for these days."


def _missing(rows: Sequence[Row]) -> str:
    lacks = {
        "the method": any(row.method is None for row in rows),
        "the path": any(row.key is None for row in rows),
        "the outcome": any(row.state is State.UNKNOWN for row in rows),
    }
    names = [name for name, lacking in lacks.items() if lacking]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _each(count: int) -> str:
    return "" if count == 1 else " each"


def _n(count: int, one: str, many: str = "") -> str:
    """A count with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
