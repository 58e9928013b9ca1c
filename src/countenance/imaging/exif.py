"""What a camera wrote beside the pixels: which way is up, and when."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from countenance.domain.errors import UnreadableImage

if TYPE_CHECKING:
    from PIL import Image

_ORIENTATION = 0x0112
_CAMERA = 0x8769
# When the picture was taken, else when it was digitised; and the zone of each. The plain DateTime (0x0132) is left
# out: editing programs set it to the time of the edit.
_TIMES = ((0x9003, 0x9011), (0x9004, 0x9012))

_TIME = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)")
_ZONE = re.compile(r"([+-])(\d\d):(\d\d)")


def orientation_and_time(image: Image.Image) -> tuple[int, datetime | None]:
    """EXIF's orientation 1–8 (1 where there is none), and when the picture was taken, in UTC.

    Most cameras write no time zone; such a time is taken as UTC, so it can be up to 14 hours off. Damaged EXIF
    is as good as none: it does not make a picture unreadable.
    """
    try:
        exif = image.getexif()
        orientation = exif.get(_ORIENTATION, 1)
        taken = _taken(exif.get_ifd(_CAMERA)) if exif else None
    except (UnreadableImage, MemoryError):
        raise
    except Exception:  # whatever Pillow makes of a stranger's bytes
        return 1, None
    return (orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1), taken


def _taken(camera: dict[int, Any]) -> datetime | None:
    for time_tag, zone_tag in _TIMES:
        found = _TIME.match(_text(camera.get(time_tag)))
        if not found:
            continue
        zone = _ZONE.match(_text(camera.get(zone_tag)))
        try:
            offset = timedelta()
            if zone:
                offset = timedelta(hours=int(zone[2]), minutes=int(zone[3])) * (-1 if zone[1] == "-" else 1)
            year, month, day, hour, minute, second = (int(part) for part in found.groups())
            return datetime(year, month, day, hour, minute, second, tzinfo=timezone(offset)).astimezone(UTC)
        except (ValueError, OverflowError):  # 0000:00:00, the 61st minute, a zone a week away
            continue
    return None


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("ascii", "replace")
    return value if isinstance(value, str) else ""
