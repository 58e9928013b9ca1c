"""A source that is erased leaves nothing that opens what the ledger sealed of it."""

from __future__ import annotations

from countenance.store import items
from tests.places import TESTER, Place, register
from tests.traces import left


def test_what_was_registered_of_it_cannot_be_read_any_more(house: Place) -> None:
    with house.open() as product:
        source = register(
            product,
            "third",
            house.photos / "wall",
            owner="Ada Lovelace",
            note="a note about her",
            purpose="her pictures",
        )
        item = f"source:{source.id}"
        told = str(product.ledger_entries(0, product.ledger_size, opened=True))
        words = ("Ada Lovelace", "a note about her", "her pictures")
        assert all(word in told for word in words), "there is something to shred"
        with product.database.read() as c:
            keys = items.open_keys(c, [item, "source:2"])
        assert set(keys) == {item, "source:2"}
        erased = product.erase(product.eraser.plan_sources(["third"]), TESTER)
        with product.database.read() as c:
            assert items.open_keys(c, [item]) == {}
            assert set(items.open_keys(c, ["source:2"])) == {"source:2"}
        entries = product.ledger_entries(0, product.ledger_size, opened=True)
        assert not any(word in str(entries) for word in words)
        registered = [e for e in entries if e["type"] == "source.registered" and e["body"]["source"] == source.id]
        assert [(e["sealed"], e["opened"]) for e in registered] == [([item], {})]
        assert item in entries[erased.receipt["seq"]]["body"]["items"]
        needles = {word: word.encode() for word in words} | {"its key": keys[item]}
        assert left(house, needles) == []


def test_of_the_first_source_neither_place_nor_owner_opens(house: Place) -> None:
    with house.open() as product:
        place = str(house.photos / "album")
        assert place in str(product.ledger_entries(0, product.ledger_size, opened=True))
        product.erase(product.eraser.plan_sources(["album"]), TESTER)
        with product.database.read() as c:
            assert items.open_keys(c, ["source:1"]) == {}
        entries = product.ledger_entries(0, product.ledger_size, opened=True)
        assert place not in str(entries)
        product.ledger_verify()
