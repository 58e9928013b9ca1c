"""`countenance models`: packs and their weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from countenance.cli import options
from countenance.cli.output import Reply
from countenance.domain.errors import WeightsRefused

if TYPE_CHECKING:
    from countenance.faces.packs import PackManifest
    from countenance.faces.weights import WeightsState

app = typer.Typer(no_args_is_help=True, help="List, install, verify and show model packs.")


@app.command("list")
def list_models(home: options.Home = None, json: options.Json = False) -> None:
    """List the packs, your own from the settings too, and whether their weights are here.

    Example: countenance models list
    """
    from countenance.faces.weights import verify

    reply = Reply(json)
    packs, weights = _known(home)
    rows = [
        {
            "pack": pack.id,
            "licence": pack.licence,
            "dimension": pack.dimension,
            "needs_acceptance": pack.needs_acceptance,
            "state": _state([one.state for one in verify(pack, weights_dir=weights)]),
        }
        for pack in packs
    ]
    if not reply.object({"packs": rows}):
        reply.table(
            "Model packs",
            ("pack", "weights", "dimension", "licence"),
            [(r["pack"], r["state"], r["dimension"], r["licence"]) for r in rows],
        )


@app.command()
def install(
    pack: Annotated[str, typer.Argument(help="A pack's name, or the folder of your own.")],
    accept_licence: Annotated[bool, typer.Option("--accept-licence", help="Accept the pack's terms.")] = False,
    source: Annotated[
        Path | None, typer.Option("--from", help="A folder or mirror that has the files; what it lacks is fetched.")
    ] = None,
    offline: options.Offline = False,
    json: options.Json = False,
) -> None:
    """Fetch a pack's weights, check them by digest, and keep them for every home of this user.

    Example: countenance models install open
    """
    from countenance.faces.packs import find_pack

    reply = Reply(json)
    found = find_pack(pack)
    accepted = accept_licence
    if found.needs_acceptance and not accepted:
        reply.note(f"{found.licence}\n\n{found.terms}\n")
        if not json:
            accepted = typer.confirm("Do you accept these terms?", err=True)
        if not accepted:
            raise WeightsRefused("the terms were not accepted", advice="add --accept-licence once you have read them")
    states = options.install_pack(found, reply, source=source, offline=offline, accepted=accepted)
    body = {"pack": found.id, "files": [_file(one) for one in states]}
    if not reply.object(body):
        reply.say(f"The pack {found.id} is ready.")


@app.command()
def verify(
    pack: Annotated[str | None, typer.Argument(help="A pack; without it, all whose weights are here.")] = None,
    home: options.Home = None,
    json: options.Json = False,
) -> None:
    """Check the weights by digest. Exit code 6 when one is missing or altered, or none is here at all.

    Example: countenance models verify
    """
    from countenance.faces import weights
    from countenance.faces.packs import find_pack

    reply = Reply(json)
    packs, place = _known(home)
    states = {p.id: weights.verify(p, weights_dir=place) for p in ([find_pack(pack)] if pack else packs)}
    if pack is None:
        states = {id: files for id, files in states.items() if any(one.state != "missing" for one in files)}
        if not states:
            raise WeightsRefused("no weights are installed", advice="run `countenance models install open`")
    bad = [one for files in states.values() for one in files if one.state != "ok"]
    if bad:
        raise WeightsRefused(
            f"{len(bad)} weights are missing or altered: {', '.join(one.file for one in bad)}",
            advice="run `countenance models install` for that pack; it replaces what is altered",
            details={"files": [_file(one) for one in bad]},
        )
    if not reply.object({"packs": {id: [_file(one) for one in files] for id, files in states.items()}}):
        rows = [(id, one.file, one.state, one.sha256) for id, files in states.items() for one in files]
        reply.table("Weights", ("pack", "file", "state", "SHA-256"), rows)


@app.command()
def show(
    pack: Annotated[str, typer.Argument(help="A pack's name, or the folder of your own.")], json: options.Json = False
) -> None:
    """Show one pack: models, licence, terms, where the weights come from, and what it was measured on.

    Example: countenance models show research
    """
    from countenance.faces.packs import find_pack

    reply = Reply(json)
    found = find_pack(pack)
    body = {
        "pack": found.id,
        "version": found.version,
        "fingerprint": found.fingerprint,
        "dimension": found.dimension,
        "licence": found.licence,
        "terms": found.terms,
        "needs_acceptance": found.needs_acceptance,
        "calibration": found.calibration,
        "models": [
            {
                "file": m.file,
                "sha256": m.sha256,
                "bytes": m.bytes,
                "licence": m.licence,
                "from": m.wheel.requirement if m.wheel else None,
            }
            for m in found.models
        ],
    }
    if not reply.object(body):
        models: Any = body.pop("models")
        reply.facts(f"Pack {found.id}", body)
        reply.table(
            "Models",
            ("file", "bytes", "licence", "from", "SHA-256"),
            [(m["file"], m["bytes"], m["licence"], m["from"], m["sha256"]) for m in models],
        )


def _known(home: Path | None) -> tuple[list[PackManifest], Path | None]:
    """The shipped packs and the one that the settings name, and the folder where they say to look for weights first."""
    from countenance.faces.packs import find_pack, list_packs
    from countenance.settings import load_settings

    faces = load_settings(home).faces
    packs = list_packs()
    own = find_pack(faces.pack)
    return [*packs, *([] if own.shipped else [own])], faces.weights


def _state(states: list[str]) -> str:
    for worst in ("altered", "missing"):
        if worst in states:
            return worst
    return "ok"


def _file(one: WeightsState) -> dict[str, Any]:
    return {
        "file": one.file,
        "sha256": one.sha256,
        "state": one.state,
        "path": str(one.path) if one.path else None,
    }
