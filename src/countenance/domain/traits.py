"""What a probe's photograph is like, without what it shows: enough to tell a screenshot or a selfie by.

The photograph itself is never kept. These few values are sealed with the entry that says a search began, and go with
the probe's key.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

LARGE_FACE = 0.22
"""Share of the picture that one face fills in a photograph taken at arm's length, and seldom in any other."""

_TALL = 1.2
"""Height over width of a telephone held upright: 4:3 and longer."""

_CLASSES = ((150_000, "tiny"), (500_000, "small"), (2_500_000, "medium"), (9_000_000, "large"))

_VIDEO = frozenset({(480, 640), (480, 720), (576, 720), (720, 1280), (1080, 1920), (1440, 2560), (2160, 3840)})
"""Sizes, short side first, that frames of cameras have too: lying, they say nothing."""

_SCREENS = _VIDEO | frozenset(
    {
        # telephones
        *((640, 1136), (750, 1334), (828, 1792), (1125, 2436), (1170, 2532), (1179, 2556), (1206, 2622)),
        *((1242, 2208), (1242, 2688), (1284, 2778), (1290, 2796), (1320, 2868), (720, 1520), (720, 1560)),
        *((720, 1600), (720, 1612), (1080, 2160), (1080, 2220), (1080, 2280), (1080, 2310), (1080, 2340)),
        *((1080, 2376), (1080, 2400), (1080, 2408), (1080, 2412), (1080, 2424), (1080, 2460), (1280, 2856)),
        *((1344, 2992), (1440, 2880), (1440, 2960), (1440, 3040), (1440, 3088), (1440, 3120), (1440, 3200)),
        # tablets
        *((768, 1024), (1536, 2048), (1620, 2160), (1640, 2360), (1668, 2224), (1668, 2388), (2048, 2732)),
        # desks
        *((768, 1366), (800, 1280), (900, 1440), (900, 1600), (1050, 1680), (1200, 1920), (1600, 2560)),
        *((1800, 2880), (1964, 3024), (2234, 3456)),
    }
)
"""Whole screens in pixels, short side first, as makers publish them."""


@dataclass(frozen=True, slots=True)
class ProbeTraits:
    """One photograph: its format, its height over width, a class of its size in pixels, whether it has exactly the size
    of a screen, whether a camera wrote beside it and that a front one, how many faces it holds, and the share of its
    area (0–1) that the face looked for fills."""

    format: str
    aspect: float
    size: str
    screen: bool
    camera: bool
    front: bool
    faces: int
    share: float

    @property
    def screenshot(self) -> bool:
        """Whether it looks like a picture of a screen: a screen's exact size, and no camera that wrote beside it."""
        return self.screen and not self.camera and self.format in ("png", "jpg", "webp")

    @property
    def selfie(self) -> bool:
        """Whether it looks like a picture that somebody took of themselves: by a front camera, or upright, out of a
        camera, with one large face."""
        alone = self.camera and self.faces == 1 and self.share >= LARGE_FACE and self.aspect >= _TALL
        return self.front or alone

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> ProbeTraits:
        """The way back."""
        return cls(**{name: value[name] for name in cls.__slots__})


def size_class(pixels: int) -> str:
    """ "tiny", "small", "medium", "large" or "huge": a class, because the exact number could be looked for."""
    return next((name for most, name in _CLASSES if pixels < most), "huge")


def like_a_screen(width: int, height: int, format: str) -> bool:
    """Whether these are exactly the pixels of a known screen. A lying picture of a video's size is a frame as likely as
    a screen, and counts as none; nor does an upright one, unless it is the PNG that a screen is saved as."""
    short, long = sorted((width, height))
    if (short, long) in _VIDEO and (width > height or format != "png"):
        return False
    return (short, long) in _SCREENS
