"""The bare-inference limit: how many photographs a second the models alone allow on this machine.

    python benchmarks/inference_limit.py FOLDER [--pack open] [--limit 500] [--decode] [--json]

A first pass of a worker's own eyes notes which shapes each model is given for these photographs (the same models, the
same sizes, the same tiles, the same batches), and what is decoded at which size. Then two processes of one thread each
run exactly those shapes, and nothing else, on the fastest runtime; with `--decode` (for large photographs) each one is
decoded as in a run, and again where it was.
This is what the rate of an ingest is divided by.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

PROCESSES = 2
GROUP = 64
"""Photographs handed to the pipeline at once, as a worker does."""

PATIENCE = 300
"""Seconds until a process that never became ready is given up."""

Calls = list[tuple[int, tuple[int, ...]]]
"""For a group of photographs: (which model of the pack, the shape of its input), in order."""

Decodings = list[tuple[int, int | None]]
"""For a group of photographs: (which of them, the longer side that was asked for). One may be asked for again."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pack", default="open")
    parser.add_argument("--limit", type=int, default=500, help="photographs")
    parser.add_argument("--runtime", choices=["fastest", "openvino", "onnxruntime"], default="fastest")
    parser.add_argument("--decode", action="store_true", help="decode each photograph first")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    from countenance.services.workers import ENVIRONMENT

    os.environ.update(ENVIRONMENT)
    files = sorted(one for one in args.folder.rglob("*") if one.suffix.lower() in (".jpg", ".jpeg", ".png"))
    files = files[: args.limit]
    groups = recorded(args.pack, files)
    runtimes = available() if args.runtime == "fastest" else [args.runtime]
    if len(runtimes) > 1:
        short = {one: rate(args.pack, one, files[: 8 * GROUP], groups[:8], decode=False)[0] for one in runtimes}
        print(f"images/s in a short trial: {short}", file=sys.stderr)
        runtimes = [max(short, key=lambda one: short[one])]
    result = {
        "pack": args.pack,
        "runtime": runtimes[0],
        "photographs": len(files),
        "looks": sum(shape[0] for _, group in groups for model, shape in group if model == 0) / len(files),
        "faces": sum(shape[0] for _, group in groups for model, shape in group if model == 1) / len(files),
        "decoded": args.decode,
        "processes": PROCESSES,
    }
    result["images_per_second"], result["cpu_seconds_per_image"] = rate(
        args.pack, runtimes[0], files, groups, decode=args.decode
    )
    print(json.dumps(result) if args.json else "\n".join(f"{name:18} {value}" for name, value in result.items()))


def available() -> list[str]:
    """Runtimes installed here."""
    import importlib.util

    return [one for one in ("openvino", "onnxruntime") if importlib.util.find_spec(one)]


def recorded(pack_id: str, files: Sequence[Path]) -> list[tuple[Decodings, Calls]]:
    """What a worker asks of the decoder and of the models for each group of photographs."""
    from countenance.faces.packs import find_pack
    from countenance.faces.pipeline import FacePipeline
    from countenance.faces.quality import Floor
    from countenance.faces.runtime import open_engine
    from countenance.faces.weights import read_weights
    from countenance.imaging.limits import Limits
    from countenance.services import eyes

    calls: Calls = []
    decodings: Decodings = []

    class Noted:
        """A model that writes down what it is given."""

        def __init__(self, number: int, model: Any) -> None:
            self._number = number
            self._model = model
            self.warm = model.warm

        def run(self, batch: Any) -> Any:
            calls.append((self._number, batch.shape))
            return self._model.run(batch)

    class Notes:
        """An engine whose models do; they are told apart by the graph."""

        name = "notes"

        def __init__(self, graphs: dict[bytes, int]) -> None:
            self.engine = open_engine()
            self.graphs = graphs

        def load(self, graph: bytes) -> Any:
            return Noted(self.graphs[graph], self.engine.load(graph))

        def describe(self) -> dict[str, Any]:
            return self.engine.describe()

    pack = find_pack(pack_id)
    contents = [read_weights(pack, model) for model in pack.models]
    graphs = Notes({graph: number for number, graph in enumerate(graphs_of(pack_id))})
    config = eyes.EyesConfig(pack_id, "auto", None, True, Limits(), Floor())
    seeing = eyes.Eyes(config)
    seeing.pipeline = FacePipeline(pack, graphs, contents, Floor())
    decode = eyes.decode

    def noted(data: bytes, limits: Limits, *, side: int | None = None) -> Any:
        decodings.append((held[data], side))
        return decode(data, limits, side=side)

    groups = []
    eyes.decode = noted
    for group in groups_of_files(files):
        held = {file.read_bytes(): number for number, file in enumerate(group)}
        calls.clear()
        seeing.see(list(held))
        groups.append((list(decodings), list(calls)))
        decodings.clear()
    eyes.decode = decode
    return groups


def graphs_of(pack_id: str) -> list[bytes]:
    """The pack's graphs as the pipeline gives them to an engine."""
    from countenance.faces.graph import prepare
    from countenance.faces.packs import find_pack
    from countenance.faces.weights import read_weights

    pack = find_pack(pack_id)
    return [prepare(read_weights(pack, model), model, free_size=not n) for n, model in enumerate(pack.models)]


def rate(
    pack: str, runtime: str, files: Sequence[Path], groups: Sequence[tuple[Decodings, Calls]], *, decode: bool
) -> tuple[float, float]:
    """Photographs a second of all processes together, and what each cost of the processor, in seconds."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(PROCESSES + 1)
    shares = [(list(groups[n::PROCESSES]), groups_of_files(files)[n::PROCESSES]) for n in range(PROCESSES)]
    used = context.Array("d", PROCESSES)
    workers = [
        context.Process(target=replay, args=(barrier, pack, runtime, *share, decode, used, n))
        for n, share in enumerate(shares)
    ]
    for worker in workers:
        worker.start()
    barrier.wait(PATIENCE)
    begun = time.perf_counter()
    for worker in workers:
        worker.join()
    seconds = time.perf_counter() - begun
    if any(worker.exitcode for worker in workers):
        raise SystemExit("a process failed")
    return round(len(files) / seconds, 2), round(sum(used) / len(files), 5)


def groups_of_files(files: Sequence[Path]) -> list[list[Path]]:
    """The photographs, group by group."""
    return [list(files[start : start + GROUP]) for start in range(0, len(files), GROUP)]


def replay(
    barrier: Barrier,
    pack: str,
    runtime: Any,
    groups: list[tuple[Decodings, Calls]],
    files: list[list[Path]],
    decode: bool,
    used: Any,
    place: int,
) -> None:
    """One process: the noted shapes, nothing else."""
    import numpy as np

    from countenance.faces.runtime import open_engine
    from countenance.imaging import decode as decoder
    from countenance.imaging.limits import Limits

    limits = Limits()
    engine = open_engine(runtime, 1)
    models = [engine.load(graph) for graph in graphs_of(pack)]
    noise = np.random.default_rng(1)
    inputs = {shape: noise.integers(0, 255, shape, np.uint8) for _, group in groups for _, shape in group}
    for number, shape in {call for _, group in groups for call in group}:
        models[number].run(inputs[shape])
    barrier.wait(PATIENCE)
    begun = time.process_time()
    for (decodings, group), names in zip(groups, files, strict=True):
        if decode:
            contents = [name.read_bytes() for name in names]
            for which, side in decodings:
                decoder.decode(contents[which], limits, side=side)
        for number, shape in group:
            models[number].run(inputs[shape])
    used[place] = time.process_time() - begun
    os._exit(0)  # taking the models apart is not part of the measure


if __name__ == "__main__":
    main()
