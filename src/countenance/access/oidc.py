"""Signing in through an identity provider: OpenID Connect, authorisation code with PKCE (RFC 7636, S256).

What comes back is a subject, which opens the account that somebody linked to it and no other: the provider makes
neither accounts nor roles.
"""

from __future__ import annotations

import secrets
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote_plus

from countenance.domain.errors import NotSignedIn, Refused, Unavailable
from countenance.settings import OidcSettings

if TYPE_CHECKING:
    import httpx

SECONDS = 10.0
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
"""Signatures with a public key: never `none`, never one under the client's own secret."""


def begin(settings: OidcSettings, back: str) -> tuple[str, dict[str, Any]]:
    """Where the browser goes, and what it has to bring back with the answer. Raises Unavailable, Refused."""
    _installed()
    from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    with _client() as client:
        known = _described(settings, client)
    state, nonce, verifier = (secrets.token_urlsafe(length) for length in (24, 24, 48))
    address = prepare_grant_uri(
        known["authorization_endpoint"],
        client_id=settings.client_id,
        response_type="code",
        redirect_uri=back,
        scope="openid",
        state=state,
        nonce=nonce,
        code_challenge=create_s256_code_challenge(verifier),
        code_challenge_method="S256",
    )
    return str(address), {"state": state, "verifier": verifier, "nonce": nonce}


def finish(settings: OidcSettings, back: str, query: str, pending: dict[str, Any]) -> str:
    """The provider's subject for whoever came back with this query. Raises NotSignedIn, Unavailable, Refused."""
    _installed()
    from httpx import BasicAuth, HTTPError

    said = {name: values[0] for name, values in parse_qs(query).items()}
    if not secrets.compare_digest(said.get("state", "").encode(), pending["state"].encode()):
        raise NotSignedIn("this answer is to another question", advice="begin again")
    if said.get("iss", settings.issuer) != settings.issuer:
        raise NotSignedIn("this answer is another provider's", advice="begin again")
    if "code" not in said:
        raise NotSignedIn("the provider did not sign you in", advice="begin again, or sign in with a password")
    asked = {
        "grant_type": "authorization_code",
        "code": said["code"],
        "redirect_uri": back,
        "code_verifier": pending["verifier"],
        "client_id": settings.client_id,
    }
    secret = settings.client_secret.get_secret_value() if settings.client_secret else None
    try:
        with _client() as client:
            known = _described(settings, client)
            keys = client.get(known["jwks_uri"]).raise_for_status().json()
            # By HTTP Basic, which every provider takes (RFC 6749 section 2.3.1); each part is form-encoded first.
            if secret is not None:
                client.auth = BasicAuth(quote_plus(settings.client_id), quote_plus(secret))
            answer = client.post(known["token_endpoint"], data=asked)
            if answer.status_code in (400, 401, 403):
                raise NotSignedIn("the provider does not stand by its answer", advice="begin again")
            token = answer.raise_for_status().json()["id_token"]
    except (HTTPError, ValueError, KeyError, TypeError):
        raise _silent() from None
    return _subject(settings, str(token), keys, pending["nonce"])


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


def _installed() -> None:
    if not all(find_spec(name) for name in ("authlib", "httpx", "joserfc")):
        raise Refused(
            "signing in through a provider needs an extra", advice="install countenance with the extra `oidc`"
        )


def _client() -> httpx.Client:
    import httpx

    return httpx.Client(timeout=SECONDS, headers={"Accept": "application/json"})


def _described(settings: OidcSettings, client: httpx.Client) -> dict[str, Any]:
    """What the provider says of itself (OpenID Connect Discovery 1.0)."""
    from httpx import HTTPError

    try:
        answer = client.get(f"{str(settings.issuer).rstrip('/')}/.well-known/openid-configuration")
        known: dict[str, Any] = answer.raise_for_status().json()
        whole = {name: str(known[name]) for name in ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")}
    except (HTTPError, ValueError, KeyError, TypeError):
        raise _silent() from None
    if whole["issuer"] != settings.issuer:
        raise Refused("the provider calls itself by another name", advice="mend oidc.issuer in the settings")
    return whole


def _silent() -> Unavailable:
    return Unavailable("the identity provider does not answer", advice="try again, or sign in with a password")
