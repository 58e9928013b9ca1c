"""`countenance token`: bearer tokens for programs."""

from __future__ import annotations

from typing import Annotated

import typer

from countenance.cli import options
from countenance.cli.output import Reply
from countenance.store.moments import now

app = typer.Typer(no_args_is_help=True, help="Create, list and revoke tokens for the API.")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[list[str], typer.Option(help="What it may do; give it again for more.")],
    expires: Annotated[str, typer.Option(help="When it ends: 30d, or a date.")] = "30d",
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Create a token. Its secret is shown this once.

    Example: countenance token create nightly --scope search --scope sources:read --expires 30d
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="tokens") as countenance:
        token, secret = countenance.create_token(name, scope, options.moment(expires), options.actor(countenance))
    if not reply.object(token.as_json(now()) | {"secret": secret}):
        reply.say(f"Token {token.id}. Its secret, shown this once:")
        reply.say(secret)


@app.command("list")
def list_tokens(home: options.Home = None, key_dir: options.KeyDir = None, json: options.Json = False) -> None:
    """List tokens, never their secrets.

    Example: countenance token list
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="tokens") as countenance:
        rows = [token.as_json(now()) for token in countenance.tokens(options.actor(countenance))]
    if not reply.object({"tokens": rows}):
        reply.table(
            "Tokens",
            ("id", "name", "state", "scopes", "expires"),
            [(r["id"], r["name"], r["state"], r["scopes"], r["expires"]) for r in rows],
        )


@app.command()
def revoke(
    id: Annotated[str, typer.Argument(help="The token's id.")],
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Revoke a token at once.

    Example: countenance token revoke token-0123456789ab
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="tokens") as countenance:
        token = countenance.revoke_token(id, options.actor(countenance))
    if not reply.object(token.as_json(now())):
        reply.say(f"Revoked {id}.")
