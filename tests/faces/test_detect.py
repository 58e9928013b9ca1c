"""Faces are found at every scale, once each, where they are."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from countenance.domain.faces import Face, Pixels
from countenance.faces.pipeline import FacePipeline
from tests.faces.conftest import Photograph

GREY = (128, 128, 128)

WIDTH = 40
"""Of a head and shoulders in a group of 2,200 pixels: twelve at 640, where hardly one would be found."""


def head(photograph: Photograph, person: str = "P001") -> Image.Image:
    """A head and shoulders, about twice as high as the face."""
    pixels = photograph(person, "studio_portrait")
    side = pixels.shape[0]
    return Image.fromarray(pixels).crop((int(side * 0.2), 0, int(side * 0.8), int(side * 0.7)))


def centred(face: Face) -> tuple[float, float]:
    return face.box.x + face.box.w / 2, face.box.y + face.box.h / 2


@pytest.mark.parametrize("side", [120, 250, 640, 1600])
def test_a_close_up_that_fills_the_picture_is_found(pipeline: FacePipeline, photograph: Photograph, side: int) -> None:
    for person in ("P001", "P002", "P007"):
        pixels = photograph(person, "studio_portrait")
        box = pipeline.faces(pixels)[0].box
        tight = Image.fromarray(pixels).crop((int(box.x), int(box.y), int(box.x + box.w), int(box.y + box.h)))
        width = round(side * tight.width / tight.height)
        faces = pipeline.faces(np.asarray(tight.resize((width, side), Image.Resampling.BICUBIC)))
        assert faces, person
        x, y = centred(faces[0])
        assert abs(x - width / 2) < 0.2 * width
        assert abs(y - side / 2) < 0.2 * side
        assert faces[0].box.h > 0.6 * side


def test_small_faces_in_a_large_group_are_found_where_they_are(pipeline: FacePipeline, photograph: Photograph) -> None:
    people = ("P001", "P002", "P003", "P004", "P005")
    picture = Image.new("RGB", (2200, 1500), GREY)
    places = [(120 + 160 * column, 100 + 190 * row) for row in range(6) for column in range(10)]
    for number, (left, top) in enumerate(places):
        small = head(photograph, people[number % len(people)])
        small = small.resize((WIDTH, round(WIDTH * small.height / small.width)), Image.Resampling.LANCZOS)
        picture.paste(small, (left, top))
    faces = pipeline.faces(np.asarray(picture))
    hits = [
        sum(left < x < left + WIDTH and top < y < top + 1.2 * WIDTH for x, y in map(centred, faces))
        for left, top in places
    ]
    assert max(hits) == 1, "a face was found twice"
    assert sum(hits) >= 0.95 * len(places)
    assert len(faces) == sum(hits), "something was found where nobody is"


def test_one_large_and_one_small_face_are_both_found(pipeline: FacePipeline, photograph: Photograph) -> None:
    picture = Image.new("RGB", (1400, 1400), GREY)
    large = head(photograph)
    picture.paste(large.resize((1000, round(1000 * large.height / large.width))), (0, 100))
    small = head(photograph, "P004")
    picture.paste(small.resize((90, round(90 * small.height / small.width))), (1200, 200))
    faces = pipeline.faces(np.asarray(picture))
    assert len(faces) == 2
    assert faces[0].box.area > faces[1].box.area
    assert 1200 < centred(faces[1])[0] < 1290


def test_a_close_up_beside_a_small_face_is_not_overlooked(pipeline: FacePipeline, photograph: Photograph) -> None:
    """The small one is found at once, so that nothing seems to be amiss; the large one is too large for that look."""
    pixels = photograph("P001", "studio_portrait")
    box = pipeline.faces(pixels)[0].box
    tight = Image.fromarray(pixels).crop((int(box.x), int(box.y), int(box.x + box.w), int(box.y + box.h)))
    picture = Image.new("RGB", (1600, 1400), GREY)
    picture.paste(tight.resize((round(1400 * tight.width / tight.height), 1400)), (0, 0))
    small = head(photograph, "P004")
    picture.paste(small.resize((150, round(150 * small.height / small.width))), (1400, 200))
    faces = pipeline.faces(np.asarray(picture))
    assert len(faces) == 2
    assert faces[0].box.h > 1100
    assert faces[1].box.h < 200


@pytest.mark.parametrize("shape", [(1, 1), (10, 20_000), (3000, 7), (64, 64), (321, 200), (961, 400)])
def test_strange_shapes_hold_no_face_and_do_no_harm(pipeline: FacePipeline, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (*shape, 3), np.uint8)
    assert pipeline.faces(noise) == []
    assert pipeline.faces(np.zeros((*shape, 3), np.uint8)) == []


def test_landmarks_lie_where_a_face_has_them(pipeline: FacePipeline, photograph: Photograph) -> None:
    for person in ("P001", "P005", "P009"):
        face = pipeline.faces(photograph(person, "studio_portrait"))[0]
        right_eye, left_eye, nose, right_mouth, left_mouth = face.landmarks
        assert right_eye[0] < nose[0] < left_eye[0]
        assert right_mouth[0] < nose[0] < left_mouth[0]
        assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])


def test_a_mirrored_picture_mirrors_the_face(pipeline: FacePipeline, photograph: Photograph) -> None:
    pixels = photograph("P002", "studio_portrait")[:, :900]
    mirrored: Pixels = np.ascontiguousarray(pixels[:, ::-1])
    face, other = pipeline.faces(pixels)[0], pipeline.faces(mirrored)[0]
    assert abs(centred(face)[0] - (pixels.shape[1] - centred(other)[0])) < 0.05 * face.box.w
    swapped = other.landmarks[[1, 0, 2, 4, 3]] * (-1, 1) + (pixels.shape[1], 0)
    assert np.abs(face.landmarks - swapped).max() < 0.1 * face.quality.inter_eye


def test_scale_gives_full_size_coordinates(pipeline: FacePipeline, photograph: Photograph) -> None:
    pixels = photograph("P006", "amateur_selfie")
    small, full = pipeline.faces(pixels)[0], pipeline.faces(pixels, 2.0)[0]
    assert full.box.x == pytest.approx(2 * small.box.x)
    assert full.box.h == pytest.approx(2 * small.box.h)
    assert np.allclose(full.landmarks, 2 * small.landmarks)
    assert full.quality.inter_eye == pytest.approx(2 * small.quality.inter_eye)
    assert np.array_equal(full.template, small.template)


def test_faces_come_by_size(pipeline: FacePipeline, photograph: Photograph) -> None:
    areas = [face.box.area for face in pipeline.faces(photograph("P002", "emotions_sheet"))]
    assert areas == sorted(areas, reverse=True)
