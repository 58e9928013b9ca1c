"""The whole job as typed into a shell on a new home, with the real command and the real models."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import databases
from tests.places import ROOT, Place

ENGINE = "open"


def typed(line: str, place: Place, **more: Any) -> tuple[int, str, str]:
    """One line, given to a shell in the folder above PHOTOS."""
    commands = Path(sys.executable).parent
    environment = place.environment | {"PATH": f"{commands}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", line], cwd=place.root, env=environment, capture_output=True, text=True, timeout=110, **more
    )
    return done.returncode, done.stdout, done.stderr


def one(out: str) -> dict[str, Any]:
    """Standard output is exactly one object."""
    assert out.count("\n") == 1
    value = json.loads(out)
    assert isinstance(value, dict)
    return value


def test_the_transcript(place: Place, people: Callable[[str, str], bytes]) -> None:
    photos = place.root / "PHOTOS"
    photos.mkdir()
    for person in ("P001", "P002", "P003"):
        for asset in ("studio_portrait", "amateur_selfie", "amateur_posture"):
            (photos / f"{person}-{asset}.jpg").write_bytes(people(person, asset))
    (photos / "notes.txt").write_text("not a picture")
    (place.root / "photo.jpg").write_bytes(people("P001", "studio_posture"))

    code, out, err = typed(
        'countenance source add lfw --kind folder --at PHOTOS/ --owner "Benchmarks" --basis consent', place
    )
    assert code == 0, err

    code, out, err = typed("countenance ingest lfw --json", place)
    assert code == 0, err
    run = one(out)
    assert run["source"] == "lfw"
    assert (run["images"], run["no_face"], run["skipped"]) == (9, 0, {"not-an-image": 1})
    assert run["faces"] >= run["indexed"] >= 9
    assert run["seconds"] > 0
    assert "pictures" in err, "progress goes to standard error"

    code, out, err = typed(
        'countenance authority grant --purpose "measuring" --basis consent --case T-1 --collection lfw --expires 1d '
        '--searches 1000 --by "A Tester" --json',
        place,
    )
    assert code == 0, err
    id = one(out)["id"]

    code, out, err = typed(
        f"countenance search photo.jpg --authority {id} --collection lfw --face largest --limit 20 --json", place
    )
    assert code == 0, err
    found = one(out)
    contract(found)
    assert found["index"] == {"collections": ["lfw"], "faces": run["indexed"], "pack": ENGINE}
    assert found["probe"] == {"photographs": 1, "faces": 1, "warnings": found["probe"]["warnings"]}
    # Rank, never a threshold: the synthetic people look more alike than real ones do.
    best = [Path(group["sightings"][0]["image"]).name for group in found["groups"][:3]]
    assert all(name.startswith("P001") for name in best)
    image = found["groups"][0]["sightings"][0]
    assert image["image"].startswith("file://")
    assert Path(image["image"].removeprefix("file://")).parent == photos
    likeness = [group["likeness"] for group in found["groups"]]
    assert likeness == sorted(likeness, reverse=True)
    assert [group["rank"] for group in found["groups"]] == list(range(1, len(likeness) + 1))

    code, out, err = typed("countenance erase --source lfw --yes --json", place)
    assert code == 0, err
    erased = one(out)
    assert (erased["images"], erased["sources"], erased["pending"]) == (9, 1, [])
    assert not any(b"P001-studio" in content for content in place.files().values())

    code, out, err = typed("countenance ledger export bundle.zip && countenance ledger verify", place)
    assert code == 0, err
    code, out, err = typed("python -m countenance.ledger.verify bundle.zip", place)
    assert code == 0, err
    assert "signer not checked" in out + err
    code, out, err = typed('python -m countenance.ledger.verify bundle.zip --key "$(countenance ledger key)"', place)
    assert code == 0, err
    assert "signer not checked" not in out + err


def contract(found: dict[str, Any]) -> None:
    """What other programs rely on: every name, and of what kind it is."""
    assert found.keys() >= {"probe", "index", "reliable", "groups", "truncated", "receipt"}
    assert found["probe"].keys() >= {"photographs", "faces"}
    assert found["index"].keys() >= {"collections", "faces", "pack"}
    assert isinstance(found["reliable"], bool)
    assert isinstance(found["truncated"], bool)
    assert found["receipt"].keys() >= {"seq", "leaf", "inclusion", "checkpoint"}
    assert found["groups"]
    for group in found["groups"]:
        assert group.keys() >= {"rank", "likeness", "expected_strangers", "sightings"}
        strangers = group["expected_strangers"]
        assert strangers.keys() == {"value", "low", "high"}
        assert strangers["value"] is None or strangers["low"] <= strangers["value"] <= strangers["high"]
        assert -1 <= group["likeness"] <= 1
        for sighting in group["sightings"]:
            assert sighting.keys() >= {"source", "page", "image", "box", "first_seen", "last_seen"}
            assert [type(n) for n in sighting["box"]] == [int] * 4


BAD = {
    "not-an-image": ("text.jpg",),
    "empty": ("empty.jpg",),
    "truncated": ("half.jpg",),
    "too-many-pixels": ("bomb.png", "lying.png"),
    "too-small": ("dot.png", "line.png"),
    "fifo": ("pipe.jpg",),
    "symlink-loop": ("loop",),
    "symlink-outside": ("out.jpg",),
}
"""What is refused, by the reason that the run gives."""


def test_a_folder_of_everything_that_is_bad_costs_nothing_but_itself(
    place: Place, people: Callable[[str, str], bytes]
) -> None:
    from tests.cli.bad import bomb, flat, lying_header

    good = people("P002", "studio_portrait")
    sheet = people("P001", "emotions_sheet")
    for name, data in {
        "text.jpg": b"this is no picture",
        "empty.jpg": b"",
        "half.jpg": good[: len(good) // 2],
        "bomb.png": bomb(),
        "lying.png": lying_header(),
        "dot.png": flat(1, 1),
        "line.png": flat(20_000, 10),
        "sky.png": flat(400, 300),
        "portrait.jpg": good,
        "sixteen.jpg": sheet,
        "a name that is not utf-8 \udcff.jpg": people("P003", "amateur_selfie"),
    }.items():
        (place.photos / name).write_bytes(data)
    os.mkfifo(place.photos / "pipe.jpg")
    (place.photos / "loop").symlink_to(place.photos)
    (place.root / "elsewhere.jpg").write_bytes(good)
    (place.photos / "out.jpg").symlink_to(place.root / "elsewhere.jpg")
    assert place.command("source", "add", "bad", "--kind", "folder", "--at", place.photos, "--owner", "T",
                         "--basis", "own", real=True).code == 0  # fmt: skip
    answer = place.command("ingest", "bad", "--json", real=True)
    assert answer.code == 0, answer.err
    run = answer.json
    skipped = dict(run["skipped"])
    # A line 10 pixels high is refused as too small, or read and found empty of faces: both are answers.
    line = skipped.pop("too-small", 0) + run["no_face"]
    assert line == 3
    assert skipped == {reason: len(names) for reason, names in BAD.items() if reason != "too-small"}
    with place.open() as product:
        with product.database.read() as c:
            rows = c.exec_driver_sql(
                "SELECT a.address, count(s.id) FROM appearances a LEFT JOIN sightings s ON s.appearance_id = a.id "
                "GROUP BY a.id"
            )
            faces = {Path(address).name: count for address, count in rows}
        assert faces["sixteen.jpg"] == 16
        assert faces["portrait.jpg"] >= 1
        assert faces["sky.png"] == 0
        assert sum("utf-8" in name for name in faces) == 1
        assert product.engine.index.verify() == []


def test_kill_minus_nine_at_random_moments_with_the_real_workers(
    place: Place, people: Callable[[str, str], bytes], tmp_path: Path
) -> None:
    import signal
    import time

    for person in ("P004", "P005", "P006"):
        for asset in ("studio_portrait", "amateur_selfie", "studio_posture"):
            place.put(f"{person}-{asset}.jpg", people(person, asset))
    other = Place(tmp_path / "undisturbed")
    found = []
    for here, disturbed in ((place, True), (other, False)):
        assert here.command("source", "add", "s", "--kind", "folder", "--at", place.photos, "--owner", "T",
                            "--basis", "own", real=True).code == 0  # fmt: skip
        small = {"COUNTENANCE_INGEST__BATCH": "2"}
        for images in (1, 4) if disturbed else ():
            run = here.start("ingest", "s", "--json", real=True, env=small, start_new_session=True)
            deadline = time.monotonic() + 60
            while run.poll() is None and _images(here) < images and time.monotonic() < deadline:
                time.sleep(0.05)
            run.send_signal(signal.SIGKILL)
            run.communicate()
        answer = here.command("ingest", "s", "--json", real=True, env=small)
        assert answer.code == 0, answer.err
        assert answer.json["images"] == 9
        with here.open() as product:
            assert product.engine.index.verify() == []
            with product.database.read() as c:
                query = (
                    "SELECT a.address, hex(i.digest), f.n, round(f.x), round(f.w), f.floor FROM appearances a "
                    "JOIN images i ON i.id = a.image_id LEFT JOIN faces f ON f.image_id = i.id ORDER BY 1, 3"
                )
                rows = [tuple(row) for row in c.exec_driver_sql(query)]
                ids = list(c.exec_driver_sql("SELECT id FROM faces WHERE floor IS NULL ORDER BY id").scalars())
            assert product.engine.index.ids() == ids
        found.append(rows)
    assert found[0] == found[1]
    assert found[0]


def _images(place: Place) -> int:
    with databases.by_hand(place.home) as c:
        return int(c.execute("SELECT count(*) FROM images").fetchone()[0])


@pytest.mark.parametrize("words", [["--help"], ["search", "--help"]])
def test_help_is_quick_and_loads_nothing_heavy(words: list[str]) -> None:
    import resource

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "countenance.cli.main", *words], capture_output=True, text=True, cwd=ROOT, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert "Usage" in done.stdout
    # Processor time, so that a busy machine does not count.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.6
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, countenance.cli.main; print(' '.join(sys.modules))"],
        capture_output=True, text=True, cwd=ROOT, check=True,
    ).stdout.split()  # fmt: skip
    heavy = {
        "numpy",
        "sqlalchemy",
        "alembic",
        "PIL",
        "onnxruntime",
        "openvino",
        "scrapy",
        "fastapi",
        "turbovec",
        "onnx",
    }
    assert heavy & set(loaded) == set()
