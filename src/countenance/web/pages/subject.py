"""The pages for the data-protection officer: somebody asks what is held about them and was done with it.

Photographs stay in memory. What the machine took for the person is looked at by the officer, who takes out whom it
mistook, before the report is written down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, Response

from countenance.domain.errors import BadInput, CountenanceError
from countenance.services.probes import Choice
from countenance.services.subject import PARTS, SubjectRequest
from countenance.store.moments import now
from countenance.web.api.photographs import form_of
from countenance.web.callers import Caller, House, check_own_page, page, visitor
from countenance.web.pages.routes import render, said

router = APIRouter(prefix="/subject", include_in_schema=False, default_response_class=HTMLResponse)

Answers = Annotated[str, Depends(page("subject"))]
Who = Annotated[Caller, Depends(visitor)]


SHOWN = {
    part: words.replace("your face", "the person’s face").replace(" of you", " of the person")
    for part, words in PARTS.items()
}
"""The parts of a report, as the officer reads of them; the person reads `PARTS`."""


@dataclass(frozen=True, slots=True)
class Filled:
    """The form as it was sent, its photographs in memory."""

    csrf: str
    photographs: tuple[bytes, ...]
    authority: str
    face: str
    withheld: tuple[str, ...]
    reason: str

    @property
    def choice(self) -> Choice:
        """Which face. Raises BadInput."""
        if self.face in ("", "largest"):
            return "largest" if self.face else None
        if not self.face.isdecimal():
            raise BadInput(f"not a face: {self.face[:40]}", advice="its number by size, or largest")
        return int(self.face)


async def filled(request: Request) -> Filled:
    """The form in a request's body."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise BadInput("the form was not filled in", advice="use the page Subject access")
    form = await form_of(request)

    def text(name: str) -> str:
        return str(form.get(name, [""])[0]).strip()[:2000]

    return Filled(
        csrf=text("csrf"),
        photographs=tuple(one for one in form.get("photograph", []) if one),
        authority=text("authority"),
        face=text("face"),
        withheld=tuple(str(one) for one in form.get("withhold", [])),
        reason=text("reason"),
    )


@router.get("")
def subject(request: Request, house: House, csrf: Answers, who: Who) -> Response:
    """The form: photographs of the person, the authority, and what the law lets one keep back."""
    return _form(request, house, csrf, who)


@router.post("/reports")
def report(
    request: Request, house: House, csrf: Answers, who: Who, given: Annotated[Filled, Depends(filled)]
) -> Response:
    """Look up under the authority, and show the officer what was found before anything is written for the person."""
    check_own_page(request, csrf, given.csrf)
    try:
        if not given.photographs:
            raise BadInput("a photograph of the person is needed", advice="choose one or more files")
        withheld = dict.fromkeys(given.withheld, given.reason)
        asked = SubjectRequest(given.photographs, given.authority, given.choice, withheld, pictures=True)
        body = house.subject_report(asked, who.actor)
    except CountenanceError as error:
        return _form(request, house, csrf, who, error.http_status, wrong=said(error), given=given)
    return render(request, "subject_report.html", csrf, body=body, parts=SHOWN)


@router.post("/reports/{search}/pdf")
def pdf(
    request: Request,
    house: House,
    csrf: Answers,
    who: Who,
    search: str,
    somebody_else: Annotated[list[str] | None, Form()] = None,
    given: Annotated[str, Form(alias="csrf", max_length=200)] = "",
) -> Response:
    """The report for the person to read, without whom the officer found to be somebody else."""
    from countenance.reports.subject import as_pdf

    check_own_page(request, csrf, given)
    body = house.correct_subject_report(search, somebody_else or (), who.actor)
    content = as_pdf(body, PARTS, demo=house.demo)
    headers = {"Content-Disposition": f'attachment; filename="countenance-{body["report"]}.pdf"'}
    return Response(content, media_type="application/pdf", headers=headers)


def _form(
    request: Request,
    house: House,
    csrf: str,
    who: Caller,
    answer: int = 200,
    *,
    wrong: str = "",
    given: Filled | None = None,
) -> Response:
    at, mine = now(), house.people.known(who.actor).names
    live: list[Any] = [one for one in house.authorities() if one.state(at) == "live" and one.holder in mine]
    return render(request, "subject.html", csrf, answer, authorities=live, parts=SHOWN, wrong=wrong, given=given)
