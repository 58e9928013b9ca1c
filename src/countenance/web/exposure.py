"""How far a server may be reached: this machine, or others once people sign in and nobody listens on the way."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from countenance.app import Countenance
from countenance.domain.errors import BadInput, Refused
from countenance.web.security import host_name, is_loopback


@dataclass(frozen=True, slots=True)
class Way:
    """How the server is reached: by TLS of its own, through a proxy that speaks it, or on this machine alone."""

    host: str
    tls_cert: Path | None = None
    tls_key: Path | None = None
    proxy: str | None = None
    public_host: str | None = None

    @property
    def tls(self) -> bool:
        """Whether the server itself speaks TLS."""
        return self.tls_cert is not None

    def links(self, app: Countenance) -> bool:
        """Whether the one-time link opens a session: to one person, on this machine."""
        return is_loopback(self.host) and self.proxy is None and not app.people.profile.two_people


def check(app: Countenance, way: Way) -> None:
    """Raises Refused with what is missing, BadInput for what cannot be meant."""
    beyond = not is_loopback(way.host) or way.proxy is not None
    if (way.tls_cert is None) != (way.tls_key is None):
        raise BadInput("TLS needs a certificate and its key", advice="give --tls-cert and --tls-key")
    if way.proxy is not None:
        try:
            ipaddress.ip_address(way.proxy)
        except ValueError:
            raise BadInput(
                f"{way.proxy} is not the address of a proxy", advice="--behind-proxy takes an IP address, not a name"
            ) from None
    if way.public_host is not None and host_name(way.public_host) != way.public_host.lower():
        raise BadInput(f"{way.public_host} is not the name of a host", advice="for instance faces.example.org")
    has_administrator = any("administrator" in a.roles and not a.disabled for a in app.people.accounts())
    if (beyond or app.people.profile.two_people) and not has_administrator:
        raise Refused(
            "nobody could sign in: there is no administrator's account",
            advice="on this machine: countenance user add NAME --role administrator"
            + ("; or reach it on 127.0.0.1 through `ssh -L`" if beyond else ""),
        )
    if not beyond:
        return
    if not way.tls and way.proxy is None:
        raise Refused(
            f"passwords and photographs would go to {way.host} in the clear",
            advice="give --tls-cert and --tls-key, or --behind-proxy ADDRESS; or stay on 127.0.0.1 and use `ssh -L`",
        )
    if way.public_host is None:
        raise Refused(
            "the server does not know under which name people reach it",
            advice="say it: --public-host faces.example.org",
        )
    if way.tls_cert is not None:
        _check_certificate(way.tls_cert, way.tls_key)


def _check_certificate(cert: Path, key: Path | None) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password="")
    except (OSError, ValueError) as error:
        raise BadInput(
            f"the certificate or its key cannot be used: {getattr(error, 'strerror', None) or error}",
            advice="both are PEM files; the key has no password",
        ) from None
