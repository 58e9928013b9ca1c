"""Time-stamps of a checkpoint by an authority that knows nothing else of the ledger (RFC 3161).

A stamp says that the checkpoint, and so every entry under it, was there at a time; the operator's clock has no part in
it. Asking and checking need the extra ``timestamps``; the verifier of bundles does without. To check the stamp in a
bundle::

    python -m countenance.ledger.timestamp BUNDLE --certificates FILE.pem

It checks what is stamped; that this belongs to the ledger is for ``countenance.ledger.verify``.
"""

from __future__ import annotations

import argparse
import http.client
import sys
import urllib.parse
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from countenance.domain.errors import FetchFailed, KeyTrouble, LedgerBroken, Unavailable
from countenance.ledger import checkpoint, manifest
from countenance.ledger.container import Reader

SECONDS = 30
_MOST = 1 << 16


def _client() -> Any:
    try:
        import rfc3161_client
    except ImportError:
        raise Unavailable(
            "time-stamps need a package that is not installed", advice="Run: pip install 'countenance[timestamps]'"
        ) from None
    return rfc3161_client


def ask(url: str, text: str) -> tuple[bytes, datetime]:
    """A time-stamp (DER, the whole answer) of `text` from the authority at `url`, and the time that it states.

    Raises FetchFailed when none comes, or one of something else; who signed it is for `check`.
    """
    client = _client()
    builder = client.TimestampRequestBuilder().data(text.encode())
    asked = builder.nonce(nonce=True).cert_request(cert_request=True).build()
    raw = _post(url, asked.as_bytes())
    try:
        answer = client.decode_timestamp_response(raw)
        about = answer.tst_info
        fits = about.message_imprint.message == asked.message_imprint.message and about.nonce == asked.nonce
    except ValueError as error:
        raise FetchFailed(f"the time-stamping service gave no stamp: {error}", advice="Ask its keeper.") from None
    if not fits:
        raise FetchFailed("the time-stamping service stamped something else", advice="Do not use it.")
    return raw, about.gen_time


def check(stamp: bytes, text: str, certificates: bytes) -> datetime:
    """The time at which `text` was stamped, by an authority that leads to one of `certificates` (PEM): roots are those
    that have signed themselves.

    Raises LedgerBroken when the stamp is not that, KeyTrouble when there is no root among the certificates.
    """
    client = _client()
    try:
        given = x509.load_pem_x509_certificates(certificates)
    except ValueError:
        given = []
    builder, roots = client.VerifierBuilder(roots=[], intermediates=[]), 0
    for one in given:
        if one.issuer == one.subject:
            builder, roots = builder.add_root_certificate(one), roots + 1
        else:
            builder = builder.add_intermediate_certificate(one)
    if not roots:
        raise KeyTrouble("no root certificate of a time-stamping service", advice="Give its chain as one PEM file.")
    try:
        answer = client.decode_timestamp_response(stamp)
        builder.build().verify_message(answer, text.encode())
    except (ValueError, client.VerificationError) as error:
        raise LedgerBroken(f"the time-stamp does not verify: {error}") from None
    at = answer.tst_info.gen_time
    assert isinstance(at, datetime)
    return at


def _post(url: str, body: bytes) -> bytes:
    parts = urllib.parse.urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection = kind(parts.hostname or "", parts.port, timeout=SECONDS)
        try:
            connection.request("POST", path, body, {"Content-Type": "application/timestamp-query"})
            answer = connection.getresponse()
            raw = answer.read(_MOST + 1)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise FetchFailed(
            f"the time-stamping service cannot be reached: {error}", advice="See `ledger.tsa_url`, then try again."
        ) from None
    if answer.status != 200 or len(raw) > _MOST:
        raise FetchFailed(f"the time-stamping service answered with {answer.status}", advice="Ask its keeper.")
    return raw


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit status, as that of the verifier."""
    parser = argparse.ArgumentParser(
        prog="python -m countenance.ledger.timestamp", description="Check the time-stamp in an exported ledger."
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--certificates", type=Path, required=True, metavar="PEM", help="the authority's chain")
    given = parser.parse_args(arguments)
    try:
        trusted = given.certificates.read_bytes()
        with given.bundle.open("rb") as file:
            reader = Reader(file, manifest.MEMBERS, manifest.OPTIONAL)
            if manifest.TIMESTAMP not in reader.members:
                raise LedgerBroken("there is no time-stamp in this bundle")
            text = reader.read(manifest.STAMPED, _MOST)
            stamp = reader.read(manifest.TIMESTAMP, _MOST)
        head = checkpoint.parse(text).head
        at = check(stamp, text.decode(), trusted)
    except LedgerBroken as error:
        sys.stdout.write(f"DOES NOT VERIFY: {error.message}\n")
        return 1
    except (OSError, KeyTrouble, Unavailable) as error:
        sys.stderr.write(f"cannot be checked: {error}\n")
        return 2
    sys.stdout.write(f"stamped at {at.isoformat()}: the first {head.size} entries of {head.origin}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
