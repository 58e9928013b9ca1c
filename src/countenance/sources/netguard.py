"""Nothing private is fetched: which addresses are public, and who may be connected to.

Three lines of defence, each enough by itself for most mistakes in the others:

1. an address written in a page or a redirect is judged before anything is looked up (`Guard.judge`);
2. a name is resolved here, every address it has must be public, and the connection goes to those very addresses
   (`Guard.targets`), so a name that changes its mind between check and connection gains nothing;
3. in the process that fetches, every connection of every library passes `Guard.watch_sockets`.

The ranges are those of the IANA special-purpose address registries (RFC 6890 and its updates), kept here because a
newer or older Python's opinion of `is_global` must not decide it.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from countenance.domain.errors import FetchFailed, PrivateAddress
from countenance.sources.addresses import Address, BadAddress, parse_allowed

_NOT_PUBLIC_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers' own (RFC 6598)
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's own control address, though it looks public
        "169.254.0.0/16",  # link-local, where clouds keep their metadata
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved and broadcast
    )
)
_PUBLIC_6 = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: carries any IPv4 address inside
        "2620:4f:8000::/48",
        "3fff::/20",  # documentation
    )
)
_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")

Resolve = Callable[[str, int], Sequence[str]]


def is_public(address: str | Address) -> bool:
    """Whether anyone on the internet would reach the same machine under it. An IPv4 address carried in an IPv6 one
    (mapped, NAT64) counts as itself; 6to4, Teredo, zones and whatever is no address are not public."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in _NOT_PUBLIC_4)
    if ip.scope_id is not None:
        return False
    if ip in _MAPPED or ip in _NAT64:
        return is_public(IPv4Address(int(ip) & 0xFFFFFFFF))
    return ip in _PUBLIC_6 and not any(ip in network for network in _NOT_PUBLIC_6)


def system_resolver(host: str, port: int) -> list[str]:
    """The addresses of a name as the operating system knows them. Raises OSError."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def table_resolver(table: Mapping[str, Sequence[str]], otherwise: Resolve = system_resolver) -> Resolve:
    """A resolver that looks into `table` first."""

    def resolve(host: str, port: int) -> Sequence[str]:
        return table[host] if host in table else otherwise(host, port)

    return resolve


class Guard:
    """Decides whom a fetch may connect to.

    `allow` holds exact HOST:PORTs that may be private. The name is what counts: allowing 127.0.0.1:8080 allows no
    other name that happens to resolve to it.
    """

    def __init__(self, allow: Iterable[str] = (), resolve: Resolve = system_resolver) -> None:
        """Raises BadAddress when one of `allow` is not an exact HOST:PORT."""
        self._allow = frozenset(parse_allowed(text) for text in allow)
        self._resolve = resolve
        self._granted: set[tuple[str, int]] = set()

    def judge(self, host: str, port: int) -> None:
        """Refuse an IP address, in any spelling, that is not public. A name passes; `targets` judges what it means.

        Raises PrivateAddress, and BadAddress for a host that cannot be.
        """
        name, _ = parse_allowed(f"[{host.strip('[]')}]:{port}" if ":" in host else f"{host}:{port}")
        literal = _literal(name)
        if literal is not None and not is_public(literal) and (name, port) not in self._allow:
            raise _refusal(host, port)

    def targets(self, host: str, port: int) -> list[str]:
        """The addresses that may be connected to for this host, all of them checked. Looks the name up, so it blocks.

        Raises PrivateAddress when any of them is not public: a name with one private address is up to something.
        Raises FetchFailed when there is none.
        """
        try:
            name, _ = parse_allowed(f"[{host.strip('[]')}]:{port}" if ":" in host else f"{host}:{port}")
        except BadAddress:
            raise _refusal(host, port) from None
        literal = _literal(name)
        try:
            found = [str(literal)] if literal is not None else list(dict.fromkeys(self._resolve(name, port)))
        except (OSError, UnicodeError):
            found = []
        if not found:
            raise FetchFailed(f"no address is known for {host}", advice="Check the name and the network.")
        if (name, port) not in self._allow and not all(is_public(address) for address in found):
            raise _refusal(host, port)
        self._granted.update((address, port) for address in found)
        return found

    def may_connect(self, address: str, port: int) -> bool:
        """Whether this socket address is public or was granted by `targets`."""
        return is_public(address) or (address, port) in self._granted

    def watch_sockets(self) -> None:
        """From now on, for the life of this process, no socket connects elsewhere. It cannot be undone, so this is for
        a process that does nothing but fetch. Connections inside the machine (Unix sockets) are left alone."""

        def hook(event: str, args: tuple[Any, ...]) -> None:
            if event in {"socket.connect", "socket.sendto", "socket.sendmsg"} and isinstance(args[1], tuple):
                address, port = str(args[1][0]), int(args[1][1])
                if not self.may_connect(address, port):
                    raise _refusal(address, port)

        sys.addaudithook(hook)


def _literal(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name.strip("[]"))
    except ValueError:
        return None


def _refusal(host: str, port: int) -> PrivateAddress:
    return PrivateAddress(
        f"{host}:{port} is not a public address",
        advice="If it is meant to be read, name it: --allow-private HOST:PORT.",
    )
