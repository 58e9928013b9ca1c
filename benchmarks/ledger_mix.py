"""Entries like those of a year of use, for measuring the ledger: their kinds, lengths and sealed parts, seeded.

Of a hundred entries about thirty begin a look-up, twenty-eight say what it showed (none to twenty candidates, three on
average, each sealed under a key of its own), fifteen tell of a picture that was opened, ten of a verdict, twelve of
somebody who signed in or out, and the rest of authorities, refusals, disclosures and runs. What stands in them is made
up.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from countenance.ledger import seal
from countenance.ledger.draft import Draft

KINDS = {
    "search.started": 30,
    "search.shown": 28,
    "picture.opened": 15,
    "verdict.given": 10,
    "session.opened": 12,
    "authority.granted": 2,
    "authority.refused": 1,
    "search.disclosed": 1,
    "ingest.ended": 1,
}


def drafts(count: int, seed: int = 1) -> Iterator[Draft]:
    """`count` entries to be appended, the same for the same seed (but for the ciphertexts)."""
    chance = random.Random(seed)
    kinds = chance.choices(list(KINDS), list(KINDS.values()), k=count)
    for kind in kinds:
        yield draft(kind, chance)


def draft(kind: str, chance: random.Random) -> Draft:
    """One entry of a kind."""

    def word(length: int) -> str:
        return f"{chance.getrandbits(4 * length):0{length}x}"

    actor = {"authenticated": f"account:{chance.randrange(80):04d}", "stated": None}
    body: dict[str, object] = {"via": chance.choice(["page", "page", "page", "api", "command"])}
    sealed: dict[str, object] = {}
    if kind == "search.started":
        body |= {
            "search": word(24),
            "authority": word(16),
            "self_approved": False,
            "use": chance.randrange(1, 40),
            "collections": ["archive", "press"][: chance.randrange(1, 3)],
            "photographs": [word(64)],
            "faces": 1,
            "item": f"probe:{word(24)}",
        }
    elif kind == "search.shown":
        sightings = [chance.randrange(1, 4_000_000) for _ in range(min(20, int(chance.expovariate(0.33))))]
        body |= {
            "search": word(24),
            "authority": word(16),
            "self_approved": False,
            "demo": False,
            "started": chance.randrange(1_000_000),
            "pack": "open",
            "faces": 1_204_113,
            "people": 310_204,
            "min_likeness": 0.2,
            "reliable": len(sightings) > 2,
            "truncated": False,
            "groups": [[f"sighting:{n}"] for n in sightings],
        }
        sealed = {
            f"sighting:{n}": {
                "rank": rank,
                "likeness": round(chance.uniform(0.2, 0.7), 6),
                "expected_strangers": {"low": 0.0004, "value": 0.0011, "high": 0.0032},
                "source": "archive",
                "page": f"https://archive.example/{word(12)}/{word(8)}.html",
                "image": f"https://archive.example/{word(12)}/{word(8)}.jpeg",
                "box": [chance.randrange(900) for _ in range(4)],
            }
            for rank, n in enumerate(sightings, 1)
        }
    elif kind == "picture.opened":
        n = chance.randrange(1, 4_000_000)
        body |= {"search": word(24), "sighting": f"sighting:{n}"}
        page = f"https://archive.example/{word(12)}/{word(8)}.html"
        sealed = {f"sighting:{n}": {"page": page, "image": page.replace("html", "jpeg")}}
    elif kind == "verdict.given":
        body |= {"search": word(24), "sighting": f"sighting:{chance.randrange(4_000_000)}", "verdict": "different"}
        sealed = {f"note:{word(12)}": {"reason": "another shape of the ears, and older than this picture can be"}}
    elif kind == "session.opened":
        body |= {"session": word(16), "by": "passkey"}
    elif kind == "authority.granted":
        body |= {"authority": word(16), "basis": "contract", "case": f"PD-{chance.randrange(10_000)}", "uses": 40}
        sealed = {f"authority:{word(16)}": {"purpose": "who stands beside the minister in the picture of the ninth"}}
    elif kind == "search.disclosed":
        body |= {"search": word(24), "recipient": "picture desk", "sightings": [f"sighting:{word(6)}"]}
        sealed = {f"note:{word(12)}": {"purpose": "for the caption"}}
    else:
        body |= {"authority": word(16), "reason": "expired", "collections": ["archive"]}
    items = [seal.seal(seal.ItemKey(item, seal_key(chance)), kind.encode(), value) for item, value in sealed.items()]
    return Draft(kind, actor, body, items)


def seal_key(chance: random.Random) -> bytes:
    """A key that protects nothing: these entries are made up."""
    return chance.randbytes(32)
