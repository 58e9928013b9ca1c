"""`countenance proxylog`: were they visits, or searches?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from countenance.cli import options
from countenance.cli.output import Reply
from countenance.cli.proxylog_shown import (
    RejectedCsv,
    in_short,
    secret_of,
    sentences,
    tell,
    text_of,
)
from countenance.domain.errors import BadInput

app = typer.Typer(no_args_is_help=True, help="Tell from proxy logs whether visits to a face-search site were searches.")


@app.command()
def analyse(
    paths: Annotated[
        list[str], typer.Argument(help="Logs: files, folders, rotated sets, compressed or not; - reads standard input.")
    ],
    profile: Annotated[
        list[str] | None,
        typer.Option(help="A site profile by name, or a profile's file; by default all that are known."),
    ] = None,
    users: Annotated[str, typer.Option(help="Tell people apart by name, address or both.")] = "name",
    user_map: Annotated[Path | None, typer.Option(help="CSV of leases: address,user,from,to.")] = None,
    format: Annotated[str | None, typer.Option(help="The logs' format, instead of recognising it.")] = None,
    logformat: Annotated[str | None, typer.Option(help="Squid's own logformat line, for squid-custom.")] = None,
    mapping: Annotated[Path | None, typer.Option(help="TOML that says what a csv's or jsonl's columns are.")] = None,
    time_zone: Annotated[
        str | None, typer.Option(help="Zone of times that name none: Europe/London or +01:00; by default UTC.")
    ] = None,
    clock_offset: Annotated[
        list[str] | None,
        typer.Option(help="Seconds to add to a log's times: -42, or FILE=-42; give it again for more."),
    ] = None,
    why: Annotated[str, typer.Option(help="What the analysis is for; sealed in the ledger.")] = "",
    by: Annotated[str | None, typer.Option(help="Who asks for it, as they say themselves.")] = None,
    dpia: Annotated[str | None, typer.Option(help="Id of the impact assessment it rests on.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write a PDF report here.")] = None,
    rejected: Annotated[
        Path | None, typer.Option(help="Write every line that could not be read, as CSV, here.")
    ] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print the sessions as CSV on standard output.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Read logs and say what was done on face-search sites: graded, with bounds, every finding with its lines.

    An analysis that is cut off goes on where it was when the same command is given again.

    Example: countenance proxylog analyse /var/log/squid/ --why "complaint 12" --report report.pdf

    countenance proxylog analyse access.log.1.gz --users both --time-zone Europe/London --json
    """
    from countenance.services.analyse import NewAnalysis

    if json and csv:
        raise BadInput("--json and --csv both print on standard output", advice="choose one of them")
    for file in (report, rejected):
        if file is not None and file.exists() and not force:
            raise BadInput(f"there is a file already: {file}", advice="choose another name, or add --force")
    reply = Reply(json or csv)
    with options.opened(home, key_dir, act="proxylog:analyse") as countenance:
        asked = NewAnalysis(
            paths=tuple(paths),
            profiles=tuple(profile or ()),
            users=users,
            user_map=user_map,
            format=format,
            logformat=logformat,
            mapping=text_of(mapping),
            time_zone=time_zone,
            clock_offsets=tuple(clock_offset or ()),
            why=why,
            dpia=dpia,
        )
        with reply.bytes_progress("reading logs") as show:
            demo = countenance.demo
            made = countenance.logs.make(
                asked, options.actor(countenance, by), rejected=RejectedCsv(rejected).write, on_progress=show
            )
        analysis = countenance.logs.on_demand(made)
        said = analysis["body"] | {"receipt": analysis["receipt"]}
        tell(reply, analysis, said, report=report, csv=csv, demo=demo)


@app.command("list")
def list_analyses(home: options.Home = None, key_dir: options.KeyDir = None, json: options.Json = False) -> None:
    """List the analyses that are kept.

    Example: countenance proxylog list
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="proxylog:read") as countenance:
        rows = countenance.logs.analyses()
    if not reply.object({"analyses": rows}):
        reply.table(
            "Analyses",
            ("analysis", "made", "by", "files", "hits", "sessions", "searches"),
            [
                (
                    r["id"],
                    r["at"][:19],
                    r["by"],
                    r["files"],
                    r["totals"]["requests"],
                    r["totals"]["sessions"],
                    in_short(r["totals"]["searches"]),
                )
                for r in rows
            ],
        )


@app.command()
def show(
    analysis: Annotated[str, typer.Argument(help="An analysis, as `list` shows it.")],
    report: Annotated[Path | None, typer.Option(help="Write a PDF report here.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print the sessions as CSV on standard output.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Show an analysis again.

    Example: countenance proxylog show L-0123456789ab --report report.pdf
    """
    if json and csv:
        raise BadInput("--json and --csv both print on standard output", advice="choose one of them")
    if report is not None and report.exists() and not force:
        raise BadInput(f"there is a file already: {report}", advice="choose another name, or add --force")
    reply = Reply(json or csv)
    with options.opened(home, key_dir, act="proxylog:read") as countenance:
        found = countenance.logs.on_demand(analysis)
        tell(reply, found, found, report=report, csv=csv, demo=countenance.demo)


@app.command()
def explain(
    session: Annotated[str, typer.Argument(help="A session, as `show` lists it.")],
    analysis: Annotated[str | None, typer.Option(help="Of this analysis; by default the newest that has it.")] = None,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Say why a session is what it is, which lines show it, and what would change it.

    Example: countenance proxylog explain V-0123456789ab
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="proxylog:read") as countenance:
        found = countenance.logs.session(session, analysis)
    s = found["session"]
    if reply.object(found):
        return
    reply.facts(
        f"{s['id']}: {s['class']}",
        {
            "user": s["user"],
            "site": s["site"],
            "from": s["start"],
            "to": s["end"],
            "searches": in_short(s["searches"]),
            "attempted": s["attempted"],
            "this log can show": s["ceiling"],
            "beside the ledger": s["authorised"]["words"],
        },
    )
    sentences(reply, "Why", s["reasons"])
    sentences(reply, "What would change it", s["would_change"])
    reply.table(
        "Lines",
        ("file", "line", "at", "taken for", "shows"),
        [(e["file"], e["line"], e["at"], e["role"], e["shown"]) for e in s["evidence"]],
    )
    if s["evidence_left_out"]:
        reply.say(f"{s['evidence_left_out']:,} further lines are not listed.")


@app.command()
def unmask(
    session: Annotated[str, typer.Argument(help="A session, as `show` lists it.")],
    reason: Annotated[str, typer.Option(help="Why this person must be known, in a sentence; sealed in the ledger.")],
    second_token_file: Annotated[
        Path | None, typer.Option(help="File with the second person's token; without it they are asked to type it.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="Who asks for it, as they say themselves.")] = None,
    analysis: Annotated[str | None, typer.Option(help="Of this analysis; by default the newest that has it.")] = None,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Say who a session was, and show the log's own lines. It takes a second person with a token of their own.

    They make it with: countenance token create "their name" --scope proxylog:unmask

    Example: countenance proxylog unmask V-0123456789ab --reason "case 7: no authority fits" --second-token-file second
    """
    from countenance.services.unmask import Unmasking

    secret = secret_of(second_token_file)
    reply = Reply(json)
    with options.opened(home, key_dir, act="proxylog:unmask") as countenance:
        found = countenance.logs.unmask(Unmasking(session, reason, secret, analysis), options.actor(countenance, by))
    if reply.object(found):
        return
    reply.facts(
        f"{found['session']}",
        {
            "pseudonym": found["pseudonym"],
            found["by"]: found["who"],
            "addresses": found["addresses"],
            "second person": found["second"],
            "ledger entry": found["entry"],
            "beside the ledger": found["authorised"]["words"],
        },
    )
    reply.table("Lines", ("file", "line", "text"), [(x["file"], x["line"], x["text"]) for x in found["lines"]])


@app.command()
def remove(
    analysis: Annotated[str, typer.Argument(help="An analysis, as `list` shows it.")],
    yes: options.Yes = False,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Erase an analysis for good: its sessions, and the keys of all that it sealed.

    Example: countenance proxylog remove L-0123456789ab --yes
    """
    from countenance.cli.erase import carry_out

    with options.opened(home, key_dir, act="erase") as countenance:
        carry_out(countenance, countenance.eraser.plan_analyses([analysis]), yes=yes, json=json)


@app.command()
def profiles(
    check: Annotated[Path | None, typer.Option(help="Check a profile's file, and change nothing.")] = None,
    add: Annotated[Path | None, typer.Option(help="Check a profile's file, and use it from now on.")] = None,
    drop: Annotated[str | None, typer.Option(help="Stop using a profile that was added.")] = None,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """List the site profiles: what is known of each site, since when, and how well. Or check, add or drop one.

    Example: countenance proxylog profiles --check mine.toml
    """
    if sum(x is not None for x in (check, add, drop)) > 1:
        raise BadInput("one thing at a time", advice="give only one of --check, --add and --drop")
    reply = Reply(json)
    act = "proxylog:profiles" if add is not None or drop is not None else "proxylog:read"
    with options.opened(home, key_dir, act=act) as countenance:
        if check is not None:
            rows = [countenance.logs.check_profile(check)]
        else:
            if add is not None:
                countenance.logs.add_profile(add, options.actor(countenance))
            if drop is not None:
                countenance.logs.drop_profile(drop, options.actor(countenance))
            rows = countenance.logs.profiles()
    if reply.object({"profiles": rows}):
        return
    reply.table(
        "Site profiles",
        ("name", "site", "category", "version", "checked", "stale after", "own", "remarks"),
        [
            (
                r["name"],
                r["title"],
                r["category"],
                r["version"],
                r["checked"],
                r["stale_after"] + (" (stale)" if r["stale"] else ""),
                "yes" if r["own"] else "",
                r["remarks"],
            )
            for r in rows
        ],
    )


@app.command()
def formats(json: options.Json = False) -> None:
    """List the formats that are recognised.

    Example: countenance proxylog formats
    """
    from countenance.proxylog.formats.known import FORMATS

    reply = Reply(json)
    if not reply.object({"formats": [{"name": f.name, "title": f.title} for f in FORMATS]}):
        reply.table("Formats", ("name", "what"), [(f.name, f.title) for f in FORMATS])
