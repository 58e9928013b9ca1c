"""`countenance search`: look for a face under an authority."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from countenance.cli import options
from countenance.cli.output import Reply, failure
from countenance.domain.errors import BadInput, CountenanceError

if TYPE_CHECKING:
    from countenance.app import Countenance
    from countenance.domain.results import SearchResult, SightingShown

_PLACES = 5
"""Of one picture, so many pages are printed."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(search)


def search(
    photo: Annotated[list[str], typer.Argument(help="One or more photographs of the one person looked for.")],
    authority: Annotated[str, typer.Option(help="The authority to search under.")],
    collection: Annotated[
        list[str] | None, typer.Option(help="A collection to search, by default all that the authority covers.")
    ] = None,
    face: Annotated[str | None, typer.Option(help="Which face: its number by size, largest, or each.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, max=1000, help="Most picture groups shown.")] = None,
    min_likeness: Annotated[float | None, typer.Option(min=-1, max=1, help="Least cosine of a candidate.")] = None,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    offline: options.Offline = False,
    json: options.Json = False,
) -> None:
    """Search for a face. It spends one use of the authority, and leaves a receipt.

    Several photographs are taken to show one person. With `--face each` every face is searched on its own, and spends
    a use of its own; when one is refused, what was found of those before it is shown all the same.

    Example: countenance search me.jpg --authority A-0123456789ab --face largest
    """
    from countenance.services.search import SearchRequest

    reply = Reply(json)
    choice = _choice(face)
    results: list[SearchResult] = []
    try:
        with options.opened(home, key_dir, act="search", offline=offline or None) as countenance:
            actor = options.actor(countenance)
            collections = tuple(collection) if collection else None
            # Asked first: without an authority no photograph is even read.
            countenance.check_authority(authority, collections, actor)
            options.ensure_weights(countenance, reply)
            photographs = tuple(read_photograph(name, countenance) for name in photo)
            for faces in _probes(countenance, photographs, choice):
                request = SearchRequest(
                    photographs=photographs if face != "each" else (photographs[faces[0]],),
                    authority=authority,
                    collections=collections,
                    face=faces[1],
                    limit=limit,
                    min_likeness=min_likeness,
                )
                results.append(countenance.search(request, actor))
                # At once, and whatever becomes of the next face: the ledger says that it was shown.
                _show(reply, results[-1])
    except (CountenanceError, KeyboardInterrupt) as error:
        code, problem = failure(error)
        if results and reply.object({"searches": [one.opened_json() for one in results], "error": problem}):
            raise SystemExit(code) from None
        raise
    bodies = [result.opened_json() for result in results]
    reply.object(bodies[0] if face != "each" else {"searches": bodies})


def _choice(face: str | None) -> Any:
    if face is None or face in ("largest", "each"):
        return face
    if face.isascii() and face.isdigit() and int(face) > 0:
        return int(face)
    raise BadInput(f"not a choice of face: {face}", advice="give a number, largest or each")


def _probes(countenance: Countenance, photographs: tuple[bytes, ...], choice: Any) -> list[tuple[int, Any]]:
    """(photograph, choice of face) of every search to make: one, or with `each` one for every usable face."""
    if choice != "each":
        return [(0, choice)]
    found = [
        (k, face.n)
        for k, photograph in enumerate(photographs)
        for face in countenance.faces_in(photograph).faces
        if face.usable
    ]
    if not found:
        from countenance.domain.errors import NoFace

        raise NoFace("no usable face in these photographs", advice="use a sharper or larger photograph")
    return found


def read_photograph(name: str, countenance: Countenance) -> bytes:
    """The bytes of a probe, within the limits of the settings. Raises BadInput, UnreadableImage."""
    from countenance.domain.errors import UnreadableImage
    from countenance.imaging.reading import read_file

    path = Path(name)
    if not path.is_file():
        raise BadInput("there is no such photograph", advice="give the path of a picture")
    # A probe may be reached through a link, unlike what a source holds: the person who searches named it.
    try:
        return read_file(path.resolve(), countenance.engine.limits())
    except UnreadableImage as error:
        raise UnreadableImage(error.reason, f"the photograph cannot be used: {error}", advice=error.advice) from None


def _days(sighting: SightingShown) -> str:
    """When it was seen, and what date the picture bears."""
    said = f"seen {sighting.first_seen:%Y-%m-%d} to {sighting.last_seen:%Y-%m-%d}"
    if sighting.vanished:
        said += f", gone since {sighting.vanished:%Y-%m-%d}"
    return said + (f"; dated {sighting.dated:%Y-%m-%d}" if sighting.dated else "")


def _said(sightings: tuple[SightingShown, ...]) -> list[str] | str:
    """What is wrong with a picture, and what two people said of it before."""
    judged = [one.judged_different for one in sightings if one.judged_different]
    before = [f"judged different on {max(judged):%Y-%m-%d}"] if judged else []
    return [*before, *sightings[0].warnings] or ""


def _show(reply: Reply, result: SearchResult) -> None:
    """For people; says nothing where the answer is an object."""
    if reply.as_json:
        return
    reply.say("")
    if result.demo:
        reply.say("DEMO")
    if result.self_approved:
        reply.say("Self-approved: the searcher granted this authority to themselves.")
    if not result.groups:
        reply.say(f"No candidate among {result.index_faces:,} faces.")
    elif not result.reliable:
        reply.say("No reliable candidate. What follows may well be strangers.")
    reply.table(
        f"Candidates, never identities: a person decides ({result.index_faces:,} faces compared)",
        ("rank", "likeness", "expected strangers", "warnings"),
        [(g.rank, f"{g.likeness:.3f}", g.expected_strangers.in_words(), _said(g.sightings)) for g in result.groups],
    )
    # Below the table and not in it, where a narrow terminal would break them: addresses are there to be copied.
    for g in result.groups:
        for s in g.sightings[:_PLACES]:
            reply.told(f"{g.rank:>4}  {s.page}", f"      {s.image}", f"      {_days(s)}")
        if len(g.sightings) > _PLACES:
            reply.say(f"      … and {len(g.sightings) - _PLACES} more")
    if result.truncated:
        reply.say("There were more candidates than shown; raise --limit or --min-likeness.")
    reply.say(f"Receipt: entry {result.receipt['seq']}, leaf {result.receipt['leaf']}")
    reply.say(f"Search {result.search}; until {result.handle_until:%H:%M} UTC it can be exported with: {result.handle}")
