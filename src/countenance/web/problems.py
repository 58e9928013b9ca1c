"""Errors as RFC 9457 problem details, for programs; pages render their own.

Every `code` is stable, and the `type` is `urn:countenance:problem:CODE`. What was sent is never echoed: it may be a
photograph.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from countenance.domain.errors import CountenanceError

MEDIA_TYPE = "application/problem+json"
_log = logging.getLogger("countenance.web")

_CODES = {
    400: "malformed",
    404: "no-such-page",
    405: "wrong-method",
    413: "too-large",
    415: "wrong-media-type",
    421: "wrong-host",
    500: "internal",
}
"""Codes of what goes wrong below the use cases, by status."""


class FieldProblem(BaseModel):
    """One thing that is wrong with what was sent."""

    where: list[str | int] = Field(description="The way to it: body, query, path or header, then names and positions.")
    what: str


class Problem(BaseModel):
    """RFC 9457. Members beyond these depend on the code, such as `faces` with `several-faces`."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="urn:countenance:problem:CODE")
    title: str
    status: int
    code: str = Field(description="Stable; for programs to act on.")
    detail: str
    advice: str | None = Field(default=None, description="What to do about it.")
    errors: list[FieldProblem] | None = None


def problem(status: int, code: str, detail: str, *, headers: dict[str, str] | None = None, **more: Any) -> JSONResponse:
    """A response that says what went wrong."""
    body = {
        "type": f"urn:countenance:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
    return JSONResponse(body | more, status, headers=headers, media_type=MEDIA_TYPE)


def of_error(error: CountenanceError) -> JSONResponse:
    """One of the program's own errors."""
    more = dict(error.details)
    if error.advice:
        more["advice"] = error.advice
    for taken in ("type", "title", "status", "code", "detail"):
        more.pop(taken, None)
    headers = {"WWW-Authenticate": 'Bearer realm="countenance"'} if error.http_status == 401 else None
    return problem(error.http_status, error.code, error.message, headers=headers, **more)


def of_http(error: HTTPException) -> JSONResponse:
    """What the framework raises: no such path, wrong method, a body that is not what it says."""
    code = _CODES.get(error.status_code, "error")
    detail = {
        404: "there is nothing at this address",
        405: "this address does not take this method",
    }.get(error.status_code, str(error.detail))
    return problem(error.status_code, code, detail, headers=dict(error.headers or {}))


def of_validation(error: RequestValidationError) -> JSONResponse:
    """A request that does not have the form that OpenAPI describes."""
    errors = [
        {"where": [part if isinstance(part, int) else part[:100] for part in e["loc"]], "what": e["msg"]}
        for e in error.errors()[:100]
    ]
    return problem(422, "bad-input", "the request does not have the form that is asked for", errors=errors)


def unexpected(request: Request, error: Exception) -> Response:
    """A bug. The log has its place; the answer has nothing of it."""
    _log.error("unexpected error at %s %s", request.method, _route(request), exc_info=error)
    return problem(500, _CODES[500], "something went wrong that should not have", advice="the server's log says where")


def _route(request: Request) -> str:
    """The pattern of the address, without what was filled in: that may name somebody."""
    return str(getattr(request.scope.get("route"), "path", "an unknown address"))


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For OpenAPI: the statuses that come as problem details. Some always can: the caller, the body, the home."""
    shape = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: shape}}
        for status in sorted({400, 401, 403, 404, 413, 421, 422, 500, 503, *statuses})
    }
