"""Large photographs are decoded small, and again finer when there are faces that need it. With the real models."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from PIL import Image

from countenance.domain.faces import Face
from countenance.faces.quality import Floor
from countenance.imaging.limits import Limits
from countenance.services import eyes as module
from countenance.services.eyes import Eyes, EyesConfig
from countenance.services.workers import Seen

People = Callable[[str, str], bytes]
Group = Callable[[int, float], bytes]

CONFIG = EyesConfig(pack="open", runtime="auto", weights=None, offline=False, limits=Limits(), floor=Floor())


@pytest.fixture(scope="module")
def eyes() -> Eyes:
    return Eyes(CONFIG)


@pytest.fixture(scope="module")
def group(eyes: Eyes, people: People) -> Group:
    """`group(width, apart)`: a JPEG of forty heads with so many pixels between the eyes."""
    heads = []
    for person in ("P001", "P002", "P003"):
        data = people(person, "emotions_sheet")
        with Image.open(io.BytesIO(data)) as opened:
            sheet = opened.convert("RGB")
        for face in eyes.detect(data)[2][:14]:
            half = 0.8 * max(face.box.w, face.box.h)
            x, y = face.box.x + face.box.w / 2, face.box.y + face.box.h / 2
            head = sheet.crop((round(x - half), round(y - half), round(x + half), round(y + half)))
            heads.append((head, 2 * half / face.quality.inter_eye))

    def made(width: int, apart: float) -> bytes:
        height = width * 2 // 3
        picture = Image.new("RGB", (width, height), (96, 110, 120))
        for n, (head, sides) in enumerate(heads[:40]):
            side = round(sides * apart)
            place = (n % 8 * width // 8 + width // 16 - side // 2, n // 8 * height // 5 + height // 10 - side // 2)
            picture.paste(head.resize((side, side), Image.Resampling.LANCZOS), place)
        target = io.BytesIO()
        picture.save(target, "JPEG", quality=92)
        return target.getvalue()

    return made


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The scale of each picture that is decoded."""
    scales: list[float] = []
    decode = module.decode

    def noted(*args: object, **more: object) -> object:
        picture = decode(*args, **more)  # type: ignore[arg-type]
        scales.append(picture.scale)
        return picture

    monkeypatch.setattr(module, "decode", noted)
    return scales


def see(eyes: Eyes, data: bytes) -> Seen:
    (seen,) = eyes.see([data])
    assert isinstance(seen, Seen)
    return seen


def indexed(faces: list[Face] | tuple[Face, ...]) -> int:
    return sum(face.template is not None for face in faces)


def agree(face: Face, floor: Floor) -> bool:
    """Whether the reason that is kept follows from the distance that is kept."""
    frontal = face.quality.inter_eye / max(math.cos(math.radians(face.quality.yaw)), 0.1)
    return (face.quality.floor == "too-small") <= (frontal < floor.min_inter_eye)


def test_small_faces_of_a_large_group_are_indexed(eyes: Eyes, group: Group, decoded: list[float]) -> None:
    data = group(4800, 29)
    seen = see(eyes, data)
    assert (seen.width, seen.height) == (4800, 3200)
    assert decoded == [4, 2]
    assert len(seen.faces) == indexed(seen.faces) == 40
    assert all(20 < face.quality.inter_eye < 45 for face in seen.faces)
    crops = [crop for crop in seen.crops if crop is not None]
    assert len(crops) == 40
    # What people are shown has those pixels too: about 130 full-size pixels across, at half the size.
    with Image.open(io.BytesIO(min(crops, key=len))) as crop:
        assert crop.width > 40
    # A probe is looked at just so.
    width, height, faces = eyes.detect(data)
    assert (width, height, indexed(faces)) == (4800, 3200, 40)
    # Boxes are in pixels of the full-size picture: one in each field.
    fields = {(int(f.box.x + f.box.w / 2) // 600, int(f.box.y + f.box.h / 2) // 640) for f in faces}
    assert len(fields) == 40


@pytest.mark.parametrize(("below", "above", "apart"), [(2399, 2401, 14.5), (3455, 3457, 14.5), (4799, 4801, 29.0)])
def test_one_pixel_more_changes_nothing(eyes: Eyes, group: Group, below: int, above: int, apart: float) -> None:
    """Where the decoder's factor changes, what is found does not fall."""
    smaller, larger = see(eyes, group(below, apart)).faces, see(eyes, group(above, apart)).faces
    assert indexed(smaller) >= 28
    assert indexed(larger) >= indexed(smaller) - 4
    assert all(agree(face, CONFIG.floor) for face in (*smaller, *larger))


def test_beyond_the_limits_the_record_says_what_was_judged(group: Group, decoded: list[float]) -> None:
    data = group(4800, 20)
    tight = Eyes(replace(CONFIG, limits=Limits(max_pixels=1_500_000)))
    faces = see(tight, data).faces
    assert decoded == [4]
    small = [face for face in faces if face.quality.floor == "too-small"]
    assert small
    assert all(face.quality.inter_eye < 9 and agree(face, CONFIG.floor) for face in small)


@pytest.mark.parametrize("asset", ["studio_portrait", "amateur_selfie", "emotions_sheet"])
def test_an_ordinary_large_photograph_is_decoded_once(
    eyes: Eyes, people: People, decoded: list[float], asset: str
) -> None:
    assert indexed(see(eyes, people("P004", asset)).faces) >= 1
    assert len(decoded) == 1


def test_the_hash_of_a_picture_does_not_depend_on_its_faces(eyes: Eyes, group: Group) -> None:
    """Copies of a group are one picture, at a size that is decoded again or at one that is not."""
    large = see(eyes, group(4800, 29))
    with Image.open(io.BytesIO(group(4800, 29))) as opened:
        target = io.BytesIO()
        opened.resize((1200, 800), Image.Resampling.LANCZOS).save(target, "JPEG", quality=90)
    small = see(eyes, target.getvalue())
    differing = sum(bin(a ^ b).count("1") for a, b in zip(large.pdq.bits, small.pdq.bits, strict=True))
    assert differing <= 31
