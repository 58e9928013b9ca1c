"""Whether a camera wrote beside a picture, and whether it was the one that looks at whoever holds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_MAKE = 0x010F
_MODEL = 0x0110
_CAMERA = 0x8769
_LENS = 0xA434
_MARK = b"Exif\0\0"
_WITHIN = 4096
_MOST = 64 * 1024
"""An EXIF segment of a JPEG is no longer."""


@dataclass(frozen=True, slots=True)
class CameraMarks:
    """`camera`: a make or a model is named. `front`: the lens calls itself a front one."""

    camera: bool
    front: bool


NO_CAMERA = CameraMarks(camera=False, front=False)


def camera_marks(data: bytes) -> CameraMarks:
    """What EXIF at the beginning of a file says of the camera. Damaged EXIF is as good as none; nothing is decoded."""
    at = data.find(_MARK, 0, _WITHIN)
    if at < 0:
        return NO_CAMERA
    from PIL import Image

    try:
        exif = Image.Exif()
        exif.load(data[at : at + _MOST])
        named = bool(_text(exif.get(_MAKE)) or _text(exif.get(_MODEL)))
        lens = _text(exif.get_ifd(_CAMERA).get(_LENS))
    except MemoryError:
        raise
    except Exception:  # whatever Pillow makes of a stranger's bytes
        return NO_CAMERA
    return CameraMarks(named or bool(lens), "front" in lens.lower())


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    return value.strip("\0 ") if isinstance(value, str) else ""
