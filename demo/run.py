"""The demo from beginning to end: serve the web, register it, crawl it, search it, say what was found."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from demo.cast import CAST, LEAST, PROBE
from demo.people import PEOPLE, photograph
from demo.product import CommandFailed, Product
from demo.verdict import Sighting, Verdict, judge, judge_vanished, sightings
from demo.web import Web

MARK = "countenance-demo"
"""A file of this name says that a folder is the demo's, and may be emptied by it."""


def say(*words: object) -> None:
    """To the person: stderr, so that stdout stays one JSON object with `--once`."""
    print(*words, file=sys.stderr, flush=True)


def fresh(folder: Path) -> Product:
    """An empty folder for home and keys. What an earlier demo left is removed; anything else is left alone."""
    folder = folder.resolve()
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).is_file():
            raise SystemExit(f"{folder} is not empty and is not a demo's folder; choose another with --folder")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text("Made by the demo; `make demo-clean` removes it.\n", encoding="utf-8")
    return Product(folder / "home", folder / "keys")


def crawl(product: Product, web: Web) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Register the five sites and read each. Returns what each run said, and the source's name of each site."""
    runs = []
    names: dict[str, str] = {}
    for key, server in web.servers.items():
        names[key] = f"demo-{key}"
        words = ["source", "add", names[key], "--kind", "website", "--at", f"{server.base}/"]
        words += ["--owner", server.site.title, "--basis", "consent", "--collection", "demo"]
        words += [
            "--allow-private",
            server.place,
            "--keep-originals",
            "--note",
            "A site of the demo web; its people are synthetic.",
        ]
        product.run(*words)
        say(f"Reading {server.site.title} at {server.base}/")
        runs.append(product.run("ingest", names[key]))
    return runs, names


def grant(product: Product) -> str:
    """An authority for the demo collection alone: one day, a hundred searches."""
    words = ["authority", "grant", "--purpose", "showing how Countenance works", "--basis", "consent"]
    words += ["--case", "DEMO-1", "--collection", "demo", "--expires", "1d", "--searches", "100"]
    return str(product.run(*words, "--by", "The demo itself")["id"])


def search(product: Product, authority: str, person: str) -> dict[str, Any]:
    """Search for one person of the cast."""
    words = ["--authority", authority, "--collection", "demo", "--face", "largest", "--limit", "200"]
    return product.run("search", str(photograph(person, PROBE)), *words)


def run(product: Product, web: Web) -> tuple[dict[str, Any], Verdict, str]:
    """Everything up to opening the pages. Returns the account, the verdict and the authority's id."""
    started = time.monotonic()
    runs, names = crawl(product, web)
    authority = grant(product)
    verdict = Verdict()
    answers: dict[str, dict[str, Any]] = {}
    for person in CAST:
        answers[person] = search(product, authority, person)
        judge(verdict, person, web.expected([person]), sightings(answers[person]), web.forbidden(), LEAST)
        tell(person, answers[person])

    gone = web.vanish()
    say("One article has just been taken down. Reading its site again …")
    product.run("source", "refresh", names["courier"])
    for person in CAST:
        before = [one for one in sightings(answers[person]) if one.page in gone and one.likeness >= LEAST]
        if before:
            answers[person] = search(product, authority, person)
            for one in judge_vanished(verdict, person, gone, before, sightings(answers[person])):
                say(f"  {PEOPLE[person].name} was last seen on {one.page} at {one.last_seen}; the page is gone.")
    if web.fenced.connections:
        verdict.unexpected.append({"why": "a private port that no source names was connected to"})

    refused: Counter[str] = Counter()
    for said in runs:
        refused.update(said["skipped"])
    account = {
        "home": str(product.home),
        "sites": len(web.servers),
        "pages": sum(int(said["pages"]) for said in runs),
        "images": sum(int(said["images"]) for said in runs),
        "faces": sum(int(said["faces"]) for said in runs),
        "expected": verdict.expected,
        "found": verdict.found,
        "missed": verdict.missed,
        "unexpected": verdict.unexpected,
        "refused": dict(sorted(refused.items())),
        "receipt": answers[CAST[-1]]["receipt"],
        "seconds": round(time.monotonic() - started, 1),
    }
    return account, verdict, authority


def tell(person: str, answer: dict[str, Any]) -> None:
    """What one search brought, in a few lines."""
    alike = [one for one in sightings(answer) if one.likeness >= LEAST]
    groups = sum(1 for group in answer["groups"] if group["likeness"] >= LEAST)
    pages = {one.page for one in alike}
    best: Sighting | None = max(alike, key=lambda one: one.likeness, default=None)
    name = PEOPLE[person].name
    say(f"{name}: {len(alike)} sightings on {len(pages)} pages, in {groups} pictures (likeness ≥ {LEAST})")
    if best is not None:
        say(f"  most alike: {best.likeness:.2f} on {best.page}")


def summary(account: dict[str, Any]) -> str:
    """The account in words."""
    refused = ", ".join(f"{reason} {count}" for reason, count in account["refused"].items()) or "nothing"
    lines = [
        f"{account['sites']} sites, {account['pages']} pages, {account['images']} pictures, {account['faces']} faces "
        f"in {account['seconds']} s",
        f"{account['found']} of {account['expected']} expected sightings found, "
        f"{len(account['unexpected'])} unexpected",
        f"not taken, and why: {refused}",
        "Those searched for were chosen because they look least like the others: see demo/cast.py.",
    ]
    return "\n".join(lines)


def open_pages(product: Product, port: int, authority: str) -> int:
    """Serve the product on the demo's home until interrupted; open it where there is a display."""
    say(f"Authority {authority} covers the demo collection: 1 day, 100 searches.")
    say(f"Photographs to try: {photograph(CAST[0], PROBE).parent.parent.parent}/P0…/assets/{PROBE}.jpg")
    display = sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return product.serve(port, browser=bool(display))


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when everything expected was found and nothing else; 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(".demo"), help="where home and keys go (emptied first)")
    parser.add_argument("--once", action="store_true", help="leave no server; print one JSON object")
    parser.add_argument("--port", type=int, default=0, help="the product's port (default: a free one)")
    options = parser.parse_args(arguments)
    # Told to end, the demo leaves no server behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    product = fresh(options.folder)
    with Web() as web:
        try:
            account, verdict, authority = run(product, web)
        except CommandFailed as failure:
            say(failure)
            return 1
        say(summary(account))
        for fault in (*verdict.missed, *verdict.unexpected):
            say("not as it should be:", json.dumps(fault, ensure_ascii=False))
        if options.once:
            print(json.dumps(account, ensure_ascii=False))
            return 0 if verdict.well else 1
        return open_pages(product, options.port, authority)
