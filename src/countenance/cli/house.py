"""Keeping house: status, doctor."""

from __future__ import annotations

import typer

from countenance.cli import options
from countenance.cli.output import Reply
from countenance.domain.errors import CountenanceError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(status)
    app.command()(doctor)


def status(home: options.Home = None, key_dir: options.KeyDir = None, json: options.Json = False) -> None:
    """Show what a home holds and what is running.

    Example: countenance status --json
    """
    from countenance.services.clock import sentence

    reply = Reply(json)
    with options.opened(home, key_dir, act="status:read") as countenance:
        body = countenance.status()
    if not reply.object(body):
        ledger = body.pop("ledger")
        running = body.pop("runs")
        profile = body.pop("profile")
        clock = body.pop("clock")
        for one in (one for one in clock if one["error"]):
            reply.note(f"Not done by the clock: {sentence(one)}.")
        for notice in profile["notices"]:
            reply.note(f"{notice[:1].upper()}{notice[1:]}.")
        body["profile"] = profile["profile"]
        reply.facts(
            "Status",
            body
            | {"ledger entries": ledger["entries"], "ledger key": ledger["key"]}
            | {"retention ran": next(one["last"] or "never" for one in clock if one["duty"] == "retention")[:16]},
        )
        if running:
            reply.table(
                "Running",
                ("source", "since", "counts"),
                [(r["source"], r["started"], r["counts"]) for r in running],
            )


def doctor(
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    offline: options.Offline = False,
    json: options.Json = False,
) -> None:
    """Say what really runs, what is wrong, and how to mend it. Exit code 1 when something is wrong.

    Example: countenance doctor --offline
    """
    from countenance.services.examine import Examined, examine_machine, fault
    from countenance.services.home import Where
    from countenance.settings import load_settings

    reply = Reply(json)
    settings = load_settings(home, key_dir=key_dir, offline=offline or None)
    where = Where.of(settings)
    report = examine_machine(
        Examined(
            home=settings.home,
            key_dir=settings.key_dir,
            pack=settings.faces.pack,
            runtime=settings.faces.runtime,
            weights=settings.faces.weights,
            workers=settings.ingest.workers,
            offline=settings.offline,
            database=where.database,
        )
    )
    if where.is_home():
        try:
            with options.opened(home, key_dir, act=None, offline=offline or None) as countenance:
                more = countenance.examine()
            report = {
                part: report[part] | more[part] if part == "facts" else report[part] + more[part] for part in report
            }
        except CountenanceError as error:
            found = fault(error.message, error.advice)
            if found not in report["findings"]:
                report["findings"].append(found)
    if not reply.object(report):
        reply.facts("What runs", report["facts"])
        if report["findings"]:
            reply.table(
                "What to mend",
                ("severity", "finding", "how"),
                [(f["severity"], f["what"], f["how"]) for f in report["findings"]],
            )
        else:
            reply.say("Nothing is wrong.")
    if any(finding["severity"] == "fault" for finding in report["findings"]):
        raise typer.Exit(1)
