"""How long to wait after signing in failed: nothing at first, then twice as long each time.

Failures are counted for each account, for each browser that an account was used in before, and for each address. A
known browser has a count of its own and is judged by that alone: a stranger who fails on purpose locks out strangers.
"""

from __future__ import annotations

import ipaddress
from datetime import timedelta

FREE = {"account": 5, "device": 10, "address": 20}
"""How often it may fail before one has to wait."""

FIRST = timedelta(seconds=30)
LONGEST = timedelta(minutes=15)


def wait(kind: str, failures: int) -> timedelta:
    """How long no further attempt is taken after so many failures."""
    over = failures - FREE[kind]
    return timedelta(0) if over < 0 else min(FIRST * 2 ** min(over, 10), LONGEST)


def address_key(address: str) -> str:
    """Under which an address is counted: of IPv6 the first 64 bits, since one customer has all the rest."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "address:unknown"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            return f"address:{ipaddress.ip_network((found, 64), strict=False)}"
        found = found.ipv4_mapped
    return f"address:{found}"
