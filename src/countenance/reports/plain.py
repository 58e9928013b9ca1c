"""Text from strangers, fit to be looked at: nothing invisible, nothing that turns a line round, nothing endless."""

from __future__ import annotations

import unicodedata

MOST = 300
"""Characters of one value that are shown; the JSON has them all."""

_BREAK_AFTER = frozenset("/?&=;:.-_~%@+")
_LONGEST = 24
_ZERO_WIDTH_SPACE = "\u200b"

_EXTRA = "–—‘’“”„•…€→−≤≥"


def visible(text: str, most: int = MOST) -> str:
    r"""The text on one line; what cannot be seen, or would change how the rest is read, as `\u{202e}`.

    Longer text is cut, and says how long it was.
    """
    return _cut("".join(c if _can_be_seen(c) else _escaped(c) for c in text[:most]), len(text), most)


def printable(text: str, most: int = MOST) -> str:
    r"""The same for a printed page, whose fonts have Latin, Greek and Cyrillic: anything else as `\u{6f22}`."""
    return _cut("".join(c if _can_be_printed(c) else _escaped(c) for c in text[:most]), len(text), most)


def breakable(text: str) -> str:
    """The text with places, none of them visible, where a narrow column may break it."""
    parts: list[str] = []
    run = 0
    for character in text:
        parts.append(character)
        run = 0 if character == " " else run + 1
        if run and (character in _BREAK_AFTER or run >= _LONGEST):
            parts.append(_ZERO_WIDTH_SPACE)
            run = 0
    return "".join(parts)


def _cut(shown: str, length: int, most: int) -> str:
    return shown if length <= most else f"{shown}… ({length:,} characters)"


def _escaped(character: str) -> str:
    return f"\\u{{{ord(character):x}}}"


def _can_be_seen(character: str) -> bool:
    # C: controls, formats (such as marks of direction), surrogates, private, unassigned. Z: line ends, odd spaces.
    kind = unicodedata.category(character)
    return character == " " or kind[0] not in "CZ"


def _can_be_printed(character: str) -> bool:
    code = ord(character)
    if 0x20 <= code <= 0x7E or character in _EXTRA:
        return True
    known = 0xA1 <= code <= 0x17F or 0x391 <= code <= 0x3C9 or 0x400 <= code <= 0x45F
    return known and _can_be_seen(character)
