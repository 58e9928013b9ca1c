"""The packs, loaded once, and the synthetic people, decoded once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from countenance.domain.faces import Pixels
from countenance.faces.pipeline import FacePipeline, load_pipeline

Photograph = Callable[[str, str], Pixels]


@pytest.fixture(scope="session")
def pipeline_of() -> Callable[..., FacePipeline]:
    """`pipeline_of("open", "auto")`: a pack on a runtime, loaded once."""
    return cache(lambda pack, runtime="auto": load_pipeline(pack, runtime=runtime))


@pytest.fixture(scope="session", params=["open", "research"])
def pipeline(request: pytest.FixtureRequest, pipeline_of: Callable[..., FacePipeline]) -> FacePipeline:
    """Each pack in turn."""
    return pipeline_of(request.param)


@pytest.fixture(scope="session")
def photograph(people: Callable[[str, str], bytes]) -> Photograph:
    """`photograph("P001", "studio_portrait")`: pixels at half the size."""

    @cache
    def decoded(person: str, asset: str) -> Pixels:
        picture = Image.open(BytesIO(people(person, asset)))
        picture.draft("RGB", (picture.width // 2, picture.height // 2))
        return np.asarray(picture.convert("RGB"))

    return decoded
