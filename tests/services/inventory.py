"""What a run is given, and everything that a home keeps of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from countenance.app import Countenance
from tests import pretend
from tests.places import Place

PEOPLE = ("ada", "bob", "cyd", "dan", "eve", "fay")


def fill(place: Place, folder: str = "many", count: int = 12) -> Path:
    """A folder of pretend photographs: of one or two people, of nobody, of one too small, twins, and broken ones."""
    for n in range(count):
        people: tuple[str, ...] = (PEOPLE[n % 6],) if n % 3 else (PEOPLE[n % 6], PEOPLE[(n + 1) % 6])
        place.put(f"{folder}/photo-{n:02}.png", pretend.photograph(*people, note=f"{folder} {n}"))
    place.put(f"{folder}/nobody.png", pretend.photograph(note=folder))
    place.put(f"{folder}/far.png", pretend.photograph("~gil", note=folder))
    place.put(f"{folder}/twin.png", pretend.photograph("ada", note=f"{folder} 6"))
    place.put(f"{folder}/twins.png", pretend.photograph("ada", note=f"{folder} 6"))
    place.put(f"{folder}/copy.png", pretend.photograph("bob", note="copy", picture=f"('bob',){folder} 1"))
    place.put(f"{folder}/broken.png", pretend.photograph("ada", note=folder, broken="truncated"))
    place.put(f"{folder}/text.png", b"not a picture at all")
    place.put(f"{folder}/empty.png", b"")
    return place.photos / folder


def contents(product: Countenance) -> dict[str, Any]:
    """Everything that was found, without the numbers that a run gives."""
    queries = {
        "appearances": "SELECT a.address, a.page, hex(i.digest), i.width, a.vanished_at IS NULL, count(s.id) "
        "FROM appearances a JOIN images i ON i.id = a.image_id LEFT JOIN sightings s ON s.appearance_id = a.id "
        "GROUP BY a.id, i.id ORDER BY a.address, a.page",
        "faces": "SELECT hex(i.digest), f.n, f.x, f.w, f.floor, f.crop IS NULL FROM faces f "
        "JOIN images i ON i.id = f.image_id ORDER BY 1, 2",
        "images": "SELECT hex(digest), hex(pdq), width, format FROM images ORDER BY 1",
        "skips": "SELECT address, reason FROM skips ORDER BY address",
    }
    with product.database.read() as c:
        found: dict[str, Any] = {name: [_shortened(row) for row in c.exec_driver_sql(q)] for name, q in queries.items()}
        ids = list(
            c.exec_driver_sql(
                "SELECT f.id, hex(i.digest), f.n FROM faces f JOIN images i ON i.id = f.image_id WHERE f.floor IS NULL"
            )
        )
        pictures: dict[int, list[str]] = {}
        for digest, picture in c.exec_driver_sql("SELECT hex(digest), picture_id FROM images ORDER BY 1"):
            pictures.setdefault(picture, []).append(digest)
        tags = Counter(c.exec_driver_sql("SELECT value FROM vector_attributes WHERE name = 'source'").scalars())
    found["pictures"] = sorted(pictures.values())
    found["tags"] = tags
    index = product.engine.index
    assert sorted(index.ids()) == sorted(row[0] for row in ids), "the index and the rows hold the same faces"
    vectors = index.vectors([row[0] for row in ids])
    turned = product.engine.rotation.unrotate(vectors)
    found["templates"] = {(row[1], row[2]): vector for row, vector in zip(ids, turned, strict=True)}
    crops = {path.name: path.read_bytes() for path in (product.home / "blobs").glob("??/*")}
    found["crops"] = sorted(crops.values())
    return found


def _shortened(row: Any) -> tuple[Any, ...]:
    """Without the part of an address that every test has for itself."""
    return tuple(x.rpartition("/photos")[2] if isinstance(x, str) else x for x in row)


def assert_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    """The same contents, whatever ids, keys and names the home gave them. Templates to what float16 keeps."""
    for name in expected.keys() - {"templates"}:
        assert found[name] == expected[name], name
    assert found["templates"].keys() == expected["templates"].keys()
    for face, vector in found["templates"].items():
        assert float(vector @ expected["templates"][face]) > 0.9999


def sound(product: Countenance) -> None:
    assert product.engine.index.verify() == []
    product.ledger_verify()
