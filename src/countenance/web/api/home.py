"""GET /status and /collections: what the home holds, in numbers."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from countenance.web.api.shapes import Answer
from countenance.web.callers import House, SourcesReader, StatusReader
from countenance.web.problems import responses

router = APIRouter(tags=["home"])


class Status(Answer):
    """What `countenance status --json` prints."""


class Collection(Answer):
    """A named set of sources."""

    name: str
    sources: list[str]
    faces: int


class Collections(Answer):
    collections: list[Collection]


@router.get("/status", response_model=Status, responses=responses())
def status(house: House, caller: StatusReader) -> dict[str, Any]:
    """What this home holds. Scope: `status:read`."""
    return house.status()


@router.get("/collections", response_model=Collections, responses=responses())
def collections(house: House, caller: SourcesReader) -> dict[str, Any]:
    """Every collection, with its sources and the number of its indexed faces. Scope: `sources:read`."""
    return {"collections": house.collections()}
