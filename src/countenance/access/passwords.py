"""Passwords: kept as argon2id, long rather than complicated, and none that everybody uses.

Parameters: OWASP Password Storage Cheat Sheet (19 MiB, two passes, one lane). Rules: NIST SP 800-63B-4, section 3.1.1
(15 characters alone, 8 beside a second factor; no composition rules, no expiry; compared with what is common, expected
or known to have leaked; Unicode is normalised first).
"""

from __future__ import annotations

import hashlib
import threading
import unicodedata
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from countenance.domain.errors import BadInput, Unavailable

ALONE = 15
"""Fewest characters of a password that stands alone."""

WITH_FACTOR = 8
"""Fewest characters beside an authenticator."""

MOST = 256
GUESSES = 10**8
"""Fewer guesses than this (as zxcvbn estimates them) find a password too soon."""

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_at_once = threading.BoundedSemaphore(4)
"""19 MiB each: so many strangers at the door take no more memory than this."""


def hashed(password: str) -> str:
    """The argon2id string of a password that was checked."""
    with _at_once:
        return _hasher.hash(_normal(password))


def verify(kept: str | None, password: str) -> bool:
    """Whether this is the password. With nothing kept it takes as long, so that no answer tells who exists."""
    if len(password) > MOST:
        return False
    with _at_once:
        try:
            return _hasher.verify(kept or _nobody(), _normal(password)) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def check(password: str, *, second_factor: bool, own_words: tuple[str, ...] = (), breached: Path | None = None) -> None:
    """Whether a new password will do. `own_words` are what somebody would guess first, such as the account's name.

    `breached` is a file of upper-case SHA-1 digests, one a line (further columns after a colon), in order, as *Have I
    Been Pwned* gives it out. Raises BadInput with the reason, Unavailable when that file cannot be read.
    """
    password = _normal(password)
    least = WITH_FACTOR if second_factor else ALONE
    if len(password) < least:
        raise BadInput(
            f"a password has at least {least} characters"
            + ("" if second_factor else " while no authenticator is used"),
            advice="several words that have nothing to do with each other are easy to keep in mind",
        )
    if len(password) > MOST:
        raise BadInput(f"a password has at most {MOST} characters", advice="a shorter one will do")
    if _is_common(password, own_words):
        raise BadInput(
            "this password is one of those that are tried first",
            advice="choose one that is in no list: several words that have nothing to do with each other",
        )
    if breached is not None and _in_file(hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest(), breached):
        raise BadInput("this password has leaked elsewhere", advice="choose one that you have never used")


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


@cache
def _nobody() -> str:
    return _hasher.hash("nobody's")


def _is_common(password: str, own_words: tuple[str, ...]) -> bool:
    # The lists of zxcvbn hold what was leaked most; its estimate finds repetitions, rows of keys and dates as well.
    from zxcvbn import zxcvbn

    words = [part for word in ("countenance", *own_words) for part in (word, *word.replace("@", " ").split())]
    return bool(zxcvbn(password[:72], user_inputs=words)["guesses"] < GUESSES)


def _in_file(digest: str, file: Path) -> bool:
    """By halves, in a file of some forty gigabytes."""
    wanted = digest.upper().encode()
    try:
        with file.open("rb") as lines:

            def first_from(offset: int) -> bytes:
                """The digest of the first line that begins at `offset` or after it."""
                lines.seek(max(0, offset - 1))
                if offset:
                    lines.readline()
                return lines.readline().strip().split(b":")[0].upper()

            low, high = 0, lines.seek(0, 2)
            while low < high:
                middle = (low + high) // 2
                found = first_from(middle)
                if found and found < wanted:
                    low = middle + 1
                else:
                    high = middle
            return first_from(low) == wanted
    except OSError as error:
        raise Unavailable(
            f"the list of leaked passwords cannot be read: {error.strerror}", advice="mend people.breached_passwords"
        ) from None
