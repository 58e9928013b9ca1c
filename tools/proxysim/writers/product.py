"""What a writer is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from tools.proxysim.traffic import Person
from tools.proxysim.views import Row, View

Ceiling = Literal["V0", "V1", "V2", "V3", "V4"]


@dataclass(frozen=True, slots=True)
class Product:
    """A way to write rows: its name, what the analyser calls the format, and what it can show.

    `write` gives the lines of one proxy's log, without line ends. `shows` has, for every view that the product can
    write, the highest ceiling that its lines then have: less than the view's own where the product leaves columns out.
    `ends_tls`: it ends a tunnel itself in order to see inside, so that its line of the CONNECT is only the opening.
    `part` says which of a product's files a row belongs to. `challenges` and `refusals` say whether a 407 and a refusal
    of the proxy get a line: a sensor behind the proxy never sees them. `named` is how a person appears in it. `asks`
    says what a reader has to be told beside the file (Squid's `logformat` line, the mapping of a generic format).
    """

    name: str
    reader: str
    suffix: str
    shows: dict[View, Ceiling]
    write: Callable[[Sequence[Row], View], Iterable[str]]
    named: Callable[[Person], str | None]
    asks: Callable[[View], dict[str, str]] = lambda view: {}
    part: Callable[[Row], str] = lambda row: ""
    ends_tls: bool = True
    challenges: bool = True
    refusals: bool = True


def login(person: Person) -> str | None:
    """The login, where somebody signed in."""
    return person.login if person.signs_in else None


def mail(person: Person) -> str | None:
    """The login as an e-mail address."""
    return f"{person.login}@staff.example.org" if person.signs_in else None


def domain(person: Person) -> str | None:
    """The login under a Windows domain."""
    return f"staff\\{person.login}" if person.signs_in else None


def nobody(person: Person) -> str | None:
    """A product that knows addresses only."""
    return None


def who(row: Row, named: Callable[[Person], str | None]) -> str | None:
    """How the person of a row appears: nobody has signed in yet when the proxy still asks."""
    return None if row.fate == "challenged" else named(row.person)


def when(seconds: float) -> datetime:
    """The same moment, in UTC."""
    return datetime.fromtimestamp(round(seconds * 1_000) / 1_000, UTC)


def quoted(cells: Iterable[object]) -> str:
    """A CSV line with every cell in quotes."""
    return ",".join('"' + str(cell).replace('"', '""') + '"' for cell in cells)
