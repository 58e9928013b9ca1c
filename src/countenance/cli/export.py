"""`countenance export`: take one search out of the house, for a named recipient."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from countenance.cli import options
from countenance.cli.output import Reply
from countenance.domain.errors import BadInput, Unavailable


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(export)


def export(
    search: Annotated[str, typer.Argument(help="The search, as it was shown.")],
    file: Annotated[Path, typer.Argument(help="Where to write the zip file.")],
    recipient: Annotated[str, typer.Option(help="Who will receive it; stays in the ledger.")],
    purpose: Annotated[str, typer.Option(help="What they will use it for; sealed in the ledger.")],
    handle: Annotated[
        str, typer.Option(envvar="COUNTENANCE_HANDLE", help="What the search gave to open it with, for a limited time.")
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Write what a search showed, its crops and its receipt into one zip file. It is a disclosure, with its own entry.

    Example: countenance export S-0123456789abcdef found.zip --recipient "Legal desk" --purpose "notice 12" --handle H
    """
    if file.exists() and not force:
        raise BadInput(f"there is a file already: {file}", advice="choose another name, or add --force")
    reply = Reply(json)
    with options.opened(home, key_dir, act="export") as countenance:
        content = countenance.export_search(search, handle, recipient, purpose, options.actor(countenance))
    try:
        file.write_bytes(content)
    except OSError as error:
        raise Unavailable(f"the export cannot be written: {error.strerror}", advice="choose another place") from None
    if not reply.object({"file": str(file), "search": search, "recipient": recipient, "bytes": len(content)}):
        reply.say(f"Wrote {file}, for {recipient}.")
