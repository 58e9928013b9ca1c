"""`countenance source`: register places before they are read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from countenance.cli import options
from countenance.cli.output import Reply

if TYPE_CHECKING:
    from countenance.app import Countenance
    from countenance.domain.sources import Source

app = typer.Typer(no_args_is_help=True, help="Register, list, read again and remove sources.")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="A short name for the source.")],
    kind: Annotated[str, typer.Option(help="folder, urls or website.")],
    at: Annotated[str, typer.Option(help="The folder, the list file, or the start address.")],
    owner: Annotated[str, typer.Option(help="Who answers for it.")],
    basis: Annotated[
        str,
        typer.Option(help="own, consent, contract, public-task, legitimate-interests or law-enforcement."),
    ],
    basis_document: Annotated[str | None, typer.Option(help="The document the basis rests on.")] = None,
    purpose: Annotated[str | None, typer.Option(help="What it is indexed for.")] = None,
    retain: Annotated[str | None, typer.Option(help="How long it is kept, by default 90d.")] = None,
    note: Annotated[str | None, typer.Option(help="Anything else; sealed in the ledger.")] = None,
    collection: Annotated[str | None, typer.Option(help="Collection, by default the source's own name.")] = None,
    keep_originals: Annotated[
        bool, typer.Option("--keep-originals", help="Keep the pictures, not only crops.")
    ] = False,
    allow_private: Annotated[
        list[str] | None, typer.Option(help="An exact HOST:PORT that may be fetched though it is not public.")
    ] = None,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Register a source. Nothing is read yet.

    Example: countenance source add family --kind folder --at ~/Pictures --owner "Me" --basis own
    """
    from countenance.services.register import NewSource

    with options.opened(home, key_dir, act="sources:write") as countenance:
        new = NewSource(
            name=name,
            kind=kind,
            location=at,
            owner=owner,
            basis=basis,
            basis_document=basis_document,
            purpose=purpose,
            retain_days=options.days(retain) if retain else countenance.settings.retention.source_days,
            note=note,
            collection=collection,
            keep_originals=keep_originals,
            allow_private=tuple(allow_private or ()),
        )
        source = countenance.add_source(new, options.actor(countenance))
    reply = Reply(json)
    if not reply.object(as_json(source)):
        reply.say(f"Registered {source.name}. It is kept until {source.expires_at:%Y-%m-%d} and then erased.")
        reply.say(f"Read it with: countenance ingest {source.name}")


@app.command("list")
def list_sources(home: options.Home = None, key_dir: options.KeyDir = None, json: options.Json = False) -> None:
    """List the registered sources.

    Example: countenance source list
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="sources:read") as countenance:
        rows = [(source, countenance.source_summary(source.name)) for source in countenance.sources()]
    if not reply.object({"sources": [as_json(source) | {"counts": counts} for source, counts in rows]}):
        reply.table(
            "Sources",
            ("name", "kind", "collection", "basis", "until", "images", "faces indexed", "at"),
            [
                (
                    s.name,
                    s.kind,
                    s.collection,
                    s.basis,
                    f"{s.expires_at:%Y-%m-%d}",
                    c["images"],
                    c["indexed"],
                    s.location,
                )
                for s, c in rows
            ],
        )


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="The source's name.")],
    skipped: Annotated[bool, typer.Option("--skipped", help="List what the last run did not read, and why.")] = False,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Show one source: how it was registered, what it holds, what was skipped and why.

    Example: countenance source show family --skipped
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="sources:read") as countenance:
        body = as_json(countenance.source(name)) | {"counts": countenance.source_summary(name)}
        listed = _skipped(countenance, name) if skipped else []
    if skipped:
        if not reply.object({"source": name, "skipped": listed}):
            rows = [(one["reason"], one["address"], one["detail"]) for one in listed]
            reply.table(f"Not read: {name}", ("reason", "address", "detail"), rows)
        return
    if not reply.object(body):
        counts = body.pop("counts")
        last = counts.pop("last_run")
        reply.facts(
            f"Source {name}", body | counts | {"last run": f"{last['state']} {last['started']}" if last else None}
        )


@app.command()
def refresh(
    name: Annotated[str, typer.Argument(help="The source's name.")],
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    offline: options.Offline = False,
    json: options.Json = False,
) -> None:
    """Read a source again: what is new is indexed, what is gone is marked as vanished.

    Example: countenance source refresh family
    """
    from countenance.cli.ingest import run

    run(name, home, key_dir, offline=offline, json=json, dry_run=False)


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="The source's name.")],
    yes: options.Yes = False,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Erase a source and everything that appears in no other.

    Example: countenance source remove family
    """
    from countenance.cli.erase import carry_out

    with options.opened(home, key_dir, act="erase") as countenance:
        carry_out(countenance, countenance.eraser.plan_sources([name]), yes=yes, json=json)


def _skipped(countenance: Countenance, name: str) -> list[dict[str, Any]]:
    """All of them, a page at a time."""
    found: list[dict[str, Any]] = []
    while page := countenance.skipped(name, after=found[-1]["n"] if found else 0):
        found += page
    return [{part: one[part] for part in ("address", "reason", "detail")} for one in found]


def as_json(source: Source) -> dict[str, Any]:
    """A source for output."""
    return {
        "id": source.id,
        "name": source.name,
        "kind": source.kind,
        "at": str(Path(source.location)) if source.kind != "website" else source.location,
        "owner": source.owner,
        "basis": source.basis,
        "basis_document": source.basis_document,
        "purpose": source.purpose,
        "note": source.note,
        "collection": source.collection,
        "retain_days": source.retain_days,
        "registered": source.registered_at.isoformat(),
        "expires": source.expires_at.isoformat(),
        "keep_originals": source.keep_originals,
        "allow_private": list(source.allow_private),
    }
