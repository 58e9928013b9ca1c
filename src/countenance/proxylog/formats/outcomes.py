"""What became of a request, as far as a line says so: let through, refused by the proxy, never answered, or not known.

Where a log tells less, less is known: a line that lost its status or its action never counts as more than before.
"""

from __future__ import annotations

from functools import lru_cache

from countenance.domain.proxy import Kind, Outcome

_EITHER = frozenset({300, 301, 302, 303, 305, 306, 307, 308, 403, 451, 502, 503, 504, 511})
"""Answers that come from sites and from proxies alike: a log without the proxy's action does not tell which."""


def by_status(status: int | None, kind: Kind = "request") -> Outcome | None:
    """Of a log that writes the status alone."""
    if status is None:
        return None
    if status == 0:
        return "failed"
    if status == 407:
        return "denied"
    if kind == "tunnel":  # only a proxy answers a CONNECT
        return "allowed" if status < 300 else "denied" if status == 403 else "failed"
    return None if status in _EITHER else "allowed"


def by_both(denied: bool | None, status: int | None, kind: Kind = "request") -> Outcome | None:
    """Of a log that writes what the proxy did and the status.

    `denied` is None where the line does not say what the proxy did.
    """
    if denied or status == 407:
        return "denied"
    if denied is None:
        # Its own errors look like the site's when the word for what it did is gone.
        return None if status and status >= 400 and kind == "request" else by_status(status, kind)
    if status is None:
        return None
    if status == 0:
        return "failed"
    if kind == "tunnel" and status >= 300:
        return "denied" if status == 403 else "failed"
    return "allowed"


def by_action(action: str | None, allowed: frozenset[str], denied: frozenset[str]) -> Outcome | None:
    """Of a log that has no status: by the word for what was done, in small letters."""
    if not action:
        return None
    name = action.strip().lower()
    return "denied" if name in denied else "allowed" if name in allowed else None


@lru_cache(maxsize=4096)
def by_result(result: str | None, status: int | None, hierarchy: str | None, kind: Kind = "request") -> Outcome | None:
    """Of Squid's `%Ss` (`TCP_MISS`) with `%>Hs` and `%Sh` (`HIER_DIRECT`); ProxySG's `s-action` speaks the same words.

    An error that Squid made itself has no server behind it: `NONE`, or 5xx with HIER_NONE.
    """
    if result is None:
        return by_both(None, status, kind)
    if kind == "tunnel" and status == 0 and result.removeprefix("TCP_") == "TUNNELED":
        # ProxySG passed it through unread: there was no HTTP answer whose status it could write.
        return "allowed"
    outcome = by_both("DENIED" in result or "REDIRECT" in result, status, kind)
    if outcome != "allowed" or status is None or status < 400:
        return outcome
    if result.removeprefix("TAG_").startswith("NONE") or "_ERR" in result:
        return "failed"
    if status >= 500 and hierarchy in (None, "HIER_NONE", "NONE"):
        return "failed" if hierarchy else None
    return outcome
