"""Who the server answers beyond this machine: by TLS or through one stated proxy, and only where people sign in."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from countenance.domain.errors import BadInput, Refused
from countenance.services.people import system_actor
from countenance.web.exposure import Way, check
from tests.places import Place
from tests.teams import PASSWORD, Team, organisation, team_at

NAME = "faces.example.org"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Chain and key of a name, signed by itself."""
    folder, key = tmp_path_factory.mktemp("tls"), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain, secret = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return chain, secret


@pytest.fixture
def team(place: Place) -> Team:
    return team_at(place)


def test_what_is_missing_is_said(team: Team, certificate: tuple[Path, Path], tmp_path: Path) -> None:
    cert, key = certificate
    app = team.product
    for way, kind, words in (
        (Way("0.0.0.0"), Refused, "--tls-cert"),
        (Way("192.0.2.1"), Refused, "ssh -L"),
        (Way("0.0.0.0", cert), BadInput, "--tls-key"),
        (Way("0.0.0.0", cert, key), Refused, "--public-host"),
        (Way("0.0.0.0", proxy="192.0.2.7"), Refused, "--public-host"),
        (Way("0.0.0.0", proxy="proxy.example.org", public_host=NAME), BadInput, "IP address"),
        (Way("127.0.0.1", public_host="https://x"), BadInput, "for instance"),
        (Way("0.0.0.0", key, cert, public_host=NAME), BadInput, "PEM"),
        (Way("0.0.0.0", tmp_path / "gone", key, public_host=NAME), BadInput, "PEM"),
    ):
        with pytest.raises(kind) as caught:
            check(app, way)
        assert words in caught.value.advice, way
    check(app, Way("0.0.0.0", cert, key, public_host=NAME))
    check(app, Way("127.0.0.1", proxy="127.0.0.1", public_host=NAME))
    check(app, Way("127.0.0.1"))


def test_nobody_is_served_where_nobody_can_sign_in(place: Place, certificate: tuple[Path, Path]) -> None:
    app = place.open()
    for way in (Way("0.0.0.0", *certificate, public_host=NAME), Way("127.0.0.1", proxy="127.0.0.1", public_host=NAME)):
        with pytest.raises(Refused, match="nobody could sign in"):
            check(app, way)
    check(app, Way("127.0.0.1"))
    app.people.add("me", [], system_actor("command"))
    check(app, Way("0.0.0.0", *certificate, public_host=NAME))
    assert Way("127.0.0.1").links(app)
    assert not Way("0.0.0.0", *certificate).links(app)
    assert not Way("127.0.0.1", proxy="127.0.0.1").links(app)


def test_an_organisation_needs_its_administrator_on_loopback_too(place: Place) -> None:
    app = place.open(making=organisation())
    with pytest.raises(Refused, match="administrator"):
        check(app, Way("127.0.0.1"))


@contextmanager
def serving(place: Place, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command, and what it printed first."""
    process = place.start("serve", "--port", "0", "--offline", *words)
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def answer_over_tls(port: int, cert: Path, host: str = NAME) -> str:
    """One GET by TLS, whose certificate is checked against the name."""
    context = ssl.create_default_context(cafile=str(cert))
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=NAME) as secure,
    ):
        secure.sendall(f"GET /sign-in HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: secure.recv(65536), b"")).decode()


def test_by_tls(place: Place, certificate: tuple[Path, Path]) -> None:
    team_at(place).product.close()
    place.opened.clear()
    cert, key = certificate
    words = ("--host", "0.0.0.0", "--tls-cert", str(cert), "--tls-key", str(key), "--public-host", NAME)
    with serving(place, *words) as (process, said):
        assert said.startswith(f"https://{NAME}:"), said
        assert said.endswith("/sign-in")
        port = int(said.split(":")[2].split("/")[0])
        answer = answer_over_tls(port, cert)
        assert answer.startswith("HTTP/1.1 200")
        assert "strict-transport-security: max-age=31536000" in answer.lower()
        assert answer_over_tls(port, cert, "elsewhere.example").startswith("HTTP/1.1 421")
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://127.0.0.1:{port}/sign-in")
        process.terminate()
        _, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        assert "Traceback" not in err


def test_behind_a_proxy(place: Place) -> None:
    """The test is the proxy. Others, and a proxy that says nothing of TLS, are turned away."""
    team_at(place).product.close()
    place.opened.clear()
    with serving(place, "--behind-proxy", "127.0.0.1", "--public-host", NAME) as (_, said):
        assert said == f"https://{NAME}/sign-in"
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ("--host", "127.0.0.1", "--behind-proxy", "127.0.0.1", "--public-host", NAME)
    process = place.start("serve", "--port", str(port), "--offline", *words)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        through = {"Host": NAME, "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9, 198.51.100.7"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=through) as proxy:
            assert proxy.get("/sign-in").status_code == 200
            assert proxy.get("/sign-in", headers={"X-Forwarded-Proto": "http"}).status_code == 403
            assert proxy.get("/sign-in", headers={"Host": "elsewhere.example"}).status_code == 421
            given = {"name": "requester", "password": PASSWORD}
            assert proxy.post("/sign-in", json=given, headers={"Origin": f"http://{NAME}"}).status_code == 403
            answer = proxy.post("/sign-in", json=given, headers={"Origin": f"https://{NAME}"})
            assert answer.status_code == 204
            assert answer.headers["set-cookie"].count("Secure") == 2
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Host": NAME}) as bare:
            assert bare.get("/sign-in").status_code == 403
    finally:
        process.kill()
        process.communicate()


def test_another_address_than_the_proxys_is_turned_away(place: Place) -> None:
    team_at(place).product.close()
    place.opened.clear()
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ("--host", "127.0.0.1", "--behind-proxy", "127.0.0.2", "--public-host", NAME)
    process = place.start("serve", "--port", str(port), "--offline", *words)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        headers = {"Host": NAME, "X-Forwarded-Proto": "https", "X-Forwarded-For": "127.0.0.2"}
        assert httpx.get(f"http://127.0.0.1:{port}/sign-in", headers=headers).status_code == 403
        way = httpx.HTTPTransport(local_address="127.0.0.2")
        with httpx.Client(transport=way, headers=headers) as proxy:
            assert proxy.get(f"http://127.0.0.1:{port}/sign-in").status_code == 200
    finally:
        process.kill()
        process.communicate()


def test_an_organisation_prints_no_link(place: Place) -> None:
    team = team_at(place)
    with serving(place) as (_, said):
        assert said.startswith("http://127.0.0.1:")
        assert said.endswith("/sign-in")
        with httpx.Client(base_url=said.removesuffix("/sign-in"), headers={"Accept": "text/html"}) as browser:
            for path in ("/", "/search", "/enter", "/account"):
                assert browser.get(path).headers["location"] == "/sign-in", path
    assert team.product.people.profile.two_people
