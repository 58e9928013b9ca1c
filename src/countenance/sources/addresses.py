"""Web addresses in one normal spelling, so that a rule about a host is not evaded by writing it differently."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit, urlunsplit

PORTS = {"http": 80, "https": 443}
MAX_URL = 8_000
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")

Address = IPv4Address | IPv6Address


class BadAddress(ValueError):
    """Not an http or https address with a host that can be named exactly."""


@dataclass(frozen=True, slots=True)
class Place:
    """An address and where it leads. `host` is lower-case ASCII, IPv6 in brackets; `literal` is set when the host is an
    IP address in any spelling, and then `host` is its usual one. `explicit_port` tells whether a port was written."""

    url: str
    scheme: str
    host: str
    port: int
    explicit_port: bool
    literal: Address | None

    @property
    def netloc(self) -> str:
        """HOST:PORT, always with the port: what a source registers and what `--allow-private` names."""
        return f"{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.netloc}"


def place(url: str, base: str | None = None) -> Place:
    """Resolve against `base` and normalise. The fragment and any user name are dropped. Raises BadAddress."""
    # As browsers do (WHATWG URL): surrounding blanks and inner line breaks and tabs do not count.
    text = re.sub(r"[\t\r\n]", "", url.strip("".join(map(chr, range(0x21)))))
    if len(text) > MAX_URL:
        raise BadAddress("longer than any real address")
    try:
        parts = urlsplit(urljoin(base, text) if base else text)
        port = parts.port
    except ValueError:
        raise BadAddress("malformed") from None
    scheme = parts.scheme.lower()
    if scheme not in PORTS:
        raise BadAddress("neither http nor https")
    # A backslash is a slash to a browser and a part of the user name to others: refused instead of guessed.
    if "\\" in parts.netloc or not parts.hostname:
        raise BadAddress("no host")
    if port == 0:
        raise BadAddress("no such port")
    host, literal = _host(parts.hostname)
    number = port or PORTS[scheme]
    netloc = host if number == PORTS[scheme] else f"{host}:{number}"
    path = _quoted(parts.path) or "/"
    clean = urlunsplit((scheme, netloc, path, _quoted(parts.query), ""))
    return Place(clean, scheme, host, number, port is not None, literal)


def start_addresses(location: str) -> list[Place]:
    """The addresses of a website's location, separated by blanks or commas. Raises BadAddress when there is none."""
    places = [place(text) for text in re.split(r"[\s,]+", location) if text]
    if not places:
        raise BadAddress("nothing given")
    return places


def registered_hosts(places: list[Place]) -> frozenset[str]:
    """HOST:PORT of each. Where no port was written, http and https of that name are one site."""
    hosts = {p.netloc for p in places}
    hosts |= {f"{p.host}:{number}" for p in places if not p.explicit_port for number in PORTS.values()}
    return frozenset(hosts)


def parse_allowed(text: str) -> tuple[str, int]:
    """An exact HOST:PORT, host normalised. Raises BadAddress for anything wider: a wildcard, a range, no port."""
    host, colon, port = text.strip().rpartition(":")
    if not colon or not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        raise BadAddress(text)
    return _host(host.strip("[]") if host.startswith("[") and host.endswith("]") else host)[0], int(port)


def _host(name: str) -> tuple[str, Address | None]:
    """The host in its usual spelling and, when it is an IP address, that address."""
    name = unicodedata.normalize("NFKC", unquote_to_bytes(name).decode("utf-8", "replace")).lower()
    if ":" in name:
        try:
            address = ip_address(name)
        except ValueError:
            raise BadAddress("a malformed IPv6 address") from None
        if isinstance(address, IPv6Address) and address.scope_id is not None:
            raise BadAddress("an address with a zone")
        return f"[{address.compressed}]", address
    name = name.replace("。", ".").removesuffix(".")
    number = _ipv4(name)
    if number is not None:
        return str(number), number
    try:
        ascii_name = name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError:
        raise BadAddress("a host name that cannot be") from None
    if len(ascii_name) > 253 or not all(_LABEL.fullmatch(part) for part in ascii_name.split(".")):
        raise BadAddress("a host name that cannot be")
    return ascii_name, None


def _ipv4(name: str) -> IPv4Address | None:
    """What `inet_aton` makes of it: decimal, octal and hexadecimal, one to four parts (127.1, 0x7f000001).

    None when the last part is not a number, and so a name; BadAddress when it is a number that is no address.
    """
    parts = name.split(".")
    if not re.fullmatch(r"[0-9]+|0x[0-9a-f]*", parts[-1]):
        return None
    if len(parts) > 4:
        raise BadAddress("a malformed IPv4 address")
    values = [_ipv4_part(part) for part in parts]
    last = values.pop()
    if any(value > 255 for value in values) or last >= 256 ** (4 - len(values)):
        raise BadAddress("a malformed IPv4 address")
    return IPv4Address(sum(value << (24 - 8 * at) for at, value in enumerate(values)) + last)


def _ipv4_part(part: str) -> int:
    try:
        if len(part) > 20 or not part:
            raise ValueError
        if part.startswith("0x"):
            return int(part[2:] or "0", 16)
        return int(part, 8) if part.startswith("0") and part != "0" else int(part)
    except ValueError:
        raise BadAddress("a malformed IPv4 address") from None


def _quoted(text: str) -> str:
    """Percent-encode what may not stand in an address; what is encoded already stays."""
    return quote(text.encode("utf-8", "surrogateescape"), safe="%/:;=@!$&'()*+,?~-._|")
