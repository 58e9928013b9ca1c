"""Pretend eyes: pictures whose bytes say who is on them, so that what happens around the models is tried in moments.

A pretend photograph is a PNG's first bytes and a line of JSON. The templates of one person are alike (cosine about
0.8), those of two are not (about 0). Everything else, from the home to the ledger, is the real thing.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from countenance.domain.errors import UnreadableImage
from countenance.domain.faces import Box, Face, Quality, Vector
from countenance.imaging.pdq import PictureHash
from countenance.services.workers import Job, Outcome, Seen, Unseen

MAGIC = b"\x89PNG\r\n\x1a\n"
DIMENSION = 128
SIDE = 1000


def photograph(*people: str, note: str = "", picture: str | None = None, broken: str = "", padding: int = 0) -> bytes:
    """A photograph of these people, largest first. A name with a leading `~` is of a face that is not indexed.

    `note` makes other bytes and slightly other templates; the same `picture` makes it a copy of one picture.
    """
    body = {"people": people, "note": note, "picture": picture or f"{people}{note}", "broken": broken}
    return MAGIC + json.dumps(body).encode() + b" " * padding


def template(person: str, note: str = "") -> Vector:
    """The unit template of a person on the photograph with this note: (128,) float32."""
    mixed = 2 * _direction(person) + _direction(f"{person} on {note}")
    return np.asarray(mixed / np.linalg.norm(mixed), np.float32)


def crop(person: str, note: str = "") -> bytes:
    """The crop that is kept of a face: bytes that nothing else holds."""
    return b"\xff\xd8\xff" + b"".join(hashlib.sha256(f"crop {n} {person} {note}".encode()).digest() for n in range(8))


def faces(body: dict[str, Any]) -> tuple[Face, ...]:
    """The faces of a photograph's line."""
    return tuple(_face(n, person, body["note"]) for n, person in enumerate(body["people"]))


def parsed(data: bytes) -> dict[str, Any]:
    """What a photograph says. Raises UnreadableImage as a decoder does."""
    if not data.startswith(MAGIC):
        raise UnreadableImage("not-an-image" if data else "empty")
    try:
        body: dict[str, Any] = json.loads(data[len(MAGIC) :])
    except ValueError:
        raise UnreadableImage("truncated") from None
    if body["broken"]:
        raise UnreadableImage(body["broken"])
    return body


def detect(data: bytes) -> tuple[int, int, list[Face]]:
    """In the place of `Engine.detect`."""
    return SIDE, SIDE, list(faces(parsed(data)))


def see(data: bytes) -> Outcome:
    """What a worker makes of one photograph."""
    try:
        body = parsed(data)
    except UnreadableImage as error:
        return Unseen(error.reason, str(error))
    found = faces(body)
    return Seen(
        width=SIDE,
        height=SIDE,
        format="png",
        taken=None,
        pdq=PictureHash(hashlib.sha256(body["picture"].encode()).digest(), 100),
        mirrored=PictureHash(hashlib.sha256(b"mirrored " + body["picture"].encode()).digest(), 100),
        faces=found,
        crops=tuple(
            None if face.template is None else crop(person, body["note"])
            for face, person in zip(found, body["people"], strict=True)
        ),
    )


class Workers:
    """In the place of `services.workers.Workers`: looks at once, in this process."""

    def __init__(self, *_: object) -> None:
        self._done: deque[tuple[int, Outcome]] = deque()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self._done.clear()

    def dismiss(self) -> None:
        """Nothing goes on that would end."""

    def __len__(self) -> int:
        return 1

    @property
    def room(self) -> bool:
        return len(self._done) < 8

    @property
    def hungry(self) -> bool:
        return self.room

    @property
    def idle(self) -> bool:
        return not self._done

    @property
    def busy(self) -> bool:
        return bool(self._done)

    def submit(self, batch: Sequence[Job]) -> None:
        self._done.extend((n, see(data)) for n, data in batch)

    def collect(self, timeout: float) -> Iterator[tuple[int, Outcome]]:
        while self._done:
            yield self._done.popleft()


def face_of(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """In the place of `Engine.face_of`: of the largest face."""
    body = parsed(data)
    return crop(body["people"][0], body["note"]), ()


def put_on(patch: Any) -> None:
    """Pretend eyes in the models' place, in this process."""
    from countenance.services import engine

    patch.setattr(engine, "Workers", Workers)
    patch.setattr(engine.Engine, "detect", staticmethod(detect))
    patch.setattr(engine.Engine, "face_of", lambda _, data, __: face_of(data))
    patch.setattr(engine.Engine, "make_sure_of_weights", lambda _: None)


def _face(n: int, person: str, note: str) -> Face:
    known = not person.startswith("~")
    side = 200.0 - 10 * n
    left = 10.0 + 210.0 * n
    points = [(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)]
    quality = Quality(
        inter_eye=side * 0.4,
        sharpness=200.0,
        exposure=0.5,
        yaw=0.0,
        roll=0.0,
        detector=0.95,
        floor=None if known else "too-small",
    )
    return Face(
        Box(left, 20.0, side, side),
        np.array([(left + x * side, 20 + y * side) for x, y in points], np.float32),
        quality,
        template(person, note) if known else None,
    )


def _direction(text: str) -> Vector:
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")
    values = np.random.default_rng(seed).standard_normal(DIMENSION)
    return np.asarray(values / np.linalg.norm(values), np.float32)
