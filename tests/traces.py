"""What must not be left of somebody: searched for in every byte of a home and of its database."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from countenance.app import Countenance
from tests import databases, pretend
from tests.places import Place


def digests(data: bytes) -> dict[str, bytes]:
    """SHA-256 of some bytes, in each spelling that a file might hold."""
    raw = hashlib.sha256(data).digest()
    return {
        "digest": raw,
        "digest in hex": raw.hex().encode(),
        "digest in HEX": raw.hex().upper().encode(),
        "digest in base64": base64.b64encode(raw).rstrip(b"="),
        "digest in url-safe base64": base64.urlsafe_b64encode(raw).rstrip(b"="),
    }


def of_template(product: Countenance, person: str, note: str) -> dict[str, bytes]:
    """A pretend face's template: as it is kept, and as it would be kept without its rotation or shortening."""
    plain = pretend.template(person, note)[None, :]
    kept = product.engine.protect(plain)
    return {
        "template as kept": kept.astype("<f2").tobytes(),
        "template as kept, in base64": base64.b64encode(kept.astype("<f2").tobytes())[:-4],
        "rotated template": kept.astype("<f4").tobytes(),
        "bare template": plain.astype("<f2").tobytes(),
        "bare template, long": plain.astype("<f4").tobytes(),
        "template's beginning": np.ascontiguousarray(kept.astype("<f2")).tobytes()[:32],
    }


def of_photograph(product: Countenance, path: Path) -> dict[str, bytes]:
    """Everything of a pretend photograph that a home keeps while it is indexed, and more."""
    data = path.read_bytes()
    body = pretend.parsed(data)
    found = {"name": path.name.encode(), "address": path.as_uri().encode()} | digests(data)
    for person in body["people"]:
        if not person.startswith("~"):
            found |= {f"{person}: {k}": v for k, v in of_template(product, person, body["note"]).items()}
            made = pretend.crop(person, body["note"])
            found |= {f"{person}: crop": made, f"{person}: crop's end": made[-32:]}
            found |= {f"{person}: crop's {k}": v for k, v in digests(made).items()}
    return found


def left(place: Place, needles: dict[str, bytes], *, but: Iterable[str] = ()) -> list[str]:
    """Which of these are found, and in which files."""
    skip = tuple(but)
    return [
        f"{what} in {name}"
        for name, content in (place.files() | databases.files(place.home)).items()
        for what, needle in needles.items()
        if (needle in content or needle in name.encode()) and not name.startswith(skip or ("\0",))
    ]
