"""`countenance report`: what is told to others."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated, Any

import typer

from countenance.cli import options
from countenance.cli.output import Reply
from countenance.cli.oversee import past
from countenance.domain.errors import BadInput, Unavailable

app = typer.Typer(no_args_is_help=True, help="Write reports for others.")

_KINDS = (".pdf", ".csv", ".json")


@app.callback()
def reports() -> None:
    """Write reports for others."""


@app.command()
def transparency(
    since: Annotated[str, typer.Option("--from", help="First moment of the time: a date is best.")],
    until: Annotated[str, typer.Option("--to", help="The moment that it ends before.")],
    out: Annotated[Path, typer.Option("--out", help="Where to write it: a name that ends in .pdf, .csv or .json.")],
    purpose: Annotated[
        str,
        typer.Option("--purpose", help="What the ledger is read for: one of the four lawful purposes."),
    ] = "lawfulness",
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Write how many searches there were, on what basis, what came of them, and the errors with their intervals.

    Small counts are suppressed so that they cannot be had by subtracting. The same ledger and time give the same bytes.
    Dates are taken as UTC.

    Example: countenance report transparency --from 2026-01-01 --to 2026-04-01 --out first-quarter.pdf
    """
    from countenance.services.oversight import Asked

    reply = Reply(json)
    with options.opened(home, key_dir, act="oversight:read") as countenance:
        if out.suffix not in _KINDS:
            raise BadInput(f"not a kind of report: {out.name}", advice=f"end its name in {', '.join(_KINDS)}")
        if out.exists() and not force:
            raise BadInput(f"there is a file already: {out}", advice="choose another name, or add --force")
        asked = Asked(purpose, _day(since), _day(until))
        body = countenance.oversight.transparency(asked, options.actor(countenance))
        content = _written(out.suffix, body, countenance.demo)
    try:
        out.write_bytes(content)
    except OSError as error:
        raise Unavailable(f"the report cannot be written: {error.strerror}", advice="choose another place") from None
    if not reply.object({"file": str(out), "bytes": len(content)} | body):
        reply.say(f"Wrote {out}.")


@app.command()
def oversight(
    purpose: Annotated[
        str, typer.Option("--purpose", help="What the ledger is read for: one of the four lawful purposes.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Where to write the PDF.")],
    since: Annotated[str | None, typer.Option("--from", help="First moment of the time; a date, or 90d.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="The moment that it ends before; by default now.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Write the overseer's page as a PDF: numbers, plots, signs, what is overdue. It names people and cases.

    Example: countenance report oversight --purpose lawfulness --from 90d --out oversight.pdf
    """
    from countenance.services.oversight import Asked

    reply = Reply(json)
    with options.opened(home, key_dir, act="oversight:read") as countenance:
        from countenance.reports.oversight import report_of

        if out.exists() and not force:
            raise BadInput(f"there is a file already: {out}", advice="choose another name, or add --force")
        asked = Asked(purpose, _day(since) if since else None, _day(until) if until else None)
        body = countenance.oversight.summary(asked, options.actor(countenance))
        content = report_of(body, countenance.people.name_of, demo=countenance.demo)
    try:
        out.write_bytes(content)
    except OSError as error:
        raise Unavailable(f"the report cannot be written: {error.strerror}", advice="choose another place") from None
    if not reply.object({"file": str(out), "bytes": len(content), "read": body["read"]}):
        reply.say(f"Wrote {out}.")


def _day(text: str) -> Any:
    """A plain date is a day of UTC, wherever the command runs."""
    return past(f"{text.strip()}T00:00+00:00" if len(text.strip()) == 10 else text)


def _written(suffix: str, body: dict[str, Any], demo: bool) -> bytes:
    from countenance.services.transparency import INSPECTED, OUTCOMES

    if suffix == ".json":
        return (json_module.dumps(body, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
    from countenance.reports.transparency import as_csv, as_pdf

    titles = OUTCOMES | INSPECTED
    return as_csv(body, titles) if suffix == ".csv" else as_pdf(body, titles, demo=demo)
