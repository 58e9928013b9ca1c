"""`countenance erase`: rows, vectors, crops, journals and keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from countenance.cli import options, search
from countenance.cli.output import Reply
from countenance.domain.errors import BadInput, SeveralFaces

if TYPE_CHECKING:
    from countenance.app import Countenance
    from countenance.services.erasure import Plan
    from countenance.services.probes import Choice


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(erase)


def erase(
    sighting: Annotated[list[str] | None, typer.Option(help="A sighting's id; give it again for more.")] = None,
    image: Annotated[str | None, typer.Option(help="An image's address, as a search shows it.")] = None,
    source: Annotated[list[str] | None, typer.Option(help="A source; give it again for more.")] = None,
    face: Annotated[Path | None, typer.Option(help="A photograph: every sighting this alike.")] = None,
    authority: Annotated[str | None, typer.Option(help="With --face: the authority to look under.")] = None,
    min_likeness: Annotated[float | None, typer.Option(min=-1, max=1, help="With --face: least cosine.")] = None,
    n: Annotated[
        str | None, typer.Option("--n", help="With --face: which face, its number by size or largest.")
    ] = None,
    yes: options.Yes = False,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    offline: options.Offline = False,
    json: options.Json = False,
) -> None:
    """Erase for good. It cannot be undone; the ledger keeps that it happened, and nothing of what was erased.

    With `--face`, a photograph is compared as in a search: under an authority, of which it spends a use.

    Example: countenance erase --source holiday --yes
    """
    if sum(x is not None for x in (sighting, image, source, face)) != 1:
        raise BadInput("say what to erase", advice="give exactly one of --sighting, --image, --source and --face")
    choice = _choice(n)
    with options.opened(home, key_dir, act="erase", offline=offline or None) as countenance:
        if sighting is not None:
            plan = countenance.eraser.plan_sightings([_number(text) for text in sighting])
        elif image is not None:
            plan = countenance.eraser.plan_image(image)
        elif source is not None:
            plan = countenance.eraser.plan_sources(source)
        else:
            plan = _plan_face(countenance, Reply(json), face, authority, choice, min_likeness)
        carry_out(countenance, plan, yes=yes, json=json)


def carry_out(countenance: Countenance, plan: Plan, *, yes: bool, json: bool) -> None:
    """Ask, unless told not to, and erase."""
    reply = Reply(json)
    if not yes:
        if json:
            raise BadInput("erasing needs a yes", advice="add --yes", details={"would_erase": plan.as_json()})
        reply.facts("This will be erased for good, with what is read until you answer", plan.counts)
        typer.confirm("Erase it?", abort=True, err=True)
    erased = countenance.erase(plan, options.actor(countenance))
    if reply.object(erased.as_json()):
        return
    reply.facts("Erased", erased.counts)
    for place in erased.pending:
        reply.say(f"Not purged yet: {place}")
    reply.say(f"Receipt: entry {erased.receipt['seq']}")


def _plan_face(
    countenance: Countenance,
    reply: Reply,
    face: Path | None,
    authority: str | None,
    choice: Choice,
    min_likeness: float | None,
) -> Plan:
    if face is None or authority is None:
        raise BadInput("erasing by face needs an authority", advice="name it with --authority")
    if min_likeness is None:
        raise BadInput("say how alike a face must be to be erased", advice="for instance --min-likeness 0.5")
    actor = options.actor(countenance)
    # Asked first: without an authority the photograph is not even read.
    countenance.check_authority(authority, None, actor)
    options.ensure_weights(countenance, reply)
    photograph = search.read_photograph(str(face), countenance)
    try:
        return countenance.plan_face_erasure(photograph, choice, authority, actor, min_likeness)
    except SeveralFaces as error:
        advice = "choose one with --n N (numbered by size) or --n largest"
        raise SeveralFaces(error.message, advice=advice, details=error.details) from None


def _choice(n: str | None) -> Choice:
    """Whose face; as with a search, nobody guesses."""
    if n is None or n == "largest":
        return "largest" if n else None
    if n.isascii() and n.isdigit() and int(n) > 0:
        return int(n)
    raise BadInput(f"not a choice of face: {n}", advice="give a number, or largest")


def _number(text: str) -> int:
    digits = text.removeprefix("sighting-").removeprefix("sighting:")
    if not (digits.isascii() and digits.isdigit()):
        raise BadInput(f"not a sighting: {text}", advice="a search shows them as sighting-123")
    return int(digits)
