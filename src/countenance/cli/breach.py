"""`countenance breach`: what was exposed, to whom, since when."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from countenance.cli import options
from countenance.cli.output import Reply
from countenance.cli.oversee import past
from countenance.domain.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from countenance.app import Countenance
    from countenance.domain.authority import Actor

_KINDS = (".zip", ".pdf", ".json")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(breach)


def breach(
    since: Annotated[str, typer.Option("--from", help="Since when it may have been exposed: a time, or 3d.")],
    until: Annotated[str | None, typer.Option("--to", help="Until when; by default now.")] = None,
    user: Annotated[
        list[str] | None, typer.Option(help="An account, by name or id, or os:NAME; give it again for more.")
    ] = None,
    token: Annotated[list[str] | None, typer.Option(help="A token, by its id; give it again for more.")] = None,
    file: Annotated[
        list[str] | None,
        typer.Option(
            help="A file, a folder, or only its kind: backup, database, vectors, crops, keys, ledger, export, home."
        ),
    ] = None,
    aware: Annotated[
        str | None, typer.Option("--aware", help="When somebody became aware of it; by default now.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Where to write it: a name that ends in .zip, .pdf or .json.")
    ] = None,
    purpose: Annotated[
        str, typer.Option("--purpose", help="What the ledger is read for: one of the four lawful purposes.")
    ] = "integrity",
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Say what was exposed when an account, a token or a file got into the wrong hands, with what a notice asks for.

    The supervisory authority has to be told within 72 hours of becoming aware; the report says until when. A zip holds
    the report, the data and the entries that it lists, as a bundle that `python -m countenance.ledger.verify` checks.

    Example: countenance breach --from 2026-11-01 --to 2026-11-08 --user rita@example.org --out breach.zip
    """
    from countenance.services.breach import Asked

    reply = Reply(json)
    with options.opened(home, key_dir, act="oversight:read") as countenance:
        if out is not None and out.suffix not in _KINDS:
            raise BadInput(f"not a kind of report: {out.name}", advice=f"end its name in {', '.join(_KINDS)}")
        if out is not None and out.exists() and not force:
            raise BadInput(f"there is a file already: {out}", advice="choose another name, or add --force")
        asked = Asked(
            since=past(since),
            until=past(until) if until else None,
            users=tuple(user or ()),
            tokens=tuple(token or ()),
            files=tuple(file or ()),
            aware=past(aware) if aware else None,
            purpose=purpose,
        )
        actor = options.actor(countenance)
        body = countenance.breaches.pack(asked, actor)
        content = _content(out.suffix, countenance, body, actor) if out is not None else b""
    if out is not None:
        _write(out, content)
    if reply.object(body | ({"file": str(out)} if out is not None else {})):
        return
    notice = body["notice"]
    late = "" if body["hours_left"] >= 0 else " It is over."
    reply.say(f"The supervisory authority has to be told by {body['deadline'][:16].replace('T', ' ')} UTC.{late}")
    for title, part in (
        ("What happened", "nature"),
        ("Which personal data", "categories"),
        ("How much", "numbers"),
        ("What may follow", "consequences"),
        ("Done about it", "measures_taken"),
        ("Still to be done", "measures_open"),
    ):
        if notice[part]:
            reply.table(title, ("",), [(line,) for line in notice[part]])
    reply.say(notice["people_told"])
    if out is not None:
        reply.say(f"Wrote {out}.")


def _content(kind: str, countenance: Countenance, body: dict[str, Any], actor: Actor) -> bytes:
    from countenance.reports.breach import as_json, as_pdf, as_zip

    if kind == ".json":
        return as_json(body)
    if kind == ".pdf":
        return as_pdf(body, demo=countenance.demo)
    extract = countenance.breaches.extract(body, actor)
    return as_zip(body, countenance.receipt(body["read"]), extract, demo=countenance.demo)


def _write(out: Path, content: bytes) -> None:
    try:
        out.write_bytes(content)
    except OSError as error:
        raise Unavailable(f"the report cannot be written: {error.strerror}", advice="choose another place") from None
