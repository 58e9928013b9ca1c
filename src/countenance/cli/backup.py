"""`countenance backup` and `countenance restore`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from countenance.cli import options
from countenance.cli.output import Reply
from countenance.domain.errors import BadInput

if TYPE_CHECKING:
    from countenance.services.home import Where
    from countenance.services.restore import With

PassphraseFile = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help="A file whose first line is the passphrase; without it, it is asked for."),
]
ASKED = "COUNTENANCE_PASSPHRASE"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(backup)
    app.command()(restore)


def backup(
    file: Annotated[Path, typer.Argument(help="Where to write it.")],
    recipient: Annotated[
        list[str] | None,
        typer.Option("--recipient", help="Encrypt to this age recipient (age1…); give it again for more."),
    ] = None,
    passphrase_file: PassphraseFile = None,
    with_keys: Annotated[
        bool,
        typer.Option("--with-keys", help="Put the keys in too. Whoever opens it can then read templates and sign."),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Write the home as it is at this moment into one encrypted file. Searches go on; reading and erasing wait.

    The passphrase is asked for, or read from a file or from COUNTENANCE_PASSPHRASE.

    Example: countenance backup /mnt/other-disk/monday.age --recipient age1qyqszqgpqyqszqgpqyqszqgp…
    """
    from countenance.services.backup import To, back_up

    reply = Reply(json)
    to = To(None if recipient else _passphrase(passphrase_file, json, twice=True), tuple(recipient or ()))
    with options.opened(home, key_dir, act="backup") as countenance, reply.bytes_progress("backup") as show:
        body = back_up(
            countenance.eraser.home,
            file,
            to,
            options.actor(countenance),
            with_keys=with_keys,
            force=force,
            on_progress=show,
        )
    if not reply.object(body):
        reply.say(f"Wrote {body['bytes']:,} bytes to {file}: the home with {body['entries']} entries of its ledger.")
        if not with_keys:
            reply.say("The keys are not in it: keep an export of them (countenance keys export) somewhere else.")


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `countenance backup` wrote.")],
    identity: Annotated[
        Path | None, typer.Option("--identity", help="A file with the recipient's key (AGE-SECRET-KEY-1…).")
    ] = None,
    passphrase_file: PassphraseFile = None,
    ledger: Annotated[
        Path | None, typer.Option("--ledger", help="A newer bundle of the ledger: it goes on from there.")
    ] = None,
    erasures: Annotated[
        Path | None, typer.Option("--erasures", help="A copy of the list of erasures, besides the one beside the keys.")
    ] = None,
    since: Annotated[
        Path | None, typer.Option("--since", help="A checkpoint that you kept: says plainly what would be rolled back.")
    ] = None,
    roll_back: Annotated[
        bool, typer.Option("--roll-back", help="Accept that entries which the checkpoint covers are missing.")
    ] = False,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Bring a home back into an empty place, checked before it opens; what was erased since stays erased.

    Example: countenance restore monday.age --home /srv/countenance --ledger newest-bundle.zip
    """
    from countenance.services.home import Where
    from countenance.services.restore import With
    from countenance.settings import load_settings

    reply = Reply(json)
    settings = load_settings(home, key_dir=key_dir)
    words = None if identity else _passphrase(passphrase_file, json, twice=False)
    given = With(words, _identities(identity), ledger, erasures, since, roll_back)
    body = bring_back(file, Where.of(settings), given)
    if not reply.object(body):
        made, entries, lost = body["backup"]["made"][:19], body["entries"], body["rolled_back"]
        reply.say(f"Restored {settings.home} as it was at {made}, with {entries} entries of its ledger.")
        if any(body["erased_again"].values()):
            reply.facts("Erased again, because it was erased after the backup", body["erased_again"])
        if lost:
            reply.note(f"Rolled back: {lost} entries that your checkpoint covers are missing from this ledger.")


def bring_back(file: Path, where: Where, given: With) -> dict[str, Any]:
    """Unpack and check, erase again what was erased since, and only then put the home in its place. Raises as
    `services.restore.staged` and `rows_brought` do."""
    from countenance.app import open_home, system_actor
    from countenance.services.reapply import reapply
    from countenance.services.restore import rows_brought, staged
    from countenance.settings import load_settings

    with staged(file, where.folder, where.key_dir, given) as found, rows_brought(found, where):
        said = {
            "backup": {"entries": found.entries, "made": found.made},
            "entries": found.size,
            "rolled_back": found.lost,
            "erasures_through": found.gone.seq if found.gone.seq >= 0 else None,
        }
        # Whoever has the file and its key restores it: the accounts that could say otherwise are inside. Where its rows
        # are to be is said here, and not in the file of settings that came with it.
        rows = {"url": where.database}
        with open_home(settings=load_settings(found.home, key_dir=where.key_dir, database=rows)) as countenance:
            again = reapply(countenance.eraser, found.gone, said, system_actor("command"))
        found.settle()
    return {"home": str(where.folder), "erased_again": again} | said


def _passphrase(file: Path | None, json: bool, *, twice: bool) -> str:
    if file is not None:
        try:
            return file.read_text(encoding="utf-8").split("\n", 1)[0].removesuffix("\r")
        except (OSError, UnicodeError):
            raise BadInput(f"the passphrase cannot be read from {file}", advice="its first line is taken") from None
    if asked := os.environ.get(ASKED):
        return asked
    if json:
        raise BadInput("a passphrase is needed", advice=f"give --passphrase-file, or {ASKED} in the environment")
    return str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=twice, err=True))


def _identities(file: Path | None) -> tuple[str, ...]:
    if file is None:
        return ()
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError):
        raise BadInput(f"the key cannot be read from {file}", advice="give the file that age-keygen wrote") from None
    return tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))
