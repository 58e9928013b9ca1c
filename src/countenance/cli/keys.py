"""`countenance keys`: the keys beside a home."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from countenance.cli import options
from countenance.cli.output import Reply
from countenance.domain.errors import BadInput

app = typer.Typer(no_args_is_help=True, help="Show, export, import and rotate the keys.")


@app.command()
def show(home: options.Home = None, key_dir: options.KeyDir = None, json: options.Json = False) -> None:
    """Show where the keys are and their digests, never the keys.

    Example: countenance keys show
    """
    from countenance.services.keys import described

    reply = Reply(json)
    with options.opened(home, key_dir, act="keys") as countenance:
        body = described(countenance.key_ring)
    if not reply.object(body):
        reply.facts("Keys", body)


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="Where to write the keys.")],
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Write every key of this home into one file, readable by you alone. Keep it apart from the home's backups.

    Whoever has both can read the templates and sign in the ledger's name.

    Example: countenance keys export keys.json
    """
    from countenance.services.keys import export_keys

    reply = Reply(json)
    with options.opened(home, key_dir, act="keys") as countenance:
        names = export_keys(countenance.key_ring, file, options.actor(countenance))
    if not reply.object({"file": str(file), "keys": names}):
        reply.say(f"Wrote {', '.join(names)} to {file}. Keep it where the home's backups are not.")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A file that `keys export` wrote.")],
    force: Annotated[bool, typer.Option("--force", help="Replace keys that are there.")] = False,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Put exported keys back. Works on a home whose keys are lost.

    Example: countenance keys import keys.json
    """
    from countenance.app import system_actor
    from countenance.services.home import Where
    from countenance.services.keys import import_keys
    from countenance.settings import load_settings

    reply = Reply(json)
    settings = load_settings(home, key_dir=key_dir)
    home_id, names = import_keys(Where.of(settings), file, system_actor("command"), force=force)
    if not reply.object({"home": home_id, "keys": names}):
        reply.say(f"Put back {', '.join(names)}.")


@app.command()
def rotate(
    what: Annotated[str, typer.Argument(help="templates, or ledger.")],
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Replace a key: `templates` re-protects every template, `ledger` lets a new signing key take over.

    Example: countenance keys rotate templates
    """
    from countenance.services.keys import rotate_ledger_key, rotate_template_key

    reply = Reply(json)
    with options.opened(home, key_dir, act="keys") as countenance:
        if what == "templates":
            body = rotate_template_key(countenance.key_ring, options.actor(countenance))
        elif what == "ledger":
            body = rotate_ledger_key(countenance.key_ring, options.actor(countenance))
        else:
            raise typer.BadParameter("choose templates or ledger")
    if not reply.object(body):
        reply.facts("Rotated", body)


@app.command("replace-lost")
def replace_lost(
    yes: options.Yes = False,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Go on under a new signing key when the old one is lost for good.

    The ledger records it for ever, and everybody who checks it must be given the new key by another way.

    Example: countenance keys replace-lost
    """
    from countenance.app import system_actor
    from countenance.services.home import Where
    from countenance.services.keys import replace_lost_ledger_key
    from countenance.settings import load_settings

    reply = Reply(json)
    settings = load_settings(home, key_dir=key_dir)
    if not yes:
        if json:
            raise BadInput("replacing a lost key needs a yes", advice="add --yes")
        typer.confirm("Is the ledger's signing key lost, with every copy of it?", abort=True, err=True)
    body = replace_lost_ledger_key(Where.of(settings), system_actor("command"))
    if not reply.object(body):
        reply.facts("The ledger goes on under a new key", body)
