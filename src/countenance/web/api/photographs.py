"""Photographs in a request: as files of a form, or in base64 inside JSON. They stay in memory, never on the disk."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Literal, TypeVar, get_args

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser

from countenance.domain.errors import BadInput
from countenance.web.api.shapes import Asked, Name

MOST = 10
"""Photographs in one search."""

Part = Literal["indexed", "shown", "opened", "disclosed", "sought"]
FaceChoice = Literal["largest"] | int | None


class SearchAsked(Asked):
    """A search. One choice of face for all photographs (`face`), or one for each (`faces`)."""

    photographs: list[str | bytes] = Field(min_length=1, max_length=MOST)
    authority: str = Field(min_length=1, max_length=200, description="The authority's id.")
    collections: list[Name] | None = Field(default=None, min_length=1, max_length=100)
    face: Literal["largest"] | int | None = None
    faces: list[FaceChoice] | None = Field(default=None, max_length=MOST)
    limit: int | None = Field(default=None, ge=1, le=1000)
    min_likeness: float | None = Field(default=None, ge=-1, le=1)


class SubjectAsked(Asked):
    """Photographs of the one person who asks, and what is kept back from them, for which reason."""

    photographs: list[str | bytes] = Field(min_length=1, max_length=MOST)
    authority: str = Field(min_length=1, max_length=200, description="The authority's id.")
    face: FaceChoice = None
    withhold: list[Part] = Field(default=[], max_length=5)
    reason: str = Field(default="", max_length=2000)
    pictures: bool = False


class FacesAsked(Asked):
    """A photograph whose faces are to be found. Nothing is compared."""

    photograph: str | bytes


_FACE: dict[str, Any] = {"anyOf": [{"const": "largest"}, {"type": "integer", "minimum": 1, "maximum": 10_000}]}
_FACE_OR_NONE: dict[str, Any] = {"anyOf": [*_FACE["anyOf"], {"type": "null"}]}
_BASE64 = {"type": "string", "format": "byte", "contentEncoding": "base64"}
_FILE = {"type": "string", "format": "binary"}
_COLLECTION = {"type": "string", "pattern": r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"}
_LIMIT = {"type": "integer", "minimum": 1, "maximum": 1000}
_LIKENESS = {"type": "number", "minimum": -1, "maximum": 1}
_AUTHORITY = {"type": "string", "minLength": 1, "maxLength": 200}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


def _body(json_schema: dict[str, Any], form_schema: dict[str, Any], **encoding: Any) -> dict[str, Any]:
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": json_schema},
                "multipart/form-data": {"schema": form_schema, "encoding": encoding},
            },
        }
    }


SEARCH_BODY = _body(
    _object(
        ["photographs", "authority"],
        photographs={"type": "array", "minItems": 1, "maxItems": MOST, "items": _BASE64},
        authority=_AUTHORITY,
        collections={
            "anyOf": [{"type": "array", "minItems": 1, "maxItems": 100, "items": _COLLECTION}, {"type": "null"}]
        },
        face=_FACE_OR_NONE | {"description": "For every photograph: a face's number by size, or the largest."},
        faces={
            "anyOf": [{"type": "array", "maxItems": MOST, "items": _FACE_OR_NONE}, {"type": "null"}],
            "description": "The same, one for each photograph.",
        },
        limit={"anyOf": [_LIMIT, {"type": "null"}]},
        min_likeness={"anyOf": [_LIKENESS, {"type": "null"}]},
    ),
    _object(
        ["photograph", "authority"],
        photograph={"type": "array", "minItems": 1, "maxItems": MOST, "items": _FILE},
        authority=_AUTHORITY,
        collection={"type": "array", "maxItems": 100, "items": _COLLECTION},
        face={"type": "array", "maxItems": MOST, "items": _FACE, "description": "One for all, or one for each."},
        limit=_LIMIT,
        min_likeness=_LIKENESS,
    ),
)
"""The two forms of a search, for OpenAPI."""

_PARTS = {"type": "array", "maxItems": 5, "items": {"enum": list(get_args(Part))}}
_REASON = {"type": "string", "maxLength": 2000, "description": "Which exemption, and why it holds here; sealed."}
_PICTURES = {"description": "With pictures, all but the one face made unrecognisable."}

SUBJECT_BODY = _body(
    _object(
        ["photographs", "authority"],
        photographs={"type": "array", "minItems": 1, "maxItems": MOST, "items": _BASE64},
        authority=_AUTHORITY,
        face=_FACE_OR_NONE,
        withhold=_PARTS,
        reason=_REASON,
        pictures={"type": "boolean"} | _PICTURES,
    ),
    _object(
        ["photograph", "authority"],
        photograph={"type": "array", "minItems": 1, "maxItems": MOST, "items": _FILE},
        authority=_AUTHORITY,
        face=_FACE,
        withhold=_PARTS,
        reason=_REASON,
        pictures={"enum": ["true", "false"]} | _PICTURES,
    ),
)
"""The two forms of a request for a subject report, for OpenAPI."""

FACES_BODY = _body(_object(["photograph"], photograph=_BASE64), _object(["photograph"], photograph=_FILE))
"""The two forms of a photograph, for OpenAPI."""

Shape = TypeVar("Shape", bound=BaseModel)


async def search_asked(request: Request) -> SearchAsked:
    """The search in a request's body. Raises RequestValidationError, or HTTPException 400 or 415."""
    if _media_type(request) == "application/json":
        return _validated(SearchAsked, await request.body())
    form = await form_of(request)
    _only(form, {"photograph", "authority", "collection", "face", "limit", "min_likeness"})
    choices = [_number(v) if v != "largest" else v for v in form.get("face", [])]
    values: dict[str, Any] = {
        "photographs": form.get("photograph", []),
        "authority": _one(form, "authority"),
        "collections": form.get("collection"),
        "limit": _number(_one(form, "limit")),
        "min_likeness": _number(_one(form, "min_likeness")),
    }
    if len(choices) == 1:
        values["face"] = choices[0]
    elif choices:
        values["faces"] = choices
    return _validated(SearchAsked, values)


async def subject_asked(request: Request) -> SubjectAsked:
    """The request for a subject report in a request's body. Raises as `search_asked` does."""
    if _media_type(request) == "application/json":
        return _validated(SubjectAsked, await request.body())
    form = await form_of(request)
    _only(form, {"photograph", "authority", "face", "withhold", "reason", "pictures"})
    face, pictures = _one(form, "face"), _one(form, "pictures")
    values: dict[str, Any] = {
        "photographs": form.get("photograph", []),
        "authority": _one(form, "authority"),
        "face": face if face == "largest" else _number(face),
        "withhold": form.get("withhold", []),
        "reason": _one(form, "reason") or "",
        "pictures": {None: False, "false": False, "true": True}.get(pictures, pictures),
    }
    return _validated(SubjectAsked, values)


async def faces_asked(request: Request) -> FacesAsked:
    """The photograph in a request's body. Raises as `search_asked` does."""
    if _media_type(request) == "application/json":
        return _validated(FacesAsked, await request.body())
    form = await form_of(request)
    _only(form, {"photograph"})
    return _validated(FacesAsked, {"photograph": _one(form, "photograph")})


def content_of(photograph: str | bytes) -> bytes:
    """A photograph's bytes. Raises BadInput when its base64 is not."""
    if isinstance(photograph, bytes):
        return photograph
    try:
        return base64.b64decode(photograph, validate=True)
    except (binascii.Error, ValueError):
        raise BadInput("a photograph is not valid base64", advice="use the standard alphabet, with padding") from None


class _InMemory(MultiPartParser):
    """The framework would write a larger file of a form to the disk."""

    spool_max_size = 2**62


async def form_of(request: Request) -> dict[str, list[Any]]:
    """The parts of a form, by name: files as bytes, fields as text."""
    parser = _InMemory(request.headers, request.stream(), max_files=MOST, max_fields=200, max_part_size=10_000)
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, UnicodeError):
        raise HTTPException(400, "the form cannot be read") from None
    found: dict[str, list[Any]] = {}
    try:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile) != (name == "photograph"):
                _wrong(name[:100], "a file" if name == "photograph" else "text")
            found.setdefault(name, []).append(await value.read() if isinstance(value, UploadFile) else value)
    finally:
        await form.close()
    return found


def _media_type(request: Request) -> str:
    found = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if found not in {"application/json", "multipart/form-data"}:
        raise HTTPException(415, "send application/json or multipart/form-data")
    return found


def _validated(shape: type[Shape], value: bytes | dict[str, Any]) -> Shape:
    try:
        return shape.model_validate_json(value) if isinstance(value, bytes) else shape(**value)
    except ValidationError as error:
        # Without the input: it may be a photograph.
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError([{**e, "loc": ("body", *e["loc"])} for e in found]) from None


def _only(form: dict[str, list[Any]], names: set[str]) -> None:
    for name in form.keys() - names:
        _wrong(name[:100], "nothing of that name")


def _one(form: dict[str, list[Any]], name: str) -> Any:
    values = form.get(name, [None])
    if len(values) > 1:
        _wrong(name, "one value")
    return values[0]


def _number(text: str | None) -> int | float | str | None:
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text


def _wrong(name: str, wanted: str) -> None:
    raise RequestValidationError([{"type": "value_error", "loc": ("body", name), "msg": f"{wanted} is asked for"}])
