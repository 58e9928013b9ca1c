"""Passkeys (WebAuthn level 3): a key pair in a device, unlocked by a finger or a PIN, for this server's name alone.

A passkey is asked to verify the person, so it counts as two factors and needs no password beside it.
"""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass
from typing import Any

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from countenance.domain.errors import NotSignedIn


@dataclass(frozen=True, slots=True)
class Site:
    """For whom a passkey is: the server's name (the relying party's id) and the origin of its pages."""

    name: str
    origin: str


def site_of(origin: str) -> Site | None:
    """The site of an origin; None where browsers make no passkeys: under a bare address, or without TLS elsewhere."""
    scheme, _, rest = origin.partition("://")
    host = rest.rsplit(":", 1)[0] if not rest.endswith("]") else rest
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return Site(host, origin) if scheme == "https" or host == "localhost" else None
    return None


def to_register(site: Site, account: str, name: str, there: list[str]) -> tuple[dict[str, Any], bytes]:
    """What the browser is asked in order to make a passkey, and the challenge to compare its answer with."""
    options = webauthn.generate_registration_options(
        rp_id=site.name,
        rp_name="Countenance",
        user_id=account.encode(),
        user_name=name,
        exclude_credentials=[PublicKeyCredentialDescriptor(base64url_to_bytes(id)) for id in there],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
    )
    return json.loads(webauthn.options_to_json(options)), options.challenge


def registered(site: Site, challenge: bytes, answer: dict[str, Any]) -> tuple[str, str, int]:
    """The new passkey: id and public key in base64url, and its counter. Raises NotSignedIn for a wrong answer."""
    try:
        found = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.name,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise _wrong() from None
    id, key = bytes_to_base64url(found.credential_id), bytes_to_base64url(found.credential_public_key)
    return id, key, found.sign_count


def to_sign_in(site: Site) -> tuple[dict[str, Any], bytes]:
    """What the browser is asked for signing in, whoever it is, and the challenge."""
    options = webauthn.generate_authentication_options(
        rp_id=site.name, user_verification=UserVerificationRequirement.REQUIRED
    )
    return json.loads(webauthn.options_to_json(options)), options.challenge


def signed(site: Site, challenge: bytes, answer: dict[str, Any], public_key: str, counter: int) -> int:
    """The new counter, when the passkey signed the challenge. Raises NotSignedIn."""
    try:
        found = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.name,
            expected_origin=site.origin,
            credential_public_key=base64url_to_bytes(public_key),
            credential_current_sign_count=counter,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise _wrong() from None
    return found.new_sign_count


def _wrong() -> NotSignedIn:
    return NotSignedIn("this passkey does not open this account", advice="try again, or sign in another way")
