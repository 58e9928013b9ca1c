"""The page on which a reviewer judges pairs, and the one that shows how reviews stand and how reviewers judge."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from countenance.web.callers import Caller, House, page, visitor
from countenance.web.pages.routes import render

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

Judges = Annotated[str, Depends(page("reviews:judge"))]
SeesReviews = Annotated[str, Depends(page("reviews:read"))]


@router.get("/review")
def review(request: Request, csrf: Judges) -> Response:
    """Where a pair is shown and judged; it is fetched when the reviewer asks for it."""
    return render(request, "review.html", csrf)


@router.get("/reviews")
def reviews(request: Request, house: House, csrf: SeesReviews, who: Annotated[Caller, Depends(visitor)]) -> Response:
    """Every review, and how each reviewer judges."""
    return render(
        request,
        "reviews.html",
        csrf,
        reviews=house.reviews.every(who.actor),
        reviewers=house.reviews.reviewers(who.actor),
    )
