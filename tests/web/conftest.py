"""A real server on loopback over a real home, and those who come to its door."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from countenance.access.scopes import SCOPES
from countenance.access.sessions import Sessions
from countenance.app import Countenance, system_actor
from countenance.web.application import build
from countenance.web.serve import address_of, listen
from tests.places import Place

ACTOR = system_actor("python")


@dataclass
class Served:
    """A server that runs."""

    address: str
    product: Countenance
    sessions: Sessions
    web: Any

    def token(self, *scopes: str) -> str:
        """A token's secret; with every scope when none is named."""
        return self.product.create_token("tests", scopes or tuple(SCOPES), None, ACTOR)[1]

    def program(self, *scopes: str) -> httpx.Client:
        """A program with a token."""
        headers = {"Authorization": f"Bearer {self.token(*scopes)}"}
        return httpx.Client(base_url=f"{self.address}/api/v1", headers=headers, timeout=60)

    def stranger(self) -> httpx.Client:
        """Somebody with neither token nor session."""
        return httpx.Client(base_url=self.address, timeout=60)

    @contextmanager
    def browser(self) -> Iterator[httpx.Client]:
        """A browser with a session, that asks for pages."""
        with httpx.Client(base_url=self.address, timeout=60, headers={"Accept": "text/html"}) as client:
            answer = client.post("/enter", json={"code": self.sessions.mint_link()}, headers={"Origin": self.address})
            assert answer.status_code == 204
            yield client


def serve(product: Countenance) -> Iterator[Served]:
    """Serve until the generator is closed."""
    sessions = Sessions()
    web = build(product, sessions)
    listening = listen("127.0.0.1", 0)
    config = uvicorn.Config(web, log_config=None, lifespan="off", access_log=False, timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield Served(address_of(listening), product, sessions, web)
    finally:
        web.state.ingests.stop(seconds=30)
        server.should_exit = True
        thread.join(10)
        listening.close()


@pytest.fixture(scope="session")
def _folk(_real_home: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("folk"))
    _real_home.copy_to(made)
    shutil.copytree(_real_home.photos, made.photos)
    yield made
    made.close()


@pytest.fixture(scope="session")
def folk(_folk: Place) -> Iterator[Served]:
    """Seven synthetic photographs of three people, read with the real models, in the source `folk`. Shared."""
    yield from serve(_folk.open(ingest={"workers": 1}))


@pytest.fixture(scope="session")
def folk_home(_folk: Place, folk: Served) -> Path:
    """The folder of that home."""
    return _folk.home


@pytest.fixture
def pretend(house: Place) -> Iterator[Served]:
    """A small home of its own for each test, whose faces are pretended."""
    yield from serve(house.open())


@pytest.fixture
def grant(folk: Served) -> Callable[..., str]:
    """Grant an authority over HTTP; its id."""

    def made(**changes: Any) -> str:
        asked = {
            "purpose": "testing",
            "basis": "own",
            "case": "T-1",
            "collections": ["folk"],
            "expires": "2100-01-01T00:00:00Z",
            "searches": 1000,
            "stated_by": "A Tester",
        }
        with folk.program("authorities:write") as program:
            answer = program.post("/authorities", json=asked | changes)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    return made


def wait_for(program: httpx.Client, run: str, *, seconds: float = 90) -> dict[str, Any]:
    """A run, once it has ended."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        shown: dict[str, Any] = program.get(f"/runs/{run}").json()
        if shown["state"] != "running":
            return shown
        time.sleep(0.05)
    raise AssertionError("the run did not end")
