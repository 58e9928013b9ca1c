"""`countenance erase`: rows, vectors, crops, journals and keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from countenance.cli import options
from countenance.cli.output import Reply
from countenance.domain.errors import BadInput

if TYPE_CHECKING:
    from countenance.app import Countenance
    from countenance.services.erase import Plan


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
    n: Annotated[int | None, typer.Option("--n", min=1, help="With --face: which face of the photograph.")] = None,
    yes: options.Yes = False,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Erase for good. It cannot be undone; the ledger keeps that it happened, and nothing of what was erased.

    Example: countenance erase --source holiday --yes
    """
    if sum(x is not None for x in (sighting, image, source, face)) != 1:
        raise BadInput("say what to erase", advice="give exactly one of --sighting, --image, --source and --face")
    with options.opened(home, key_dir) as countenance:
        if sighting is not None:
            plan = countenance.eraser.plan_sightings([_number(text) for text in sighting])
        elif image is not None:
            plan = countenance.eraser.plan_image(image)
        elif source is not None:
            plan = countenance.eraser.plan_sources(source)
        else:
            plan = _plan_face(countenance, face, authority, n, min_likeness)
        carry_out(countenance, plan, yes=yes, json=json)


def carry_out(countenance: Countenance, plan: Plan, *, yes: bool, json: bool) -> None:
    """Ask, unless told not to, and erase."""
    reply = Reply(json)
    counts = plan.as_json()
    if not yes:
        if json:
            raise BadInput("erasing needs a yes", advice="add --yes", details={"would_erase": counts})
        reply.facts("This will be erased for good", {name: value for name, value in counts.items() if name != "scope"})
        typer.confirm("Erase it?", abort=True, err=True)
    erased = countenance.erase(plan, options.actor())
    if reply.object(erased.as_json()):
        return
    reply.facts("Erased", {name: value for name, value in counts.items() if name != "scope"})
    for place in erased.pending:
        reply.say(f"Not purged yet: {place}")
    reply.say(f"Receipt: entry {erased.receipt['seq']}")


def _plan_face(
    countenance: Countenance, face: Path | None, authority: str | None, n: int | None, min_likeness: float | None
) -> Plan:
    from countenance.cli.search import _read

    if face is None or authority is None:
        raise BadInput("erasing by face needs an authority", advice="name it with --authority")
    photograph = _read(str(face), countenance)
    return countenance.plan_face_erasure(photograph, n, authority, options.actor(), min_likeness)


def _number(text: str) -> int:
    digits = text.removeprefix("sighting-").removeprefix("sighting:")
    if not (digits.isascii() and digits.isdigit()):
        raise BadInput(f"not a sighting: {text}", advice="a search shows them as sighting-123")
    return int(digits)
