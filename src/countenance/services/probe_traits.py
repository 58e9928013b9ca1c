"""Note what a probe's photograph is like, from what is known of it anyway: nothing is decoded for it."""

from __future__ import annotations

from countenance.domain.faces import Face
from countenance.domain.traits import ProbeTraits, like_a_screen, size_class
from countenance.imaging.camera import camera_marks
from countenance.imaging.sniff import HEAD_BYTES, sniff


def traits_of(photograph: bytes, width: int, height: int, faces: int, chosen: Face) -> ProbeTraits:
    """The traits of one photograph: its bytes, its upright size in pixels, how many faces it holds, and which of them
    is looked for."""
    known = sniff(photograph[:HEAD_BYTES])
    format = known.extension.lstrip(".") if known else ""
    marks = camera_marks(photograph)
    area = max(1, width * height)
    return ProbeTraits(
        format=format,
        aspect=round(height / max(1, width), 2),
        size=size_class(area),
        screen=like_a_screen(width, height, format),
        camera=marks.camera,
        front=marks.front,
        faces=faces,
        share=round(min(1.0, chosen.box.area / area), 2),
    )
