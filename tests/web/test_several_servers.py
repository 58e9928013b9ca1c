"""Two servers on one home whose rows are in PostgreSQL: what one does holds for the other at once."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from countenance.access.lockout import FREE
from countenance.store import moments
from tests import pretend
from tests.places import TESTER, Place, ingest, kinds, register
from tests.teams import PASSWORD, team_at
from tests.web.conftest import wait_for

pytestmark = pytest.mark.usefixtures("postgresql")

USES = 7
SCOPES = ("search", "ingest", "sources:read", "status:read", "ledger:read", "authorities:write", "authorities:read")


@contextmanager
def serving(place: Place) -> Iterator[str]:
    """A server of its own; its address."""
    process: subprocess.Popen[str] = place.start("serve", "--port", "0", "--offline")
    try:
        assert process.stdout is not None
        told = urlsplit(process.stdout.readline().strip())
        assert told.netloc, process.stderr and process.stderr.read()
        yield f"{told.scheme}://{told.netloc}"
    finally:
        process.terminate()
        _, err = process.communicate(timeout=60)
        assert "Traceback" not in err


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, postgresql: Path) -> Iterator[tuple[Place, list[httpx.Client]]]:
    """A home that two servers serve, and a program's client at each."""
    place = Place(tmp_path_factory.mktemp("several"))
    for person in ("ada", "bob"):
        place.put(f"album/{person}.png", pretend.photograph(person, note="one"))
    with pytest.MonkeyPatch.context() as patch, place.open() as product:
        pretend.put_on(patch)
        for name in ("album", "late"):
            place.put(f"{name}/dan.png", pretend.photograph("dan", note=name))
            register(product, name, place.photos / name)
        ingest(product, "album")
        secret = product.create_token("tests", SCOPES, None, TESTER)[1]
    place.opened.clear()
    with ExitStack() as stack:
        addresses = list(map(stack.enter_context, [serving(place), serving(place)]))
        head = {"Authorization": f"Bearer {secret}"}
        clients = [httpx.Client(base_url=f"{one}/api/v1", headers=head, timeout=60) for one in addresses]
        for client in clients:
            stack.enter_context(client)
        yield place, clients
    place.drop()


def granted(client: httpx.Client, searches: int) -> str:
    body = {
        "purpose": "testing",
        "basis": "own",
        "case": "T",
        "stated_by": "A Tester",
        "collections": ["album", "late"],
        "expires": (moments.now() + timedelta(days=1)).isoformat(),
    }
    answer = client.post("/authorities", json=body | {"searches": searches})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def search(client: httpx.Client, authority: str, person: str = "ada") -> httpx.Response:
    files = {"photograph": ("p.png", pretend.photograph(person, note="asked"))}
    return client.post("/searches", files=files, data={"authority": authority})


def images(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 201, answer.text
    return {
        Path(s["image"]).parent.name for g in answer.json()["groups"] for s in g["sightings"] if "dan" in s["image"]
    }


def test_no_use_is_spent_twice_and_the_ledger_is_one(stage: tuple[Place, list[httpx.Client]]) -> None:
    place, clients = stage
    authority = granted(clients[0], USES)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: search(clients[n % 2], authority), range(32)))
    assert Counter(answer.status_code for answer in answers) == {201: USES, 403: 32 - USES}
    for client in clients:
        assert client.get(f"/authorities/{authority}").json()["used"] == USES
        assert client.post("/ledger/verify").json()["ok"] is True
    with place.open() as product:
        assert Counter(kinds(product))["search.shown"] == USES
        entries = product.ledger_entries(0, product.ledger_size)
        uses = [entry["body"]["use"] for entry in entries if entry["type"] == "search.started"]
        assert sorted(uses) == list(range(1, USES + 1))
    place.opened.clear()


def test_what_one_reads_the_other_finds_and_what_is_erased_is_gone_from_both(
    stage: tuple[Place, list[httpx.Client]],
) -> None:
    place, (one, two) = stage
    authority = granted(one, 20)
    assert [images(search(client, authority, "dan")) for client in (one, two)] == [{"album"}] * 2
    begun = one.post("/sources/late/runs")
    assert begun.status_code == 202, begun.text
    # How far a run has come is told by each, whichever reads.
    assert wait_for(two, begun.headers["location"].rpartition("/")[2])["state"] == "done"
    assert [run["state"] for run in two.get("/sources/late/runs").json()["runs"]] == ["done"]
    assert images(search(two, authority, "dan")) == {"album", "late"}
    erased = place.command("erase", "--source", "late", "--yes", "--json")
    assert erased.code == 0, erased.err
    assert erased.json["pending"] == []
    assert [images(search(client, authority, "dan")) for client in (two, one)] == [{"album"}] * 2
    assert two.post("/ledger/verify").json()["ok"] is True


def test_failures_to_sign_in_are_counted_together(tmp_path: Path) -> None:
    """Two servers of an organisation; a stranger who tries at both in turn has as many attempts as at one."""
    place = Place(tmp_path / "office")
    team_at(place)
    place.close()
    with place.open() as first, place.open() as second:
        from countenance.domain.errors import NotSignedIn, TooManyAttempts
        from countenance.services.sign_in import Visitor

        def attempt(n: int) -> str:
            door = (first, second)[n % 2].people.door
            try:
                door.by_password("requester", "not the password", None, Visitor(f"192.0.2.{n}"))
            except TooManyAttempts:
                return "too many"
            except NotSignedIn:
                return "wrong"
            return "in"

        with ThreadPoolExecutor(8) as pool:
            outcomes = Counter(pool.map(attempt, range(16)))
        assert outcomes["in"] == 0
        assert FREE["account"] <= outcomes["wrong"] <= FREE["account"] + 1
        with pytest.raises(TooManyAttempts):
            second.people.door.by_password("requester", PASSWORD, None, Visitor("192.0.2.99"))
    place.drop()
