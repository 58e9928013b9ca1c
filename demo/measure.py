"""Measures how far the people of the demo web stand apart: the figures in `demo/cast.py`.

`python -m demo.measure` takes about a minute. It compares every picture of the web with every person's portrait.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageOps

from countenance.domain.faces import Vector
from countenance.faces.pipeline import FacePipeline, load_pipeline
from demo.cast import PROBE
from demo.people import PEOPLE, photograph
from demo.pictures import Picture, render
from demo.web import Web


def templates(pipeline: FacePipeline, content: bytes) -> Iterator[Vector]:
    """The indexed faces of one picture, the largest first."""
    with Image.open(io.BytesIO(content)) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    for face in pipeline.faces(np.asarray(upright)):
        if face.template is not None:
            yield face.template


def main() -> None:
    """Print one line a person: mated likenesses, lowest and highest, and the most alike stranger."""
    pipeline = load_pipeline()
    web = Web()
    pictures: set[Picture] = {picture for site, _ in web.sites() for picture in site.pictures.values()}
    web.stop()
    found = {picture: list(templates(pipeline, render(picture)[1])) for picture in pictures}
    for person in PEOPLE:
        probe = next(templates(pipeline, photograph(person, PROBE).read_bytes()))
        mated = [max(float(probe @ t) for t in found[p]) for p in pictures if person in p.people and found[p]]
        strangers = [float(probe @ t) for p in pictures if person not in p.people for t in found[p]]
        unseen = sum(1 for picture in pictures if person in picture.people and not found[picture])
        print(
            f"{person}: {len(mated)} pictures {min(mated):.3f} to {max(mated):.3f}, {unseen} without a usable face; "
            f"{len(strangers)} faces of others, at most {max(strangers):.3f}"
        )


if __name__ == "__main__":
    main()
