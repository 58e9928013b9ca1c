"""What goes wrong comes as problem details with stable codes, and never repeats what was sent."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import closing

import httpx
import pytest

from countenance.domain import errors
from countenance.web import problems
from tests.web.conftest import Served

SECRET = "a-photograph-nobody-may-see"


def check(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    body: dict[str, object] = answer.json()
    assert body["status"] == status
    assert body["code"] == code
    assert body["type"] == f"urn:countenance:problem:{code}"
    assert body["title"]
    assert body["detail"]
    assert SECRET not in answer.text
    return body


@pytest.fixture
def program(folk: Served) -> Iterator[httpx.Client]:
    with folk.program() as client:
        yield client


def test_addresses_and_methods(program: httpx.Client) -> None:
    check(program.get(f"/{SECRET}"), 404, "no-such-page")
    check(program.get("/sources/none"), 404, "unknown")
    wrong = program.delete("/sources")
    check(wrong, 405, "wrong-method")
    assert {m.strip() for m in wrong.headers["allow"].split(",")} == {"GET", "POST"}
    only = program.delete("/status")
    assert only.headers["allow"] == "GET"
    check(program.get("/faces"), 405, "wrong-method")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/sources", {"name": SECRET, "kind": SECRET}),
        ("/sources", [SECRET]),
        ("/sources", {"name": "x", "kind": "folder", "location": "/x", "owner": "x", "basis": "own", "also": SECRET}),
        ("/authorities", {"purpose": SECRET}),
        ("/searches", {"photographs": SECRET}),
        ("/searches", {"photographs": [SECRET], "authority": "A", "limit": SECRET}),
        ("/searches", {"photographs": [SECRET], "authority": "A", "limit": True}),
        ("/searches", {"photographs": [], "authority": "A"}),
        ("/faces", {"photograph": {"data": SECRET}}),
        ("/faces", {"photograph": SECRET}),
        ("/ledger/check-receipt", {"entry": SECRET}),
    ],
)
def test_bodies_of_the_wrong_form(program: httpx.Client, path: str, body: object) -> None:
    check(program.post(path, json=body), 422, "bad-input")


def test_bodies_that_are_not_json(program: httpx.Client) -> None:
    for path in ("/sources", "/searches", "/faces"):
        answer = program.post(path, content=f'{{"{SECRET}', headers={"Content-Type": "application/json"})
        check(answer, 422, "bad-input")


def test_media_types(program: httpx.Client) -> None:
    for path in ("/searches", "/faces"):
        check(program.post(path, content=SECRET, headers={"Content-Type": "text/plain"}), 415, "wrong-media-type")
        check(program.post(path, content=SECRET), 415, "wrong-media-type")
        form = {"Content-Type": "multipart/form-data"}
        check(program.post(path, content=SECRET, headers=form), 400, "malformed")


def test_forms_of_the_wrong_form(program: httpx.Client) -> None:
    picture = {"photograph": b"x"}
    check(program.post("/searches", files={"other": b"x"}, data={"authority": "A"}), 422, "bad-input")
    check(program.post("/searches", data={"authority": "A"}, files={"x": b""}), 422, "bad-input")
    check(program.post("/searches", files=picture), 422, "bad-input")
    check(program.post("/searches", files=picture, data={"authority": ["A", "B"]}), 422, "bad-input")
    check(program.post("/searches", files=picture, data={"authority": "A", "limit": SECRET}), 422, "bad-input")
    check(program.post("/searches", files=picture, data={"authority": "A", "face": "all"}), 422, "bad-input")
    check(program.post("/faces", files=[("photograph", b"x"), ("photograph", b"y")]), 422, "bad-input")


def test_what_is_too_large(folk: Served, program: httpx.Client) -> None:
    limit = folk.product.settings.images.max_bytes * 3 // 2 + 2**20
    # The answer comes before the body: nobody has to send it to learn that it is too large.
    with closing(http.client.HTTPConnection(folk.address.removeprefix("http://"), timeout=10)) as raw:
        raw.putrequest("POST", "/api/v1/faces")
        for name, value in program.headers.items():
            raw.putheader(name, value)
        raw.putheader("Content-Type", "application/json")
        raw.putheader("Content-Length", str(limit + 1))
        raw.endheaders()
        answer = raw.getresponse()
        assert (answer.status, json.loads(answer.read())["limit"]) == (413, limit)


def test_what_is_too_large_without_saying_so() -> None:
    """Chunked, so that only counting finds it: with a limit small enough to try."""
    from starlette.types import Message, Receive, Scope, Send

    from countenance.web.security import BodyLimit

    chunks = [b"x" * 60, b"x" * 41, b"x" * 60]
    read = 0

    async def receive() -> Message:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": chunks[read - 1], "more_body": read < len(chunks)}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            while (await receive()).get("more_body"):
                pass
        except Exception:
            raise AssertionError("a handler must not be able to take half a body for a whole one") from None
        raise AssertionError("read beyond the limit")

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    import anyio

    anyio.run(BodyLimit(app, 100), {"type": "http", "headers": []}, receive, send)
    assert sent[0]["status"] == 413
    assert json.loads(sent[1]["body"])["code"] == "too-large"
    assert read == 2


def test_a_bug_says_nothing_of_itself(folk: Served, program: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(folk.product, "status", broken)
    answer = program.get("/status")
    check(answer, 500, "internal")
    assert "Content-Security-Policy" in answer.headers
    assert answer.headers["cache-control"] == "no-store"


def tree(root: type[errors.CountenanceError]) -> Iterator[type[errors.CountenanceError]]:
    yield root
    for child in root.__subclasses__():
        yield from tree(child)


@pytest.mark.parametrize("kind", list(tree(errors.CountenanceError)), ids=lambda kind: kind.__name__)
def test_each_of_our_errors_keeps_its_code(kind: type[errors.CountenanceError]) -> None:
    make: Callable[..., errors.CountenanceError] = kind
    error = errors.UnreadableImage("empty") if kind is errors.UnreadableImage else make("it failed", advice="do this")
    error.details["status"] = "not to be overwritten"
    answer = problems.of_error(error)
    body = json.loads(bytes(answer.body))
    assert body["code"] == kind.code
    assert body["status"] == answer.status_code == kind.http_status
    assert body["detail"] == error.message
    assert body.get("advice", "") == error.advice
