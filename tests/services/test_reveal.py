"""What a search showed can be opened for a while, and every opening is an entry."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from countenance.app import Countenance
from countenance.domain.errors import BadInput, CountenanceError, LedgerUnavailable, NoAuthority, UnreadableImage
from countenance.ledger.log import Ledger
from countenance.services import reveal
from countenance.store import moments
from tests import pretend
from tests.places import TESTER, Place, ask, grant, kinds
from tests.traces import left

PROBE = pretend.photograph("ada", note="the probe")


def test_what_was_shown_opens_with_its_handle_and_for_a_while(
    product: Countenance, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = ask(product, grant(product, "album"), PROBE)
    (sighting,) = (s.id for g in result.groups for s in g.sightings if s.image.endswith("/ada-1.png"))
    assert product.crop(result.search, result.handle, sighting) == pretend.crop("ada", "one")
    assert product.shown(result.search, result.handle).as_json()["groups"] == result.as_json()["groups"]
    for search, handle in ((result.search, "x"), ("S-1", result.handle), (result.search, "")):
        with pytest.raises(NoAuthority):
            product.crop(search, handle, sighting)
    other = ask(product, grant(product, "album"), pretend.photograph("bob", note="asked"))
    with pytest.raises(NoAuthority):
        product.crop(other.search, result.handle, sighting)
    with pytest.raises(CountenanceError):
        # Not among what this search showed.
        product.crop(other.search, other.handle, sighting)
    moment = result.handle_until
    monkeypatch.setattr(moments, "now", lambda: moment)
    for opens in (
        lambda: product.crop(result.search, result.handle, sighting),
        lambda: product.shown(result.search, result.handle),
        lambda: product.open_picture(result.search, result.handle, sighting, TESTER),
        lambda: product.export_search(result.search, result.handle, "A Court", "evidence", TESTER),
    ):
        with pytest.raises(NoAuthority):
            opens()


def test_what_was_shown_closes_when_its_authority_is_revoked_and_not_when_it_is_spent(product: Countenance) -> None:
    authority = grant(product, "album", searches=1)
    result = ask(product, authority, PROBE)
    sighting = result.groups[0].sightings[0].id
    assert product.authority(authority.id).state(moments.now()) == "spent"
    product.crop(result.search, result.handle, sighting)
    product.revoke(authority.id, TESTER)
    for opens in (
        lambda: product.crop(result.search, result.handle, sighting),
        lambda: product.shown(result.search, result.handle),
        lambda: product.open_picture(result.search, result.handle, sighting, TESTER),
        lambda: product.export_search(result.search, result.handle, "A Court", "evidence", TESTER),
    ):
        with pytest.raises(NoAuthority) as refused:
            opens()
        assert refused.value.details == {"reason": "revoked"}


def test_the_handle_is_not_kept_where_the_home_is_read(house: Place) -> None:
    with house.open() as product:
        result = ask(product, grant(product, "album"), PROBE)
        assert left(house, {"handle": result.handle.encode()}) == []


def test_opening_and_handing_out_are_entries_before_anything_is_seen(
    product: Countenance, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = ask(product, grant(product, "album"), PROBE)
    sighting = result.groups[0].sightings[0].id
    acts: tuple[Callable[[], Any], ...] = (
        lambda: product.open_picture(result.search, result.handle, sighting, TESTER),
        lambda: product.export_search(result.search, result.handle, "A Court", "evidence", TESTER),
        lambda: product.ledger_bundle(TESTER),
    )
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "append", _refuse)
        for act in acts:
            with pytest.raises(LedgerUnavailable):
                act()
    with pytest.raises(BadInput):
        product.export_search(result.search, result.handle, " ", "evidence", TESTER)
    product.export_search(result.search, result.handle, "A Court", "evidence", TESTER)
    last = product.ledger_entries(product.ledger_size - 1, product.ledger_size, opened=True)[0]
    assert last["type"] == "search.disclosed"
    assert last["body"]["recipient"] == "A Court"
    assert "evidence" not in str(last["body"])
    assert "evidence" in str(last["opened"])


def _refuse(*_: Any, **__: Any) -> Any:
    raise LedgerUnavailable("no")


def test_every_act_is_an_entry(product: Countenance, house: Place) -> None:
    authority = grant(product, "album")
    result = ask(product, authority, PROBE)
    house.put("album/ada-1.png", pretend.photograph("ada", note="one"))
    with pytest.raises(CountenanceError):
        product.open_picture(result.search, result.handle, 10_000, TESTER)
    product.revoke(authority.id, TESTER)
    token, _ = product.create_token("nightly", ["search"], None, TESTER)
    product.revoke_token(token.id, TESTER)
    product.erase(product.eraser.plan_image(result.groups[0].sightings[0].image), TESTER)
    product.ledger_bundle(TESTER)
    told = kinds(product)
    for kind in (
        "home.created",
        "key.created",
        "source.registered",
        "ingest.started",
        "ingest.ended",
        "authority.granted",
        "search.started",
        "search.shown",
        "authority.revoked",
        "token.created",
        "token.revoked",
        "erasure",
        "ledger.exported",
    ):
        assert kind in told
    for entry in product.ledger_entries(0, product.ledger_size):
        assert entry["actor"]["authenticated"]
        assert entry["body"]["via"]


def test_photographs_are_read_from_nowhere_but_the_caller(house: Place) -> None:
    """A handle opens the file of a folder only while it is the very file that was indexed."""
    with house.open() as product:
        result = ask(product, grant(product, "album"), PROBE)
        shown = result.groups[0].sightings[0]
        path = Path(shown.image.removeprefix("file://"))
        path.write_bytes(pretend.photograph("somebody", note="else"))
        opened = product.open_picture(result.search, result.handle, shown.id, TESTER)
        assert opened.content is None
        assert "changed" in str(opened.why_missing)


def test_a_picture_is_opened_within_the_limits_of_the_settings(house: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[Any] = []

    def decode(data: bytes, limits: Any, **_: Any) -> Any:
        used.append(limits)
        raise UnreadableImage("too-many-pixels")

    monkeypatch.setattr(reveal, "decode", decode)
    for images, decoded in (({"max_pixels": 1234, "max_seconds": 3.0}, True), ({"max_bytes": 10}, False)):
        with house.open(images=images) as product:
            result = ask(product, grant(product, "album"), PROBE)
            shown = result.groups[0].sightings[0].id
            if decoded:
                with pytest.raises(UnreadableImage):
                    product.open_picture(result.search, result.handle, shown, TESTER)
                assert [(one.max_pixels, one.max_seconds) for one in used] == [(1234, 3.0)]
            else:
                opened = product.open_picture(result.search, result.handle, shown, TESTER)
                assert opened.content is None
                assert opened.why_missing
                assert len(used) == 1
        house.opened.clear()
