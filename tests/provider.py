"""An identity provider on loopback, in a process of its own: OpenID Connect as it is spoken, with PKCE insisted on.

Run as a program it prints its address, and a line for each code that it gave for a right verifier.
"""

from __future__ import annotations

import base64
import hashlib
import sys
import warnings
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs


class Insisting:
    """Remembers the challenge of each authorisation, and gives tokens for its verifier alone (RFC 7636, S256)."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self.app = app
        self.challenges: set[str] = set()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/oauth2/authorize":
            asked = parse_qs(environ["QUERY_STRING"])
            if asked.get("code_challenge_method") != ["S256"]:
                start("400 Bad Request", [("Content-Type", "text/plain")])
                return [b"no PKCE"]
            self.challenges.update(asked["code_challenge"])
        if path == "/oauth2/token":
            import io

            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(body)
            verifier = parse_qs(body.decode()).get("code_verifier", [""])[0]
            raw = hashlib.sha256(verifier.encode()).digest()
            if base64.urlsafe_b64encode(raw).decode().rstrip("=") not in self.challenges:
                start("400 Bad Request", [("Content-Type", "application/json")])
                return [b'{"error": "invalid_grant"}']
            print("verified", flush=True)
        return self.app(environ, start)


def main() -> None:
    """Serve until the process is ended."""
    warnings.simplefilter("ignore")
    import logging

    from oidc_provider_mock import app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, Insisting(app(require_nonce=True)), threaded=True)
    print(f"http://127.0.0.1:{server.port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
