"""`countenance ledger`: verify it, export it, read it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from countenance.cli import options
from countenance.cli.output import Reply
from countenance.domain.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from countenance.ledger.extract import Extract

app = typer.Typer(no_args_is_help=True, help="Verify, export and read the ledger.")


@app.command()
def verify(home: options.Home = None, key_dir: options.KeyDir = None, json: options.Json = False) -> None:
    """Check every entry, the tree and the signatures, as they lie on the disk.

    Example: countenance ledger verify
    """
    reply = Reply(json)
    with options.opened(home, key_dir) as countenance:
        body = countenance.ledger_verify()
    if not reply.object({"ok": True} | body):
        reply.facts("The ledger verifies", body)


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="Where to write the bundle.")],
    begin: Annotated[str | None, typer.Option("--from", help="Entries from this time on (a date will do).")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Entries before this time.")] = None,
    user: Annotated[str | None, typer.Option(help="Entries by this person, as authenticated or as stated.")] = None,
    case: Annotated[str | None, typer.Option(help="Entries that belong to this case.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Write the ledger as one bundle for outsiders, the whole or an extract. They check it with
    `python -m countenance.ledger.verify FILE --key KEY`. An extract has the proofs of all entries, and of the entries
    those that were asked for.

    Example: countenance ledger export may.zip --from 2026-05-01 --to 2026-06-01 --case PD-17
    """
    choice = _choice(begin, end, user, case)
    if file.exists() and not force:
        raise BadInput(f"there is a file already: {file}", advice="choose another name, or add --force")
    reply = Reply(json)
    with options.opened(home, key_dir) as countenance:
        content = countenance.overseer.bundle(options.actor(), choice)
        size, key = countenance.ledger_size, countenance.vkey
    try:
        file.write_bytes(content)
    except OSError as error:
        raise Unavailable(f"the bundle cannot be written: {error.strerror}", advice="choose another place") from None
    asked = {"asked": dict(choice.asked)} if choice else {}
    if not reply.object({"file": str(file), "entries": size, "key": key, "bytes": len(content)} | asked):
        reply.say(f"Wrote {f'an extract of the {size}' if choice else size} entries to {file}.")
        reply.say(f"To check it: python -m countenance.ledger.verify {file} --key '{key}'")


def _choice(begin: str | None, end: str | None, user: str | None, case: str | None) -> Extract | None:
    if begin is None and end is None and user is None and case is None:
        return None
    from countenance.ledger.extract import Extract

    first = options.date(begin) if begin is not None else None
    return Extract(first, options.date(end) if end is not None else None, user, case)


@app.command()
def key(home: options.Home = None, key_dir: options.KeyDir = None, json: options.Json = False) -> None:
    """Print the public key that verifies the ledger. Give it to whoever will check you.

    Example: countenance ledger key > key.txt
    """
    reply = Reply(json)
    with options.opened(home, key_dir) as countenance:
        if not reply.object({"key": countenance.vkey, "checkpoint": countenance.checkpoint()}):
            reply.say(countenance.vkey)


@app.command()
def show(
    seq: Annotated[int | None, typer.Argument(help="An entry's number; without it the newest are listed.")] = None,
    last: Annotated[int, typer.Option(min=1, max=10_000, help="How many of the newest.")] = 20,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Read entries. What is sealed stays sealed.

    Example: countenance ledger show --last 50
    """
    reply = Reply(json)
    with options.opened(home, key_dir) as countenance:
        size = countenance.ledger_size
        if seq is not None and not 0 <= seq < size:
            raise BadInput(f"there is no entry {seq}", advice=f"the newest is {size - 1}")
        first, stop = (seq, seq + 1) if seq is not None else (max(0, size - last), size)
        entries = countenance.ledger_entries(first, stop)
        receipt = countenance.receipt(seq) if seq is not None else None
    if reply.object({"entries": entries} | ({"receipt": receipt} if receipt else {})):
        return
    reply.table(
        "Entries",
        ("entry", "at", "type", "who", "what"),
        [
            (e["seq"], e["at"][:19], e["type"], e["actor"]["authenticated"], {k: v for k, v in e["body"].items() if v})
            for e in entries
        ],
    )
