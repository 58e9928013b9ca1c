"""A ledger that is gone, and a signing key that is lost."""

from __future__ import annotations

import shutil

import pytest

from countenance.app import system_actor
from countenance.domain.errors import BadInput, KeyTrouble, LedgerBroken
from countenance.ledger import keys as ledger_keys
from countenance.services.home import LEDGER_KEY
from countenance.services.keys import replace_lost_ledger_key
from tests.places import Place

ACTOR = system_actor("command")


def test_a_used_home_without_its_ledger_does_not_open(house: Place) -> None:
    house.close()
    shutil.rmtree(house.home / "ledger")
    with pytest.raises(LedgerBroken, match="gone"):
        house.open()


def test_a_home_that_was_cut_off_before_its_first_entry_gets_it(place: Place) -> None:
    place.open()
    place.close()
    shutil.rmtree(place.home / "ledger")
    assert [e["type"] for e in place.open().ledger_entries(0, 10)] == ["home.created"]


def test_a_lost_signing_key_is_replaced_in_the_open(house: Place) -> None:
    product = house.open()
    before, size, keys = product.vkey, product.ledger_size, product.key_folder
    house.close()
    with pytest.raises(KeyTrouble, match="is there"):
        replace_lost_ledger_key(house.where, ACTOR)
    (keys / LEDGER_KEY).unlink()
    with pytest.raises(KeyTrouble):
        house.open()
    body = replace_lost_ledger_key(house.where, ACTOR)
    assert body["old"] == before != body["new"]
    product = house.open()
    assert product.ledger_entries(size, size + 1)[0]["type"] == "ledger.key-lost"
    assert product.ledger_verify()["size"] == size + 1


def test_replacing_goes_on_after_a_power_cut(house: Place) -> None:
    product = house.open()
    keys, home_id = product.key_folder, product.key_folder.name
    house.close()
    (keys / LEDGER_KEY).unlink()
    ledger_keys.create(keys / LEDGER_KEY, f"countenance/{home_id}")  # made, and then the power went
    replace_lost_ledger_key(house.where, ACTOR)
    assert house.open().ledger_verify()["size"] > 0


def test_there_is_nothing_to_replace_in_an_empty_folder(place: Place) -> None:
    place.home.mkdir(parents=True)
    with pytest.raises(BadInput):
        replace_lost_ledger_key(place.where, ACTOR)
