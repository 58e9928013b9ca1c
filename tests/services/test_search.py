"""Candidates, never identities: how alike exactly, how many strangers, how good the pictures, and no more."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select, update

from countenance.app import Countenance
from countenance.domain.errors import BadInput, NoFace, PermitMisused, SeveralFaces, UnreadableImage
from countenance.domain.faces import Vectors
from countenance.domain.results import ExpectedStrangers
from countenance.domain.strangers import Calibration
from countenance.imaging.decode import decode
from countenance.imaging.limits import Limits
from countenance.imaging.pdq import pdq_dihedral
from countenance.index.vectors import HEADER_BYTES, record_type
from countenance.services import permit, present, search
from countenance.services.copies import Copies
from countenance.store import schema
from tests import pretend
from tests.places import Place, ask, grant, ingest

PROBE = pretend.photograph("ada", note="asked")
EVERYTHING = {"min_likeness": -1.0, "limit": 1000}


def stored(place: Place) -> dict[int, Any]:
    """Template by id, read straight out of the file."""
    kind = record_type(pretend.DIMENSION)
    data = (place.home / "vectors" / "open.f16").read_bytes()[HEADER_BYTES:]
    records = np.frombuffer(data[: len(data) // kind.itemsize * kind.itemsize], kind)
    return {int(r["id"]): r["vector"].astype(np.float64) for r in records if r["id"]}


def cosines(place: Place, product: Countenance, probe: Vectors) -> dict[int, float]:
    """The exact cosine of a probe with every stored template, reckoned here."""
    rotated = product.engine.protect(probe)[0].astype(np.float64)
    return {
        id: float(vector @ rotated / np.linalg.norm(vector) / np.linalg.norm(rotated))
        for id, vector in stored(place).items()
    }


def shown_faces(product: Countenance, result: Any) -> dict[int, float]:
    """Likeness by face, of all that a result shows."""
    with product.database.read() as c:
        faces = {row[0]: row[1] for row in c.exec_driver_sql("SELECT id, face_id FROM sightings")}
    return {faces[s.id]: s.likeness for g in result.groups for s in g.sightings}


@pytest.mark.parametrize("person", ["ada", "bob", "cyd", "nobody we know"])
def test_likeness_is_the_exact_cosine_with_what_is_stored(house: Place, person: str) -> None:
    with house.open() as product:
        expected = cosines(house, product, pretend.template(person, "asked")[None, :])
        result = ask(product, grant(product, "album", "wall"), pretend.photograph(person, note="asked"), **EVERYTHING)
        found = shown_faces(product, result)
        assert found
        for face, likeness in found.items():
            assert likeness == pytest.approx(expected[face], abs=2e-6)
        assert len(set(found.values())) == len(found)


def test_nobody_above_the_least_likeness_is_left_out_and_nobody_below_is_shown(house: Place) -> None:
    with house.open() as product:
        expected = cosines(house, product, pretend.template("ada", "asked")[None, :])
        authority = grant(product, "album", "wall")
        for least in (-1.0, 0.0, 0.3, 0.6, 0.8, 0.95):
            result = ask(product, authority, PROBE, min_likeness=least, limit=1000)
            best: dict[int, float] = {}
            with product.database.read() as c:
                images = {row[0]: row[1] for row in c.exec_driver_sql("SELECT id, image_id FROM faces")}
            for face, score in expected.items():
                if score >= least:
                    best[images[face]] = max(best.get(images[face], -1.0), score)
            shown = sorted((g.likeness for g in result.groups), reverse=True)
            assert shown == pytest.approx(sorted(best.values(), reverse=True), abs=2e-6)
            assert [g.likeness for g in result.groups] == shown
            assert [g.rank for g in result.groups] == list(range(1, len(shown) + 1))
            assert result.truncated is False


def test_more_than_the_limit_is_said(product: Countenance, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = grant(product, "album", "wall")
    everything = ask(product, authority, PROBE, **EVERYTHING)
    few = ask(product, authority, PROBE, min_likeness=-1.0, limit=2)
    assert few.truncated is True
    assert [g.likeness for g in few.groups] == [g.likeness for g in everything.groups[:2]]
    exact = ask(product, authority, PROBE, min_likeness=-1.0, limit=len(everything.groups))
    assert exact.truncated is False
    monkeypatch.setattr(search, "MAX_HITS", 3)
    cut = ask(product, authority, PROBE, **EVERYTHING)
    assert cut.truncated is True
    assert cut.groups[0].likeness == everything.groups[0].likeness


def test_one_picture_is_one_group_with_every_page_under_it(house: Place) -> None:
    house.put("wall/ada-copy.png", pretend.photograph("ada", note="smaller", picture="('ada',)one"))
    house.put("wall/ada-1-again.png", (house.photos / "album" / "ada-1.png").read_bytes())
    with house.open() as product:
        ingest(product, "wall")
        result = ask(product, grant(product, "album", "wall"), PROBE, min_likeness=0.5)
        names = [sorted(Path(s.image).name for s in g.sightings) for g in result.groups]
        assert sorted(names) == [
            ["ada-1-again.png", "ada-1.png", "ada-copy.png"],
            ["ada-2.png"],
            ["shared.png", "shared.png"],
        ]
        for group in result.groups:
            likeness = [s.likeness for s in group.sightings]
            assert likeness == sorted(likeness, reverse=True)
            assert group.likeness == likeness[0]


EDITS: dict[str, Callable[[Any], Any]] = {
    "re-encoded": lambda picture: picture,
    "smaller": lambda picture: picture.resize((picture.width // 3, picture.height // 3)),
    "larger": lambda picture: picture.resize((picture.width * 3 // 2, picture.height * 3 // 2)),
    "mirrored": lambda picture: picture.transpose(0),
    "trimmed": lambda picture: picture.crop((4, 4, picture.width - 4, picture.height - 4)),
}


def test_copies_of_a_photograph_are_one_picture_and_others_are_not(people: Callable[[str, str], bytes]) -> None:
    from PIL import Image

    known = Copies()
    originals = {}
    for number, (person, asset) in enumerate(
        [
            ("P001", "studio_portrait"),
            ("P001", "amateur_selfie"),
            ("P002", "studio_portrait"),
            ("P003", "amateur_selfie"),
        ]
    ):
        data = people(person, asset)
        upright, mirrored = _hashes(data)
        assert known.find(upright, mirrored) is None, "another photograph is another picture"
        known.add(number, upright)
        originals[number] = data
    for number, data in originals.items():
        with Image.open(io.BytesIO(data)) as opened:
            picture = opened.convert("RGB")
        for name, edit in EDITS.items():
            buffer = io.BytesIO()
            edit(picture).save(buffer, "JPEG", quality=70)
            assert known.find(*_hashes(buffer.getvalue())) == number, name


def _hashes(data: bytes) -> Any:
    return pdq_dihedral(decode(data, Limits(), side=1024).pixels)[:2]


def test_a_flat_picture_is_a_copy_of_nothing() -> None:
    known = Copies()
    flat = pdq_dihedral(np.full((100, 100, 3), 90, np.uint8))[:2]
    known.add(1, flat[0])
    assert known.find(*flat) is None


def test_several_photographs_are_fused_into_one_probe(house: Place) -> None:
    notes = ("one side", "the other", "from above")
    with house.open() as product:
        photographs = [pretend.photograph("ada", note=note) for note in notes]
        result = ask(product, grant(product, "album", "wall"), *photographs, **EVERYTHING)
        mean = np.mean([pretend.template("ada", note) for note in notes], axis=0, dtype=np.float64)
        expected = cosines(house, product, (mean / np.linalg.norm(mean)).astype(np.float32)[None, :])
        for face, likeness in shown_faces(product, result).items():
            assert likeness == pytest.approx(expected[face], abs=2e-6)
        assert (result.photographs, result.probe_faces) == (3, 3)
        single = ask(product, grant(product, "album", "wall"), photographs[0])
        assert result.groups[0].likeness > single.groups[0].likeness
        assert product.authorities()[0].used == 1


def test_each_photograph_may_have_a_choice_of_its_own(product: Countenance) -> None:
    crowd = pretend.photograph("bob", "ada", note="crowd")
    authority = grant(product, "album")
    result = ask(product, authority, PROBE, crowd, faces=(None, 2))
    assert all("ada" in Path(s.image).name or "shared" in s.image for s in result.groups[0].sightings)
    with pytest.raises(SeveralFaces) as caught:
        ask(product, authority, PROBE, crowd)
    assert caught.value.details["photograph"] == 2
    with pytest.raises(BadInput):
        ask(product, authority, crowd, face=7)
    with pytest.raises(NoFace):
        ask(product, authority, PROBE, pretend.photograph(note="empty street"))
    with pytest.raises(UnreadableImage):
        ask(product, authority, b"", PROBE)
    with pytest.raises(BadInput):
        ask(product, authority)
    assert product.authority(authority.id).used == 1


def test_faces_are_found_and_numbered_without_comparing_anything(
    product: Countenance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(permit, "look_up", _never)
    size = product.ledger_size
    found = product.faces_in(pretend.photograph("ada", "~eve", "bob"))
    assert [(face.n, face.usable) for face in found.faces] == [(1, True), (2, False), (3, True)]
    assert found.faces[1].warnings[0] == "too small to be indexed"
    assert (found.width, found.height) == (pretend.SIDE, pretend.SIDE)
    assert product.ledger_size == size


def _never(*_: Any, **__: Any) -> Any:
    raise AssertionError("compared")


def measured(bound: float) -> Calibration:
    """Rates over the cosine itself: the background counts for nothing in it."""
    return Calibration(
        pack="open",
        pipeline=1,
        mean=0.0,
        deviation=1.0,
        z=(0.0, 0.5, 0.9),
        fmr=(0.5, 1e-2, 1e-3),
        low=(0.4, 5e-3, 1e-4),
        high=(0.6, 2e-2, bound),
        photographs=1,
        people=1,
        pairs=1,
        date="",
        method="",
    )


@pytest.fixture
def by_cosine(monkeypatch: pytest.MonkeyPatch) -> Callable[[Countenance, float], None]:
    monkeypatch.setattr(Calibration, "standardised", lambda self, score, background: score)

    def use(product: Countenance, bound: float) -> None:
        product.engine.__dict__["calibration"] = measured(bound)

    return use


def test_expected_strangers_are_those_of_an_index_of_this_size(
    product: Countenance, by_cosine: Callable[[Countenance, float], None]
) -> None:
    by_cosine(product, 4e-3)
    for collections, pictures in ((("album",), 5), (("wall",), 2), (("album", "wall"), 6)):
        result = ask(product, grant(product, *collections), PROBE, **EVERYTHING)
        entry = product.ledger_entries(result.receipt["seq"], result.receipt["seq"] + 1)[0]
        assert entry["body"]["people"] == pictures
        for group in result.groups:
            value, low, high = measured(4e-3).rate(group.likeness)
            strangers = group.expected_strangers
            assert strangers.high == pytest.approx(high * pictures)
            assert strangers.low == pytest.approx(low * pictures)
            if value is None:
                assert strangers.value is None
            else:
                assert strangers.value == pytest.approx(value * pictures)


def test_beyond_what_was_measured_there_is_a_bound_and_no_digit(
    product: Countenance, by_cosine: Callable[[Countenance, float], None]
) -> None:
    by_cosine(product, 4e-3)
    best = ask(product, grant(product, "album"), pretend.photograph("ada", note="one")).groups[0]
    assert best.likeness > 0.99
    assert best.expected_strangers == ExpectedStrangers(None, 0.0, pytest.approx(4e-3 * 5))
    assert best.as_json()["expected_strangers"]["value"] is None
    assert best.as_json()["expected_strangers_in_words"].startswith("a stranger this alike in fewer than 1 of 50 ")


@pytest.mark.parametrize(("high", "reliable"), [(0.0099, True), (0.01, True), (0.010001, False), (5.0, False)])
def test_reliable_is_a_matter_of_the_upper_bound_up_to_the_very_border(
    product: Countenance, monkeypatch: pytest.MonkeyPatch, high: float, reliable: bool
) -> None:
    expected = [ExpectedStrangers(high / 2, 0.0, high), *[ExpectedStrangers(0.0, 0.0, 0.0)] * 50]
    given = iter(expected)
    monkeypatch.setattr(Calibration, "expected", lambda *_: next(given))
    result = ask(product, grant(product, "album"), PROBE)
    # The best group decides, and nothing but its bound.
    assert result.reliable is reliable
    assert result.groups, "groups are shown either way"
    assert result.as_json()["verdict"] == ("a person decides" if reliable else "no reliable candidate")
    entry = product.ledger_entries(result.receipt["seq"], result.receipt["seq"] + 1)[0]
    assert entry["body"]["reliable"] is reliable


def test_how_strict_reliable_is_is_a_setting(house: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Calibration, "expected", lambda *_: ExpectedStrangers(0.4, 0.0, 0.5))
    for bound, reliable in ((0.4, False), (0.5, True)):
        with house.open(search={"reliable_strangers": bound}) as product:
            assert ask(product, grant(product, "album"), PROBE).reliable is reliable
        house.opened.clear()


def test_nothing_found_is_not_reliable(product: Countenance) -> None:
    result = ask(product, grant(product, "album"), PROBE, min_likeness=0.999)
    assert (result.groups, result.reliable, result.truncated) == ((), False, False)
    assert result.receipt["seq"] == product.ledger_size - 1, "that nobody was found is an entry too"


def test_no_word_says_who_it_is(product: Countenance) -> None:
    body = str(ask(product, grant(product, "album"), pretend.photograph("ada", note="one")).as_json()).lower()
    for word in ("identity", "identified", "match", "is this person", "confirmed"):
        assert word not in body


def test_warnings_of_poor_pictures_go_with_them(product: Countenance) -> None:
    with product.database.write() as c:
        quality = c.execute(select(schema.faces.c.quality)).scalars().first() | {"yaw": 60.0, "sharpness": 5.0}
        c.execute(update(schema.faces).values(quality=quality))
    result = ask(product, grant(product, "album"), PROBE)
    assert set(result.groups[0].sightings[0].warnings) == {"blurred", "turned away"}


def test_a_permit_is_for_its_own_sources_whatever_filter_is_asked_for(product: Countenance) -> None:
    """The index itself keeps within the permit."""
    from countenance.domain.index import In
    from countenance.domain.permits import Permit

    index = product.engine.index
    probe = product.engine.protect(pretend.template("dan", "asked")[None, :])
    wide = In("source", frozenset({1, 2, 3}))
    for sources, faces in (((1,), 7), ((2,), 3), ((1, 2), 8), ((), 0)):
        leave = Permit(authority="A", search="S", probes=probe, sources=sources)
        assert len(index.search(leave, probe, min_score=-1.0, limit=100, where=wide).hits) == faces
        with pytest.raises(PermitMisused):
            index.search(leave, probe, min_score=-1.0, limit=100)


def test_a_demo_says_so_on_result_and_receipt(house: Place) -> None:
    with house.open(demo=True) as product:
        result = ask(product, grant(product, "album"), PROBE)
        assert result.as_json()["demo"] is True
        assert '"demo":true' in result.receipt["entry"]


def test_groups_are_made_of_each_images_most_alike_face(product: Countenance) -> None:
    result = ask(product, grant(product, "album"), pretend.photograph("cyd", note="asked"), **EVERYTHING)
    images = [s.image for g in result.groups for s in g.sightings]
    assert len(images) == len(set(images)) == 5
    both = next(s for g in result.groups for s in g.sightings if s.image.endswith("both.png"))
    assert both.box[0] == 220, "cyd is the second face in it"


def test_presenting_changes_no_score(product: Countenance, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is shown is what the index answered, to the last bit."""
    answered: dict[int, float] = {}
    real = present.groups_of

    def groups_of(hits: Any, *args: Any, **named: Any) -> Any:
        answered.update({hit.id: hit.score for hit in hits.hits})
        return real(hits, *args, **named)

    monkeypatch.setattr(search, "groups_of", groups_of)
    result = ask(product, grant(product, "album", "wall"), PROBE, **EVERYTHING)
    found = shown_faces(product, result)
    assert {face: answered[face] for face in found} == found
    assert dataclasses.asdict(result)["index_faces"] == len(answered)
