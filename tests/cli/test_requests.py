"""Asking and deciding on the command line."""

from __future__ import annotations

from typing import Any

from tests.places import Place, kinds

WORDS = (
    "authority", "request", "--purpose", "find a suspect", "--basis", "own", "--case", "T-1", "--collection", "album",
    "--expires", "1d", "--searches", "2", "--outcome", "a lead", "--by", "A Tester",
)  # fmt: skip
WHY = (
    "--necessity",
    "Two cameras saw the woman who took the handbag, and every other line of enquiry has come to an end.",
    "--proportionality",
    "One photograph is compared once with the album, and whoever is not her is neither kept nor named anywhere.",
)


def test_the_way_of_a_request(house: Place) -> None:
    draft: Any = house.command(*WORDS, "--necessity", "", "--proportionality", "", "--draft", "--json").json
    assert draft["state"] == "drafted"
    short = house.command(*WORDS, "--necessity", "needed", "--proportionality", "needed", "--of", draft["id"], "--json")
    assert (short.code, short.json["error"]["code"]) == (2, "bad-input")
    asked = house.command(*WORDS, *WHY, "--of", draft["id"], "--json").json
    assert (asked["id"], asked["state"], asked["near"]) == (draft["id"], "requested", [])
    table = house.command("authority", "requests", "--open")
    assert draft["id"] in table.out
    shown = house.command("authority", "request-show", draft["id"], "--json").json
    assert "handbag" in shown["reasons"]["necessity"]
    approved = house.command("authority", "approve", draft["id"], "--json").json
    assert (approved["request"], approved["self_approved"]) == (draft["id"], True)
    assert house.command("authority", "requests", "--open", "--json").json == {"requests": []}
    again = house.command("authority", "decline", draft["id"], "--reason", "no", "--json")
    assert (again.code, again.json["error"]["code"]) == (4, "refused")
    assert kinds(house.open())[-3:] == ["authority.drafted", "authority.requested", "authority.granted"]


def test_an_urgent_one_says_until_when_and_a_case_is_closed(house: Place) -> None:
    said = house.command(*WORDS, *WHY, "--urgent")
    assert "at once" in said.out
    assert "deleted unless it is approved by" in said.out
    assert house.command("authority", "close-case", "T-1", "--json").json == {"case": "T-1", "closed": True}
    closed = house.command(*WORDS, *WHY, "--json")
    assert closed.code == 2
    assert "closed" in closed.json["error"]["message"]
    assert house.command("authority", "close-case", "T-1", "--reopen", "--json").json["closed"] is False
    id = house.command("authority", "requests", "--json").json["requests"][0]["id"]
    assert "deleted" in house.command("authority", "decline", id, "--reason", "there was time").out
