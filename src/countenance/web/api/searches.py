"""/faces and /searches: find the faces in a photograph, search, open what the search showed, export it."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from pydantic import Field

from countenance.domain.errors import BadInput, UnknownThing
from countenance.domain.results import SearchResult
from countenance.imaging.thumbnail import MEDIA_TYPE as CROP_TYPE
from countenance.services.search import SearchRequest
from countenance.web.api.photographs import (
    FACES_BODY,
    SEARCH_BODY,
    FacesAsked,
    SearchAsked,
    content_of,
    faces_asked,
    search_asked,
)
from countenance.web.api.shapes import Answer, Asked, Handle, Moment, SearchInPath, SightingInPath, Word, file_answer
from countenance.web.callers import Exporter, House, Searcher
from countenance.web.problems import responses

router = APIRouter(tags=["searches"])

Box = Annotated[list[int], Field(min_length=4, max_length=4)]
"""[x, y, width, height] in pixels of the upright picture."""


class FaceFound(Answer):
    """A face, numbered by size. One that is not usable says in `warnings` why."""

    n: int
    box: Box
    usable: bool
    warnings: list[str]


class FacesFound(Answer):
    """The upright picture's size, and its faces."""

    width: int
    height: int
    faces: list[FaceFound]


class Strangers(Answer):
    """Other people expected to look at least this alike in an index of this size, with a 95 % interval.

    `value` is null beyond what was measured: then there are fewer than `high`.
    """

    value: float | None
    low: float
    high: float


class SightingOut(Answer):
    """One face in one image on one page."""

    id: str
    source: str
    page: str
    image: str
    box: Box
    likeness: float
    title: str | None
    alt: str | None
    caption: str | None
    first_seen: Moment
    last_seen: Moment
    vanished: Moment | None
    dated: Moment | None = Field(description="When the picture was made, as it says itself.")
    warnings: list[str]
    size: Annotated[list[int], Field(min_length=2, max_length=2)]
    has_crop: bool
    judged_different: Moment | None = Field(
        description="When two people judged it to be somebody else than this person, if they did before."
    )


class GroupOut(Answer):
    """One picture, with every page it was on. `likeness` is the exact cosine of its best sighting."""

    rank: int
    likeness: float
    expected_strangers: Strangers
    expected_strangers_in_words: str
    sightings: list[SightingOut]


class ProbeOut(Answer):
    photographs: int
    faces: int
    warnings: list[str]


class IndexOut(Answer):
    collections: list[str]
    faces: int
    pack: str


class SearchShown(Answer):
    """Candidates, never identities. `receipt` proves that the ledger had this before it was shown."""

    search: str
    authority: str
    self_approved: bool
    demo: bool
    probe: ProbeOut
    index: IndexOut
    reliable: bool
    verdict: str
    groups: list[GroupOut]
    truncated: bool
    receipt: dict[str, Any]
    seconds: dict[str, float]
    handle: str
    handle_until: Moment


class PageShown(Answer):
    """A page that the picture was on."""

    source: str
    page: str
    image: str
    title: str | None
    first_seen: Moment
    last_seen: Moment
    vanished: Moment | None


class PictureShown(Answer):
    """A whole picture. `content` is base64, or null with the reason in `why_missing`."""

    content: str | None
    media_type: str
    width: int
    height: int
    box: Box
    pages: list[PageShown]
    why_missing: str | None


class ExportAsked(Asked):
    """To whom the search is disclosed, and what for. Both are written into the ledger."""

    recipient: Word
    purpose: Word


@router.post("/faces", response_model=FacesFound, openapi_extra=FACES_BODY, responses=responses(415))
def find_faces(house: House, caller: Searcher, asked: Annotated[FacesAsked, Depends(faces_asked)]) -> dict[str, Any]:
    """Find the faces in a photograph, to choose one. Nothing is compared and nothing is kept. Scope: `search`."""
    found = house.faces_in(content_of(asked.photograph))
    faces = [{"n": f.n, "box": list(f.box), "usable": f.usable, "warnings": list(f.warnings)} for f in found.faces]
    return {"width": found.width, "height": found.height, "faces": faces}


@router.post(
    "/searches",
    status_code=201,
    response_model=SearchShown,
    openapi_extra=SEARCH_BODY,
    responses=responses(415),
)
def search(
    house: House,
    caller: Searcher,
    response: Response,
    asked: Annotated[SearchAsked, Depends(search_asked)],
) -> dict[str, Any]:
    """Search with one or several photographs of one person, under an authority that covers it.

    The photographs are not kept. A photograph with several usable faces and no choice is refused with
    `several-faces`, which numbers them. Scope: `search`.
    """
    if asked.faces is not None and (asked.face is not None or len(asked.faces) != len(asked.photographs)):
        raise BadInput("choose one face for all photographs, or one for each")
    result = house.search(
        SearchRequest(
            photographs=tuple(content_of(p) for p in asked.photographs),
            authority=asked.authority,
            collections=tuple(asked.collections) if asked.collections is not None else None,
            face=asked.face,
            faces=tuple(asked.faces) if asked.faces is not None else None,
            limit=asked.limit,
            min_likeness=asked.min_likeness,
        ),
        caller.actor,
    )
    response.headers["Location"] = f"/api/v1/searches/{result.search}"
    return _shown(result)


@router.get("/searches/{search}", response_model=SearchShown, responses=responses())
def show_search(house: House, caller: Searcher, search: SearchInPath, handle: Handle) -> dict[str, Any]:
    """What a search showed, again, while its handle lives. Scope: `search`."""
    return _shown(house.shown(search, handle))


@router.get("/searches/{search}/candidates/{rank}", response_model=GroupOut, responses=responses())
def show_candidate(house: House, caller: Searcher, search: SearchInPath, rank: int, handle: Handle) -> dict[str, Any]:
    """One picture of a search. Scope: `search`."""
    for group in house.shown(search, handle).groups:
        if group.rank == rank:
            return group.as_json()
    raise UnknownThing(f"this search showed no picture number {rank}")


@router.get(
    "/searches/{search}/crops/{sighting}",
    response_class=Response,
    responses={200: file_answer(CROP_TYPE, "The face, cropped."), **responses()},
)
def crop(house: House, caller: Searcher, search: SearchInPath, sighting: SightingInPath, handle: Handle) -> Response:
    """The crop of one sighting that the search showed. Scope: `search`."""
    return Response(house.crop(search, handle, _number(sighting)), media_type=CROP_TYPE)


@router.post("/searches/{search}/pictures/{sighting}", response_model=PictureShown, responses=responses())
def open_picture(
    house: House, caller: Searcher, search: SearchInPath, sighting: SightingInPath, handle: Handle
) -> dict[str, Any]:
    """Open the whole picture of one sighting. A POST, because opening it is an entry. Scope: `search`."""
    opened = house.open_picture(search, handle, _number(sighting), caller.actor)
    return {
        "content": base64.b64encode(opened.content).decode() if opened.content is not None else None,
        "media_type": opened.media_type,
        "width": opened.width,
        "height": opened.height,
        "box": list(opened.box),
        "pages": list(opened.pages),
        "why_missing": opened.why_missing,
    }


@router.post(
    "/searches/{search}/exports",
    response_class=Response,
    responses={200: file_answer("application/zip", "Candidates, crops and receipt."), **responses()},
)
def export(house: House, caller: Exporter, search: SearchInPath, handle: Handle, asked: ExportAsked) -> Response:
    """Take a search out of the house, for a named recipient. It is an entry. Scope: `export`."""
    content = house.export_search(search, handle, asked.recipient, asked.purpose, caller.actor)
    return Response(
        content,
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="countenance-{search}.zip"'},
    )


def _number(sighting: str) -> int:
    return int(sighting.removeprefix("sighting-"))


def _shown(result: SearchResult) -> dict[str, Any]:
    return result.opened_json()
