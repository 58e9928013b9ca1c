"""`countenance retention`: what is kept how long, what is due, what was destroyed."""

from __future__ import annotations

import json as json_module
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from countenance.cli import options
from countenance.cli.output import Reply
from countenance.cli.oversee import past
from countenance.domain.errors import BadInput, Unavailable

app = typer.Typer(no_args_is_help=True, help="How long what is kept: say it, apply it, prove it.")

Out = Annotated[Path | None, typer.Option("--out", help="Write it to a file instead.")]
Force = Annotated[bool, typer.Option("--force", help="Replace a file that is there.")]


@app.command()
def run(home: options.Home = None, key_dir: options.KeyDir = None, json: options.Json = False) -> None:
    """Destroy everything that is over its time, and leave a receipt. `countenance serve` does it every hour.

    Example: countenance retention run --json
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="retention") as countenance:
        body = countenance.run_retention(options.actor(countenance))
    if not reply.object(body):
        reply.facts("Destroyed", body["destroyed"] or {"nothing": "nothing was due"})
        if body["held"]:
            rows = [(one["rule"], one["count"], ", ".join(one["holds"])) for one in body["held"]]
            reply.table("Kept by legal holds", ("what", "how many", "holds"), rows)
        for place in body["pending"]:
            reply.say(f"Not purged yet: {place}")
        if body["entry"] is not None:
            reply.say(f"Receipt: countenance retention receipt {body['entry']}")


@app.command()
def policy(
    out: Out = None,
    force: Force = False,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Print how long what is kept, as it is in force: for the public and the data-protection officer.

    With --out a name that ends in .md, .pdf or .json.

    Example: countenance retention policy --out retention.pdf
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="retention:read") as countenance:
        body, demo = countenance.keeping.policy(), countenance.demo
    from countenance.reports.retention import policy_pdf, policy_text

    if out is None:
        if not reply.object(body):
            typer.echo(policy_text(body))
        return
    _write(
        out,
        force,
        {".md": lambda: policy_text(body).encode(), ".pdf": lambda: policy_pdf(body, demo=demo), ".json": _json(body)},
    )
    if not reply.object({"file": str(out)} | body):
        reply.say(f"Wrote {out}.")


@app.command()
def due(
    ahead: Annotated[str, typer.Option("--ahead", help="How far ahead to look, such as 30d.")] = "30d",
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Show what is due next, what is overdue and what legal holds keep, in numbers.

    Example: countenance retention due --ahead 90d
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="retention:read") as countenance:
        body = countenance.keeping.coming(options.span(ahead))
        held = countenance.keeping.held()
    if reply.object(body | {"held": held}):
        return
    reply.table(
        f"Due until {body['until'][:10]}",
        ("what", "how many", "overdue", "the first", "held", "names"),
        [(r["title"], r["count"], r["overdue"], (r["first"] or "")[:16], r["held"], r["names"]) for r in body["due"]],
    )
    late = [one for one in body["backups"] if one["over"]]
    if late:
        rows = [(one["entry"], one["made"][:16], one["until"][:10]) for one in late]
        reply.table("Backups that have to be gone", ("entry", "made", "gone by"), rows)
    reply.facts("Held", {name.replace("_", " "): count for name, count in held.items()})


@app.command()
def receipts(
    since: Annotated[str | None, typer.Option("--since", help="From this time on; by default 90 days.")] = None,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """List the runs that destroyed something, the newest first.

    Example: countenance retention receipts --since 2026-01-01
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="retention:read") as countenance:
        found = countenance.keeping.receipts(past(since) if since else None)
    if not reply.object({"receipts": found}):
        rows = [(r["receipt"], r["destroyed_at"][:16], r["destroyed"], r["held"] or "") for r in found]
        reply.table("Destroyed", ("receipt", "when", "what", "held"), rows)


@app.command()
def receipt(
    number: Annotated[int, typer.Argument(metavar="RECEIPT", help="Its number, which is that of its entry.")],
    out: Out = None,
    force: Force = False,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Show one receipt of destruction, checked against the ledger; --out a name that ends in .json or .pdf.

    The `proof` in the JSON is what `countenance.verify_receipt` checks without the ledger.

    Example: countenance retention receipt 1234 --out receipt.json
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="retention:read") as countenance:
        body, demo = countenance.keeping.receipt(number), countenance.demo
    from countenance.reports.retention import destroyed, receipt_pdf

    if out is not None:
        _write(out, force, {".json": _json(body), ".pdf": lambda: receipt_pdf(body, demo=demo)})
    if reply.object(body | ({"file": str(out)} if out is not None else {})):
        return
    for row in body["destroyed"]:
        reply.facts(row["title"], dict(destroyed(row)))
    reply.say(f"Entry {number} of the ledger, checked.")
    if out is not None:
        reply.say(f"Wrote {out}.")


def _json(body: dict[str, Any]) -> Callable[[], bytes]:
    return lambda: (json_module.dumps(body, ensure_ascii=False, indent=1) + "\n").encode()


def _write(out: Path, force: bool, kinds: dict[str, Callable[[], bytes]]) -> None:
    make = kinds.get(out.suffix)
    if make is None:
        raise BadInput(f"not a kind of file: {out.name}", advice=f"end its name in {', '.join(kinds)}")
    if out.exists() and not force:
        raise BadInput(f"there is a file already: {out}", advice="choose another name, or add --force")
    try:
        out.write_bytes(make())
    except OSError as error:
        raise Unavailable(f"it cannot be written: {error.strerror}", advice="choose another place") from None
