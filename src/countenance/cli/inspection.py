"""`countenance inspection`: searches that somebody with no part in them looks at afterwards."""

from __future__ import annotations

from typing import Annotated

import typer

from countenance.cli import options
from countenance.cli.output import Reply
from countenance.cli.oversee import past

app = typer.Typer(no_args_is_help=True, help="Draw searches for inspection, look at them, say what was found.")

Id = Annotated[str, typer.Argument(help="The inspection's id.")]
Words = Annotated[str, typer.Option("--words", help="In words; sealed in the ledger.")]


@app.command()
def draw(
    purpose: Annotated[
        str, typer.Option("--purpose", help="What the ledger is read for: one of the four lawful purposes.")
    ] = "self-monitoring",
    since: Annotated[str | None, typer.Option("--since", help="By default when the last draw's time ended.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="By default now.")] = None,
    random: Annotated[int | None, typer.Option(min=0, max=500, help="How many at random.")] = None,
    risk: Annotated[int | None, typer.Option(min=0, max=500, help="How many by the signs of misuse on them.")] = None,
    word: Annotated[str, typer.Option(help="A word of your own, which nobody here could know before.")] = "",
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Draw searches, some at random and some by risk, and assign each to somebody who had no part in it.

    The random ones follow from the root hash of the ledger at that moment and your word: whoever has the ledger can
    draw them again.

    Example: countenance inspection draw --since 30d --random 10 --risk 5 --word "seven blue herons"
    """
    from countenance.services.inspections import Wanted

    reply = Reply(json)
    wanted = Wanted(purpose, past(since) if since else None, past(until) if until else None, random, risk, word)
    with options.opened(home, key_dir, act="inspections:draw") as countenance:
        actor = options.actor(countenance)
        made = countenance.inspections.draw(wanted, actor)
        rows = [one for one in countenance.inspections.every(actor) if one.draw == made.id]
        names = {one.id: countenance.people.name_of(one.assigned) if one.assigned else "nobody" for one in rows}
    found = [one.as_json(made.at) for one in rows]
    if not reply.object(made.as_json() | {"inspections": found}):
        reply.table(
            f"Draw {made.id}: {len(rows)} of {made.population:,} searches",
            ("inspection", "search", "why", "signs", "for"),
            [(one.id, one.search, one.kind, ", ".join(one.rules), names[one.id]) for one in rows],
        )


@app.command("list")
def list_inspections(home: options.Home = None, key_dir: options.KeyDir = None, json: options.Json = False) -> None:
    """List inspections: all of them to an overseer, to a reviewer their own.

    Example: countenance inspection list
    """
    from countenance.store.moments import now

    reply = Reply(json)
    with options.opened(home, key_dir, act="inspections:read") as countenance:
        actor = options.actor(countenance)
        rows = [one.as_json(now()) for one in countenance.inspections.every(actor)]
        draws = [one.as_json() for one in countenance.inspections.draws(actor)]
        name_of = countenance.people.name_of
        names = {row["id"]: name_of(row["assigned"]) if row["assigned"] else "nobody" for row in rows}
    if not reply.object({"inspections": rows, "draws": draws}):
        reply.table(
            "Inspections",
            ("inspection", "search", "why", "for", "until", "state"),
            [(r["id"], r["search"], r["kind"], names[r["id"]], r["due"][:10], r["state"]) for r in rows],
        )


@app.command()
def show(
    id: Id,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Show an inspection and everything that the ledger holds on its search. Reading it is an entry.

    Example: countenance inspection show I-0123456789ab
    """
    from countenance.store.moments import now

    reply = Reply(json)
    with options.opened(home, key_dir, act="inspections:judge") as countenance:
        actor = options.actor(countenance)
        file = countenance.inspections.file(id, actor)
        one = countenance.inspections.one(id, actor)
        written = countenance.inspections.written(one)
    if reply.object(one.as_json(now()) | {"written": written, "file": file}):
        return
    facts = {"search": one.search, "state": one.state(now()), "until": one.due.isoformat()[:10], **written}
    reply.facts(f"Inspection {id}", facts | {name: file["terms"].get(name) for name in ("case", "purpose", "basis")})
    rows = [(e["seq"], e["at"][:19], e["type"], e["who"]) for e in file["entries"]]
    reply.table(f"Search {one.search}", ("entry", "at", "type", "who"), rows)


@app.command()
def check(
    draw: Annotated[str, typer.Argument(help="The draw's id.")],
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Draw the random ones of a draw again, and say whether they are those that were drawn.

    Example: countenance inspection check D-0123456789ab
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="inspections:read") as countenance:
        told = countenance.inspections.check(draw, options.actor(countenance))
    if not reply.object(told):
        reply.facts(
            f"Draw {draw}",
            {
                "the root was the ledger's": told["root_holds"],
                "drawn": ", ".join(told["drawn"]),
                "drawn again": ", ".join(told["drawn_again"]),
                "they agree": told["agrees"],
            },
        )
    if not told["agrees"]:
        raise typer.Exit(1)


@app.command()
def assign(
    id: Id,
    to: Annotated[str, typer.Option("--to", help="Whose account: its name or id.")],
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Give an inspection to somebody else, who had no part in the search.

    Example: countenance inspection assign I-0123456789ab --to rita@example.org
    """
    from countenance.store.moments import now

    reply = Reply(json)
    with options.opened(home, key_dir, act="inspections:draw") as countenance:
        one = countenance.inspections.assign(id, to, options.actor(countenance))
    if not reply.object(one.as_json(now())):
        reply.say(f"{id} is {to}'s now.")


@app.command()
def find(
    id: Id,
    finding: Annotated[str, typer.Option("--finding", help="in-order, query or improper.")],
    words: Words,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Say what you found.

    Example: countenance inspection find I-0123456789ab --finding in-order --words "case file seen, grounds hold"
    """
    from countenance.store.moments import now

    reply = Reply(json)
    with options.opened(home, key_dir, act="inspections:judge") as countenance:
        one = countenance.inspections.find(id, finding, words, options.actor(countenance))
    if not reply.object(one.as_json(now())):
        reply.say(f"Recorded, as entry {one.finding.entry if one.finding else ''}.")


@app.command("follow-up")
def follow_up(
    id: Id,
    owner: Annotated[str, typer.Option(help="Who sees to it: the name or id of an account.")],
    due: Annotated[str, typer.Option(help="Until when: a date.")],
    words: Words,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Say what has to come of a finding, who sees to it and by when.

    Example: countenance inspection follow-up I-0123456789ab --owner bo@example.org --due 2027-08-01 --words "explain"
    """
    from countenance.store.moments import now

    reply = Reply(json)
    day = options.date(due).date()
    with options.opened(home, key_dir, act="inspections:judge") as countenance:
        one = countenance.inspections.follow_up(id, owner, day, words, options.actor(countenance))
    if not reply.object(one.as_json(now())):
        reply.say(f"{owner} sees to it by {day}.")


@app.command("follow-ups")
def follow_ups(home: options.Home = None, key_dir: options.KeyDir = None, json: options.Json = False) -> None:
    """List the follow-ups of inspections that are yours, what is still to be done first.

    Example: countenance inspection follow-ups
    """
    from countenance.store.moments import now

    reply = Reply(json)
    with options.opened(home, key_dir, act="inspections:answer") as countenance:
        desk = countenance.inspections
        found = [one.owed(now()) | {"words": desk.asked(one)} for one in desk.follow_ups(options.actor(countenance))]
    if not reply.object({"follow_ups": found}):
        reply.table(
            "Follow-ups",
            ("inspection", "search", "found", "by", "state", "what"),
            [
                (
                    one["inspection"],
                    one["search"],
                    one["finding"],
                    one["due"],
                    "done" if one["done"] else "late" if one["late"] else "open",
                    one["words"].get("follow-up", ""),
                )
                for one in found
            ],
        )


@app.command()
def done(
    id: Id,
    words: Words,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Record what was done to follow a finding up: of a follow-up that is yours, or as who judges inspections.

    Example: countenance inspection done I-0123456789ab --words "spoken to, the authority was revoked"
    """
    from countenance.store.moments import now

    reply = Reply(json)
    with options.opened(home, key_dir, act="inspections:answer") as countenance:
        one = countenance.inspections.followed_up(id, words, options.actor(countenance))
        body = one.owed(now()) | {"words": countenance.inspections.asked(one)}
    if not reply.object(body):
        reply.say("Recorded.")
