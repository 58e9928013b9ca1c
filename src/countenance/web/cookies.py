"""The cookies of this server: the session, the known browser, and what waits for a moment."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from countenance.access.sessions import same
from countenance.domain.errors import NotSignedIn
from countenance.services.sign_in import Opened, Visitor
from countenance.web.callers import COOKIE

DEVICE = "countenance-device"
DEVICE_SECONDS = 180 * 24 * 60 * 60
WAITING = "countenance-waiting"
WAITING_SECONDS = 10 * 60

Mac = Callable[[bytes, bytes], bytes]


def visitor_of(request: Request) -> Visitor:
    """Where a request comes from, and the browser's own secret."""
    device = request.cookies.get(DEVICE)
    whole = device if device is not None and 20 <= len(device) <= 100 and device.isascii() else None
    return Visitor(request.client.host if request.client else "", whole)


def signed_in(request: Request, answer: Response, opened: Opened) -> Response:
    """The answer with the session's cookie and the device's."""
    _set(request, answer, COOKIE, opened.secret, int(opened.life.total_seconds()))
    _set(request, answer, DEVICE, opened.device, DEVICE_SECONDS)
    return answer


def signed_out(answer: Response) -> Response:
    """The answer that takes the session's cookie away."""
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return answer


def wait(request: Request, answer: Response, mac: Mac, purpose: bytes, value: dict[str, Any], *, lax: bool) -> Response:
    """Let the browser keep something until its next step, under our mark, for ten minutes.

    `lax` for a step that comes back from another site.
    """
    text = json.dumps(value | {"until": time.time() + WAITING_SECONDS}).encode()
    sealed = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (text, mac(purpose, text)))
    _set(request, answer, WAITING, sealed, WAITING_SECONDS, lax=lax)
    return answer


def waiting(request: Request, mac: Mac, purpose: bytes) -> dict[str, Any]:
    """What the browser kept. Raises NotSignedIn when that is nothing, too old, or not ours."""
    text, _, mark = request.cookies.get(WAITING, "").partition(".")
    try:
        raw, given = _bytes(text), _bytes(mark)
        if same(given.hex(), mac(purpose, raw).hex()):
            value: dict[str, Any] = json.loads(raw)
            if value["until"] > time.time():
                return value
    except (ValueError, KeyError):
        pass
    raise NotSignedIn("this took too long, or began elsewhere", advice="begin again")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _set(request: Request, answer: Response, name: str, value: str, seconds: int, *, lax: bool = False) -> None:
    answer.set_cookie(
        name,
        value,
        max_age=seconds,
        path="/",
        httponly=True,
        samesite="lax" if lax else "strict",
        secure=request.url.scheme == "https",
    )
