"""What an act is: its entries, who does it, and the doors through which it can be done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.acts.stage import API, COMMAND, JOB, PAGE, PYTHON, Command, Given, Home, Http, Python

OPERATIONS = ("collection", "alteration", "consultation", "disclosure", "combination", "erasure")
"""What section 62(1) of the Data Protection Act 2018 (Directive (EU) 2016/680, article 25) has logged."""

Job = Callable[[Home, Given], object]


@dataclass(frozen=True, slots=True)
class Act:
    """One act. `entries` are all that it makes, in order, and nothing else; one of them says that it was done.

    `role` does it, in the organisation's home; in the one person's when `alone`. `http` is both the API's and, through
    its script, the page's; `page` is a page's own. `by` is who the entries say it was, where that is another than the
    one who does it.
    """

    name: str
    entries: tuple[str, ...]
    role: str = "administrator"
    operation: str = ""
    before: Callable[[Home], Given] = lambda home: {}
    http: Http | None = None
    page: Http | None = None
    command: Command | None = None
    python: Python | None = None
    job: Job | None = None
    by: Callable[[Home, Given], str] | None = None
    via: str | None = None
    after: Callable[[Home], None] | None = None
    alone: bool = False

    @property
    def doors(self) -> Iterator[tuple[str, Any]]:
        """(door, way) of each that there is."""
        found = (
            (PAGE, self.page or self.http),
            (API, self.http if self.http is not None and self.http.path.startswith("/api/") else None),
            (COMMAND, self.command),
            (PYTHON, self.python),
            (JOB, self.job),
        )
        yield from ((door, way) for door, way in found if way is not None)


def api(method: str, path: str, body: Callable[[Given], Any] | None = None, **more: Any) -> Http:
    """An operation of the API."""
    return Http(method, f"/api/v1{path}", body, **more)
