"""What is known of a site: which request means what, checked when, how, and good until when.

A profile is never truth. It says when it was checked, how, and until when it is good; a finding that rests on a
profile outside of its dates says so. Dates are compared with the log's own, never with today's, so that a report is
the same whenever it is made.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Literal, TypeAlias

from countenance.proxylog.patterns import host_expression

Category: TypeAlias = Literal["face", "reverse-image"]
StageName: TypeAlias = Literal[
    "look",
    "asset",
    "sign-in",
    "quota",
    "pricing",
    "upload",
    "search",
    "results",
    "opt-out",
    "other",
]
"""What a request can mean. A site whose search is asked again and again until it is done has `polled = true`."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Requests that mean the same.

    `methods` empty: any. `hosts` empty: any host of the site. `query` are `key` or `key=value`, all of which the query
    has to hold. `min_sent` and `max_sent` are bytes. `redirects`: a 3xx is the site's usual answer to a success.
    `may_search`: it could be a search as well, so it widens the bounds. `since`: known from that day on.
    """

    stage: StageName
    methods: tuple[str, ...]
    paths: tuple[str, ...]
    hosts: tuple[str, ...] = ()
    query: tuple[str, ...] = ()
    min_sent: int | None = None
    max_sent: int | None = None
    redirects: bool = False
    may_search: bool = False
    since: date | None = None
    note: str = ""
    expressions: tuple[re.Pattern[str], ...] = field(default=(), repr=False, compare=False)
    host_expression: re.Pattern[str] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Photo:
    """What bytes alone can tell of an upload.

    A connection that sent fewer than `min_bytes` × `overhead` cannot have carried a photograph; one that sent
    `likely_bytes` × `overhead` or more probably did. The two rates are shares (0 to 1) of visits taken for uploads and
    of uploads taken for visits, and `how_estimated` says where they come from.
    """

    min_bytes: int
    likely_bytes: int
    overhead: float
    false_positive: float
    false_negative: float
    how_estimated: str

    @property
    def least(self) -> int:
        """Bytes on the wire of the smallest photograph."""
        return int(self.min_bytes * self.overhead)

    @property
    def likely(self) -> int:
        """Bytes on the wire from which an upload is probable."""
        return int(self.likely_bytes * self.overhead)


@dataclass(frozen=True)
class Profile:
    """A site. `shared_hosts` belong to much else too: there only requests that match a stage concern the site.

    `complete`: all ways to search are known to the profile (as of `checked`). `by_address`: a picture can be named by
    its web address, so that bytes exclude nothing. `polled`: an upload is a search as soon as `search` is asked, which
    is then asked again until it is done. `bytes_only`: every call looks alike, so only its size tells an upload.
    `fastest_search_seconds`: nobody submits two searches closer together; what every "at most" of a tunnel assumes.
    """

    name: str
    title: str
    category: Category
    version: str
    checked: date
    stale_after: date
    since: date
    how_verified: str
    hosts: tuple[str, ...]
    shared_hosts: tuple[str, ...]
    results_hosts: tuple[str, ...]
    stages: tuple[Stage, ...]
    photo: Photo | None
    fastest_search_seconds: float = 15.0
    poll_gap_seconds: float = 600.0
    polled: bool = False
    bytes_only: bool = False
    by_address: bool = False
    complete: bool = True
    note: str = ""

    def owns(self, host: str) -> bool:
        """Whether everything on `host` (lower case, no port) is this site."""
        return bool(self._owned and self._owned.fullmatch(host))

    def shares(self, host: str) -> bool:
        """Whether some of what is on `host` is this site."""
        return bool(self._shared and self._shared.fullmatch(host))

    def shows_results(self, host: str) -> bool:
        """Whether `host` does nothing but hand out results."""
        return bool(self._results and self._results.fullmatch(host))

    def is_stale(self, on: date) -> bool:
        """Whether the profile says nothing sure about that day: it had gone stale, or was not yet known."""
        return not self.since <= on <= self.stale_after

    @property
    def least_photo(self) -> int | None:
        """Bytes below which no search can have been made; None where bytes exclude nothing."""
        return None if self.photo is None or self.by_address else self.photo.least

    @cached_property
    def _owned(self) -> re.Pattern[str] | None:
        return _compiled((*self.hosts, *self.results_hosts))

    @cached_property
    def _shared(self) -> re.Pattern[str] | None:
        return _compiled(self.shared_hosts)

    @cached_property
    def _results(self) -> re.Pattern[str] | None:
        return _compiled(self.results_hosts)


def _compiled(patterns: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile(host_expression(patterns), re.ASCII) if patterns else None
