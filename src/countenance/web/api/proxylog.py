"""/proxylog: analyses of proxy logs, their sessions under pseudonyms, reports, and unmasking by two people."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import Field

from countenance.domain.errors import NotSignedIn, Refused
from countenance.services.unmask import Unmasking
from countenance.web.api.shapes import Answer, Asked, BigInt, Moment, file_answer
from countenance.web.callers import House, LogReader, Unmasker
from countenance.web.problems import responses

router = APIRouter(prefix="/proxylog/analyses", tags=["proxylog"])

AnalysisInPath = Annotated[str, Path(pattern=r"^L-[0-9a-f]{12}$", description="An analysis's id.")]
SessionInPath = Annotated[str, Path(pattern=r"^V-[0-9a-f]{12}$", description="A session's id.")]


class Bounds(Answer):
    """A count that is known only between two numbers."""

    at_least: int
    at_most: int


class Totals(Answer):
    """Counts over sessions. `requests` are lines, exact duplicates of a line once."""

    requests: int
    sessions: int
    users: int
    by_class: dict[str, int]
    searches: Bounds
    indeterminate_requests: int
    attempted: int


class AnalysisListed(Answer):
    """One analysis in numbers; `seq` is its entry in the ledger."""

    id: str
    at: Moment
    seq: int = Field(le=BigInt)
    by: str
    files: int
    totals: Totals
    summary: list[str]


class Analyses(Answer):
    analyses: list[AnalysisListed]


class AnalysisShown(Answer):
    """`body` is the same for the same input; beside it stands when it was made, by whom and why."""

    body: dict[str, Any]
    at: Moment
    seq: int = Field(le=BigInt)
    by: str
    why: str
    dpia: str | None
    keep_until: Moment
    receipt: dict[str, Any]


class SessionShown(Answer):
    """A session under its pseudonym: class, ceiling, bounds, reasons, and the lines that show it."""

    analysis: str
    session: dict[str, Any]


class UnmaskAsked(Asked):
    """`second` is the secret of the second person's own token, made with the scope `proxylog:unmask`."""

    reason: str = Field(min_length=10, max_length=4000)
    second: str = Field(min_length=1, max_length=200)


class Unmasked(Answer):
    """Who it was, and the log's own lines. `entry` says in the ledger that it was told."""

    session: str
    pseudonym: str
    who: str
    by: Literal["user", "address"]
    addresses: list[str]
    lines: list[dict[str, Any]]
    second: str
    entry: int = Field(le=BigInt)


@router.get("", response_model=Analyses, responses=responses())
def list_analyses(house: House, caller: LogReader) -> dict[str, Any]:
    """Every analysis that is kept, the newest first. Scope: `proxylog:read`."""
    return {"analyses": house.logs.analyses()}


@router.get("/{analysis}", response_model=AnalysisShown, responses=responses())
def show(house: House, caller: LogReader, analysis: AnalysisInPath) -> dict[str, Any]:
    """One analysis with all its sessions. Scope: `proxylog:read`."""
    return house.logs.analysis(analysis)


@router.get(
    "/{analysis}/report",
    response_class=Response,
    responses={**responses(), 200: file_answer("application/pdf", "The report.")},
)
def report(house: House, caller: LogReader, analysis: AnalysisInPath) -> Response:
    """The report as a PDF, the same bytes each time. Scope: `proxylog:read`."""
    from countenance.reports.proxylog import pdf

    content = pdf(house.logs.analysis(analysis)["body"], demo=house.demo)
    return Response(content, media_type="application/pdf", headers=_as_file(f"{analysis}.pdf"))


@router.get(
    "/{analysis}/sessions.csv",
    response_class=Response,
    responses={**responses(), 200: file_answer("text/csv", "A row a session.")},
)
def sessions(house: House, caller: LogReader, analysis: AnalysisInPath) -> Response:
    """The sessions as CSV. Scope: `proxylog:read`."""
    from countenance.reports.proxylog_csv import csv_of

    content = csv_of(house.logs.analysis(analysis)["body"])
    return Response(content, media_type="text/csv", headers=_as_file(f"{analysis}.csv"))


@router.get(
    "/{analysis}/pictures/{picture}",
    response_class=Response,
    responses={**responses(), 200: file_answer("image/svg+xml", "The picture.")},
)
def picture(
    house: House,
    caller: LogReader,
    analysis: AnalysisInPath,
    picture: Literal["bounds", "timeline"],
    theme: Annotated[Literal["light", "dark"], Query()] = "light",
    shape: Annotated[Literal["wide", "narrow"], Query()] = "wide",
) -> Response:
    """The bounds, or the sessions over time, as SVG. Scope: `proxylog:read`."""
    from countenance.reports.proxylog_plots import svg

    body = house.logs.analysis(analysis)["body"]
    return Response(svg(body, picture, theme=theme, shape=shape), media_type="image/svg+xml")


@router.get("/{analysis}/sessions/{session}", response_model=SessionShown, responses=responses())
def show_session(house: House, caller: LogReader, analysis: AnalysisInPath, session: SessionInPath) -> dict[str, Any]:
    """Why a session is what it is, and which lines show it. Scope: `proxylog:read`."""
    return house.logs.session(session, analysis)


@router.post("/{analysis}/sessions/{session}/unmask", response_model=Unmasked, responses=responses())
def unmask(
    house: House, caller: Unmasker, analysis: AnalysisInPath, session: SessionInPath, asked: UnmaskAsked
) -> dict[str, Any]:
    """Say who a session was, once two people ask and the entry is durable. Scope: `proxylog:unmask`."""
    try:
        return house.logs.unmask(Unmasking(session, asked.reason, asked.second, analysis), caller.actor)
    except NotSignedIn as error:
        # The caller is signed in: it is the second person's token that is no good, and no sign-in would mend that.
        raise Refused(error.message, advice=error.advice) from None


def _as_file(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="countenance-{name}"'}
