"""Clocks that were wrong, and zones that differ from file to file, as the person who runs the analysis says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from pathlib import PurePath

from countenance.domain.errors import BadInput
from countenance.proxylog.formats.kind import Reading

_ADVICE = "Write SECONDS for all files or FILE=SECONDS for one; seconds are added to the log's times."


class Clocks:
    """What to add to the times of each file, and their zone. Raises BadInput for what no file is called."""

    def __init__(self, offsets: Sequence[str], zones: Mapping[str, tzinfo], files: Sequence[str]) -> None:
        self._all = 0.0
        self._offsets: dict[str, float] = {}
        self._zones = dict(zones)
        for text in offsets:
            file, equals, seconds = text.rpartition("=")
            if equals:
                self._offsets[file] = _seconds(seconds)
            else:
                self._all = _seconds(seconds)
        known = {name for file in files for name in (file, PurePath(file).name)}
        for name in (*self._offsets, *self._zones):
            if name not in known:
                raise BadInput(
                    f"no file of these is called {name}", advice="Name a file as it was given, or its last part."
                )

    def shift(self, file: str) -> float:
        """Seconds to add to the times of a file."""
        return self._offsets.get(file, self._offsets.get(PurePath(file).name, self._all))

    def reading(self, file: str, reading: Reading) -> Reading:
        """The same reading, in the zone of this file."""
        zone = self._zones.get(file, self._zones.get(PurePath(file).name))
        return reading if zone is None else replace(reading, zone=zone)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not abs(seconds) <= 10 * 366 * 86400:
        raise BadInput(f"not a number of seconds: {text[:40]}", advice=_ADVICE)
    return seconds
