"""/reviews: two people judge a probe and a candidate side by side, before anything is acted on."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from countenance.imaging.thumbnail import MEDIA_TYPE
from countenance.web.api.photographs import FaceChoice, content_of
from countenance.web.api.searches import Strangers
from countenance.web.api.shapes import (
    Answer,
    Asked,
    BigInt,
    Handle,
    Moment,
    ReviewInPath,
    SearchInPath,
    Word,
    file_answer,
)
from countenance.web.callers import House, Judge, ReviewsReader, Searcher
from countenance.web.problems import responses

router = APIRouter(tags=["reviews"])

VerdictWord = Literal["same", "different", "cannot-tell"]


class ReviewAsked(Asked):
    """Which candidate, and a photograph that was searched with; of it the face alone is kept, sealed."""

    sighting: str = Field(pattern=r"^sighting-[0-9]{1,15}$")
    photograph: str = Field(json_schema_extra={"format": "byte", "contentEncoding": "base64"})
    face: FaceChoice = Field(default=None, description="Which of its faces: a number by size, or the largest.")


class VerdictAsked(Asked):
    verdict: VerdictWord
    reason: Word = Field(description="What in the two faces it rests on. Sealed in the ledger.")


class VerdictShown(Answer):
    by: str
    verdict: VerdictWord
    seconds: float
    at: Moment
    entry: int = Field(le=BigInt)


class ReviewShown(Answer):
    """A review and what was said. `outcome` is null until two people agree, or a third has judged."""

    id: str
    search: str
    authority: str
    sighting: str
    opened_by: str
    opened_at: Moment
    outcome: VerdictWord | None
    verdicts: list[VerdictShown]
    entry: int = Field(le=BigInt)


class Reviews(Answer):
    reviews: list[ReviewShown]


class SideShown(Answer):
    """What is wrong with a picture, and whether it is still there."""

    warnings: list[str]
    there: bool


class PairShown(Answer):
    """A pair to judge. Neither the likeness nor anybody's word is told before the verdict."""

    id: str
    probe: SideShown
    candidate: SideShown
    verdicts: dict[str, str]


class NextPair(Answer):
    """Null when nothing waits for this reviewer."""

    pair: PairShown | None


class Told(Answer):
    """What a reviewer is told after the verdict: of a known pair (`control`) its answer, of another the likeness."""

    id: str
    control: bool
    truth: VerdictWord | None = None
    likeness: float | None = None
    expected_strangers: Strangers | None = None
    outcome: VerdictWord | None


class ReviewerShown(Answer):
    """How one person judges. `error_rate` is [share, low, high] of known pairs judged wrongly, at 95 %."""

    by: str
    verdicts: int
    same: int
    controls: int
    errors: int
    error_rate: list[float] | None
    median_seconds: float
    notices: list[str]


class Reviewers(Answer):
    reviewers: list[ReviewerShown]


@router.get("/reviews", response_model=Reviews, responses=responses())
def list_reviews(house: House, caller: ReviewsReader) -> dict[str, Any]:
    """Every review, the newest first. Scope: `reviews:read`."""
    return {"reviews": [one.as_json() for one in house.reviews.every(caller.actor)]}


@router.get("/reviewers", response_model=Reviewers, responses=responses())
def list_reviewers(house: House, caller: ReviewsReader) -> dict[str, Any]:
    """How each reviewer judges. Scope: `reviews:read`."""
    return {"reviewers": [one.as_json() for one in house.reviews.reviewers(caller.actor)]}


@router.post("/searches/{search}/reviews", status_code=201, response_model=ReviewShown, responses=responses())
def open_review(
    house: House, caller: Searcher, search: SearchInPath, handle: Handle, asked: ReviewAsked
) -> dict[str, Any]:
    """Ask two others to judge a candidate. Scope: `search`."""
    number = int(asked.sighting.removeprefix("sighting-"))
    photograph = content_of(asked.photograph)
    return house.reviews.open(search, handle, number, photograph, asked.face, caller.actor).as_json()


@router.post("/reviews/next", response_model=NextPair, responses=responses())
def next_pair(house: House, caller: Judge) -> dict[str, Any]:
    """A pair for this reviewer. A POST, because showing it is an entry. Scope: `reviews:judge`."""
    pair = house.reviews.next(caller.actor)
    return {"pair": pair.as_json() if pair is not None else None}


@router.post("/reviews/{review}/verdicts", status_code=201, response_model=Told, responses=responses())
def judge(house: House, caller: Judge, review: ReviewInPath, asked: VerdictAsked) -> dict[str, Any]:
    """Say what one sees; then the likeness is told. Scope: `reviews:judge`."""
    return house.reviews.judge(review, asked.verdict, asked.reason, caller.actor)


@router.get(
    "/reviews/{review}/{side}",
    response_class=Response,
    responses={200: file_answer(MEDIA_TYPE, "One of the two faces."), **responses()},
)
def picture(house: House, caller: Judge, review: ReviewInPath, side: Literal["probe", "candidate"]) -> Response:
    """One side of a pair that this reviewer was shown and has not judged. Scope: `reviews:judge`."""
    return Response(house.reviews.picture(review, side, caller.actor), media_type=MEDIA_TYPE)
