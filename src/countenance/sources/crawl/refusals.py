"""Why something was not fetched, in one word, whoever noticed it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Refusal(Exception):
    """Raised before a fetch or while following a redirect. `reason` is what is counted."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


TRANSIENT = {"too-slow", "connection", "dns", "tls", "robots-unreachable", "page-limit", "image-limit", "trap"}
"""Reasons that say nothing of whether the thing is still there."""


def reason_of_status(status: int) -> tuple[str, bool]:
    """The reason for a status that is no success, and whether the thing may still be there."""
    return f"http-{status}", status not in {404, 410}


def reason_of(error: BaseException, was_private: Callable[[], bool]) -> tuple[str, str]:
    """The reason and detail of a fetch that failed. `was_private` tells whether its host was refused by the guard."""
    from scrapy import exceptions

    if isinstance(error, Refusal):
        return error.reason, error.detail
    if isinstance(error, exceptions.DownloadTimeoutError):
        return "too-slow", ""
    # Scrapy cancels a download at its size limit, and ignores a response that unpacks to more.
    if isinstance(error, exceptions.DownloadCancelledError | exceptions.IgnoreRequest):
        return "too-many-bytes", ""
    if was_private():
        return "private-address", ""
    if isinstance(error, exceptions.CannotResolveHostError):
        return "dns", ""
    return ("tls" if _is_tls(error) else "connection"), ""


def _is_tls(error: BaseException) -> bool:
    from OpenSSL import SSL
    from service_identity import VerificationError

    pending: list[Any] = [error]
    for _ in range(50):
        if not pending:
            return False
        one = pending.pop()
        one = getattr(one, "value", one)  # a Twisted Failure
        if isinstance(one, SSL.Error | VerificationError):
            return True
        pending += [x for x in (getattr(one, "__cause__", None), *(getattr(one, "reasons", None) or ())) if x]
    return False
