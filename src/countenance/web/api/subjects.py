"""/subject-reports: what somebody is told who asks what is held and was done about them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from pydantic import Field, StringConstraints

from countenance.services.subject import PARTS, SubjectRequest
from countenance.web.api.photographs import SUBJECT_BODY, SubjectAsked, content_of, subject_asked
from countenance.web.api.shapes import Answer, Asked, BigInt, Moment, SearchInPath, file_answer
from countenance.web.callers import House, SubjectAnswerer
from countenance.web.problems import responses

router = APIRouter(prefix="/subject-reports", tags=["subjects"])

Told = list[dict[str, Any]] | None


class SubjectReport(Answer):
    """What `countenance subject-report --json` prints. A part that is null is not told."""

    report: str
    made: Moment
    sources: list[str]
    faces: int
    complete: bool
    indexed: Told
    shown: Told
    opened: Told
    disclosed: Told
    sought: Told
    receipt: dict[str, Any]
    corrected: int | None = Field(default=None, le=BigInt, description="The entry that says who was taken out.")


class CorrectionAsked(Asked):
    """Every sighting that is somebody else's; whoever was taken out before and is not named is in it again."""

    somebody_else: list[Annotated[str, StringConstraints(pattern=r"^sighting-[0-9]{1,15}$")]] = Field(max_length=5000)


@router.post(
    "",
    response_model=SubjectReport,
    response_model_exclude_unset=True,
    status_code=201,
    responses=responses(404, 415),
    openapi_extra=SUBJECT_BODY,
)
def report(
    house: House, caller: SubjectAnswerer, asked: Annotated[SubjectAsked, Depends(subject_asked)]
) -> dict[str, Any]:
    """Look up under an authority what is held and was done about one person. Scope: `subject`.

    It spends a use of the authority, and is in the ledger before it is told. For `search.handle_minutes` it can be
    corrected and taken as a PDF by the same account.
    """
    wanted = SubjectRequest(
        photographs=tuple(content_of(one) for one in asked.photographs),
        authority=asked.authority,
        face=asked.face,
        withheld=dict.fromkeys(asked.withhold, asked.reason),
        pictures=asked.pictures,
    )
    return house.subject_report(wanted, caller.actor)


@router.post(
    "/{search}/corrections",
    response_model=SubjectReport,
    response_model_exclude_unset=True,
    responses=responses(),
)
def correct(house: House, caller: SubjectAnswerer, search: SearchInPath, asked: CorrectionAsked) -> dict[str, Any]:
    """Take out whom a person found to be somebody else, before it is written down; an entry. Scope: `subject`."""
    return house.correct_subject_report(search, asked.somebody_else, caller.actor)


@router.get(
    "/{search}/pdf",
    response_class=Response,
    responses={**responses(), 200: file_answer("application/pdf", "The report, for the person to read.")},
)
def pdf(house: House, caller: SubjectAnswerer, search: SearchInPath) -> Response:
    """The report as it was last corrected, for the person to read. Scope: `subject`."""
    from countenance.reports.subject import as_pdf

    body = house.latest_subject_report(search, caller.actor)
    headers = {"Content-Disposition": f'attachment; filename="countenance-{body["report"]}.pdf"'}
    return Response(as_pdf(body, PARTS, demo=house.demo), media_type="application/pdf", headers=headers)
