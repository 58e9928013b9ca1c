"""`countenance subject-report`: answer somebody who asks what is held and was done about them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from countenance.cli import options
from countenance.cli.output import Reply
from countenance.cli.search import read_photograph
from countenance.domain.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from countenance.services.probes import Choice


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("subject-report")(subject_report)


def subject_report(
    photo: Annotated[list[str], typer.Argument(help="One or more photographs of the person who asks.")],
    authority: Annotated[str, typer.Option(help="The authority for this look-up.")],
    face: Annotated[str | None, typer.Option(help="Which face: its number by size, or largest.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="A PDF for the person to read.")] = None,
    withhold: Annotated[
        list[str] | None,
        typer.Option(help="A part that the law lets you keep back: indexed, shown, opened, disclosed, sought."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Which exemption, and why it holds here; sealed in the ledger.")] = "",
    pictures: Annotated[
        bool, typer.Option("--pictures", help="With pictures, all but the one face made unrecognisable.")
    ] = False,
    somebody_else: Annotated[
        list[str] | None,
        typer.Option(help="A sighting that you find to be somebody else, by its id; give it again for more."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    offline: options.Offline = False,
    json: options.Json = False,
) -> None:
    """Say where somebody is indexed, when they were searched for and shown, and to whom they were disclosed.

    It spends one use of the authority and leaves a receipt. The report does not say who searched, and holds pictures
    only with `--pictures`. Look at what it found before you hand it on: run it again with `--somebody-else` for each
    that the machine mistook, which is a look-up of its own. The page *Subject access* does both in one.

    Example: countenance subject-report me.jpg --authority A-0123456789ab --face largest --out report.pdf
    """
    from countenance.services.subject import SubjectRequest

    reply = Reply(json)
    with options.opened(home, key_dir, act="subject", offline=offline or None) as countenance:
        if out is not None and out.exists() and not force:
            raise BadInput(f"there is a file already: {out}", advice="choose another name, or add --force")
        choice: Choice = None
        if face is not None:
            if face != "largest" and not face.isdecimal():
                raise BadInput(f"not a face: {face}", advice="its number by size, or largest")
            choice = "largest" if face == "largest" else int(face)
        actor = options.actor(countenance)
        countenance.check_authority(authority, None, actor)
        options.ensure_weights(countenance, reply)
        photographs = tuple(read_photograph(name, countenance) for name in photo)
        asked = SubjectRequest(photographs, authority, choice, dict.fromkeys(withhold or (), reason), pictures)
        body = countenance.subject_report(asked, actor)
        if somebody_else:
            body = countenance.correct_subject_report(body["report"], somebody_else, actor)
        demo = countenance.demo
    if out is not None:
        _write(out, body, demo)
    if not reply.object(body | ({"file": str(out)} if out is not None else {})):
        _say(reply, body)
        if out is not None:
            reply.say(f"Wrote {out}.")


def _write(out: Path, body: dict[str, Any], demo: bool) -> None:
    from countenance.reports.subject import as_pdf
    from countenance.services.subject import PARTS

    try:
        out.write_bytes(as_pdf(body, PARTS, demo=demo))
    except OSError as error:
        raise Unavailable(f"the report cannot be written: {error.strerror}", advice="choose another place") from None


def _say(reply: Reply, body: dict[str, Any]) -> None:
    from countenance.services.subject import PARTS

    told = {words.capitalize(): "not told" if body[part] is None else len(body[part]) for part, words in PARTS.items()}
    reply.facts(f"Report {body['report']}", told | {"Sources looked through": body["sources"]})
    if body["indexed"]:
        rows = [
            (
                one["id"],
                one["source"],
                "somebody else" if one.get("somebody_else") else one["page"],
                one["first_seen"][:10],
                one["last_seen"][:10],
            )
            for one in body["indexed"]
        ]
        reply.table("Indexed", ("sighting", "source", "page", "first seen", "last seen"), rows)
