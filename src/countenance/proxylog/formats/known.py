"""All formats, and which of them a file is in: told by its content, never by its name."""

from __future__ import annotations

from collections.abc import Sequence

from countenance.domain.errors import BadInput
from countenance.proxylog.formats import (
    defender,
    generic,
    ncsa,
    paloalto,
    squid,
    squid_custom,
    umbrella,
    w3c,
    zeek,
    zscaler,
)
from countenance.proxylog.formats.kind import Format, Reading

FORMATS: tuple[Format, ...] = (
    squid.FORMAT,
    squid_custom.FORMAT,
    ncsa.FORMAT,
    w3c.FORMAT,
    zscaler.FORMAT,
    paloalto.FORMAT,
    umbrella.FORMAT,
    zeek.FORMAT,
    defender.FORMAT,
    generic.CSV,
    generic.JSONL,
)
"""Every format there is."""

HEAD = 50
"""Lines at the start of a file that are looked at."""


def names() -> str:
    """The names of all formats, for people."""
    return ", ".join(sorted(one.name for one in FORMATS))


def by_name(name: str) -> Format:
    """The format of that name. Raises BadInput, whose advice lists the names."""
    for one in FORMATS:
        if one.name == name:
            return one
    raise BadInput(f"there is no log format {name[:64]!r}", advice=f"Formats are: {names()}.")


def recognise(head: Sequence[str], reading: Reading) -> Format:
    """The format of a file that begins with these lines.

    Raises BadInput when no format knows them, or when two are equally sure.
    """
    lines = list(head[:HEAD])
    sure = [(one.recognise(lines, reading), one) for one in FORMATS]
    best = max((score for score, _ in sure), default=0)
    found = [one for score, one in sure if score == best]
    if best <= 0:
        raise BadInput(
            "the log's format is not known",
            advice=f"Name the format if it is one of {names()}. For any other, describe its columns in a mapping.",
        )
    if len(found) > 1:
        both = " or ".join(one.name for one in found)
        raise BadInput(
            f"the log could be {both}", advice="Name the format.", details={"formats": [o.name for o in found]}
        )
    return found[0]
