"""The crawl itself: nothing private is fetched, nothing is fetched through a proxy, nothing is fetched unasked."""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Crawling = Callable[..., Any]
NewSite = Callable[..., Any]

SPELLINGS = [
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "017700000001",
    "0177.0.0.1",
    "%31%32%37.0.0.1",
    "%E2%91%A0%E2%91%A1%E2%91%A6.0.0.1",
    "public.example@127.0.0.1",
    "0.0.0.0",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "169.254.169.254",
    "10.0.0.1",
    "192.168.0.1",
    "100.64.0.1",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[ff02::1]",
]


def test_a_redirect_to_a_private_address_is_refused_in_each_spelling(new_site: NewSite, crawl: Crawling) -> None:
    site, trap = new_site(), new_site()
    trap.picture("/", "/secret.jpg")
    targets = [f"http://{host}:{trap.port}/secret.jpg" for host in SPELLINGS]
    targets += [f"//127.0.0.1:{trap.port}/secret.jpg", "http://169.254.169.254/latest/meta-data/"]
    for at, target in enumerate(targets):
        site.redirect(f"/r{at}.jpg", target, status=(301, 302, 303, 307, 308)[at % 5])
        site.redirect(f"/page{at}", target)
    site.redirect("/file.jpg", "file:///etc/passwd")
    site.redirect("/ftp.jpg", "ftp://127.0.0.1/")
    site.redirect("/backslash.jpg", f"http://127.0.0.1:{trap.port}\\@{site.netloc}/")
    site.redirect("/zone.jpg", "http://[fe80::1%25eth0]/")
    site.redirect("/name.jpg", f"http://localhost:{trap.port}/secret.jpg")
    bad = ["file", "ftp", "backslash", "zone", "name"]
    site.html(
        "/",
        "".join(f'<img src="/r{at}.jpg"><a href="/page{at}">x</a>' for at in range(len(targets)))
        + "".join(f'<img src="/{name}.jpg">' for name in bad)
        + "".join(f'<img src="{target}">' for target in targets),
    )
    result = crawl(site)
    assert trap.asked == []
    assert result.found == []
    for at, target in enumerate(targets):
        assert (result.skipped[f"/r{at}.jpg"], target) == ("private-address", target)
        assert (result.skipped[f"/page{at}"], target) == ("private-address", target)
    assert [result.skipped[f"/{name}.jpg"] for name in bad] == ["bad-address"] * 4 + ["outside-hosts"]
    assert set(result.skipped.values()) == {"private-address", "bad-address", "outside-hosts"}


def test_a_name_that_leads_to_a_private_address_is_refused(site: Any, crawl: Crawling) -> None:
    site.html("/", '<img src="/a.jpg">')
    site.picture("/a.jpg")

    def visit(addresses: tuple[str, ...], *allow: str) -> Any:
        return crawl(f"http://name.example:{site.port}/", allow=allow, resolve=(("name.example", addresses),))

    refused = visit(("127.0.0.1",))
    assert site.asked == []
    assert list(refused.skipped.values()) == ["private-address"]
    # Allowing the address does not allow the name, and one public address does not excuse a private one.
    visit(("127.0.0.1",), site.netloc)
    visit(("93.184.216.34", "127.0.0.1"))
    assert site.asked == []
    assert visit(("127.0.0.1",), f"name.example:{site.port}").images == ["/a.jpg"]


def test_proxies_in_the_environment_are_ignored(
    new_site: NewSite, crawl: Crawling, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, proxy = new_site(), new_site()
    site.html("/", '<img src="/a.jpg">')
    site.picture("/a.jpg")
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    monkeypatch.setenv("no_proxy", "")
    assert crawl(site, allow=(site.netloc, proxy.netloc)).images == ["/a.jpg"]
    assert proxy.asked == []


def test_nothing_is_fetched_looked_up_or_listened_to_but_what_was_asked(
    site: Any, crawl: Crawling, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No library brings in a list of its own, no console listens: every socket of the crawl's process is noted."""
    notes = tmp_path / "notes"
    watch = tmp_path / "watch"
    watch.mkdir()
    (watch / "sitecustomize.py").write_text(
        f"""
import sys
def hook(event, args):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        with open({str(notes)!r}, "a") as file:
            file.write(event + " " + repr(args[1:] if event.startswith(("socket.c", "socket.b")) else args) + "\\n")
sys.addaudithook(hook)
"""
    )
    monkeypatch.setenv("PYTHONPATH", str(watch), prepend=os.pathsep)
    site.html("/", '<img src="/a.jpg"><a href="http://example.org/">x</a>', Set_Cookie="a=b; Domain=example.co.uk")
    site.picture("/a.jpg")
    assert crawl(site).images == ["/a.jpg"]
    assert set(notes.read_text().splitlines()) == {f"socket.connect (('127.0.0.1', {site.port}),)"}


def test_the_crawl_watches_the_sockets_of_its_whole_process(
    new_site: NewSite, crawl: Crawling, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part that connects past the resolver is put into the crawl's process; it does not get through."""
    site, trap = new_site(), new_site()
    site.html("/", '<img src="/a.jpg">')
    site.picture("/a.jpg")
    (tmp_path / "sitecustomize.py").write_text(
        f"""
import socket, sys, threading
tried = []
def attempt():
    try:
        socket.create_connection(("127.0.0.1", {trap.port}))
        outcome = "connected"
    except Exception as error:
        outcome = type(error).__name__
    with open({str(tmp_path / "outcome")!r}, "w") as file:
        file.write(outcome)
def hook(event, args):
    if event == "socket.connect" and not tried:
        tried.append(1)
        thread = threading.Thread(target=attempt)
        thread.start()
        thread.join()
sys.addaudithook(hook)
"""
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    assert crawl(site).images == ["/a.jpg"]
    assert (tmp_path / "outcome").read_text() == "PrivateAddress"


def certificate(folder: Path, address: str) -> tuple[ssl.SSLContext, Path]:
    """A certificate of its own making, and the file that makes it trusted."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / f"{address}.crt", folder / f"{address}.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, public


def test_certificates_are_verified(
    new_site: NewSite, crawl: Crawling, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, trusted = certificate(tmp_path, "127.0.0.1")
    wrong_context, wrong = certificate(tmp_path, "192.0.2.1")
    site, other = new_site(context), new_site(wrong_context)
    for each in (site, other):
        each.html("/", '<img src="/a.jpg">')
        each.picture("/a.jpg")
    assert crawl(site).found == []
    assert site.asked == []
    both = tmp_path / "both.crt"
    both.write_bytes(trusted.read_bytes() + wrong.read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(both))
    result = crawl(site, other)
    assert result.images == ["/a.jpg"]
    assert other.asked == []
