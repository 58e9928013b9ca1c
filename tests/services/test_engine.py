"""What a home is bound to, what its numbers follow, and that every setting arrives where it counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil
import pytest

from countenance.domain.errors import Broken, CountenanceError, FetchFailed, WeightsRefused
from countenance.services import engine, workers
from countenance.settings import CrawlSettings, FaceSettings, ImageSettings
from tests import pretend
from tests.places import Place, ask, grant, ingest, register


@pytest.fixture
def no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No weights are here."""
    monkeypatch.setenv("COUNTENANCE_WEIGHTS", str(tmp_path / "none"))
    return tmp_path / "none"


def test_a_pack_whose_terms_were_refused_leaves_the_home_free(place: Place, no_weights: Path) -> None:
    place.put("ada.png", pretend.photograph("ada"))
    with place.open(faces={"pack": "research"}) as product:
        register(product, "album", place.photos)
        assert product.engine.pack.id == "research"
        for use in (lambda: ingest(product, "album"), product.engine.searcher, lambda: product.engine.index):
            with pytest.raises(WeightsRefused):
                use()
        assert product.status()["pack"] is None
    with place.open(faces={"pack": "open"}) as product:
        assert product.engine.pack.id == "open"


def test_a_home_is_bound_when_its_templates_get_their_key(place: Place, pretending: None) -> None:
    place.put("ada.png", pretend.photograph("ada"))
    with place.open() as product:
        register(product, "album", place.photos)
        assert (product.engine.pack.id, product.status()["pack"]) == ("open", None)
        ingest(product, "album")
        assert product.status()["pack"] == "open"
    with place.open(faces={"pack": "research"}) as product, pytest.raises(Broken):
        product.engine.pack.id  # noqa: B018


def test_two_that_begin_with_different_packs_do_not_mix_them(place: Place, pretending: None) -> None:
    with place.open() as one, place.open(faces={"pack": "research"}) as other:
        assert (one.engine.pack.id, other.engine.pack.id) == ("open", "research")
        assert one.engine.index.count() == 0
        with pytest.raises(Broken):
            other.engine.index.count()


def test_how_many_strangers_follows_what_a_source_holds(house: Place) -> None:
    """Copies of another source's files bring no new picture into the index, but they are searched in this one."""
    empty = house.photos / "copies"
    empty.mkdir()
    with house.open() as product:
        register(product, "copies", empty)
        authority = grant(product, "copies")
        probe = pretend.photograph("bob", note="asked")

        def people() -> int:
            result = ask(product, authority, probe)
            entry = product.ledger_entries(result.receipt["seq"], result.receipt["seq"] + 1)[0]
            return int(entry["body"]["people"])

        assert people() == 0
        for name in ("bob.png", "both.png", "ada-1.png"):
            house.put(f"copies/{name}", (house.photos / "album" / name).read_bytes())
        report = ingest(product, "copies")
        assert (report.tally.new, report.tally.unchanged) == (0, 3)
        assert people() == 3


IMAGES = {
    "max_bytes": 12_345,
    "max_pixels": 23_456,
    "max_draft_pixels": 34_567,
    "max_frames": 45,
    "max_seconds": 5.5,
}
FLOOR = {"min_inter_eye": 11.5, "min_sharpness": 4.25, "min_detector": 0.625, "max_yaw": 33.0}
CRAWL = {"rate": 0.125, "max_pages": 77, "max_depth": 5, "max_page_bytes": 54_321, "download_seconds": 9.5}
NAMED = {"download_seconds": "timeout"}


def test_every_limit_and_manner_has_a_value_here() -> None:
    assert set(IMAGES) == set(ImageSettings.model_fields)
    assert set(FLOOR) == {name for name in FaceSettings.model_fields if name.startswith(("min_", "max_"))}
    assert set(CRAWL) == set(CrawlSettings.model_fields)


@pytest.mark.parametrize("name", IMAGES)
def test_a_limit_on_pictures_reaches_decoder_and_crawler(place: Place, name: str) -> None:
    with place.open(images={name: IMAGES[name]}) as product:
        limits = product.engine.limits()
        assert getattr(limits, name) == IMAGES[name]
        assert product.engine.eyes_config().limits == limits
        if name == "max_bytes":
            assert product.engine.crawl_settings().max_image_bytes == IMAGES[name]


@pytest.mark.parametrize("name", FLOOR)
def test_a_floor_reaches_the_eyes(place: Place, name: str) -> None:
    with place.open(faces={name: FLOOR[name]}) as product:
        floor = product.engine.eyes_config().floor
        assert getattr(floor, name) == FLOOR[name]
        standard = type(floor)()
        assert all(getattr(floor, other) == getattr(standard, other) for other in FLOOR if other != name)


@pytest.mark.parametrize("name", CRAWL)
def test_a_manner_reaches_the_crawler(place: Place, name: str) -> None:
    with place.open(crawl={name: CRAWL[name]}) as product:
        assert getattr(product.engine.crawl_settings(), NAMED.get(name, name)) == CRAWL[name]


def test_runtime_weights_pack_and_workers_reach_the_workers(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pretending: None
) -> None:
    given: list[Any] = []

    class Noted(pretend.Workers):
        def __init__(self, *what: Any) -> None:
            given.extend(what)
            super().__init__()

    monkeypatch.setattr(engine, "Workers", Noted)
    with place.open(
        faces={"runtime": "onnxruntime", "weights": tmp_path}, ingest={"workers": 3, "batch": 5}
    ) as product:
        ingester = product.engine.ingester()
        ingester.workers()
        assert ingester.batch == 5
    config, count = given
    assert (config.runtime, config.weights, config.pack.id, count) == ("onnxruntime", tmp_path, "open", 3)


def test_weights_are_made_sure_of_before_there_are_workers(
    place: Place, no_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from countenance.faces import weights

    fetched: list[bool] = []
    monkeypatch.setattr(weights, "install", lambda *_, offline, **__: fetched.append(offline))
    monkeypatch.setattr(engine, "Workers", lambda config, _: config)
    with place.open() as product:
        config: Any = product.engine.ingester().workers()
        assert set(fetched) == {False}
        assert config.offline, "a worker must never fetch"


def test_offline_nothing_is_started(place: Place, no_weights: Path) -> None:
    with place.open(offline=True) as product:
        register(product, "album", place.photos)
        with pytest.raises(FetchFailed) as caught:
            ingest(product, "album")
        assert isinstance(caught.value, CountenanceError)
        assert caught.value.advice
        assert product.runs("album") == []
        assert product.status()["pack"] is None
    commands = [child.cmdline() for child in psutil.Process().children()]
    assert not [command for command in commands if any(workers.MODULE in part for part in command)]
