"""Whether a case's number is one: its form, and what the case system says of it."""

from __future__ import annotations

import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from countenance.domain.errors import BadInput, Broken, Unavailable

if TYPE_CHECKING:
    from countenance.services.paperwork import Papers
    from countenance.settings import AuthoritySettings

SECONDS = 10.0
"""Longest wait for the case system."""


def ask(address: str) -> int:
    """The status with which the case system answers. No proxy of the environment is used, no redirect followed.

    Raises Unavailable when it does not answer.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)
    try:
        with opener.open(urllib.request.Request(address, method="GET"), timeout=SECONDS) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, ValueError) as error:
        raise Unavailable(
            f"the case system does not answer: {getattr(error, 'reason', error)}",
            advice="try again later; the setting authority.case_lookup says where it is asked",
        ) from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Cases:
    """How a case is checked. `pattern` has to match the whole number; `address` is where the case system is asked."""

    pattern: re.Pattern[str] | None = None
    address: str | None = None
    asking: Callable[[str], int] = ask

    def check(self, case: str, papers: Papers) -> None:
        """Raises BadInput for a number of another form, or a case that is unknown or closed; Unavailable, Broken."""
        if self.pattern is not None and not self.pattern.fullmatch(case):
            raise BadInput(f"not a case number of this home: {case}", advice=f"it has to match {self.pattern.pattern}")
        closed: datetime | None = papers.closed.get(case)
        if closed is not None:
            raise BadInput(
                f"the case {case} was closed on {closed:%Y-%m-%d}", advice="an authoriser can say that it goes on"
            )
        if self.address is None:
            return
        status = self.asking(self.address.replace("{case}", urllib.parse.quote(case, safe="")))
        if status in (404, 410):
            what = "does not know the case" if status == 404 else "says that this case is closed:"
            raise BadInput(f"the case system {what} {case}", advice="check the number")
        if not 200 <= status < 300:
            raise Unavailable(f"the case system answers with status {status}", advice="try again later")


def cases_of(settings: AuthoritySettings) -> Cases:
    """As the settings say. Raises Broken for a pattern or an address that is none."""
    try:
        pattern = re.compile(settings.case_pattern) if settings.case_pattern else None
    except re.error as error:
        raise Broken(f"authority.case_pattern is no regular expression: {error}", advice="mend the setting") from None
    address = settings.case_lookup
    if address is not None and not ("{case}" in address and address.startswith(("https://", "http://"))):
        raise Broken("authority.case_lookup is no address with {case} in it", advice="for instance https://…/{case}")
    return Cases(pattern, address)
