"""How often the right person is found: rank-1, and misses at one false alarm in a hundred searches.

    python -m benchmarks.accuracy --lfw FOLDER --pack open [--cache FOLDER] [--out FILE]

FOLDER holds a folder a person. *Rank-1*: every photograph of a person with two or more is looked for among all other
photographs; a photograph without a usable face counts as a miss.

*FNIR at FPIR 1 %* (ISO/IEC 19795-1): of the people with 2 to 4 photographs one photograph is enrolled and the others
are probes; the people with one photograph are strangers. The threshold is the likeness that one stranger in a hundred
reaches with anybody enrolled; FNIR is the share of mated probes whose own person is not the first candidate at or above
it. Enrolment and searches go through the product: a home, an ingest, an authority, a receipt for each search; with
`--templates-only` the templates of the ingest's own workers are compared here instead, which takes seconds: one face a
photograph, so people in the background are not enrolled.

"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np

from benchmarks import machine
from benchmarks.templates import Templates, templates

FPIR = 0.01


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lfw", type=Path, required=True)
    parser.add_argument("--pack", default="open")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--people", type=int, help="only so many people, to try it out")
    parser.add_argument("--templates-only", action="store_true", help="score the pipeline's templates, no searches")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    result = {"measure": "accuracy", "pack": args.pack, **machine.described()}
    result |= {"rank_1": rank_1(templates(args.lfw, args.pack, args.cache), counted(args.lfw))}
    if args.templates_only:
        result |= {"search": scored(args.lfw, templates(args.lfw, args.pack, args.cache))}
    else:
        with tempfile.TemporaryDirectory() as folder:
            result |= {"search": searches(args.lfw, args.pack, Path(folder), args.people)}
    machine.write(result, args.out)


def counted(folder: Path) -> dict[str, list[Path]]:
    """The photographs of each person."""
    people: dict[str, list[Path]] = defaultdict(list)
    for file in sorted(folder.rglob("*.jpg")):
        people[str(file.parent.relative_to(folder))].append(file)
    return dict(people)


def rank_1(found: Templates, people: dict[str, list[Path]]) -> dict[str, Any]:
    """Each photograph of a person with several, among all others."""
    who = found.people()
    asked = {name for name, files in people.items() if len(files) > 1}
    right = 0
    for start in range(0, len(who), 512):
        scores = found.vectors[start : start + 512] @ found.vectors.T
        rows = np.arange(len(scores))
        scores[rows, start + rows] = -2
        hit = who[scores.argmax(axis=1)] == who[start : start + 512]
        names = [name.rpartition("/")[0] for name in found.names[start : start + 512]]
        right += int(sum(ok for ok, name in zip(hit, names, strict=True) if name in asked))
    total = sum(len(people[name]) for name in asked)
    return share(right, total) | {"people": len(asked)}


def searches(folder: Path, pack: str, room: Path, people: int | None) -> dict[str, Any]:
    """Enrol, then search under an authority, probe by probe."""
    from datetime import timedelta

    from countenance.app import open_home, system_actor
    from countenance.domain.errors import NoFace
    from countenance.services.authorise import NewAuthority
    from countenance.services.register import NewSource
    from countenance.services.search import SearchRequest
    from countenance.settings import Settings
    from countenance.store import moments

    everybody = counted(folder)
    mated = [name for name, files in everybody.items() if 2 <= len(files) <= 4][:people]
    strangers = [name for name, files in everybody.items() if len(files) == 1][:people]
    for name in mated:
        target = room / "photos" / name / everybody[name][0].name
        target.parent.mkdir(parents=True)
        shutil.copy(everybody[name][0], target)
    probes = [(name, file) for name in mated for file in everybody[name][1:]]
    probes += [("", everybody[name][0]) for name in strangers]
    settings = Settings(home=room / "home", key_dir=room / "keys", faces={"pack": pack}, search={"min_likeness": -1})
    actor = system_actor("benchmark")
    rows: list[tuple[str, str, float]] = []
    with open_home(settings=settings) as product:
        product.add_source(
            NewSource(name="enrolled", kind="folder", location=str(room / "photos"), owner="Benchmark", basis="own"),
            actor,
        )
        report = product.ingest("enrolled", actor)
        permitted = product.grant(
            NewAuthority(
                purpose="benchmark",
                basis="own",
                case="accuracy",
                collections=("enrolled",),
                expires=moments.now() + timedelta(days=1),
                searches=len(probes) + 1,
                stated_by="benchmark",
            ),
            actor,
        )
        for name, file in probes:
            try:
                shown = product.search(
                    SearchRequest(photographs=(file.read_bytes(),), authority=permitted.id, face="largest", limit=1),
                    actor,
                )
                first = shown.groups[0]
                rows.append((name, unquote(Path(first.sightings[0].image).parent.name), first.likeness))
            except NoFace:
                rows.append((name, "", -1.0))
    return judged(rows) | {"through": "searches", "enrolled": report.tally.indexed, "enrolled_people": len(mated)}


def scored(folder: Path, found: Templates) -> dict[str, Any]:
    """The same from templates: float32 cosines, one face a photograph."""
    everybody = counted(folder)
    place = {name: n for n, name in enumerate(found.names)}
    mated = [name for name, files in everybody.items() if 2 <= len(files) <= 4]

    def row(file: Path) -> int | None:
        return place.get(str(file.relative_to(folder)))

    enrolled = [(name, at) for name in mated if (at := row(everybody[name][0])) is not None]
    gallery = found.vectors[[at for _, at in enrolled]]
    probes = [(name, file) for name in mated for file in everybody[name][1:]]
    probes += [("", files[0]) for files in everybody.values() if len(files) == 1]
    rows = []
    for name, file in probes:
        at = row(file)
        if at is None:
            rows.append((name, "", -1.0))
            continue
        scores = gallery @ found.vectors[at]
        best = int(scores.argmax())
        rows.append((name, enrolled[best][0], float(scores[best])))
    return judged(rows) | {"through": "templates", "enrolled": len(enrolled), "enrolled_people": len(mated)}


def judged(rows: list[tuple[str, str, float]]) -> dict[str, Any]:
    """From (who it is, or nobody; the first candidate; its likeness) of each probe."""
    best = sorted((likeness for name, _, likeness in rows if not name), reverse=True)
    threshold = best[max(0, int(FPIR * len(best)) - 1)]
    hits = sum(seen == name and likeness >= threshold for name, seen, likeness in rows if name)
    total = sum(1 for name, _, _ in rows if name)
    missed = share(total - hits, total)
    return {
        "strangers": len(best),
        "mated_probes": total,
        "threshold": round(threshold, 4),
        "fpir": round(sum(one >= threshold for one in best) / len(best), 4),
        "fnir": missed,
    }


def share(k: int, n: int) -> dict[str, Any]:
    """k of n with Wilson's 95 % interval."""
    p, z = k / n, 1.96
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return {"value": round(p, 5), "low": round(float(middle - half), 5), "high": round(float(middle + half), 5), "n": n}


if __name__ == "__main__":
    main()
