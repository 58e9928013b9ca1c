"""`countenance calibrate`: measure how alike strangers look to a pack."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated, Any

import typer

from countenance.cli import options
from countenance.cli.output import Reply
from countenance.domain.errors import BadInput, Unavailable


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(calibrate)


def calibrate(
    pack: Annotated[str, typer.Argument(help="A pack's name, or the folder of your own.")],
    impostors: Annotated[
        list[Path],
        typer.Option(help="A folder of pictures of people who are in no other folder given; give it twice at least."),
    ],
    out: Annotated[Path | None, typer.Option(help="Where to write the calibration, by default into the pack.")] = None,
    verdicts: Annotated[
        Path | None, typer.Option(help="Scores that people judged: raise what they prove too low, and nothing else.")
    ] = None,
    home: options.Home = None,
    offline: options.Offline = False,
    json: options.Json = False,
) -> None:
    """Measure impostor scores, from which searches reckon how many strangers to expect.

    Where a folder has several subfolders, each is one person; otherwise people whom it repeats are clustered away.

    Example: countenance calibrate open --impostors faces-a/ --impostors faces-b/ --out calibration.json
    """
    from countenance.domain.verdicts import raised
    from countenance.faces.packs import find_pack
    from countenance.faces.weights import missing
    from countenance.services.calibrate import measure
    from countenance.services.engine import eyes_config
    from countenance.services.verdicts import read_hard_impostors
    from countenance.services.workers import worker_count
    from countenance.settings import load_settings

    reply = Reply(json)
    for folder in impostors:
        if not folder.is_dir():
            raise BadInput(f"there is no such folder: {folder}", advice="give folders of pictures")
    found = find_pack(pack)
    settings = load_settings(home, offline=offline or None)
    if missing(found, weights_dir=settings.faces.weights):  # altered ones are refused when they are loaded
        options.install_pack(found, reply, source=settings.faces.weights, offline=settings.offline, accepted=False)
    hard, comparisons = read_hard_impostors(_read(verdicts), found.id) if verdicts is not None else ([], 0)
    with reply.bytes_progress("measuring", unit="pictures") as show:
        body = measure(eyes_config(settings, found), found.id, impostors, worker_count(settings.ingest.workers), show)
    if verdicts is not None:
        body["curve"], count = raised(body["curve"], hard, comparisons)
        body["verdicts"] = {"different": len(hard), "comparisons": comparisons, "raised": count}
    target = out or found.folder / (found.calibration or "calibration.json")
    try:
        target.write_text(json_module.dumps(body, indent=1) + "\n")
    except OSError as error:
        raise Unavailable(f"the calibration cannot be written: {error.strerror}", advice="choose --out") from None
    if reply.object(body | {"file": str(target)}):
        return
    reply.facts(
        f"Calibration of {found.id}",
        {name: body[name] for name in ("photographs", "people", "pairs", "date", "background")} | {"file": str(target)},
    )
    at = [row for row in body["curve"] if row[1] <= 1e-2]
    reply.table("Rates", ("deviations above background", "rate", "at least", "at most"), at[::10] + at[-1:])


def _read(file: Path) -> Any:
    try:
        return json_module.loads(options.content(file))
    except ValueError:
        return None
