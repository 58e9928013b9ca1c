"""Options that many commands share, and the opening of the home they name."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from countenance.domain.errors import BadInput

if TYPE_CHECKING:
    from countenance.app import Countenance
    from countenance.cli.output import Reply
    from countenance.domain.authority import Actor
    from countenance.domain.people import Profile
    from countenance.faces.packs import PackManifest
    from countenance.faces.weights import WeightsState

Home = Annotated[
    Path | None,
    typer.Option("--home", envvar="COUNTENANCE_HOME", help="Folder of the home.", show_envvar=True),
]
KeyDir = Annotated[
    Path | None,
    typer.Option("--key-dir", envvar="COUNTENANCE_KEY_DIR", help="Folder of the keys, outside the home."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
Offline = Annotated[bool, typer.Option("--offline", help="Never fetch model weights.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

_SPAN = re.compile(r"(\d{1,6})\s*([smhdwy])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}


@contextmanager
def opened(
    home: Path | None, key_dir: Path | None, *, act: str | None, making: Profile | None = None, **options: Any
) -> Iterator[Countenance]:
    """The product on a home, closed again at the end of the command.

    `act` (of `access.roles`) is what the command does: whoever may not do it is refused here. None is for what only
    looks at the machine. `making` is the profile of a home that is made now.
    """
    from countenance.app import open_home
    from countenance.settings import load_settings

    with open_home(settings=load_settings(home, key_dir=key_dir, **options), making=making) as countenance:
        _say_what_was_finished(countenance)
        if act is not None:
            _admit(countenance, act)
        _say_what_was_restored(countenance)
        yield countenance


def _say_what_was_restored(countenance: Countenance) -> None:
    from contextlib import suppress

    from countenance.domain.errors import LedgerBroken
    from countenance.services.recovery import used_lately

    with suppress(LedgerBroken):
        if (used := used_lately(countenance.people)) is not None:
            sys.stderr.write(f"The recovery secrets were used on {used:%Y-%m-%d}: an administrator was restored.\n")


def _admit(countenance: Countenance, act: str) -> None:
    from countenance.app import system_actor
    from countenance.domain.errors import LedgerBroken

    try:
        countenance.people.admit(system_actor("command"), act)
    except LedgerBroken:
        # Roles stand in the ledger. One that is broken gives none, and may be looked at by whoever holds its files.
        if act != "ledger:read":
            raise


def _say_what_was_finished(countenance: Countenance) -> None:
    """An erasure that was cut off is completed at the opening: people are told, and programs in `status`."""
    finished = countenance.finished
    if finished.erasures and not finished.pending:
        sys.stderr.write("An erasure that was cut off has been completed.\n")
    for place in finished.pending:
        sys.stderr.write(f"Not purged yet: {place}\n")


def actor(countenance: Countenance, stated: str | None = None) -> Actor:
    """Whoever is at the command line: the account to which the operating system's user is linked, or that user."""
    from countenance.app import system_actor

    return countenance.people.known(system_actor("command", stated))


def content(file: Path) -> bytes:
    """The bytes of a file that was named. Raises BadInput."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadInput(f"it cannot be read: {file}: {error.strerror}") from None


def span(text: str) -> timedelta:
    """A length of time such as 90d, 12h or 1y. Raises BadInput."""
    found = _SPAN.fullmatch(text.strip())
    if not found:
        raise BadInput(f"not a length of time: {text}", advice="write it as 30m, 12h, 90d, 4w or 1y")
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])


def moment(text: str) -> datetime:
    """A time to come: a length from now (1d), or a date or time in ISO 8601 (local if it names no zone)."""
    if _SPAN.fullmatch(text.strip()):
        return datetime.now(UTC) + span(text)
    return date(text, "write 1d, 12h, 2027-01-31 or 2027-01-31T09:00+00:00")


def date(text: str, advice: str = "write 2026-01-31 or 2026-01-31T09:00+00:00") -> datetime:
    """A date or time in ISO 8601 (local if it names no zone). Raises BadInput."""
    try:
        return datetime.fromisoformat(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput(f"not a time: {text}", advice=advice) from None


def days(text: str) -> int:
    """Whole days of a length of time. Raises BadInput."""
    whole = span(text) // timedelta(days=1)
    if whole < 1:
        raise BadInput(f"less than a day: {text}", advice="a source is kept for whole days, for instance 90d")
    return whole


def ensure_weights(countenance: Countenance, reply: Reply) -> None:
    """Fetch the weights of the home's pack when they are missing, saying so and showing how far it is.

    Raises WeightsRefused when the pack's terms must be accepted first, FetchFailed when fetching is forbidden or fails.
    """
    from countenance.faces.weights import missing

    pack = countenance.engine.pack
    settings = countenance.settings
    if not missing(pack, weights_dir=settings.faces.weights):
        return  # whether they are the right ones is seen when they are loaded: altered ones are never just replaced
    install_pack(pack, reply, source=settings.faces.weights, offline=settings.offline, accepted=False)


def install_pack(
    pack: PackManifest, reply: Reply, *, source: Path | None, offline: bool, accepted: bool
) -> list[WeightsState]:
    """Fetch a pack's weights with a progress bar on standard error."""
    from countenance.domain.errors import WeightsRefused
    from countenance.faces.weights import install

    if pack.needs_acceptance and not accepted:
        raise WeightsRefused(
            f"the weights of pack {pack.id} come under terms that must be accepted: {pack.licence}",
            advice=f"read them with `countenance models show {pack.id}`, then "
            f"`countenance models install {pack.id} --accept-licence`",
        )
    if not offline:
        reply.note(f"Fetching the weights of pack {pack.id} ({pack.licence}).")
    with reply.bytes_progress(f"pack {pack.id}") as show:
        return install(pack, source=source, offline=offline, progress=show)
