"""From the settings to what the rules on misuse go by."""

from __future__ import annotations

import re
from datetime import time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from countenance.domain.errors import Broken
from countenance.domain.misuse.flag import Shift, Tunables
from countenance.settings import OverseeSettings

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SHIFT = re.compile(r"([a-z]{3})(?:-([a-z]{3}))? (\d\d):(\d\d)-(\d\d):(\d\d)")


def shift_of(text: str) -> Shift:
    """A shift out of "mon-fri 07:00-19:00". One that ends before it begins runs over midnight. Raises Broken."""
    found = _SHIFT.fullmatch(text.strip().lower())
    try:
        if found is None:
            raise ValueError
        first, last = _DAYS.index(found[1]), _DAYS.index(found[2] or found[1])
        start, end = time(int(found[3]), int(found[4])), time(int(found[5]), int(found[6]))
    except ValueError:
        raise Broken(
            f"the setting oversee.shift cannot be used: {text}",
            advice="write it as: mon-fri 07:00-19:00, or sat 22:00-06:00",
        ) from None
    return Shift(start, end, frozenset((first + n) % 7 for n in range((last - first) % 7 + 1)))


def tunables_of(policy: OverseeSettings) -> Tunables:
    """The tunables that these settings say. Raises Broken."""
    try:
        zone = ZoneInfo(policy.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise Broken(
            f"the setting oversee.time_zone names no zone: {policy.time_zone}", advice="for instance Europe/London"
        ) from None
    plain = {name: getattr(policy, name) for name in Tunables.__slots__ if name not in ("zone", "shift", "shifts")}
    return Tunables(
        zone=zone,
        shift=shift_of(policy.shift),
        shifts={user: shift_of(text) for user, text in policy.shifts.items()},
        **plain,
    )
