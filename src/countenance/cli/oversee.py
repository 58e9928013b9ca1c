"""`countenance oversee`: what overseers ask of the ledger."""

from __future__ import annotations

import json as json_module
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from countenance.cli import options
from countenance.cli.output import Reply
from countenance.domain.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from countenance.services.oversight import Asked

app = typer.Typer(no_args_is_help=True, help="Read the ledger as acts of people. Every reading is an entry.")

Purpose = Annotated[
    str,
    typer.Option(
        "--purpose", help="What the reading is for: lawfulness, self-monitoring, integrity or criminal-proceedings."
    ),
]
Since = Annotated[
    str | None, typer.Option("--since", help="From this time on: a date or time, or a length before now such as 30d.")
]
Until = Annotated[str | None, typer.Option("--until", help="Up to this time; by default now.")]


@app.command()
def flags(
    purpose: Purpose,
    since: Since = None,
    until: Until = None,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Show what looks wrong, the gravest first: each sign with its reason and the entries it rests on; those of one
    matter stand together. A sign is a reason to ask.

    Example: countenance oversee flags --purpose self-monitoring --since 90d
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="oversight:read") as countenance:
        body = countenance.oversight.flags(_asked(purpose, since, until), options.actor(countenance))
    if reply.object(body):
        return
    reply.table(
        f"Signs in {body['searches']:,} searches",
        ("matter", "severity", "sign", "entries"),
        [
            ("" if within else n, flag["severity"], flag["reason"], _few(flag["entries"]))
            for n, matter in enumerate(body["matters"], 1)
            for within, flag in enumerate(matter["flags"])
        ],
    )
    if body["matters"]:
        wants = [matter["severity"] for matter in body["matters"] if matter["severity"] != "notice"]
        reply.say(
            f"{_matters(len(body['matters']))}: {wants.count('urgent')} urgent, {wants.count('look')} for a person to "
            f"look at, {len(body['matters']) - len(wants)} that can wait for a sample."
        )
    if body["silent"]:
        reply.table("Nothing to go by", ("sign", "why"), [(s["what"], s["why"]) for s in body["silent"]])


@app.command()
def summary(
    purpose: Purpose,
    since: Since = None,
    until: Until = None,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Say how many searches there were, by whom, for what, how many led anywhere, what is overdue, what looks wrong.

    Example: countenance oversee summary --purpose lawfulness --since 2026-10-01 --until 2027-01-01
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="oversight:read") as countenance:
        body = countenance.oversight.summary(_asked(purpose, since, until), options.actor(countenance))
    if reply.object(body):
        return
    plain = ("entries", "searches", "people", "cases", "self_approved", "refused", "erasures")
    reply.facts("Use", {name.replace("_", " "): body[name] for name in plain})
    reply.facts("Led anywhere", {name.replace("_", " "): n for name, n in body["led_anywhere"].items()})
    for title, name in (
        ("By whom", "by_person"),
        ("For what", "by_purpose"),
        ("In which collections", "by_collection"),
    ):
        reply.table(title, ("", "searches"), list(body[name].items())[:20])
    drawn = {name.replace("_", " "): n for name, n in body["inspections"].items() if n}
    reply.facts("Inspections", drawn | {"last drawn": (body["last_draw"] or "never")[:16]})
    if body["overdue"]:
        reply.table("Overdue", ("search", "by", "case"), [(o["search"], o["by"], o["case"]) for o in body["overdue"]])
    reply.facts("Looks wrong", body["looks_wrong"] or {"nothing": ""})
    if body["silent"]:
        reply.facts("Nothing to go by", body["silent"])


@app.command()
def calibration(
    purpose: Purpose,
    since: Since = None,
    until: Until = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the scores judged to be of two people, for `calibrate --verdicts`.")
    ] = None,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Hold expected strangers against verdicts. Judged pairs are a choice: they can show that too few strangers are
    expected, never that enough are. Exit code 1 when too few are.

    Example: countenance oversee calibration --purpose self-monitoring --out verdicts.json
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="oversight:read") as countenance:
        body, hard = countenance.oversight.verdicts(_asked(purpose, since, until), options.actor(countenance))
    if out is not None:
        try:
            out.write_text(json_module.dumps(hard, indent=1) + "\n")
        except OSError as error:
            raise Unavailable(f"it cannot be written: {error.strerror}", advice="choose another place") from None
    if not reply.object(body | ({"file": str(out)} if out else {})):
        reply.table(
            f"{body['judged']} judged pairs of {body['searches']} searches",
            ("expected strangers", "judged", "different", "share", "strangers at least", "and expected"),
            [
                (f"up to {b['expected_strangers_at_most']:g}", b["judged"], b["different"], b["share"] or "",
                 b["strangers_at_least"], b["strangers_expected"])
                for b in body["bands"]
            ],
        )  # fmt: skip
        if body["too_hopeful"]:
            reply.say("More strangers than the calibration has one expect: measure the pack anew, on faces like these.")
    if body["too_hopeful"]:
        raise typer.Exit(1)


@app.command()
def acts(
    purpose: Purpose,
    since: Since = None,
    until: Until = None,
    user: Annotated[str, typer.Option(help="Only those of this person (user:ID or os:NAME).")] = "",
    case: Annotated[str, typer.Option(help="Only those of this case.")] = "",
    sign: Annotated[str, typer.Option(help="Only those that a sign of misuse rests on, by the sign's name.")] = "",
    kind: Annotated[str, typer.Option(help="search, refused, granted, lapsed or erased.")] = "",
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """List what people did, one act a row, the newest first.

    Example: countenance oversee acts --purpose lawfulness --since 30d --case C-17
    """
    from countenance.services.listing import Chosen

    reply = Reply(json)
    chosen = Chosen(kind=kind, user=user, case=case, sign=sign)
    with options.opened(home, key_dir, act="oversight:read") as countenance:
        actor = options.actor(countenance)
        body = countenance.oversight.acts(_asked(purpose, since, until), chosen, actor)
    if not reply.object(body):
        reply.table(
            f"{len(body['acts']):,} acts",
            ("entry", "at", "who", "what", "case", "came of it"),
            [
                (
                    a["entry"],
                    a["at"][:16],
                    a["who"],
                    a.get("search", a["kind"]),
                    a["case"],
                    a.get("came", a.get("what")),
                )
                for a in body["acts"]
            ],
        )


@app.command("act")
def one_act(
    search: Annotated[str, typer.Argument(help="The search's id.")],
    purpose: Purpose,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Show every entry that the ledger holds on one search, from the asking for leave on.

    Example: countenance oversee act S-0123456789abcdef --purpose lawfulness
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="oversight:read") as countenance:
        body = countenance.oversight.act(search, _asked(purpose, None, None), options.actor(countenance))
    if not reply.object(body):
        reply.table(
            f"Search {search}",
            ("entry", "at", "type", "who"),
            [(e["seq"], e["at"][:19], e["type"], e["who"]) for e in body["entries"]],
        )


def _asked(purpose: str, since: str | None, until: str | None) -> Asked:
    from countenance.services.oversight import Asked

    return Asked(purpose, past(since) if since else None, past(until) if until else None)


def past(text: str) -> datetime:
    """A time gone by: a length before now (30d), or a date or time in ISO 8601 (local if it names no zone)."""
    try:
        return datetime.now(UTC) - options.span(text)
    except BadInput:
        return options.moment(text)
    except OverflowError:
        raise BadInput(f"not a time: {text}", advice="write 30d, 12h, or 2026-01-31") from None


def _matters(count: int) -> str:
    return f"{count} matter" if count == 1 else f"{count} matters"


def _few(entries: list[int]) -> str:
    shown = ", ".join(map(str, entries[:8]))
    return shown + (f" … ({len(entries)})" if len(entries) > 8 else "")
