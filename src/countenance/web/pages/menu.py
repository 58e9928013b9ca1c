"""The menu: what whoever is signed in may see, in one line."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

FLAT = 8
"""So many stand beside each other; more are put into groups that open."""


@dataclass(frozen=True, slots=True)
class Item:
    """A page of the menu, for whoever may do its act."""

    address: str
    name: str
    act: str

    def is_at(self, path: str) -> bool:
        """Whether that is where somebody is."""
        return path == self.address or path.startswith(f"{self.address}/")


@dataclass(frozen=True, slots=True)
class Group:
    """One place in the line: a page, or several under one name."""

    name: str
    items: tuple[Item, ...]

    def is_at(self, path: str) -> bool:
        """Whether somebody is at one of them."""
        return any(item.is_at(path) for item in self.items)


MENU = (
    Group("Search", (Item("/search", "Search", "search"),)),
    Group("Sources", (Item("/sources", "Sources", "sources:read"),)),
    Group(
        "Authority",
        (Item("/requests", "Requests", "authorities:read"), Item("/authorities", "Authorities", "authorities:read")),
    ),
    Group("Judging", (Item("/review", "Review", "reviews:judge"), Item("/reviews", "Reviews", "reviews:read"))),
    Group(
        "Records",
        (
            Item("/oversight", "Oversight", "oversight:read"),
            Item("/inspections", "Inspections", "inspections:read"),
            Item("/subject", "Subject access", "subject"),
            Item("/retention", "Retention", "retention:read"),
            Item("/ledger", "Ledger", "ledger:read"),
            Item("/proxylog", "Proxy logs", "proxylog:read"),
        ),
    ),
    Group("Accounts", (Item("/accounts", "Accounts", "accounts:read"), Item("/tokens", "Tokens", "tokens"))),
)


def menu(acts: AbstractSet[str]) -> list[Group]:
    """The menu of whoever may do these acts."""
    found = [Group(one.name, tuple(item for item in one.items if item.act in acts)) for one in MENU]
    if sum(len(group.items) for group in found) <= FLAT:
        return [Group(item.name, (item,)) for group in found for item in group.items]
    return [group for group in found if group.items]
