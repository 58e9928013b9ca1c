"""Every error that Countenance raises on purpose, in one tree.

::

    CountenanceError
    ├── BadInput                     exit 2   what was given cannot be used
    │   ├── UnreadableImage          a picture that is not decoded, with a `reason` code
    │   ├── NoFace                   a probe without a usable face
    │   ├── SeveralFaces             exit 3   a probe with several, and none was chosen
    │   ├── UnknownThing             exit 2   no such source, authority, sighting …
    │   └── AlreadyThere             exit 2   a name that is taken
    ├── Refused                      exit 4   a rule says no
    │   ├── NoAuthority              unknown, expired, revoked, spent or not covering
    │   ├── NotRegistered            a place that is no registered source, or one that has expired
    │   ├── PrivateAddress           a fetch towards an address that is not public
    │   ├── NotSignedIn              no token, link or browser session that is good
    │   │   └── SecondFactorNeeded   a password that is right and not enough
    │   ├── TooManyAttempts          signing in failed too often; wait
    │   ├── ScopeMissing             a token that does not reach this far
    │   ├── RoleMissing              a person whose roles do not reach this far
    │   ├── PermitMisused            a look-up that its permit does not allow
    │   └── OnHold                   a legal hold keeps what was to be destroyed
    ├── Unavailable                  exit 5   try again, or mend the machine
    │   ├── Busy                     a lock that somebody else holds
    │   ├── LedgerUnavailable        an entry could not be made durable: no receipt, no result
    │   └── FetchFailed              a download that did not arrive
    └── Broken                       exit 6   the home or a part of it is not sound
        ├── WeightsRefused           missing or altered model weights, or a pack that is not valid
        ├── KeyTrouble               a missing, wrong or unreadable key
        ├── NewerHome                a home written by a newer version
        ├── LedgerBroken             a ledger that does not verify
        └── IndexBroken              vectors and rows that do not agree

`message` is for the log and for people alike; `advice` says what to do about it. Neither ever holds a
probe's address, a template or a face. `code` is stable and appears in JSON and in problem details.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class CountenanceError(Exception):
    """The root of the tree.

    `details` holds JSON values that a program can act on; it becomes part of the error object that
    `--json` prints and of the HTTP problem details.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500

    def __init__(self, message: str, *, advice: str = "", details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.details: dict[str, Any] = dict(details or {})

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors cross from worker processes whole, whatever their constructors take.
        return _restored, (type(self), self.args, self.__dict__)

    def as_json(self) -> dict[str, Any]:
        """The object under `error` in JSON output: code, message, advice and details."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.advice:
            body["advice"] = self.advice
        return body | self.details


def _restored(kind: type[CountenanceError], args: tuple[Any, ...], state: dict[str, Any]) -> CountenanceError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class BadInput(CountenanceError):
    """What was given cannot be used."""

    code = "bad-input"
    exit_code = 2
    http_status = 422


class UnreadableImage(BadInput):
    """A picture that is not decoded.

    `reason` is one of :data:`IMAGE_REASONS`, the same words that count under `skipped` in a run.
    """

    code = "unreadable-image"

    def __init__(self, reason: str, message: str = "", *, advice: str = "") -> None:
        if reason not in IMAGE_REASONS:
            raise ValueError(f"not a reason: {reason}")
        super().__init__(message or IMAGE_REASONS[reason], advice=advice, details={"reason": reason})
        self.reason = reason


IMAGE_REASONS: Mapping[str, str] = {
    "empty": "the file is empty",
    "not-an-image": "the content is not a picture of a known format",
    "unsupported": "the format is known but its decoder is not installed",
    "truncated": "the picture ends before it is complete",
    "corrupt": "the picture is damaged",
    "too-many-bytes": "the file is larger than the limit on bytes",
    "too-many-pixels": "the picture has more pixels than the limit",
    "too-many-frames": "the file has more frames than the limit",
    "too-small": "the picture is too small to hold a face",
    "too-slow": "decoding took longer than the limit on time",
    "out-of-memory": "decoding needed more memory than the limit",
    "fifo": "a named pipe is not read",
    "socket": "a socket is not read",
    "device": "a device is not read",
    "folder": "a folder is not a picture",
    "symlink": "a symbolic link is not followed",
    "vanished": "the file is not there any more",
    "permission": "the file may not be read by this user",
    "unreadable": "the file could not be read",
}
"""Why a picture was not decoded."""


class NoFace(BadInput):
    """No usable face was found in a probe."""

    code = "no-face"


class SeveralFaces(BadInput):
    """A probe holds several usable faces and none was chosen; `details["faces"]` numbers them by size."""

    code = "several-faces"
    exit_code = 3


class UnknownThing(BadInput):
    """There is no such source, collection, authority, sighting, search or pack."""

    code = "unknown"
    http_status = 404


class AlreadyThere(BadInput):
    """The name is taken."""

    code = "already-there"
    http_status = 409


class Refused(CountenanceError):
    """A rule says no."""

    code = "refused"
    exit_code = 4
    http_status = 403


class NoAuthority(Refused):
    """No live authority covers the act; `details["reason"]` says why: unknown, expired, revoked, spent …"""

    code = "no-authority"


class NotRegistered(Refused):
    """The place is not a registered, unexpired source."""

    code = "not-registered"


class PrivateAddress(Refused):
    """A fetch towards an address that is not public and that the source does not name."""

    code = "private-address"


class NotSignedIn(Refused):
    """No good token, link or browser session came with the request."""

    code = "not-signed-in"
    http_status = 401


class SecondFactorNeeded(NotSignedIn):
    """The password is right, and a code of the authenticator or a recovery code is needed too."""

    code = "second-factor-needed"


class TooManyAttempts(Refused):
    """Signing in failed too often; `details["seconds"]` says how long to wait."""

    code = "too-many-attempts"
    http_status = 429


class RoleMissing(Refused):
    """Whoever asks has no role that may do this; `details["act"]` names what was asked for."""

    code = "role-missing"


class ScopeMissing(Refused):
    """The token is good, but was not made for this; `details["scope"]` names what is missing."""

    code = "scope-missing"


class PermitMisused(Refused):
    """A look-up that its permit does not allow: used already, or other probes or collections than permitted."""

    code = "permit-misused"


class OnHold(Refused):
    """A legal hold keeps what was to be destroyed; `details["holds"]` names it, and `details["pending"]` the erasure
    that waits for it to end."""

    code = "held"
    http_status = 409


class Unavailable(CountenanceError):
    """Try again, or mend the machine first."""

    code = "unavailable"
    exit_code = 5
    http_status = 503


class Busy(Unavailable):
    """Somebody else holds the lock."""

    code = "busy"
    http_status = 409


class LedgerUnavailable(Unavailable):
    """An entry could not be made durable, so nothing is shown."""

    code = "ledger-unavailable"


class FetchFailed(Unavailable):
    """A download did not arrive."""

    code = "fetch-failed"


class Broken(CountenanceError):
    """The home, or a part of it, is not sound."""

    code = "broken"
    exit_code = 6


class WeightsRefused(Broken):
    """Model weights that are missing or altered, or a pack that is not valid."""

    code = "weights-refused"


class KeyTrouble(Broken):
    """A key that is missing, wrong or unreadable."""

    code = "key-trouble"


class NewerHome(Broken):
    """The home was written by a newer version."""

    code = "newer-home"


class LedgerBroken(Broken):
    """The ledger does not verify."""

    code = "ledger-broken"


class IndexBroken(Broken):
    """Vectors and rows do not agree."""

    code = "index-broken"
