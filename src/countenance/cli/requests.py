"""`countenance authority request …`: ask for an authority, and decide on what was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from countenance.cli import options
from countenance.cli.output import Reply

if TYPE_CHECKING:
    from countenance.domain.requests import Request

Id = Annotated[str, typer.Argument(help="The request's id.")]


def request(
    purpose: Annotated[str, typer.Option(help="What the searches are for. Stays in the ledger: no names.")],
    basis: Annotated[str, typer.Option(help="Legal basis: own, consent, contract, public-task, …")],
    case: Annotated[str, typer.Option(help="The case they belong to. Stays in the ledger: a number, never a name.")],
    collection: Annotated[list[str], typer.Option(help="A collection to search; give it again for more.")],
    expires: Annotated[str, typer.Option(help="When it ends: 1d, 12h, or a date.")],
    searches: Annotated[int, typer.Option(help="How many searches.")],
    outcome: Annotated[str, typer.Option(help="What may be done with what is found.")],
    necessity: Annotated[str, typer.Option(help="Why the aim cannot be reached without it. Sealed.")],
    proportionality: Annotated[str, typer.Option(help="Why the intrusion is worth it. Sealed.")],
    by: Annotated[str, typer.Option(help="Who asks, as you state it; your account is recorded too.")],
    subject: Annotated[str, typer.Option(help="Who is looked for, as a reference, such as suspect 1. Sealed.")] = "",
    basis_document: Annotated[str | None, typer.Option(help="The document the basis rests on.")] = None,
    urgent: Annotated[bool, typer.Option("--urgent", help="Search at once; deleted unless approved in time.")] = False,
    draft: Annotated[bool, typer.Option("--draft", help="Only write it down; ask later with --of.")] = False,
    of: Annotated[str | None, typer.Option(help="The id of a draft of yours that this replaces.")] = None,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Ask for an authority. Somebody else approves it; only an urgent one may be used before that.

    Example: countenance authority request --purpose "find a suspect" --basis law-enforcement --basis-document POL-1
    --case OP-0007 --collection custody --expires 3d --searches 3 --outcome "a lead" --necessity "…"
    --proportionality "…" --by "A Requester"
    """
    from countenance.domain.requests import Reasons, Wanted

    with options.opened(home, key_dir, act="authorities:request") as countenance:
        wanted = Wanted(
            purpose=purpose,
            basis=basis,
            basis_document=basis_document,
            case=case,
            collections=tuple(collection),
            expires=options.moment(expires),
            searches=searches,
            outcome=outcome,
            stated_by=by,
            urgent=urgent,
        )
        reasons = Reasons(necessity, proportionality, subject)
        desk, actor = countenance.requests, options.actor(countenance, by)
        made = desk.draft(wanted, reasons, actor, of) if draft else desk.ask(wanted, reasons, actor, of)
        said = desk.reasons(made)
    reply = Reply(json)
    near = list(said.near) if said else []
    if reply.object(made.as_json() | {"near": near}):
        return
    if draft:
        reply.say(f"Written down as {made.id}. Ask with: countenance authority request --of {made.id} …")
        return
    reply.say(f"Asked as {made.id}. An authoriser decides: countenance authority approve {made.id}")
    if made.due is not None:
        reply.say(f"You may search under {made.authority} at once.")
        reply.say(f"What it finds is deleted unless it is approved by {made.due:%Y-%m-%d %H:%M} UTC.")
    for one in near:
        reply.say(f"The {one['text']} reads almost like that of {one['request']}; the overseer is shown that.")


def requests(
    open: Annotated[bool, typer.Option("--open", help="Only those that wait for a decision.")] = False,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """List requests, newest first.

    Example: countenance authority requests --open
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="authorities:read") as countenance:
        found = [one for one in countenance.requests.every(options.actor(countenance)) if one.undecided or not open]
    if not reply.object({"requests": [one.as_json() for one in found]}):
        reply.table(
            "Requests",
            ("id", "state", "case", "purpose", "collections", "searches", "asked", "by", "due", "authority"),
            [_row(one) for one in found],
        )


def _row(one: Request) -> tuple[object, ...]:
    due = f"{one.due:%Y-%m-%d %H:%M}" if one.due and one.undecided else ""
    wanted = one.wanted
    return (
        one.id, one.state, wanted.case, wanted.purpose, list(wanted.collections), wanted.searches,
        f"{one.asked_at:%Y-%m-%d %H:%M}", one.holder, due, one.authority or "",
    )  # fmt: skip


def request_show(id: Id, home: options.Home = None, key_dir: options.KeyDir = None, json: options.Json = False) -> None:
    """Show one request, with its reasons as far as they are kept.

    Example: countenance authority request-show R-0123456789ab
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="authorities:read") as countenance:
        found = countenance.requests.one(id, options.actor(countenance))
        reasons = countenance.requests.show_reasons(found, options.actor(countenance))
    body = found.as_json() | {"reasons": reasons.as_json() if reasons else None}
    if not reply.object(body):
        steps = [f"{s.what} {s.at:%Y-%m-%d %H:%M} by {s.by} (entry {s.entry})" for s in found.steps]
        reply.facts(f"Request {id}", body | {"steps": steps})


def approve(id: Id, home: options.Home = None, key_dir: options.KeyDir = None, json: options.Json = False) -> None:
    """Approve what somebody else asked for. Read its reasons first: countenance authority request-show ID.

    Example: countenance authority approve R-0123456789ab
    """
    from countenance.store.moments import now as utc_now

    reply = Reply(json)
    with options.opened(home, key_dir, act="authorities:write") as countenance:
        authority = countenance.requests.approve(id, options.actor(countenance))
    if not reply.object(authority.as_json(utc_now())):
        reply.say(f"Approved {id}; {authority.holder} may search under {authority.id}.")
        if authority.self_approved and authority.due is None:
            reply.say("You approved your own request; every entry, receipt and page that rests on it says so.")


def decline(
    id: Id,
    reason: Annotated[str, typer.Option(help="Why; sealed in the ledger.")],
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Say no to a request. What an urgent one has found already is deleted.

    Example: countenance authority decline R-0123456789ab --reason "the case does not warrant it"
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="authorities:write") as countenance:
        found = countenance.requests.decline(id, reason, options.actor(countenance))
    if not reply.object(found.as_json()):
        reply.say(f"Declined {id}." + (" What it had found was deleted." if found.due else ""))


def withdraw(id: Id, home: options.Home = None, key_dir: options.KeyDir = None, json: options.Json = False) -> None:
    """Take back a request of your own that nobody has decided on.

    Example: countenance authority withdraw R-0123456789ab
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="authorities:request") as countenance:
        found = countenance.requests.withdraw(id, options.actor(countenance))
    if not reply.object(found.as_json()):
        reply.say(f"Withdrawn: {id}.")


def close_case(
    case: Annotated[str, typer.Argument(help="The case's number.")],
    reopen: Annotated[bool, typer.Option("--reopen", help="Say that it goes on instead.")] = False,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Say that a case is closed: nothing is asked for in it any more, and later searches are shown to the overseer.

    Example: countenance authority close-case OP-0007
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="authorities:write") as countenance:
        desk, actor = countenance.requests, options.actor(countenance)
        (desk.reopen_case if reopen else desk.close_case)(case, actor)
    if not reply.object({"case": case, "closed": not reopen}):
        reply.say(f"The case {case} {'goes on' if reopen else 'is closed'}.")


def register(app: typer.Typer) -> None:
    """The commands, beside those of authorities."""
    app.command()(request)
    app.command()(requests)
    app.command("request-show")(request_show)
    app.command()(approve)
    app.command()(decline)
    app.command()(withdraw)
    app.command("close-case")(close_case)
