"""Exactly one entry for each act, whichever way it was done.

The table of acts drives each through every door that it has: a page's own request in a browser's session, the API with
a token, the command line, Python, and what is done by the clock or at an opening. What it made of entries is counted.
A type of entry, a route that writes or a command that is in no act of the table makes this fail.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from countenance.app import open_home
from countenance.cli.backup import bring_back
from countenance.services.backup import To, back_up
from countenance.services.home import Where
from countenance.services.restore import With
from countenance.settings import Settings
from countenance.web.pages.words import ACTS as WORDS
from tests import databases, pretend
from tests.acts import accounts, house, later, leave, overseen, pictures
from tests.acts import door as door_acts
from tests.acts.stage import API, JOB, PAGE, PYTHON, Command, Home, Http, entries, linked, opened
from tests.acts.table import OPERATIONS, Act
from tests.cli.test_matrix import MACHINE
from tests.cli.test_matrix import MATRIX as COMMANDS
from tests.places import ROOT, TESTER, Place, kinds, register
from tests.teams import Team, team_at
from tests.web.test_matrix import MATRIX as ROUTES

TABLE = (
    *pictures.ACTS,
    *leave.ACTS,
    *overseen.ACTS,
    *later.ACTS,
    *accounts.ACTS,
    *door_acts.ACTS,
    *house.ACTS,
    *house.LAST,
)
DRIVEN = [(act, door, way) for act in TABLE for door, way in act.doors]

ELSEWHERE = {
    "home.created": "tests/acts/test_acts.py",
    "key.created": "tests/acts/test_acts.py",
    "home.restored": "tests/acts/test_acts.py",
    "search.cut-off": "tests/services/test_receipt.py",
    "hold.lapsed": "tests/services/test_hold.py",
    "erasure.pending": "tests/services/test_hold.py",
    "ledger.mailed": "tests/services/test_post.py",
    "ledger.key-lost": "tests/services/test_lost_ledger.py",
    "ledger.recovered": "tests/ledger/test_recovery.py",
}
"""What takes a home of its own, a crash, a lost key, time or a mail server: counted there."""

IN_A_BROWSER = {
    ("POST", "/account/passkeys"): "tests/web/test_people_pages.py",
    ("POST", "/account/passkeys/begin"): "tests/web/test_people_pages.py",
    ("POST", "/account/passkeys/remove"): "tests/web/test_people_pages.py",
    ("POST", "/sign-in/passkey"): "tests/web/test_people_pages.py",
    ("POST", "/sign-in/passkey/begin"): "tests/web/test_people_pages.py",
    ("POST", "/subject/reports"): "tests/web/test_subject_page.py",
    ("POST", "/subject/reports/{search}/pdf"): "tests/web/test_subject_page.py",
}
"""What takes a browser's own device to sign, or a file to be chosen: counted there."""

COMMANDS_ELSEWHERE = {
    "init": "tests/acts/test_acts.py",
    "restore": "tests/acts/test_acts.py",
    "serve": "tests/acts/pictures.py",
    "ledger witness": "tests/cli/test_witnessing.py",
    "ledger stamp": "tests/cli/test_witnessing.py",
    "ledger mail": "tests/services/test_post.py",
}

READING: dict[str, list[str]] = {
    "profile show": [],
    "user list": [],
    "source list": [],
    "source show": ["album"],
    "authority list": [],
    "authority show": ["{authority}"],
    "authority requests": [],
    "review list": [],
    "review reviewers": [],
    "review controls": [],
    "ledger checkpoint": [],
    "ledger key": [],
    "proxylog list": [],
    "proxylog show": ["{analysis}"],
    "proxylog explain": ["{session}"],
    "inspection list": [],
    "inspection follow-ups": [],
    "inspection check": ["{draw}"],
    "hold list": [],
    "hold show": ["{hold}"],
    "retention receipt": ["{receipt}"],
    "retention due": [],
    "retention policy": [],
    "retention receipts": [],
    "keys show": [],
    "token list": [],
    "status": [],
}
"""Commands that only read what is no person's, or stands under a pseudonym: they make no entry."""


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[bool, Home]]:
    """An organisation's home, and one person's (True)."""

    def team(place: Place) -> Team:
        made = team_at(place, serve={"session_minutes": 120})
        linked(made)
        return made

    def alone(place: Place) -> Any:
        return place.open()

    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        pretend.put_on(patch)
        places = [Place(tmp_path_factory.mktemp(name)) for name in ("team", "alone")]
        yield {
            False: stack.enter_context(opened(places[0], team)),
            True: stack.enter_context(opened(places[1], alone)),
        }
        for place in places:
            place.close()


def test_what_only_reads_makes_no_entry(homes: dict[bool, Home]) -> None:
    home = homes[True]
    given = home.searched() | house.analysed(home) | leave.known(home) | later.known(home)
    home.source("ada")
    before = home.product.ledger_size
    for name, words in READING.items():
        told = home.run(Command(name, lambda g, w=words: [x.format(**g) for x in w]), "administrator", given)  # type: ignore[misc]
        assert told.code == 0, (name, told)
    assert home.product.ledger_size == before
    driven = {way.route for _, _, way in DRIVEN if isinstance(way, Http)}
    given |= {"name": "album", "seq": str(home.product.ledger_size - 1), "rank": "1", "picture": "bounds"}
    given |= {"read": "0", "part": "breach.json"}
    given |= {"account": "000000000000", "run": "run-000000000000", "side": "probe", "id": "R-000000000000"}
    for method, path in ROUTES:
        if method != "GET" or (method, path) in driven:
            continue
        answer = home.ask(
            PAGE, Http(method, path), "administrator", {"request": "", "review": "J-000000000000"} | given
        )
        assert answer.status_code < 500, path
        assert home.product.ledger_size == before, path


@pytest.mark.parametrize(("act", "door", "way"), DRIVEN, ids=[f"{act.name}, {door}" for act, door, _ in DRIVEN])
def test_each_act_is_one_entry(homes: dict[bool, Home], act: Act, door: str, way: Any) -> None:
    home = homes[act.alone]
    given = act.before(home)
    via = {API: f"token:{home.token(act.role)[0]}" if door == API else "", JOB: act.via}.get(door, door)
    who = act.by(home, given) if act.by is not None else home.user(act.role)
    if door == PAGE:
        home.cookie(act.role)
    before = home.product.ledger_size
    if isinstance(way, Http):
        answer = home.ask(door, way, act.role, given)
        assert (answer.status_code >= 400) == way.fails, answer.text
    elif isinstance(way, Command):
        told = home.run(way, act.role, given)
        assert told.code in ((0, 4, 2) if act.name.endswith(("refused", "without leave")) else (0,)), told
    elif door == PYTHON:
        way(home.product, home.actor(act.role), given)
        via = (act.via if act.job is None else None) or via
    else:
        way(home, given)
    made = entries(home, before)
    if act.after is not None:
        act.after(home)
    assert [one["type"] for one in made] == list(act.entries)
    for one in made:
        # The ledger itself enters that its key was changed, and knows no door.
        assert one["body"].get("via", via) == via, one
        if door != JOB or act.by is not None:
            assert one["actor"]["authenticated"] in (who, home.user(act.role)), one
    if made:
        assert who in {one["actor"]["authenticated"] for one in made}


def test_every_type_of_entry_is_in_the_table() -> None:
    driven = {kind for act in TABLE for kind in act.entries}
    assert driven | set(ELSEWHERE) == set(WORDS)
    assert driven & set(ELSEWHERE) == set()
    for kind, file in ELSEWHERE.items():
        assert f'"{kind}"' in (ROOT / file).read_text(encoding="utf-8"), kind


def test_every_operation_that_the_law_names_has_an_act() -> None:
    assert {act.operation for act in TABLE} - {""} == set(OPERATIONS)
    assert len({act.name for act in TABLE}) == len(TABLE)


def test_every_route_that_may_write_is_in_the_table() -> None:
    driven = {way.route for _, _, way in DRIVEN if isinstance(way, Http)}
    writing = {route for route in ROUTES if route[0] != "GET"}
    assert writing - driven - set(IN_A_BROWSER) == set()
    assert driven - set(ROUTES) == set()
    for (_, path), file in IN_A_BROWSER.items():
        assert path.rsplit("/", 1)[-1] in path
        assert "kinds(" in (ROOT / file).read_text(encoding="utf-8")


def test_every_command_is_in_the_table() -> None:
    driven = {way.name for _, _, way in DRIVEN if isinstance(way, Command)}
    at_a_home = {name for name, act in COMMANDS.items() if act != MACHINE} | {"restore", "keys import"}
    assert driven | set(READING) | set(COMMANDS_ELSEWHERE) == at_a_home
    assert driven & set(READING) == set()


def test_making_and_restoring_a_home(tmp_path: Path, homes: dict[bool, Home]) -> None:
    place = Place(tmp_path / "new")
    place.photos.mkdir(parents=True)
    place.put("album/ada.png", pretend.photograph("ada", note="new"))
    product = place.open()
    assert kinds(product) == ["home.created"]
    register(product, "album", place.photos / "album")
    product.ingest("album", TESTER)
    assert [kind for kind in kinds(product) if kind.startswith("key.")] == ["key.created"]
    file = tmp_path / "backup"
    back_up(product.eraser.home, file, To(house.PASSPHRASE), TESTER, with_keys=True)
    size = product.ledger_size
    place.close()
    again = tmp_path / "again"
    bring_back(file, Where(again, tmp_path / "keys", databases.address(again)), With(house.PASSPHRASE))
    with open_home(settings=Settings(home=again, key_dir=tmp_path / "keys", **databases.setting(again))) as back:
        assert kinds(back)[size:] == ["home.restored"]
