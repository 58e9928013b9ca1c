"""`countenance user`: accounts, and what each may do."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from countenance.cli import options
from countenance.cli.output import Reply
from countenance.domain.errors import BadInput

app = typer.Typer(no_args_is_help=True, help="Make accounts, give roles, link system users, reset, disable.")

Who = Annotated[str, typer.Argument(help="The account's name, or its id.")]
Roles = Annotated[list[str], typer.Option(help="A role; give it again for more: requester, authoriser, reviewer, …")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="With which they sign in, for instance an e-mail address.")],
    role: Annotated[
        list[str] | None, typer.Option(help="A role; give it again for more. Not needed in a personal home.")
    ] = None,
    system_user: Annotated[
        str | None, typer.Option(help="The operating system's user who is this account; the first is linked to you.")
    ] = None,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Make an account, and a code with which its owner sets it up on the server's page /set-up.

    The first of an organisation is an administrator's and may be made by whoever is at the machine.

    Example: countenance user add anna@example.org --role requester
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act=None) as countenance:
        account, code = countenance.people.add(name, role or [], options.actor(countenance), system_user=system_user)
    _made(reply, account.as_json(), code)


@app.command("list")
def list_users(home: options.Home = None, key_dir: options.KeyDir = None, json: options.Json = False) -> None:
    """List accounts with their roles, never a secret.

    Example: countenance user list --json
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="accounts:read") as countenance:
        rows = [account.as_json() for account in countenance.people.accounts()]
    if not reply.object({"accounts": rows}):
        reply.table(
            "Accounts",
            ("id", "name", "state", "roles", "authenticator", "passkeys", "system users"),
            [
                (
                    r["id"],
                    r["name"],
                    r["state"],
                    r["roles"],
                    "yes" if r["authenticator"] else "",
                    r["passkeys"] or "",
                    r["system_users"] or "",
                )
                for r in rows
            ],
        )


@app.command()
def roles(
    name: Who,
    role: Roles,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Give an account these roles in place of those it has.

    Example: countenance user roles anna@example.org --role requester --role reviewer
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="accounts:write") as countenance:
        account = countenance.people.set_roles(name, role, options.actor(countenance))
    if not reply.object(account.as_json()):
        reply.say(f"{account.name} is now: {', '.join(account.roles)}.")


@app.command()
def disable(name: Who, home: options.Home = None, key_dir: options.KeyDir = None, json: options.Json = False) -> None:
    """Close an account, with its sessions and tokens, at once.

    Example: countenance user disable anna@example.org
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="accounts:write") as countenance:
        account = countenance.people.disable(name, options.actor(countenance))
    if not reply.object(account.as_json()):
        reply.say(f"{account.name} gets in no more.")


@app.command()
def enable(name: Who, home: options.Home = None, key_dir: options.KeyDir = None, json: options.Json = False) -> None:
    """Open a closed account again.

    Example: countenance user enable anna@example.org
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="accounts:write") as countenance:
        account = countenance.people.enable(name, options.actor(countenance))
    if not reply.object(account.as_json()):
        reply.say(f"{account.name} gets in again.")


@app.command()
def reset(name: Who, home: options.Home = None, key_dir: options.KeyDir = None, json: options.Json = False) -> None:
    """Forget how an account is signed in to, and make a new set-up code.

    Example: countenance user reset anna@example.org
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="accounts:write") as countenance:
        account, code = countenance.people.reset(name, options.actor(countenance))
    _made(reply, account.as_json(), code)


@app.command()
def link(
    name: Who,
    system_user: Annotated[str | None, typer.Option(help="A user of the operating system.")] = None,
    subject: Annotated[str | None, typer.Option(help="The digest that the page showed after the provider.")] = None,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Let a user of this machine, or somebody whom the identity provider knows, act as this account.

    Example: countenance user link anna@example.org --system-user anna
    """
    reply = Reply(json)
    _one_of(system_user, subject)
    with options.opened(home, key_dir, act="accounts:write") as countenance:
        actor = options.actor(countenance)
        countenance.people.link(name, actor, system_user=system_user, subject=subject)
        account = countenance.people.account(name)
    if not reply.object(account.as_json()):
        reply.say(f"Linked to {account.name}.")


@app.command()
def unlink(
    name: Who,
    system_user: Annotated[str | None, typer.Option(help="A user of the operating system.")] = None,
    subjects: Annotated[bool, typer.Option("--subjects", help="Everybody whom the provider knows.")] = False,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Undo a link.

    Example: countenance user unlink anna@example.org --system-user anna
    """
    reply = Reply(json)
    _one_of(system_user, subjects or None)
    with options.opened(home, key_dir, act="accounts:write") as countenance:
        actor = options.actor(countenance)
        countenance.people.unlink(name, actor, system_user=system_user, subjects=subjects)
        account = countenance.people.account(name)
    if not reply.object(account.as_json()):
        reply.say(f"Unlinked from {account.name}.")


def _one_of(*given: Any) -> None:
    if sum(one is not None for one in given) != 1:
        raise BadInput("name what is linked", advice="give --system-user, or what the provider's page showed")


def _made(reply: Reply, account: dict[str, Any], code: str) -> None:
    if reply.object(account | {"setup_code": code}):
        return
    reply.say(f"{account['name']} ({', '.join(account['roles'])}). The set-up code, shown this once, good for 7 days:")
    reply.say(code)
    reply.say("Its owner opens /set-up on the server, types it in and chooses a password.")
