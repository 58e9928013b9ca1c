"""An organisation's people: invented logins, private addresses, some desks behind a proxy that sees into no TLS."""

from __future__ import annotations

import random
from collections.abc import Sequence

from tools.proxysim.traffic import Person

AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 "
    "Edg/131.0.0.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 "
    "Safari/605.1.15",
)
WORDS = ("amber", "birch", "cobalt", "dune", "ember", "fjord", "garnet", "heron", "iris", "juniper", "kestrel", "larch")


def organisation(rng: random.Random, count: int, *, inspected: float, terminals: int = 0) -> tuple[Person, ...]:
    """`count` people, that share of them behind inspection, and `terminals` shared desks with two people at each.

    A shared desk has one address, and nobody signs in there. Desks behind inspection use proxy `a`, the others `b`,
    so that one file is of one kind, as it is in life.
    """
    numbers = rng.sample(range(100, 10_000), count)
    seen = set(rng.sample(range(count), round(count * inspected)))
    people = []
    for place, number in enumerate(numbers):
        login = f"u{number:04}" if number % 4 else f"{WORDS[number % 12]}{number % 90 + 10}x{place}"
        proxy = "a" if place in seen else "b"
        address = f"10.{10 if proxy == 'a' else 20}.{place // 200}.{place % 200 + 10}"
        people.append(Person(login, address, rng.choice(AGENTS), proxy, place in seen))
    for desk in range(terminals):
        proxy = "b" if desk % 2 else "a"
        for who in (1, 2):
            people.append(
                Person(
                    f"desk{desk}-{who}",
                    f"10.30.0.{desk + 10}",
                    AGENTS[desk % len(AGENTS)],
                    proxy,
                    proxy == "a",
                    signs_in=False,
                    shared=True,
                )
            )
    return tuple(people)


def at_desks(people: Sequence[Person]) -> tuple[Person, ...]:
    """Those who have a desk of their own."""
    return tuple(person for person in people if not person.shared)
