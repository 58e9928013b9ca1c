"""A program at the API, with real models over real photographs of synthetic people."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from countenance.ledger.receipt import verify_receipt
from tests.web.conftest import Served, wait_for

People = Callable[[str, str], bytes]


@pytest.fixture
def program(folk: Served) -> Iterator[httpx.Client]:
    with folk.program() as client:
        yield client


def search(program: httpx.Client, authority: str, *photographs: bytes, **fields: Any) -> httpx.Response:
    files = [("photograph", ("p.jpg", data)) for data in photographs]
    return program.post("/searches", files=files, data={"authority": authority} | fields)


def opened(program: httpx.Client, authority: str, people: People) -> tuple[dict[str, Any], dict[str, str]]:
    answer = search(program, authority, people("P002", "studio_posture"))
    assert answer.status_code == 201, answer.text
    found = answer.json()
    return found, {"Countenance-Handle": found["handle"]}


def test_the_faces_of_a_photograph(program: httpx.Client, people: People) -> None:
    portrait, sheet = people("P001", "studio_portrait"), people("P001", "emotions_sheet")
    one = program.post("/faces", files={"photograph": portrait}).json()
    assert (one["width"], one["height"]) == Image.open(io.BytesIO(portrait)).size
    assert [face["n"] for face in one["faces"] if face["usable"]] == [1]
    again = program.post("/faces", json={"photograph": base64.b64encode(portrait).decode()}).json()
    assert again == one
    many = program.post("/faces", files={"photograph": sheet}).json()["faces"]
    assert len(many) == 16
    areas = [face["box"][2] * face["box"][3] for face in many]
    # Numbered by size before the boxes were rounded to whole pixels.
    assert all(smaller <= larger * 1.03 for larger, smaller in pairwise(areas))
    assert areas[0] > areas[-1]


def test_a_search_finds_the_person_and_proves_itself(
    folk: Served, program: httpx.Client, grant: Callable[..., str], people: People
) -> None:
    authority = grant()
    answer = search(program, authority, people("P002", "studio_posture"), limit=5)
    found = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/api/v1/searches/{found['search']}"
    best = found["groups"][0]["sightings"][0]
    assert Path(best["image"]).name.startswith("P002-")
    assert best["source"] == "folk"
    assert {"rank", "likeness", "expected_strangers", "sightings"} <= found["groups"][0].keys()
    assert found["index"] == {"collections": ["folk"], "faces": 22, "pack": "open"}
    assert found["probe"]["photographs"] == found["probe"]["faces"] == 1
    assert found["self_approved"] is True
    entry = verify_receipt(found["receipt"], folk.product.vkey)
    assert entry.kind == "search.shown"
    assert entry.body["search"] == found["search"]
    assert entry.body["self_approved"] is True
    assert entry.body["via"].startswith("token:")
    assert program.get(f"/authorities/{authority}").json()["used"] == 1


def test_json_and_form_ask_the_same(program: httpx.Client, grant: Callable[..., str], people: People) -> None:
    authority, photograph = grant(), people("P003", "studio_posture")
    form = search(program, authority, photograph, collection="folk", face="largest", limit="3", min_likeness="-1")
    asked = {
        "photographs": [base64.b64encode(photograph).decode()],
        "authority": authority,
        "collections": ["folk"],
        "face": "largest",
        "limit": 3,
        "min_likeness": -1,
    }
    plain = program.post("/searches", json=asked)
    assert form.json()["groups"] == plain.json()["groups"]
    assert len(plain.json()["groups"]) == 3
    assert plain.json()["truncated"] is True


def test_several_photographs_are_one_probe(program: httpx.Client, grant: Callable[..., str], people: People) -> None:
    authority = grant()
    two = people("P001", "studio_posture"), people("P001", "emotions_sheet")
    answer = search(program, authority, *two, face=["1", "2"])
    assert answer.status_code == 201, answer.text
    assert answer.json()["probe"]["photographs"] == 2
    assert search(program, authority, *two, face=["1", "2", "3"]).status_code == 422


def test_several_faces_are_never_guessed_at(program: httpx.Client, grant: Callable[..., str], people: People) -> None:
    authority = grant()
    answer = search(program, authority, people("P001", "emotions_sheet"))
    assert (answer.status_code, answer.json()["code"]) == (422, "several-faces")
    assert [face["n"] for face in answer.json()["faces"]] == list(range(1, 17))
    assert program.get(f"/authorities/{authority}").json()["used"] == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"authority": "A-000000000000"}, "unknown"), ({"collection": "elsewhere"}, "not-covered")],
)
def test_without_authority_no_search(
    folk: Served,
    program: httpx.Client,
    grant: Callable[..., str],
    people: People,
    change: dict[str, str],
    reason: str,
) -> None:
    authority = grant()
    answer = program.post(
        "/searches", files={"photograph": people("P001", "studio_portrait")}, data={"authority": authority} | change
    )
    assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (403, "no-authority", reason)
    assert "groups" not in answer.json()
    last = folk.product.ledger_entries(folk.product.ledger_size - 1, folk.product.ledger_size)[0]
    assert (last["type"], last["body"]["reason"]) == ("authority.refused", reason)


def test_a_revoked_and_a_spent_authority(program: httpx.Client, grant: Callable[..., str], people: People) -> None:
    photograph = people("P001", "studio_portrait")
    revoked, spent = grant(), grant(searches=1)
    assert program.post(f"/authorities/{revoked}/revoke", json={"reason": "over"}).json()["state"] == "revoked"
    assert search(program, spent, photograph).status_code == 201
    assert search(program, revoked, photograph).json()["reason"] == "revoked"
    assert search(program, spent, photograph).json()["reason"] == "spent"
    assert program.get(f"/authorities/{spent}").json()["left"] == 0


def test_the_handle_opens_what_was_shown(
    folk: Served, program: httpx.Client, grant: Callable[..., str], people: People
) -> None:
    found, handle = opened(program, grant(), people)
    path = f"/searches/{found['search']}"
    again = program.get(path, headers=handle).json()
    assert again["groups"] == found["groups"]
    assert program.get(f"{path}/candidates/1", headers=handle).json() == found["groups"][0]
    assert program.get(f"{path}/candidates/999", headers=handle).status_code == 404
    sighting = found["groups"][0]["sightings"][0]
    crop = program.get(f"{path}/crops/{sighting['id']}", headers=handle)
    assert crop.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(crop.content)).format == "JPEG"
    before = folk.product.ledger_size
    picture = program.post(f"{path}/pictures/{sighting['id']}", headers=handle).json()
    assert folk.product.ledger_size == before + 1
    image = Image.open(io.BytesIO(base64.b64decode(picture["content"])))
    assert image.size == (picture["width"], picture["height"])
    assert [page["image"] for page in picture["pages"]] == [sighting["image"]]
    x, y, w, h = picture["box"]
    assert 0 <= x < x + w <= picture["width"]
    assert 0 <= y < y + h <= picture["height"]


def test_without_the_handle_nothing_opens(program: httpx.Client, grant: Callable[..., str], people: People) -> None:
    authority = grant()
    found, _ = opened(program, authority, people)
    other, other_handle = opened(program, authority, people)
    sighting = found["groups"][0]["sightings"][0]["id"]
    path = f"/searches/{found['search']}"
    export = {"recipient": "x", "purpose": "x"}
    for headers in ({}, {"Countenance-Handle": "A" * 43}, other_handle):
        wanted = 422 if not headers else 403
        assert program.get(path, headers=headers).status_code == wanted
        assert program.get(f"{path}/crops/{sighting}", headers=headers).status_code == wanted
        assert program.post(f"{path}/pictures/{sighting}", headers=headers).status_code == wanted
        assert program.post(f"{path}/exports", headers=headers, json=export).status_code == wanted
    assert program.get(f"/searches/{other['search']}/crops/sighting-999999", headers=other_handle).status_code == 404


def test_an_export_names_its_recipient(
    folk: Served, program: httpx.Client, grant: Callable[..., str], people: People
) -> None:
    found, handle = opened(program, grant(), people)
    path = f"/searches/{found['search']}/exports"
    for refused in ({}, {"recipient": "", "purpose": "x"}, {"recipient": " ", "purpose": "x"}, {"recipient": "x"}):
        before = folk.product.ledger_size
        assert program.post(path, headers=handle, json=refused).status_code == 422
        assert folk.product.ledger_size == before
    answer = program.post(path, headers=handle, json={"recipient": "The court", "purpose": "Case 7"})
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        names = archive.namelist()
        assert json.loads(archive.read("search.json"))["search"] == found["search"]
    assert any(name.startswith("crops/") for name in names)
    last = folk.product.ledger_entries(folk.product.ledger_size - 1, folk.product.ledger_size)[0]
    assert (last["type"], last["body"]["recipient"]) == ("search.disclosed", "The court")


def test_the_photograph_is_kept_nowhere(
    folk_home: Path,
    program: httpx.Client,
    grant: Callable[..., str],
    people: People,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Larger than what a framework keeps of a form in memory: if anything wrote it to the disk, this folder is missing.
    monkeypatch.setattr(tempfile, "tempdir", str(folk_home / "no such folder"))
    photograph = people("P002", "studio_posture") + b"\0" * 3_000_000 + b"a mark at the very end of the photograph"
    assert program.post("/faces", files={"photograph": photograph}).status_code == 200
    answer = search(program, grant(), photograph)
    assert answer.status_code == 201
    monkeypatch.undo()
    digest = hashlib.sha256(photograph)
    marks = (photograph[5000:5064], photograph[-32:], digest.digest(), digest.hexdigest().encode())
    for path in folk_home.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(mark in content for mark in marks), path.name
    assert not any(mark.decode("latin-1") in answer.text for mark in marks)


def test_the_ledger(folk: Served, program: httpx.Client, grant: Callable[..., str], people: People) -> None:
    found, _ = opened(program, grant(), people)
    shown = program.get("/ledger").json()
    assert shown == {"size": folk.product.ledger_size, "checkpoint": shown["checkpoint"], "key": folk.product.vkey}
    assert program.get("/ledger/checkpoint").text == shown["checkpoint"]
    assert program.get("/ledger/key").text == folk.product.vkey + "\n"
    entries = program.get("/ledger/entries", params={"start": 2, "count": 3}).json()["entries"]
    assert [entry["seq"] for entry in entries] == [2, 3, 4]
    assert program.get("/ledger/entries", params={"start": 2**50}).json()["entries"] == []
    receipt = program.get(f"/ledger/receipts/{found['receipt']['seq']}").json()
    assert receipt["entry"] == found["receipt"]["entry"]
    assert program.post("/ledger/check-receipt", json=receipt).json() == {"proven": True, "why_not": None}
    bent = receipt | {"entry": receipt["entry"].replace("search.shown", "search.shawn")}
    answer = program.post("/ledger/check-receipt", json=bent).json()
    assert answer["proven"] is False
    assert answer["why_not"]
    assert program.get("/ledger/receipts/999999").status_code == 404
    assert program.post("/ledger/verify").json()["ok"] is True


def test_the_bundle_is_what_others_can_check(folk: Served, program: httpx.Client, tmp_path: Path) -> None:
    from countenance.ledger.verify import main

    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(program.post("/ledger/bundle").content)
    assert main([str(bundle), "--key", folk.product.vkey]) == 0


def test_register_read_and_search_a_new_source(
    folk: Served, program: httpx.Client, grant: Callable[..., str], people: People, tmp_path: Path
) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "kofi.jpg").write_bytes(people("P007", "studio_portrait"))
    (tmp_path / "new" / "broken.jpg").write_bytes(b"not a picture")
    asked = {"name": "new", "kind": "folder", "location": str(tmp_path / "new"), "owner": "Tests", "basis": "own"}
    made = program.post("/sources", json=asked)
    assert (made.status_code, made.headers["location"]) == (201, "/api/v1/sources/new")
    assert made.json()["retain_days"] == 90
    twice = program.post("/sources", json=asked)
    assert (twice.status_code, twice.json()["code"]) == (409, "already-there")
    without = program.post("/sources", json=asked | {"name": "x", "basis": "public-task"})
    assert (without.status_code, without.json()["code"]) == (422, "bad-input")
    started = program.post("/sources/new/runs")
    assert started.status_code == 202
    assert started.headers["location"] == f"/api/v1/runs/{started.json()['id']}"
    ended = wait_for(program, started.json()["id"])
    assert ended["state"] == "done", ended
    assert ended["report"]["indexed"] == 1
    assert ended["report"]["skipped"] == {"not-an-image": 1}
    assert ended["progress"]["done"] == 2
    shown = program.get("/sources/new").json()
    assert shown["summary"]["indexed"] == 1
    assert [run["state"] for run in program.get("/sources/new/runs").json()["runs"]] == ["done"]
    assert "new" in [c["name"] for c in program.get("/collections").json()["collections"]]
    assert program.get("/status").json()["sources"] == len(program.get("/sources").json()["sources"])
    found = search(program, grant(collections=["new"]), people("P007", "amateur_selfie")).json()
    assert Path(found["groups"][0]["sightings"][0]["image"]).name == "kofi.jpg"
