"""What becomes of a photograph on the web: smaller, cropped, mirrored, marked, re-encoded, pasted into a crowd.

A `Shot` says what to make; `render` makes it, the same bytes each time.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont, ImageOps

from demo.people import PEOPLE, photograph

TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp", "avif": "image/avif", "gif": "image/gif"}


@dataclass(frozen=True, slots=True)
class Shot:
    """One published picture. `longest` is the longer side in pixels; `face_crop` is the side of a square around the
    face, in face heights (None: the whole photograph); `mark` is a watermark's text."""

    person: str
    asset: str
    longest: int = 1000
    face_crop: float | None = None
    mirrored: bool = False
    mark: str = ""
    quality: int = 85
    format: str = "jpg"
    turned: bool = False
    """Stored lying on its side, with the EXIF orientation that sets it upright."""
    cmyk: bool = False

    @property
    def people(self) -> frozenset[str]:
        """Who is on it."""
        return frozenset({self.person})

    def but(self, **changes: object) -> Shot:
        """The same photograph, published differently."""
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Crowd:
    """Many faces on one picture, in rows: each a (person, asset) cropped around the face."""

    tiles: tuple[tuple[str, str], ...]
    columns: int = 6
    side: int = 220
    format: str = "jpg"

    @property
    def people(self) -> frozenset[str]:
        """Who is on it."""
        return frozenset(person for person, _ in self.tiles)


@dataclass(frozen=True, slots=True)
class Drawing:
    """Hills and a sky: a picture with nobody on it."""

    width: int = 900
    height: int = 420
    hue: int = 140
    format: str = "png"

    @property
    def people(self) -> frozenset[str]:
        """Nobody."""
        return frozenset()


Picture = Shot | Crowd | Drawing


@lru_cache(maxsize=8)
def _opened(person: str, asset: str) -> Image.Image:
    with Image.open(photograph(person, asset)) as image:
        return image.convert("RGB")


def _around_the_face(person: str, asset: str, scale: float) -> Image.Image:
    image = _opened(person, asset)
    x, y, height = PEOPLE[person].faces[asset]
    half = scale * height * image.height / 2
    centre = (x * image.width, y * image.height)
    half = min(half, *centre, image.width - centre[0], image.height - centre[1])
    box = tuple(round(v) for v in (centre[0] - half, centre[1] - half, centre[0] + half, centre[1] + half))
    return image.crop((box[0], box[1], box[2], box[3]))


def _marked(image: Image.Image, text: str) -> Image.Image:
    """A pale word across the picture's lower part and a small one in the corner, as picture desks do."""
    veil = Image.new("RGBA", image.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(veil)
    large = ImageFont.load_default(size=max(14, image.width // 9))
    small = ImageFont.load_default(size=max(10, image.width // 28))
    middle = (image.width / 2, image.height * 0.72)
    draw.text(middle, text, font=large, fill=(255, 255, 255, 110), anchor="mm")
    draw.text((image.width - 8, image.height - 8), f"© {text}", font=small, fill=(255, 255, 255, 200), anchor="rs")
    return Image.alpha_composite(image.convert("RGBA"), veil).convert("RGB")


def _shot(shot: Shot) -> Image.Image:
    if shot.face_crop is None:
        image = _opened(shot.person, shot.asset).copy()
    else:
        image = _around_the_face(shot.person, shot.asset, shot.face_crop)
    scale = shot.longest / max(image.size)
    if scale < 1:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.LANCZOS)
    if shot.mirrored:
        image = ImageOps.mirror(image)
    return _marked(image, shot.mark) if shot.mark else image


def _crowd(crowd: Crowd) -> Image.Image:
    rows = -(-len(crowd.tiles) // crowd.columns)
    gap = 10
    step = crowd.side + gap
    wall = Image.new("RGB", (crowd.columns * step + gap, rows * step + gap), (58, 52, 46))
    for place, (person, asset) in enumerate(crowd.tiles):
        tile = _around_the_face(person, asset, 1.7).resize((crowd.side, crowd.side), Image.Resampling.LANCZOS)
        wall.paste(tile, (gap + place % crowd.columns * step, gap + place // crowd.columns * step))
    return wall


def _drawing(drawing: Drawing) -> Image.Image:
    image = Image.new("HSV", (drawing.width, drawing.height), (drawing.hue + 20, 40, 245)).convert("RGB")
    draw = ImageDraw.Draw(image)
    for layer in range(4):
        base = drawing.height * (0.45 + 0.14 * layer)
        shade = (
            Image.new("HSV", (1, 1), (drawing.hue, 70 + 30 * layer, 210 - 35 * layer)).convert("RGB").getpixel((0, 0))
        )
        step = drawing.width // (5 + layer)
        tops = [(x, base - 40 * ((x // step + layer) % 3)) for x in range(0, drawing.width + step, step)]
        draw.polygon([(0, drawing.height), *tops, (drawing.width, drawing.height)], fill=shade)
    return image


def render(picture: Picture) -> tuple[str, bytes]:
    """The media type and the bytes of a picture."""
    if isinstance(picture, Crowd):
        image, quality, turned = _crowd(picture), 88, False
    elif isinstance(picture, Drawing):
        image, quality, turned = _drawing(picture), 90, False
    else:
        image, quality, turned = _shot(picture), picture.quality, picture.turned
        if picture.cmyk:
            image = image.convert("CMYK")
    out = io.BytesIO()
    match picture.format:
        case "png":
            image.save(out, "PNG", optimize=False)
        case "webp":
            image.save(out, "WEBP", quality=quality, method=2)
        case "avif":
            image.save(out, "AVIF", quality=quality, speed=9)
        case "gif":
            image.convert("P", palette=Image.Palette.ADAPTIVE).save(out, "GIF")
        case _:
            exif = Image.Exif()
            if turned:
                image = image.transpose(Image.Transpose.ROTATE_90)
                exif[0x0112] = 6
            image.save(out, "JPEG", quality=quality, progressive=quality > 80, exif=exif)
    return TYPES[picture.format], out.getvalue()
