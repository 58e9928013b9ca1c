"""What a person should know of a picture before trusting a likeness."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from countenance.domain.faces import Quality

_FLOORS = {
    "too-small": "too small to be indexed",
    "too-blurred": "too blurred to be indexed",
    "turned-away": "turned too far away to be indexed",
    "uncertain": "perhaps not a face",
    "too-dark": "too dark to be indexed",
    "too-bright": "too bright to be indexed",
}


def warnings_of(quality: Quality | Mapping[str, Any]) -> tuple[str, ...]:
    """Warnings in words; empty for a good picture. Takes the record or its stored form."""
    if isinstance(quality, Quality):
        values = {name: getattr(quality, name) for name in ("inter_eye", "sharpness", "exposure", "yaw", "detector")}
        floor = quality.floor
    else:
        values, floor = dict(quality), None
    found = []
    if floor:
        found.append(_FLOORS.get(floor, floor))
    if values["inter_eye"] < 24:
        found.append(f"small face ({values['inter_eye']:.0f} pixels between the eyes)")
    if values["sharpness"] < 60:
        found.append("blurred")
    if not 0.15 <= values["exposure"] <= 0.9:
        found.append("dark" if values["exposure"] < 0.15 else "overexposed")
    if abs(values["yaw"]) > 45:
        found.append("turned away")
    if values["detector"] < 0.75:
        found.append("uncertain detection")
    return tuple(found)
