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
def verify(
    since: Annotated[Path | None, typer.Option(help="A file with an earlier checkpoint that must be a part.")] = None,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Check every entry, the tree and the signatures, as they lie on the disk.

    Example: countenance ledger verify --since kept-checkpoint
    """
    reply = Reply(json)
    earlier = options.content(since) if since is not None else None
    with options.opened(home, key_dir, act="ledger:read") as countenance:
        body = countenance.overseer.verify(earlier)
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
    with options.opened(home, key_dir, act="ledger:read") as countenance:
        content = countenance.overseer.bundle(options.actor(countenance), choice)
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
    with options.opened(home, key_dir, act="ledger:read") as countenance:
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
    """Read entries, which is an entry itself. What is sealed stays sealed.

    Example: countenance ledger show --last 50
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="ledger:read") as countenance:
        size = countenance.ledger_size
        if seq is not None and not 0 <= seq < size:
            raise BadInput(f"there is no entry {seq}", advice=f"the newest is {size - 1}")
        first, stop = (seq, seq + 1) if seq is not None else (max(0, size - last), size)
        entries = countenance.read_ledger(first, stop, options.actor(countenance))
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


@app.command()
def checkpoint(
    out: Annotated[Path | None, typer.Option(help="Write it to this file.")] = None,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Print the latest signed checkpoint, for an overseer to keep where the operator cannot reach it.

    A later bundle is checked against it: `python -m countenance.ledger.verify BUNDLE --key KEY --since FILE`.

    Example: countenance ledger checkpoint --out checkpoint-2026-05-01
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="status:read") as countenance:
        text, vkey = countenance.overseer.checkpoint(), countenance.vkey
    if out is not None:
        try:
            out.write_text(text)
        except OSError as error:
            raise Unavailable(f"it cannot be written: {error.strerror}", advice="choose another place") from None
    size = int(text.split("\n")[1])
    if reply.object({"checkpoint": text, "size": size, "key": vkey} | ({"file": str(out)} if out else {})):
        return
    if out is None:
        reply.say(text.removesuffix("\n"))
    else:
        reply.say(f"Wrote the checkpoint of {size} entries to {out}.")
        reply.say(f"To check a later bundle: python -m countenance.ledger.verify BUNDLE --key '{vkey}' --since {out}")


@app.command()
def mail(
    to: Annotated[list[str] | None, typer.Option("--to", help="To whom; by default those of `mail.to`.")] = None,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Mail the latest signed checkpoint to overseers, with the line that checks a later bundle against it.

    `countenance serve` does it every day by itself once `mail.host`, `mail.sender` and `mail.to` are set; this does it
    from cron, where no server runs.

    Example: countenance ledger mail --to overseer@example.org
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="ledger:mail") as countenance:
        told = countenance.post.send(options.actor(countenance), to or ())
    if not reply.object(told):
        reply.say(f"Mailed the checkpoint of {told['size']} entries to {told['recipients']}, as entry {told['entry']}.")


@app.command()
def tiles(
    folder: Annotated[Path, typer.Argument(help="Folder to write to, or to bring up to date.")],
    entries: Annotated[bool, typer.Option("--entries", help="The entries too: for authorised readers only.")] = False,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Write the tree as static files for any client of C2SP tlog-tiles; again, and only what is new is written.

    Example: countenance ledger tiles /srv/www/ledger
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="ledger:read") as countenance:
        done = countenance.overseer.tiles(folder, options.actor(countenance), entries=entries)
    told = {"folder": str(folder), "size": done.size, "before": done.before, "files": done.files}
    if not reply.object(told | {"entries": entries, "too_long": list(done.too_long)}):
        reply.say(f"Wrote {done.files} files to {folder}, for {done.size} entries ({done.before} before).")
        for seq in done.too_long:
            reply.say(f"Entry {seq} is too long for the format: its bundle is left out.")


@app.command()
def witness(home: options.Home = None, key_dir: options.KeyDir = None, json: options.Json = False) -> None:
    """Let the witnesses of `ledger.witnesses` co-sign the latest checkpoint. Receipts and bundles that are made later
    carry what they signed. Run it daily.

    Example: countenance ledger witness
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="ledger:witness") as countenance:
        told = countenance.overseer.witness()
    if not reply.object(told):
        for one in told["cosigned"]:
            reply.say(f"{one['witness']} has co-signed {told['size']} entries at {one['at']}.")


@app.command()
def stamp(home: options.Home = None, key_dir: options.KeyDir = None, json: options.Json = False) -> None:
    """Let the time-stamping service of `ledger.tsa_url` stamp the latest checkpoint (RFC 3161).

    Example: countenance ledger stamp
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="ledger:witness") as countenance:
        told = countenance.overseer.stamp()
    if not reply.object(told):
        reply.say(f"Stamped {told['size']} entries at {told['at']}; the stamp's signer: {told['signer']}.")
