"""`countenance hold`: legal holds."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from countenance.cli import options
from countenance.cli.output import Reply

app = typer.Typer(no_args_is_help=True, help="Legal holds: what may not be destroyed for now.")

Id = Annotated[str, typer.Argument(help="The hold's id.")]


@app.command()
def place(
    reason: Annotated[str, typer.Option(help="Why; sealed in the ledger.")],
    until: Annotated[str, typer.Option(help="When it ends by itself: 90d, or a date.")],
    source: Annotated[list[str] | None, typer.Option(help="A source; give it again for more.")] = None,
    collection: Annotated[
        list[str] | None, typer.Option(help="A collection, with sources that join it later; again for more.")
    ] = None,
    authority: Annotated[
        list[str] | None, typer.Option(help="An authority, with every search under it; again for more.")
    ] = None,
    search: Annotated[
        list[str] | None, typer.Option(help="A search, by its id or the number of an entry about it; again for more.")
    ] = None,
    analysis: Annotated[
        list[str] | None, typer.Option(help="An analysis of proxy logs; give it again for more.")
    ] = None,
    case: Annotated[str, typer.Option(help="The case. Stays in the ledger: a number, never a name.")] = "",
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Keep something from being destroyed until a date. It is not searched or read for that.

    Example: countenance hold place --search 1234 --reason "ordered by a court" --until 2027-03-31 --case C-2026-7
    """
    from countenance.services.hold import NewHold

    new = NewHold(
        reason=reason,
        until=options.moment(until),
        sources=tuple(source or ()),
        collections=tuple(collection or ()),
        authorities=tuple(authority or ()),
        searches=tuple(search or ()),
        analyses=tuple(analysis or ()),
        case=case,
    )
    reply = Reply(json)
    with options.opened(home, key_dir, act="holds:write") as countenance:
        hold = countenance.holds.place(new, options.actor(countenance))
        body = countenance.holds.in_full(hold)
    if not reply.object(body):
        reply.say(f"Placed {hold.id}, until {hold.until:%Y-%m-%d %H:%M} UTC (entry {hold.entry}).")


@app.command("list")
def list_holds(
    every: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """List the holds in force, newest first, and the erasures that wait for them.

    Example: countenance hold list --all
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="holds:read") as countenance:
        body = countenance.holds.listed(options.actor(countenance), ended=every)
    if reply.object(body):
        return
    reply.table(
        "Legal holds",
        ("id", "state", "case", "of", "until", "by", "entry"),
        [(h["id"], h["state"], h["case"] or "", _of(h), h["until"][:16], h["by"], h["entry"]) for h in body["holds"]],
    )
    if body["waiting"]:
        rows = [(one["id"], one["at"][:16], one["sightings"], ", ".join(one["holds"])) for one in body["waiting"]]
        reply.table("Erasures that wait", ("id", "asked", "sightings", "holds"), rows)


@app.command()
def show(id: Id, home: options.Home = None, key_dir: options.KeyDir = None, json: options.Json = False) -> None:
    """Show one hold with its reason, as far as that is kept, and the erasures that wait for it.

    Example: countenance hold show H-0123456789ab
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="holds:read") as countenance:
        body = countenance.holds.in_full(countenance.holds.one(id, options.actor(countenance)))
    if not reply.object(body):
        reply.facts(f"Hold {id}", body | {"of": _of(body), "waiting": [one["id"] for one in body["waiting"]]})


@app.command()
def release(
    id: Id,
    reason: Annotated[str, typer.Option(help="Why; sealed in the ledger.")],
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """End a hold before its date. In an organisation, somebody else than who placed it does.

    Example: countenance hold release H-0123456789ab --reason "the case is closed"
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="holds:write") as countenance:
        hold = countenance.holds.release(id, reason, options.actor(countenance))
        body = countenance.holds.in_full(hold)
    if not reply.object(body):
        reply.say(f"Released {id}. What is over its time goes with the next `countenance retention run`.")


def _of(body: dict[str, Any]) -> str:
    of = body["of"] | ({"sources": body["names"]} if body["names"] else {})
    return "; ".join(f"{name} {', '.join(map(str, things))}" for name, things in of.items() if things)
