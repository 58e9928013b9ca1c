"""Homes on which each act is done through each of its doors, and what a door takes."""

from __future__ import annotations

import contextlib
import io
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from countenance.access import roles
from countenance.access.scopes import SCOPES
from countenance.app import Countenance
from countenance.cli import main, options
from countenance.domain.authority import Actor
from countenance.domain.requests import Reasons, Wanted
from countenance.services.people import system_actor
from countenance.services.search import SearchRequest
from countenance.services.sign_in import csrf_of
from countenance.store import moments
from tests import pretend
from tests.places import Answer, Place
from tests.teams import HERE, ROLES, Team
from tests.web.conftest import Served, serve

PAGE, API, COMMAND, PYTHON, JOB = "page", "api", "command", "python", "job"
REASONS = Reasons(
    "The handbag was taken by somebody whom two cameras saw, and the plate of the car that drove off was a forged one.",
    "One photograph is compared with the album of earlier offenders, once; asking at every door would trouble more.",
)
ADA, BOB = pretend.photograph("ada", note="asked"), pretend.photograph("bob", note="asked")

Given = dict[str, Any]
"""What an act was prepared with, by name: ids for paths and command lines, and headers."""


@dataclass(frozen=True, slots=True)
class Http:
    """A request: of the API, and of its page's script, or of a page alone. `body` is JSON, `form` a page's form."""

    method: str
    path: str
    body: Callable[[Given], Any] | None = None
    form: Callable[[Given], dict[str, str]] | None = None
    goes_on: bool = False
    """Whether a run goes on after the answer, to be waited for."""
    fails: bool = False
    """Whether the answer is an error, after the entry."""
    query: str = ""
    """What stands behind the path."""

    @property
    def route(self) -> tuple[str, str]:
        """As the matrix of routes has it."""
        return self.method, self.path


@dataclass(frozen=True, slots=True)
class Command:
    """A command line; `name` as the matrix of commands has it, `words` are what stands behind it."""

    name: str
    words: Callable[[Given], list[Any]] = lambda given: []


Python = Callable[[Countenance, Actor, Given], object]


@dataclass
class Home:
    """A home with a server, browsers, programs and command lines before it. `team` is there in an organisation."""

    place: Place
    served: Served
    team: Team | None
    tokens: dict[str, tuple[str, str]] = field(default_factory=dict)
    cookies: dict[str, tuple[str, str]] = field(default_factory=dict)
    counted: int = 0

    @property
    def product(self) -> Countenance:
        return self.served.product

    @property
    def folder(self) -> Path:
        """A new folder's path."""
        self.counted += 1
        return self.place.root / f"made-{self.counted}"

    def name(self, word: str) -> str:
        """A name that nothing has yet."""
        self.counted += 1
        return f"{word}-{self.counted}"

    def actor(self, role: str, via: str = PYTHON) -> Actor:
        who = system_actor(via) if self.team is None else Actor(self.team.account(role).user, via)
        return self.product.people.known(who)

    def user(self, role: str) -> str:
        return self.actor(role).user

    def token(self, role: str) -> tuple[str, str]:
        """The id and the secret of a token that reaches as far as the role does."""
        if role not in self.tokens:
            actor = self.actor(role)
            if self.team is not None and not roles.may(role, "tokens"):
                # An auditor makes no token: there is no door of the API for them but the browser's.
                pytest.skip(f"no token for {role}")
            scopes = sorted(set(SCOPES) & roles.acts_of(actor.roles))
            token, secret = self.product.create_token("acts", scopes, None, actor)
            self.tokens[role] = token.id, secret
        return self.tokens[role]

    def cookie(self, role: str) -> tuple[str, str]:
        """A browser's session and its CSRF token."""
        if role not in self.cookies:
            if self.team is None:
                opened = self.served.sessions.redeem(self.served.sessions.mint_link())
                self.cookies[role] = opened.secret, opened.csrf
            else:
                secret = self.product.people.door.begin(self.team.account(role), "tests", HERE).secret
                self.cookies[role] = secret, csrf_of(secret)
        return self.cookies[role]

    # Doing

    def ask(self, door: str, http: Http, role: str, given: Given) -> httpx.Response:
        """Through a page or the API."""
        headers = {"Origin": self.served.address} | given.get("headers", {})
        path, body = http.path.format(**given) + http.query, http.body(given) if http.body else None
        cookies = {}
        form = http.form(given) if http.form else None
        if door == PAGE:
            secret, csrf = self.cookie(role)
            secret = given.get("cookie", secret)
            csrf = given.get("csrf", csrf)
            headers |= {"Countenance-CSRF": csrf}
            cookies = {"countenance": secret} | given.get("cookies", {})
            form = form | {"csrf": csrf} if form is not None else None
            if form is not None or http.method == "GET":
                headers["Accept"] = "text/html"
        else:
            headers["Authorization"] = f"Bearer {self.token(role)[1]}"
        with httpx.Client(base_url=self.served.address, cookies=cookies, timeout=60) as client:
            answer = client.request(http.method, path, headers=headers, json=body, data=form)
        if http.goes_on:
            until = time.monotonic() + 30
            while self.served.web.state.ingests.running() and time.monotonic() < until:
                time.sleep(0.02)
        return answer

    def run(self, command: Command, role: str, given: Given) -> Answer:
        """Through the command line, in this process, as the system's user who is linked to that account."""
        words = ["countenance", *command.name.split(), *(str(word) for word in command.words(given)), "--json"]
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.place.environment.items():
                if name.startswith("COUNTENANCE_") or name == "COLUMNS":
                    patch.setenv(name, value)
            if self.team is not None and role != "administrator":  # who is the one that made the home
                patch.setenv("LOGNAME", f"os-{role}")
            patch.setattr(options, "ensure_weights", lambda *_: None)
            patch.setattr(sys, "argv", words)
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as left:
                main.main()
        return Answer(left.value.code if isinstance(left.value.code, int) else 1, out.getvalue(), err.getvalue())

    # Preparing

    def source(self, *people: str, **changes: Any) -> str:
        """A source with a photograph of each of these people, read."""
        name = self.name("source")
        for person in people or ("ada",):
            self.place.put(f"{name}/{person}.png", pretend.photograph(person, note=name))
        (self.place.photos / name).mkdir(exist_ok=True, parents=True)
        actor = self.actor("administrator")
        register_as(self.product, name, self.place.photos / name, actor, **changes)
        self.product.ingest(name, actor)
        return name

    def wanted(self, **changes: Any) -> Wanted:
        terms: dict[str, Any] = {
            "purpose": "find a suspect",
            "basis": "law-enforcement" if self.team else "own",
            "basis_document": "POL-7" if self.team else None,
            "case": self.name("case"),
            "collections": ("album", "wall"),
            "expires": moments.now() + timedelta(days=3),
            "searches": 9,
            "outcome": "a lead for the officer in the case",
            "stated_by": "An Asker",
        }
        return Wanted(**(terms | changes))

    def requested(self, **changes: Any) -> str:
        words = Reasons(f"{REASONS.necessity} {self.words()}", f"{REASONS.proportionality} {self.words()}")
        return self.product.requests.ask(self.wanted(**changes), words, self.actor("requester")).id

    def words(self) -> str:
        """A sentence that no other request has: near-duplicates are refused."""
        self.counted += 1
        letters = "".join(chr(ord("a") + int(digit)) for digit in str(self.counted))
        return " ".join(f"{word}{letters}" for word in ("camera", "street", "witness", "coat", "hour"))

    def authority(self, **changes: Any) -> str:
        request = self.requested(**changes)
        return self.product.requests.approve(request, self.actor("authoriser")).id

    def searched(self, photograph: bytes = ADA, **changes: Any) -> Given:
        """A search whose handle lives."""
        asked = SearchRequest(photographs=(photograph,), authority=self.authority(**changes), face="largest")
        found = self.product.search(asked, self.actor("requester"))
        return {
            "search": found.search,
            "handle": found.handle,
            "authority": found.authority,
            "sighting": f"sighting-{found.groups[0].sightings[0].id}" if found.groups else "",
            "headers": {"Countenance-Handle": found.handle},
        }


def register_as(product: Countenance, name: str, folder: Path, actor: Actor, **changes: Any) -> None:
    from countenance.services.register import NewSource

    values: dict[str, Any] = {"name": name, "kind": "folder", "location": str(folder), "owner": "Tests"}
    product.add_source(NewSource(**(values | {"basis": "own"} | changes)), actor)


def linked(team: Team) -> None:
    """A system's user for each role's account, and a second reviewer."""
    people, admin = team.product.people, team.actor("administrator")
    for role in ROLES[1:]:
        people.link(role, admin, system_user=f"os-{role}")
    people.add("second", ["reviewer"], admin, system_user="os-second")


@contextlib.contextmanager
def opened(place: Place, making: Callable[[Place], Countenance | Team]) -> Iterator[Home]:
    """A home of this making with two collections in it, served."""
    made = making(place)
    team = made if isinstance(made, Team) else None
    product = made.product if isinstance(made, Team) else made
    for served in serve(product):
        home = Home(place, served, team)
        for name, who in (("album", ("ada", "bob")), ("wall", ("ada",))):
            for person in who:
                place.put(f"{name}/{person}.png", pretend.photograph(person, note=name))
            register_as(product, name, place.photos / name, home.actor("administrator"))
            product.ingest(name, home.actor("administrator"))
        yield home


def entries(home: Home, since: int) -> list[Mapping[str, Any]]:
    return home.product.ledger_entries(since, home.product.ledger_size)
