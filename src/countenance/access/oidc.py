"""Signing in through an identity provider: OpenID Connect, authorisation code with PKCE (RFC 7636, S256).

What comes back is a subject, which opens the account that somebody linked to it and no other: the provider makes
neither accounts nor roles.
"""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import parse_qs

from countenance.domain.errors import NotSignedIn, Refused, Unavailable
from countenance.settings import OidcSettings

SECONDS = 10.0
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
"""Signatures with a public key: never `none`, never one under the client's own secret."""


def begin(settings: OidcSettings, back: str) -> tuple[str, dict[str, Any]]:
    """Where the browser goes, and what it has to bring back with the answer. Raises Unavailable, Refused."""
    client, known = _client(settings, back)
    verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
    with client:
        address, state = client.create_authorization_url(
            known["authorization_endpoint"], code_verifier=verifier, nonce=nonce
        )
    return address, {"state": state, "verifier": verifier, "nonce": nonce}


def finish(settings: OidcSettings, back: str, query: str, pending: dict[str, Any]) -> str:
    """The provider's subject for whoever came back with this query. Raises NotSignedIn, Unavailable, Refused."""
    said = {name: values[0] for name, values in parse_qs(query).items()}
    if not secrets.compare_digest(said.get("state", ""), pending["state"]):
        raise NotSignedIn("this answer is to another question", advice="begin again")
    if said.get("iss", settings.issuer) != settings.issuer:
        raise NotSignedIn("this answer is another provider's", advice="begin again")
    if "code" not in said:
        raise NotSignedIn("the provider did not sign you in", advice="begin again, or sign in with a password")
    from authlib.integrations.base_client.errors import OAuthError
    from httpx import HTTPError

    client, known = _client(settings, back)
    try:
        with client:
            token = client.fetch_token(known["token_endpoint"], code=said["code"], code_verifier=pending["verifier"])
            keys = client.get(known["jwks_uri"], withhold_token=True).raise_for_status().json()
    except OAuthError:
        raise NotSignedIn("the provider does not stand by its answer", advice="begin again") from None
    except (HTTPError, ValueError):
        raise _silent(settings) from None
    return _subject(settings, token.get("id_token", ""), keys, pending["nonce"])


def _subject(settings: OidcSettings, token: str, keys: Any, nonce: str) -> str:
    """The subject of an ID token that this provider signed for us, just now, in answer to this nonce."""
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    rules = jwt.JWTClaimsRegistry(
        leeway=60,
        iss={"essential": True, "value": str(settings.issuer)},
        aud={"essential": True, "value": settings.client_id},
        nonce={"essential": True, "value": nonce},
        exp={"essential": True},
        sub={"essential": True},
    )
    try:
        found = jwt.decode(token, KeySet.import_key_set(keys), algorithms=ALGORITHMS)
        rules.validate(found.claims)
    except (JoseError, ValueError, KeyError, TypeError):
        raise NotSignedIn("the provider's answer is not signed as it should be", advice="begin again") from None
    audience = found.claims["aud"]
    if isinstance(audience, list) and len(audience) > 1 and found.claims.get("azp") != settings.client_id:
        raise NotSignedIn("the provider's answer is for somebody else", advice="begin again")
    return str(found.claims["sub"])


def _client(settings: OidcSettings, back: str) -> tuple[Any, dict[str, Any]]:
    """An HTTP client that speaks OAuth, and what the provider says of itself (OpenID Connect Discovery 1.0)."""
    try:
        from authlib.integrations.httpx_client import OAuth2Client
        from httpx import HTTPError
    except ImportError:
        raise Refused(
            "signing in through a provider needs an extra", advice="install countenance with the extra `oidc`"
        ) from None
    secret = settings.client_secret.get_secret_value() if settings.client_secret else None
    client = OAuth2Client(
        settings.client_id,
        secret,
        scope="openid",
        redirect_uri=back,
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_basic" if secret else "none",
        timeout=SECONDS,
    )
    issuer = str(settings.issuer).rstrip("/")
    try:
        answer = client.get(f"{issuer}/.well-known/openid-configuration", withhold_token=True)
        known: dict[str, Any] = answer.raise_for_status().json()
    except (HTTPError, ValueError):
        client.close()
        raise _silent(settings) from None
    if known.get("issuer") != settings.issuer:
        client.close()
        raise Refused("the provider calls itself by another name", advice="mend oidc.issuer in the settings")
    return client, known


def _silent(settings: OidcSettings) -> Unavailable:
    return Unavailable("the identity provider does not answer", advice="try again, or sign in with a password")
