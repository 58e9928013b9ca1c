"""What people asked to see and could not: what was skipped and why, and the dates that pictures bear."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from countenance.app import Countenance
from countenance.cli.search import _said
from tests import pretend
from tests.places import Answer, Place, ask, grant, ingest, register

Run = Callable[..., Answer]


def spoil(house: Place) -> dict[str, str]:
    """Files that cannot be read: address to reason."""
    house.put("album/broken.png", pretend.photograph("ada", broken="truncated"))
    house.put("album/text.png", b"no picture at all")
    (house.photos / "album" / "link.png").symlink_to("/etc/hostname")
    at = (house.photos / "album").as_uri()
    return {
        f"{at}/broken.png": "truncated",
        f"{at}/link.png": "symlink-outside",
        f"{at}/text.png": "not-an-image",
    }


def test_what_was_skipped_is_listed_with_its_reason(house: Place, run: Run) -> None:
    expected = spoil(house)
    left = run("ingest", "album")
    assert left.code == 0
    assert "countenance source show album --skipped" in left.out
    listed = run("source", "show", "album", "--skipped", "--json").json
    assert listed["source"] == "album"
    assert {one["address"]: one["reason"] for one in listed["skipped"]} == expected
    assert all(set(one) == {"address", "reason", "detail"} for one in listed["skipped"])
    told = run("source", "show", "album", "--skipped").out
    assert all(address in told and reason in told for address, reason in expected.items())
    # What can be read by now is no longer listed.
    house.put("album/broken.png", pretend.photograph("ada", note="mended"))
    run("ingest", "album")
    listed = run("source", "show", "album", "--skipped", "--json").json
    assert f"{(house.photos / 'album').as_uri()}/broken.png" not in {one["address"] for one in listed["skipped"]}
    assert run("source", "show", "wall", "--skipped", "--json").json["skipped"] == []
    assert run("source", "show", "nobody", "--skipped").code != 0


def test_pages_of_what_was_skipped_join_up(house: Place) -> None:
    expected = spoil(house)
    with house.open() as product:
        ingest(product, "album")
        found: list[dict[str, Any]] = []
        while page := product.skipped("album", after=found[-1]["n"] if found else 0, count=1):
            assert len(page) == 1
            found += page
    assert {one["address"]: one["reason"] for one in found} == expected


def dated(house: Place) -> None:
    house.put("album/dated.png", pretend.photograph("dan", note="dated"))
    house.put("album/dated.png.json", b'{"date": "1999-12-31T10:00:00Z"}')


def test_the_date_that_lies_beside_a_picture_is_shown(house: Place, run: Run) -> None:
    dated(house)
    with house.open() as product:
        ingest(product, "album")
        result = ask(product, grant(product, "album", "wall"), pretend.photograph("dan", note="asked"))
        sightings = {s.image.rpartition("/")[2]: s for group in result.groups for s in group.sightings}
        assert sightings["dated.png"].dated.isoformat() == "1999-12-31T10:00:00+00:00"
        assert sightings["dan.png"].dated is None
        shown = {s["image"].rpartition("/")[2]: s["dated"] for g in result.as_json()["groups"] for s in g["sightings"]}
        assert shown["dated.png"] == "1999-12-31T10:00:00+00:00"
        assert shown["dan.png"] is None


def test_without_one_the_camera_is_believed(house: Place) -> None:
    dated(house)
    with house.open() as product:
        ingest(product, "album")
        with product.database.write() as c:
            c.exec_driver_sql("UPDATE images SET taken_at = first.taken FROM (SELECT dated AS taken FROM appearances"
                              " WHERE dated IS NOT NULL) AS first")  # fmt: skip
            c.exec_driver_sql("UPDATE appearances SET dated = NULL")
        result = ask(product, grant(product, "album", "wall"), pretend.photograph("dan", note="asked"))
        assert {s.dated.isoformat() for g in result.groups for s in g.sightings} == {"1999-12-31T10:00:00+00:00"}


def test_the_command_shows_when_it_was_seen_and_its_date(house: Place, run: Run) -> None:
    from countenance.app import system_actor

    dated(house)
    with house.open() as product:
        ingest(product, "album")
        authority = grant(product, "album", "wall", holder=system_actor("command").user).id
        first = product.sources()[0].registered_at
    house.opened.clear()
    probe = house.put("probe.png", pretend.photograph("dan", note="asked"))
    told = run("search", "--authority", authority, probe).out
    assert "dated 1999-12-31" in told
    assert f"seen {first:%Y-%m-%d} to " in told


def test_a_source_is_kept_for_what_the_settings_say(house: Place) -> None:
    folder = house.photos / "more"
    folder.mkdir()
    with house.open(sources={"retain_days": 7}) as product:
        source = register(product, "more", folder)
        assert source.retain_days == 7
        assert (source.expires_at - source.registered_at).days == 7
        assert register(product, "again", folder, retain_days=9).retain_days == 9


def test_what_two_people_said_before_is_told_with_what_is_wrong_with_the_picture(product: Countenance) -> None:
    result = ask(product, grant(product, "album"), pretend.photograph("ada", note="asked"))
    first, second = result.groups[0].sightings[0], result.groups[1].sightings[0]
    day = datetime(2026, 5, 3, tzinfo=UTC)
    judged = replace(first, judged_different=day, warnings=("blurred",))
    assert _said((second, judged)) == ["judged different on 2026-05-03", *second.warnings]
    assert _said((judged,)) == ["judged different on 2026-05-03", "blurred"]
    assert _said((replace(first, warnings=()),)) == ""
