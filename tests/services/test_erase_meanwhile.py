"""What is read between the question and the answer is erased with the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from countenance.app import Countenance
from countenance.domain.errors import UnknownThing
from countenance.services.erasure import Erased, Plan
from countenance.store import items
from tests import pretend
from tests.places import TESTER, Place, ask, grant, ingest, kinds, register
from tests.traces import left, of_photograph


def test_what_a_run_reads_after_the_plan_goes_with_its_source(house: Place) -> None:
    """The question may stand on a screen for an hour, and a run may end in that time."""
    with house.open() as product:
        plan = product.eraser.plan_sources(["album"])
        late = [
            house.put("album/late-1.png", pretend.photograph("zoe", "ada", note="late one")),
            house.put("album/deep/late-2.png", pretend.photograph("zoe", note="late two")),
        ]
        ingest(product, "album")
        needles = {f"{path.name}: {k}": v for path in late for k, v in of_photograph(product, path).items()}
        assert left(house, needles), "the run has left something to be found"
        erased = product.erase(plan, TESTER)
        assert erased.counts["images"] == plan.counts["images"] + 2
        assert left(house, needles) == []
        assert product.engine.index.verify() == []
        with product.database.read() as c:
            # A row that no page leads to would be out of everybody's reach.
            orphans = "SELECT count(*) FROM images WHERE id NOT IN (SELECT image_id FROM appearances)"
            assert c.exec_driver_sql(orphans).scalar() == 0
        # What another source holds too has stayed.
        assert ask(product, grant(product, "wall"), pretend.photograph("ada", note="asked")).groups


def test_a_copy_that_is_read_elsewhere_after_the_plan_is_kept_there(house: Place) -> None:
    """What was the source's alone when it was asked for has come to be another's too."""
    with house.open() as product:
        plan = product.eraser.plan_sources(["album"])
        copy = house.put("wall/bob.png", (house.photos / "album" / "bob.png").read_bytes())
        ingest(product, "wall")
        product.erase(plan, TESTER)
        found = ask(product, grant(product, "wall"), pretend.photograph("bob", note="asked"))
        assert [s.image for g in found.groups for s in g.sightings if s.likeness > 0.5] == [copy.as_uri()]
        assert product.engine.index.verify() == []


def test_a_page_that_is_seen_after_the_plan_goes_with_its_image(house: Place) -> None:
    path = house.photos / "album" / "bob.png"
    with house.open() as product:
        plan = product.eraser.plan_image(path.as_uri())
        house.put("more/bob.png", path.read_bytes())
        register(product, "more", house.photos / "more")
        ingest(product, "more")
        ask(product, grant(product, "more"), pretend.photograph("bob", note="asked"))
        with product.database.read() as c:
            query = "SELECT max(id) FROM sightings"
            item = f"sighting:{c.exec_driver_sql(query).scalar()}"
            assert items.open_keys(c, [item]), "the new page was shown, and the entry sealed it"
        needles = of_photograph(product, path)
        assert item in entry(product, product.erase(plan, TESTER))["body"]["items"]
        assert left(house, needles) == []
        with product.database.read() as c:
            assert items.open_keys(c, [item]) == {}


def entry(product: Countenance, erased: Erased) -> dict[str, Any]:
    seq = erased.receipt["seq"]
    return product.ledger_entries(seq, seq + 1)[0]


def test_a_page_that_is_seen_after_the_plan_goes_with_its_face(house: Place) -> None:
    path = house.photos / "album" / "ada-1.png"
    with house.open() as product:
        authority = grant(product, "album", "wall")
        plan = product.plan_face_erasure(pretend.photograph("ada", note="asked"), None, authority.id, TESTER, 0.5)
        house.put("wall/copy.png", path.read_bytes())
        ingest(product, "wall")
        needles = of_photograph(product, path) | {"copy": b"copy.png"}
        assert product.erase(plan, TESTER).counts["sightings"] == plan.counts["sightings"] + 1
        assert left(house, needles) == []


GONE: dict[str, Callable[[Countenance, Place], Plan]] = {
    "sighting": lambda product, house: product.eraser.plan_sightings([1]),
    "image": lambda product, house: product.eraser.plan_image((house.photos / "album" / "ada-1.png").as_uri()),
    "source": lambda product, house: product.eraser.plan_sources(["album"]),
}


@pytest.mark.parametrize("what", GONE)
def test_what_somebody_else_has_erased_meanwhile_is_not_erased_twice(house: Place, what: str) -> None:
    with house.open() as product:
        plans = [GONE[what](product, house) for _ in range(2)]
        product.erase(plans[0], TESTER)
        with pytest.raises(UnknownThing):
            product.erase(plans[1], TESTER)
        assert kinds(product).count("erasure") == 1


def test_a_source_that_was_erased_while_a_run_was_made_ready_is_not_read(
    house: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The models take a moment to load, between the look at the register and the source's lock."""
    from countenance.services.engine import Engine

    with house.open() as product, house.open() as other:
        real = Engine.ingester

        def ingester(self: Engine) -> object:
            other.erase(other.eraser.plan_sources(["album"]), TESTER)
            return real(self)

        monkeypatch.setattr(Engine, "ingester", ingester)
        with pytest.raises(UnknownThing):
            ingest(product, "album")
        assert kinds(product)[-1] == "erasure"
