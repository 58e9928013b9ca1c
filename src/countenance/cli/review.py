"""`countenance review`: judge a probe and a candidate side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from countenance.cli import options
from countenance.cli.output import Reply
from countenance.domain.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from countenance.services.probes import Choice

app = typer.Typer(no_args_is_help=True, help="Ask for reviews of candidates, judge pairs, see how reviewers judge.")


@app.command("open")
def open_review(
    search: Annotated[str, typer.Argument(help="The search's id.")],
    handle: Annotated[str, typer.Option(help="The handle that the search gave.")],
    sighting: Annotated[str, typer.Option(help="The candidate: sighting-N.")],
    photograph: Annotated[Path, typer.Option(help="The file that was searched with; its face alone is kept, sealed.")],
    face: Annotated[str | None, typer.Option(help="Which of its faces: N (numbered by size), or largest.")] = None,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Ask two others to judge a candidate.

    Example: countenance review open S-0123456789abcdef --handle HANDLE --sighting sighting-7 --photograph photo.jpg
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="search") as countenance:
        number = sighting.removeprefix("sighting-")
        if not number.isdecimal():
            raise BadInput(f"not a sighting: {sighting}", advice="for instance sighting-7, as the search shows it")
        if face is not None and face != "largest" and not face.isdecimal():
            raise BadInput(f"not a face: {face}", advice="its number, or largest")
        choice: Choice = None
        if face is not None:
            choice = "largest" if face == "largest" else int(face)
        content = _read(photograph)
        found = countenance.reviews.open(search, handle, int(number), content, choice, options.actor(countenance))
    if not reply.object(found.as_json()):
        reply.say(f"Asked for as {found.id}; two reviewers judge it.")


@app.command("list")
def list_reviews(home: options.Home = None, key_dir: options.KeyDir = None, json: options.Json = False) -> None:
    """List reviews and what they came to.

    Example: countenance review list
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="reviews:read") as countenance:
        rows = [one.as_json() for one in countenance.reviews.every(options.actor(countenance))]
    if not reply.object({"reviews": rows}):
        table = [
            (r["id"], r["search"], r["sighting"], r["outcome"] or "undecided", len(r["verdicts"]), r["opened_at"][:16])
            for r in rows
        ]
        reply.table("Reviews", ("id", "search", "sighting", "outcome", "verdicts", "asked"), table)


@app.command()
def next(
    out: Annotated[Path, typer.Option(help="Folder for the two pictures.")],
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Take a pair to judge: the two faces as files. The page Review shows them side by side.

    Example: countenance review next --out pair
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="reviews:judge") as countenance:
        pair = countenance.reviews.next(options.actor(countenance))
    files: dict[str, str | None] = {}
    for name in ("probe", "candidate") if pair is not None else ():
        content = getattr(pair, name).content
        files[name] = str(out / f"{name}.jpg") if content is not None else None
        if content is not None:
            _write(out, name, content)
    body = {"pair": pair.as_json() | {"files": files} if pair is not None else None}
    if reply.object(body):
        return
    if pair is None:
        reply.say("Nothing waits for you.")
        return
    for name, file in files.items():
        reply.say(f"{name}: {file or 'erased'}")
    reply.say(f"Then: countenance review judge {pair.review} --verdict same|different|cannot-tell --reason …")


@app.command()
def judge(
    id: Annotated[str, typer.Argument(help="The review's id.")],
    verdict: Annotated[str, typer.Option(help="same, different or cannot-tell.")],
    reason: Annotated[str, typer.Option(help="What in the two faces it rests on; sealed in the ledger.")],
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Say what you see. Only then the likeness is told.

    Example: countenance review judge J-0123456789ab --verdict different --reason "the ears differ"
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="reviews:judge") as countenance:
        told = countenance.reviews.judge(id, verdict, reason, options.actor(countenance))
    if not reply.object(told):
        reply.facts("Judged", {name: value for name, value in told.items() if value is not None})


@app.command()
def reviewers(home: options.Home = None, key_dir: options.KeyDir = None, json: options.Json = False) -> None:
    """Show how each reviewer judges: errors on known pairs, time a pair, share of "same".

    Example: countenance review reviewers
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="reviews:read") as countenance:
        rows = [one.as_json() for one in countenance.reviews.reviewers(options.actor(countenance))]
    if not reply.object({"reviewers": rows}):
        table = [
            (r["by"], r["verdicts"], r["same"], f"{r['errors']} of {r['controls']}", r["median_seconds"],
             "; ".join(r["notices"]))
            for r in rows
        ]  # fmt: skip
        reply.table("Reviewers", ("by", "verdicts", "same", "errors", "seconds", "notices"), table)


@app.command()
def controls(home: options.Home = None, key_dir: options.KeyDir = None, json: options.Json = False) -> None:
    """List the known pairs that reviewers are given among the others.

    Example: countenance review controls
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="reviews:controls") as countenance:
        rows = countenance.reviews.controls(options.actor(countenance))
    if not reply.object({"controls": rows}):
        reply.table("Known pairs", ("id", "truth", "verdicts"), [(r["id"], r["truth"], r["verdicts"]) for r in rows])


@app.command("control-add")
def control_add(
    one: Annotated[Path, typer.Argument(help="A photograph.")],
    other: Annotated[Path, typer.Argument(help="Another one.")],
    truth: Annotated[str, typer.Option(help="What is known of them: same or different.")],
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Add a pair whose answer is known. Of each photograph the largest face is kept, sealed.

    Example: countenance review control-add one.jpg other.jpg --truth different
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="reviews:controls") as countenance:
        id = countenance.reviews.add_control(_read(one), _read(other), truth, options.actor(countenance))
    if not reply.object({"id": id}):
        reply.say(f"Added {id}.")


@app.command("control-remove")
def control_remove(
    id: Annotated[str, typer.Argument(help="The known pair's id.")],
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Take a known pair away. Its pictures are shredded, and verdicts on it count no more.

    Example: countenance review control-remove J-0123456789ab
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="reviews:controls") as countenance:
        countenance.reviews.remove_control(id, options.actor(countenance))
    if not reply.object({"removed": id}):
        reply.say(f"Taken away: {id}.")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"a photograph cannot be read: {error.strerror}", advice="check the path") from None


def _write(folder: Path, name: str, content: bytes) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.jpg").write_bytes(content)
    except OSError as error:
        raise Unavailable(f"the picture cannot be written: {error.strerror}", advice="choose another folder") from None
