"""Beside what people use today: DeepFace (SFace + YuNet) and insightface (buffalo_sc), same photographs, same run.

    python -m venv peers && peers/bin/pip install -r benchmarks/requirements-peers.txt
    python -m benchmarks.peers --photos FOLDER --python peers/bin/python [--rounds 2] [--out FILE]

FOLDER holds a folder a person. Each peer works as its documentation shows, in one process, with as many threads as it
likes; its weights are put in place by hand, the same files as the packs have. Countenance is measured before and after
them: its ingest through the command, and in one warm process the way from a photograph to a receipt, and the part of it
that comes after the embedding. A peer that is not installed is left out, and it is said why.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import ingest, machine
from benchmarks.accuracy import counted, rank_1
from benchmarks.templates import templates

WEIGHTS = {
    "deepface": ("open",),
    "insightface": ("research",),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--python", type=Path, required=True, help="of the environment in which the peers are")
    parser.add_argument("--probes", type=int, default=50)
    parser.add_argument("--cache", type=Path, help="templates read before (benchmarks.templates), for rank-1")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    result: dict[str, Any] = {"measure": "peers", "name": args.photos.name, **machine.described()}
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        ours = [own(args.photos, "open", room / "before", args.probes)]
        found = {peer: beside(peer, args, room) for peer in WEIGHTS}
        ours.append(own(args.photos, "open", room / "after", args.probes))
    mine = {
        name: round(statistics.mean(one[name] for one in ours), 2)
        for name in ("images_per_second", "photograph_to_receipt_ms", "search_without_embedding_ms")
    }
    people = counted(args.photos)
    if any(len(files) > 1 for files in people.values()):
        mine["rank_1"] = rank_1(templates(args.photos, "open", args.cache), people)
    result |= {"countenance": mine, "rounds": ours, "peers": found, "ratios": ratios(mine, found)}
    machine.write(result, args.out)


def own(photos: Path, pack: str, room: Path, probes: int) -> dict[str, Any]:
    """Our ingest through the command, then searches in this process, over the home that it made."""
    from datetime import timedelta

    from countenance.app import open_home, system_actor
    from countenance.services.authorise import NewAuthority
    from countenance.services.search import SearchRequest
    from countenance.settings import Settings
    from countenance.store import moments

    report = ingest.run(photos.resolve(), pack, room)
    files = sorted(photos.rglob("*.jpg"))
    actor = system_actor("benchmark")
    whole, after = [], []
    with open_home(settings=Settings(home=room, key_dir=room.with_suffix(".keys"))) as product:
        permitted = product.grant(
            NewAuthority(
                purpose="benchmark",
                basis="own",
                case="peers",
                collections=("bench",),
                expires=moments.now() + timedelta(days=1),
                searches=probes + 5,
                stated_by="benchmark",
            ),
            actor,
        )
        chosen = files[:: max(1, len(files) // probes)][:probes]
        for n, file in enumerate([*chosen[:3], *chosen]):
            asked = SearchRequest(photographs=(file.read_bytes(),), authority=permitted.id, face="largest")
            seconds = product.search(asked, actor).seconds
            if n >= 3:
                whole.append(1e3 * sum(seconds.values()))
                after.append(1e3 * seconds["search"])
    return {
        "images_per_second": report["images_per_second"],
        "cpu_seconds_per_image": report["cpu_seconds_per_image"],
        "photograph_to_receipt_ms": round(statistics.median(whole), 2),
        "search_without_embedding_ms": round(statistics.median(after), 2),
    }


def beside(peer: str, args: argparse.Namespace, room: Path) -> dict[str, Any]:
    """A peer in its own process; why not, if it does not run."""
    from countenance.faces.packs import find_pack
    from countenance.faces.weights import read_weights

    weights = room / f"{peer}-weights"
    weights.mkdir()
    for pack in map(find_pack, WEIGHTS[peer]):
        for model in pack.models:
            (weights / model.file).write_bytes(read_weights(pack, model))
    own_room, photos = room / peer, room / f"{peer}-photos"
    own_room.mkdir()
    for file in sorted(args.photos.rglob("*.jpg")):
        target = photos / file.relative_to(args.photos)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    script = Path(__file__).with_name("peer_worker.py")
    command = [args.python, script, peer, photos, weights, own_room, str(args.probes)]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if done.returncode:
        return {"peer": peer, "not_measured": (done.stderr.strip().splitlines() or ["no reason given"])[-1]}
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def ratios(mine: dict[str, Any], found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """How many times as fast; the targets are 3 (ingest, with bf16), 4 and 20."""
    out: dict[str, Any] = {}
    for peer, one in found.items():
        if "images_per_second" in one:
            out[f"ingest_over_{peer}"] = round(mine["images_per_second"] / one["images_per_second"], 2)
        if "find_ms" in one:
            find = one["find_ms"]["p50"]
            out["find_over_photograph_to_receipt"] = round(find / mine["photograph_to_receipt_ms"], 2)
            without = find - one["embedding_ms"]["p50"]
            out["find_over_search_without_embedding"] = round(find / mine["search_without_embedding_ms"], 2)
            out["find_without_embedding_over_ours"] = round(without / mine["search_without_embedding_ms"], 2)
    return out


if __name__ == "__main__":
    main()
