"""No address that is not public is connected to, in whatever way it is written or found."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countenance.domain.errors import FetchFailed, PrivateAddress
from countenance.sources.addresses import BadAddress, parse_allowed, place, registered_hosts, start_addresses
from countenance.sources.netguard import Guard, is_public, table_resolver

PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "192.0.1.1", "172.32.0.1", "100.128.0.1", "223.255.255.255"]
PUBLIC += ["2606:4700::1111", "2a00:1450:4001:800::200e", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808"]
PRIVATE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "168.63.129.16",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::808:808",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::",
    "2001:0:7f00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1111%1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "4000::1",
]
LOOPBACK = [
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0X7F.1",
    "017700000001",
    "0177.0.0.1",
    "0x7f.0.0.0x1",
    "%31%32%37.0.0.1",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "１２７.0.0.1",
    "someone@127.0.0.1",
    "a:b@127.0.0.1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_not_public(address: str) -> None:
    assert not is_public(address)


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_never_more_public_than_the_standard_library_says(address: IPv4Address | IPv6Address) -> None:
    if not address.is_global or address.is_multicast:
        embedded = int(address) & 0xFFFFFFFF
        carried = str(address).startswith(("::ffff:", "64:ff9b::")) and IPv4Address(embedded).is_global
        assert not is_public(address) or carried


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_counts_as_itself(address: IPv4Address) -> None:
    for inside in (f"::ffff:{address}", f"64:ff9b::{address}"):
        assert is_public(inside) == is_public(address)
    assert not is_public(IPv6Address((0x2002 << 112) | int(address) << 80))
    assert not is_public(f"::{address}")


@given(st.ip_addresses(v=4), st.data())
def test_every_spelling_of_an_ipv4_address_is_that_address(address: IPv4Address, data: st.DataObject) -> None:
    value = int(address)
    parts = data.draw(st.integers(1, 4))
    numbers = [value >> (24 - 8 * at) & 0xFF for at in range(parts - 1)]
    numbers.append(value & (2 ** (8 * (5 - parts)) - 1))
    spelling = ".".join(data.draw(st.sampled_from([str(n), hex(n), f"0{n:o}", hex(n).upper()])) for n in numbers)
    dot = data.draw(st.sampled_from(["", "."]))
    target = place(f"http://{spelling}{dot}:81/")
    assert target.literal == address
    assert target.netloc == f"{address}:81"


@given(st.text(max_size=40))
def test_any_host_is_judged_or_refused(text: str) -> None:
    """Whatever is written, the host that was judged is the one that is in the address."""
    try:
        target = place(f"http://{text}/x")
    except BadAddress:
        return
    assert target.url.isascii()
    again = place(target.url)
    assert (again.url, again.netloc, again.literal) == (target.url, target.netloc, target.literal)


@pytest.mark.parametrize("host", LOOPBACK)
def test_spellings_of_loopback(host: str) -> None:
    target = place(f"http://{host}:8080/")
    assert target.netloc == "127.0.0.1:8080"
    assert target.url == "http://127.0.0.1:8080/"
    with pytest.raises(PrivateAddress):
        Guard().judge(target.host, target.port)
    with pytest.raises(PrivateAddress):
        Guard(["127.0.0.1:8081"]).judge(target.host, target.port)
    Guard(["127.0.0.1:8080"]).judge(target.host, target.port)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://1.1.1.1/",
        "gopher://1.1.1.1",
        "data:image/png;base64,AA",
        "s3://bucket/key",
        "//host/",
        "http:///",
        "http://:80",
        "http://[::1%25lo]/",
        "http://[fe80::1%eth0]/",
        "http://256.1.1.1/",
        "http://1.2.3.4.5/",
        "http://08.1/",
        "http://0x100000000/",
        "http://a..b/",
        "http://exa<mple.org/",
        "http://a%00b/",
        "http://-a.org/",
        "http://example.org:99999/",
        "http://example.org:0/",
        "http://1.1.1.1\\@127.0.0.1/",
        "http://[1.2.3.4]/",
        "http://[::ffff:1.2.3.4.5]/",
        "javascript:alert(1)",
        "http://" + "a" * 70 + ".org/",
        "http://a b/",
        "http://x/" + "y" * 9000,
    ],
)
def test_what_is_no_web_address(url: str) -> None:
    with pytest.raises(BadAddress):
        place(url)


def test_addresses_get_one_spelling() -> None:
    assert place("HTTP://User:Pw@EXAMPLE.org.:80/a b?q=ä#top").url == "http://example.org/a%20b?q=%C3%A4"
    assert place("https://bücher.example").url == "https://xn--bcher-kva.example/"
    assert place("//b.example/x\n", "https://a.example/").url == "https://b.example/x"
    assert place("http://[2001:DB8:0::1]:81/").netloc == "[2001:db8::1]:81"
    assert place(" \tpage%2Fx?a=%41 ", "http://a.example/dir/").url == "http://a.example/dir/page%2Fx?a=%41"


def test_registered_hosts_are_exact() -> None:
    assert registered_hosts(start_addresses("http://a.example:81/x, https://b.example")) == {
        "a.example:81",
        "b.example:80",
        "b.example:443",
    }


@pytest.mark.parametrize(
    "text", ["*:80", "10.0.0.0/8:80", "host", "host:", "host:0", "host:70000", "host:80-90", ":80", ""]
)
def test_only_an_exact_host_and_port_can_be_allowed(text: str) -> None:
    with pytest.raises(BadAddress):
        parse_allowed(text)


def resolving(*addresses: str) -> tuple[Guard, list[str]]:
    asked: list[str] = []

    def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return addresses

    return Guard(["127.0.0.1:80", "named.example:80"], resolve), asked


def test_a_name_is_judged_by_all_its_addresses_and_looked_up_once() -> None:
    guard, asked = resolving("8.8.8.8", "2606:4700::1111", "8.8.8.8")
    assert guard.targets("Public.example.", 80) == ["8.8.8.8", "2606:4700::1111"]
    assert asked == ["public.example"]
    assert guard.may_connect("8.8.8.8", 80)
    for addresses in (["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["2606:4700::1111", "::1"], ["fe80::1%eth0"]):
        guard, _ = resolving(*addresses)
        with pytest.raises(PrivateAddress):
            guard.targets("rebound.example", 80)
        assert not guard.may_connect(addresses[-1], 80)


def test_allowing_an_address_allows_no_name_and_no_other_port() -> None:
    guard, asked = resolving("127.0.0.1")
    with pytest.raises(PrivateAddress):
        guard.targets("other.example", 80)
    assert guard.targets("named.example", 80) == ["127.0.0.1"]
    with pytest.raises(PrivateAddress):
        guard.targets("named.example", 81)
    asked.clear()
    assert guard.targets("127.0.0.1", 80) == ["127.0.0.1"]
    assert guard.targets("0x7f.1", 80) == ["127.0.0.1"]
    with pytest.raises(PrivateAddress):
        guard.targets("127.0.0.1", 81)
    with pytest.raises(PrivateAddress):
        guard.targets("bad host", 80)
    assert asked == []


def test_a_name_without_an_address() -> None:
    guard = Guard(resolve=table_resolver({"empty.example": ()}))
    with pytest.raises(FetchFailed):
        guard.targets("empty.example", 80)

    def failing(host: str, port: int) -> Sequence[str]:
        raise OSError("no network")

    with pytest.raises(FetchFailed):
        Guard(resolve=failing).targets("a.example", 80)


def test_a_watched_process_connects_nowhere_private_by_any_library() -> None:
    """The watch cannot be taken off again, so it is tried in a process of its own."""
    script = """
import socket, threading, urllib.request
from countenance.domain.errors import PrivateAddress
from countenance.sources.netguard import Guard
listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
ports = [each.getsockname()[1] for each in listening]
guard = Guard([f"127.0.0.1:{ports[0]}"])
guard.watch_sockets()
def refused(act):
    try:
        act()
    except PrivateAddress:
        return True
    except OSError:
        return False
    return False
datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for port in ports:
    assert refused(lambda: socket.create_connection(("127.0.0.1", port)))
assert refused(lambda: urllib.request.urlopen(f"http://127.0.0.1:{ports[1]}/"))
assert refused(lambda: socket.socket().connect_ex(("169.254.169.254", 80)))
assert refused(lambda: socket.socket(socket.AF_INET6).connect(("::ffff:127.0.0.1", ports[1])))
assert refused(lambda: datagram.sendto(b"x", ("127.0.0.1", 53)))
guard.targets("127.0.0.1", ports[0])
socket.create_connection(("127.0.0.1", ports[0])).close()
assert refused(lambda: socket.create_connection(("127.0.0.1", ports[1])))
print("watched")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30)
    assert done.stdout == "watched\n", done.stderr


def test_the_literal_of_an_address_is_what_the_standard_library_reads() -> None:
    assert place("http://[::FFFF:127.0.0.1]/").literal == ip_address("::ffff:127.0.0.1")
