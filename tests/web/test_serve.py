"""`countenance serve` as a person starts it: its link, its signals, and what it refuses."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
import pytest

from countenance.domain.errors import BadInput, Refused, Unavailable
from countenance.store import moments
from countenance.web.serve import address_of, listen
from tests import pretend
from tests.places import Place, ingest, register
from tests.traces import left, of_photograph


@contextmanager
def serving(place: Place) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and the first line that it printed: the link."""
    process = place.start("serve", "--port", "0", "--offline")
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def enter(link: str) -> httpx.Response:
    parts = urlsplit(link)
    address = f"{parts.scheme}://{parts.netloc}"
    return httpx.post(f"{address}/enter", json={"code": parts.fragment}, headers={"Origin": address})


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_from_the_link_to_the_end(house: Place, ending: signal.Signals) -> None:
    with serving(house) as (process, link):
        assert link.startswith("http://127.0.0.1:")
        assert urlsplit(link).path == "/enter"
        assert not urlsplit(link).query, "a secret in the query would be written into logs"
        first = enter(link)
        assert first.status_code == 204
        assert enter(link).status_code == 401
        os.kill(process.pid, signal.SIGUSR1)
        assert process.stdout is not None
        another = process.stdout.readline().strip()
        assert enter(another).status_code == 204
        page = httpx.get(
            another.split("/enter")[0] + "/sources",
            cookies={"countenance": first.cookies["countenance"]},
            headers={"Accept": "text/html"},
        )
        assert "album" in page.text
        process.send_signal(ending)
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        assert "Traceback" not in err
        assert first.cookies["countenance"] not in out + err


def test_what_is_over_its_time_is_erased_before_anybody_comes_in(
    place: Place, pretending: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        past = moments.now() - timedelta(days=100)
        patch.setattr(moments, "now", lambda: past)
        with place.open() as product:
            old = place.put("old/ada.png", pretend.photograph("ada", note="old"))
            register(product, "old", old.parent)
            ingest(product, "old")
            needles = of_photograph(product, old)
    with place.open() as product:
        register(product, "new", place.put("new/bob.png", pretend.photograph("bob", note="new")).parent)
        ingest(product, "new")
    assert left(place, needles)
    with serving(place) as (process, link):
        assert enter(link).status_code == 204
        assert left(place, needles) == []
        process.terminate()
        process.communicate(timeout=30)
    with place.open() as product:
        assert [source.name for source in product.sources()] == ["new"]
        (entry,) = [e for e in product.ledger_entries(0, product.ledger_size) if e["type"] == "erasure"]
        assert entry["body"]["scope"]["kind"] == "expired"


def test_the_link_as_json(house: Place) -> None:
    process = house.start("serve", "--port", "0", "--offline", "--json")
    try:
        assert process.stdout is not None
        link = json.loads(process.stdout.readline())["link"]
        assert enter(link).status_code == 204
        process.terminate()
        rest, _ = process.communicate(timeout=30)
        assert rest == "", "one object and nothing else"
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])
def test_nothing_but_loopback(host: str) -> None:
    with pytest.raises(Refused) as caught:
        listen(host, 0)
    assert "ssh" in caught.value.advice


def test_the_command_says_so(place: Place) -> None:
    answer = place.command("serve", "--host", "0.0.0.0", "--json")
    assert answer.code == Refused.exit_code
    assert answer.json["error"]["code"] == "refused"


def test_ports() -> None:
    with pytest.raises(BadInput):
        listen("127.0.0.1", 70_000)
    with closing(listen("127.0.0.1", 0)) as taken:
        taken.listen()
        with pytest.raises(Unavailable):
            listen("127.0.0.1", taken.getsockname()[1])


def test_loopback_has_three_names() -> None:
    with closing(listen("localhost", 0)) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"
        assert address_of(listening) == f"http://127.0.0.1:{listening.getsockname()[1]}"
    if socket.has_dualstack_ipv6():
        with closing(listen("[::1]", 0)) as listening:
            assert address_of(listening).startswith("http://[::1]:")
