"""The straight line with the real models: photographs in, candidates out."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from countenance.domain.errors import NoFace, SeveralFaces, UnreadableImage
from countenance.index.vectors import HEADER_BYTES, record_type
from tests.places import TESTER, Place, ask, grant, ingest, register

People = Callable[[str, str], bytes]


def names(result: Any) -> list[list[str]]:
    return [sorted(Path(s.image).name for s in group.sightings) for group in result.groups]


def test_who_is_looked_for_comes_first(real: Place, people: People) -> None:
    with real.open() as product:
        authority = grant(product, "folk")
        for person in ("P001", "P002", "P003"):
            result = ask(product, authority, people(person, "studio_posture"), face="largest", min_likeness=-1.0)
            found = names(result)
            assert all(group[0].startswith(person) for group in found[: 3 if person == "P001" else 2])
            assert sorted(name for group in found for name in group) == sorted(p.name for p in real.photos.iterdir())
            for group in result.groups:
                strangers = group.expected_strangers
                assert 0 <= strangers.low <= (strangers.value or strangers.high) <= strangers.high <= 7
        # The very same photograph is as alike as can be.
        same = ask(product, authority, people("P002", "studio_portrait"), face="largest").groups[0]
        assert same.likeness > 0.99


def test_copies_of_a_photograph_are_one_picture(real: Place, people: People, tmp_path: Path) -> None:
    with Image.open(io.BytesIO(people("P002", "studio_portrait"))) as opened:
        portrait = opened.convert("RGB")
    folder = tmp_path / "copies"
    folder.mkdir()
    portrait.resize((portrait.width // 2, portrait.height // 2)).save(folder / "smaller.jpg", quality=60)
    portrait.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "mirrored.png")
    (folder / "other.jpg").write_bytes(people("P002", "studio_posture"))
    with real.open(ingest={"workers": 1}) as product:
        register(product, "copies", folder)
        ingest(product, "copies")
        result = ask(product, grant(product, "folk", "copies"), people("P002", "amateur_selfie"), face="largest")
        found = names(result)
        assert ["P002-studio_portrait.jpg", "mirrored.png", "smaller.jpg"] in found
        assert ["other.jpg"] in found
        assert ["P002-amateur_selfie.jpg"] in found
        pictures = product.ledger_entries(result.receipt["seq"], result.receipt["seq"] + 1)[0]["body"]["people"]
        assert pictures == 8


def test_what_leaves_is_the_exact_cosine(real: Place, people: People) -> None:
    with real.open() as product:
        photograph = people("P003", "studio_posture")
        faces = product.engine.detect(photograph)[2]
        template = next(face.template for face in faces if face.template is not None)
        probe = product.engine.protect(template[None, :])[0].astype(np.float64)
        kind = record_type(product.engine.pack.dimension)
        data = (real.home / "vectors" / "open.f16").read_bytes()[HEADER_BYTES:]
        records = np.frombuffer(data[: len(data) // kind.itemsize * kind.itemsize], kind)
        exact = {
            int(r["id"]): float(v @ probe / np.linalg.norm(v) / np.linalg.norm(probe))
            for r in records
            if r["id"] and (v := r["vector"].astype(np.float64)).any()
        }
        result = ask(product, grant(product, "folk"), photograph, face="largest", min_likeness=-1.0, limit=100)
        with product.database.read() as c:
            face_of = {row[0]: row[1] for row in c.exec_driver_sql("SELECT id, face_id FROM sightings")}
        shown = {face_of[s.id]: s.likeness for g in result.groups for s in g.sightings}
        assert len(shown) == 7
        for face, likeness in shown.items():
            assert likeness == pytest.approx(exact[face], abs=2e-6)


def test_crop_and_picture_show_the_face(real: Place, people: People) -> None:
    with real.open() as product:
        result = ask(product, grant(product, "folk"), people("P002", "studio_posture"), face="largest")
        best = next(s for g in result.groups for s in g.sightings if s.image.endswith("P002-studio_portrait.jpg"))
        with Image.open(io.BytesIO(product.crop(result.search, result.handle, best.id))) as crop:
            assert crop.format == "JPEG"
            assert max(crop.size) <= 512
        # The crop is the face: looked at again, it is the same person.
        assert len(product.engine.detect(product.crop(result.search, result.handle, best.id))[2]) == 1
        opened = product.open_picture(result.search, result.handle, best.id, TESTER)
        assert opened.content is not None
        with Image.open(io.BytesIO(opened.content)) as picture:
            assert picture.size == (opened.width, opened.height)
            assert not picture.getexif()
        (face,) = product.engine.detect(opened.content)[2][:1]
        x, y, w, h = opened.box
        middle = (face.box.x + face.box.w / 2, face.box.y + face.box.h / 2)
        assert x < middle[0] < x + w
        assert y < middle[1] < y + h
        assert [Path(page["image"]).name for page in opened.pages] == ["P002-studio_portrait.jpg"]


def test_photographs_that_cannot_be_used(real: Place, people: People) -> None:
    with real.open() as product:
        authority = grant(product, "folk")
        with pytest.raises(SeveralFaces) as caught:
            ask(product, authority, people("P001", "emotions_sheet"))
        assert len(caught.value.details["faces"]) == 16
        sky = io.BytesIO()
        Image.new("RGB", (600, 400), (90, 140, 200)).save(sky, "PNG")
        with pytest.raises(NoFace):
            ask(product, authority, sky.getvalue())
        half = people("P001", "studio_portrait")
        with pytest.raises(UnreadableImage):
            ask(product, authority, half[: len(half) // 2])
        assert product.authority(authority.id).used == 0
