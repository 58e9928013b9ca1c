"""What an undisturbed run leaves, to hold the others against."""

from __future__ import annotations

from typing import Any

import pytest

from tests import pretend
from tests.places import Place, ingest, register
from tests.services.inventory import contents, fill


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    place = Place(tmp_path_factory.mktemp("undisturbed"))
    folder = fill(place)
    with pytest.MonkeyPatch.context() as patch, place.open() as product:
        pretend.put_on(patch)
        register(product, "many", folder)
        ingest(product, "many")
        return contents(product)


@pytest.fixture
def whole(place: Place, pretending: None, undisturbed: dict[str, Any]) -> dict[str, Any]:
    """What an undisturbed run finds in the folder that `place` now has."""
    fill(place)
    return undisturbed
