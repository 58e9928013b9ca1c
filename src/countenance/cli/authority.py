"""`countenance authority`: leave to search, written and expiring."""

from __future__ import annotations

from typing import Annotated

import typer

from countenance.cli import options
from countenance.cli.output import Reply

app = typer.Typer(no_args_is_help=True, help="Grant, list, show and revoke authorities.")


@app.command()
def grant(
    purpose: Annotated[
        str,
        typer.Option(
            help="What the searches are for. Stays in the ledger for ever: never name the person searched for."
        ),
    ],
    basis: Annotated[str, typer.Option(help="Legal basis: own, consent, contract, public-task, …")],
    case: Annotated[
        str, typer.Option(help="The case they belong to. Stays in the ledger for ever: a number, never a name.")
    ],
    collection: Annotated[list[str], typer.Option(help="A collection they may search; give it again for more.")],
    expires: Annotated[str, typer.Option(help="When it ends: 1d, 12h, or a date.")],
    searches: Annotated[int, typer.Option(help="How many searches.")],
    by: Annotated[str, typer.Option(help="Who grants it, as you state it; your system user is recorded too.")],
    basis_document: Annotated[str | None, typer.Option(help="The document the basis rests on.")] = None,
    holder: Annotated[str | None, typer.Option("--for", help="Who may use it, by default you: os:NAME.")] = None,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Grant an authority. Granting to yourself is marked on everything that rests on it.

    Example: countenance authority grant --purpose "find my own pictures" --basis own --case ME-1
    --collection family --expires 1d --searches 10 --by "Me"
    """
    from countenance.services.authorise import NewAuthority
    from countenance.store.moments import now as utc_now

    with options.opened(home, key_dir, act="authorities:write") as countenance:
        new = NewAuthority(
            purpose=purpose,
            basis=basis,
            basis_document=basis_document,
            case=case,
            collections=tuple(collection),
            expires=options.moment(expires),
            searches=searches,
            stated_by=by,
            holder=holder,
        )
        authority = countenance.grant(new, options.actor(countenance, by))
    reply = Reply(json)
    if not reply.object(authority.as_json(utc_now())):
        reply.say(
            f"Granted {authority.id}: {authority.searches} searches until {authority.expires_at:%Y-%m-%d %H:%M} UTC."
        )
        if authority.self_approved:
            reply.say("You granted it to yourself; every entry, receipt and page that rests on it says so.")


@app.command("list")
def list_authorities(home: options.Home = None, key_dir: options.KeyDir = None, json: options.Json = False) -> None:
    """List authorities, newest first.

    Example: countenance authority list --json
    """
    from countenance.store.moments import now as utc_now

    reply = Reply(json)
    now = utc_now()
    with options.opened(home, key_dir, act="authorities:read") as countenance:
        rows = [authority.as_json(now) for authority in countenance.authorities()]
    if not reply.object({"authorities": rows}):
        reply.table(
            "Authorities",
            ("id", "state", "left", "expires", "case", "purpose", "collections", "holder"),
            [
                (
                    a["id"],
                    a["state"],
                    a["left"],
                    a["expires"][:16],
                    a["case"],
                    a["purpose"],
                    a["collections"],
                    a["holder"],
                )
                for a in rows
            ],
        )


@app.command()
def show(
    id: Annotated[str, typer.Argument(help="The authority's id.")],
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Show one authority and how it stands.

    Example: countenance authority show A-0123456789ab
    """
    from countenance.store.moments import now as utc_now

    reply = Reply(json)
    with options.opened(home, key_dir, act="authorities:read") as countenance:
        body = countenance.authority(id).as_json(utc_now())
    if not reply.object(body):
        reply.facts(f"Authority {id}", body)


@app.command()
def revoke(
    id: Annotated[str, typer.Argument(help="The authority's id.")],
    reason: Annotated[str, typer.Option(help="Why; sealed in the ledger.")] = "",
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Revoke an authority at once. It cannot be undone; grant a new one instead.

    Example: countenance authority revoke A-0123456789ab --reason "the case is closed"
    """
    from countenance.store.moments import now as utc_now

    reply = Reply(json)
    with options.opened(home, key_dir, act="authorities:write") as countenance:
        authority = countenance.revoke(id, options.actor(countenance), reason)
    if not reply.object(authority.as_json(utc_now())):
        reply.say(f"Revoked {id}.")
