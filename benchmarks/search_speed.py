"""Search in the embedded index: speed, certainty and size, beside FAISS Flat in the same run.

    python benchmarks/search_speed.py --n 100000 --dim 512
    python benchmarks/search_speed.py --n 1000000 --dim 512 --json

The templates are synthetic and face-like. Identities have 1 + Geometric members, five on average. An identity's centre
is normal with variances that fall as a power of the dimension's rank, chosen so that strangers' cosines have a standard
deviation of 0.1, as measured face embeddings have (512 equal variances would give 0.044 and make the task too easy);
members add noise of the same shape, so that mates lie at a cosine of about 0.6 with a spread. All is turned by a random
rotation, as stored templates are. Probes are further members of identities that are there.

`identity recall` is the share of what an exact scan of the stored float16 templates finds above the threshold that the
index returned too. Both engines get one query at a time and the same number of threads. The index runs in a fresh
process, so that its opening and its memory are its own; for the ratio the two take turns.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS", "MKL_NUM_THREADS")
CHUNK = 20_000
LIMIT = 5_000


def face_like(n: int, dimension: int, probes: int, seed: int = 1) -> tuple[Any, Any]:
    """(templates (n, dimension), probes (probes, dimension)), float32 unit rows."""
    rng = np.random.default_rng(seed)
    deviations = _deviations(dimension, 0.1)
    turn = np.linalg.qr(rng.normal(size=(dimension, dimension)))[0].astype(np.float32)
    turn = deviations[:, None] * turn
    members = rng.geometric(0.2, size=n)
    members = members[: int(np.searchsorted(np.cumsum(members), n)) + 1]
    owner = np.repeat(np.arange(len(members)), members)[:n]
    order = rng.permutation(n)
    centres = rng.normal(size=(len(members), dimension)).astype(np.float32)
    out = np.empty((n, dimension), np.float32)
    for begin in range(0, n, CHUNK):
        part = owner[order[begin : begin + CHUNK]]
        out[begin : begin + CHUNK] = _members(rng, centres[part], turn)
    asked = _members(rng, centres[rng.choice(len(members), probes, replace=False)], turn)
    return out, asked


def _members(rng: Any, centres: Any, turn: Any) -> Any:
    # Each picture is better or worse, so mates are spread between about 0.4 and 0.8.
    noise = rng.uniform(0.5, 1.1, size=(len(centres), 1)).astype(np.float32)
    rows = (centres + noise * rng.normal(size=centres.shape).astype(np.float32)) @ turn
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _deviations(dimension: int, wanted: float) -> Any:
    """Standard deviations whose random unit vectors have cosines spread by `wanted`: √Σλ² / Σλ over variances λ."""
    low, high = 0.0, 4.0
    for _ in range(60):
        power = (low + high) / 2
        variances = np.arange(1, dimension + 1, dtype=float) ** -power
        low, high = (power, high) if np.sqrt((variances**2).sum()) / variances.sum() < wanted else (low, power)
    return np.sqrt(variances).astype(np.float32)


def clocked(act: Callable[[int], Any], turns: Iterable[int]) -> list[float]:
    """Milliseconds of each call."""
    taken = []
    for n in turns:
        begin = time.perf_counter()
        act(n)
        taken.append((time.perf_counter() - begin) * 1e3)
    return taken


def summary(taken: list[float]) -> dict[str, float]:
    return {"p50": float(np.percentile(taken, 50)), "p99": float(np.percentile(taken, 99)), "best": min(taken)}


def build(folder: Path, templates: Any) -> dict[str, float]:
    from countenance.domain.index import Entry

    index = opened(folder, templates.shape[1])
    begin = time.perf_counter()
    for at in range(0, len(templates), 5_000):
        part = templates[at : at + 5_000]
        index.add([Entry(at + i + 1, (("source", 1 + (at + i) % 4),)) for i in range(len(part))], part)
    added = time.perf_counter()
    index.prepare()
    done = time.perf_counter()
    index.close()
    return {"add_s": added - begin, "add_per_s": len(templates) / (added - begin), "codes_s": done - added}


def opened(folder: Path, dimension: int) -> Any:
    from countenance.index.embedded import EmbeddedIndex
    from countenance.store.database import Database

    database = Database.open(folder / "countenance.db")
    return EmbeddedIndex.open(
        database, folder / "vectors", pack="bench", pipeline=1, dimension=dimension, key_id="bench"
    )


def ask(index: Any, probes: Any, n: int, threshold: float, sources: Iterable[int] = (1, 2, 3, 4)) -> Any:
    from countenance.domain.permits import Permit

    asked = probes[n][None]
    permit = Permit(authority="bench", search="bench", probes=asked, sources=sources)
    return index.search(permit, asked, min_score=threshold, limit=LIMIT)


def in_fresh_process(folder: Path, threshold: float) -> None:
    """The child: open, search, say what was found and how long it took."""
    probes = np.load(folder / "probes.npy")
    begin = time.perf_counter()
    index = opened(folder, probes.shape[1])
    open_s = time.perf_counter() - begin
    ask(index, probes, 0, threshold)
    first_s = time.perf_counter() - begin
    turns = range(len(probes))
    taken = clocked(lambda n: ask(index, probes, n, threshold), turns)
    found = [[(hit.id, hit.score) for hit in ask(index, probes, n, threshold).hits] for n in turns]
    ask(index, probes, 0, threshold, (1, 2))
    half = clocked(lambda n: ask(index, probes, n, threshold, (1, 2)), turns)
    codes = index._live.codes
    error = getattr(codes, "error", None)
    out = {
        "engine": codes.engine,
        "margin": codes.margin,
        "sigma": getattr(error, "sigma", 0.0),
        "largest_error": getattr(error, "largest", 0.0),
        "open_s": open_s,
        "open_and_first_search_s": first_s,
        "ms": summary(taken),
        "half_filtered_ms": summary(half),
        "peak_mib": _peak_mib(),
        "found": found,
    }
    index.close()
    sys.stdout.write(json.dumps(out))


def exact(templates: Any, probes: Any, threshold: float) -> list[dict[int, float]]:
    """id → cosine with the stored template, of all above the threshold, for each probe."""
    found: list[dict[int, float]] = [{} for _ in probes]
    for at in range(0, len(templates), CHUNK):
        stored = templates[at : at + CHUNK].astype(np.float16).astype(np.float32)
        stored /= np.linalg.norm(stored, axis=1, keepdims=True)
        scores = probes @ stored.T
        for probe, row in zip(*np.nonzero(scores >= threshold), strict=True):
            found[probe][at + int(row) + 1] = float(scores[probe, row])
    return found


def measure(n: int, dimension: int, count: int, threshold: float, threads: int, where: Path) -> dict[str, Any]:
    import faiss

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # for who starts this file by its path
    from benchmarks import machine

    result: dict[str, Any] = machine.described()
    faiss.omp_set_num_threads(threads)
    templates, probes = face_like(n, dimension, count)
    np.save(where / "probes.npy", probes)
    result |= {
        "n": n,
        "dimension": dimension,
        "threshold": threshold,
        "threads": threads,
        "build": build(where, templates),
    }
    files = {path.suffix: path.stat().st_size for path in (where / "vectors").iterdir()}
    result["bytes_per_face"] = {
        "codes": files.get(".codes", 0) / n,
        "vectors": files[".f16"] / n,
        "rows": (where / "countenance.db").stat().st_size / n,
    }
    wanted = exact(templates, probes, threshold)
    begin = time.perf_counter()
    flat = faiss.IndexFlatIP(dimension)
    flat.add(templates)
    del templates
    result["faiss_flat"] = {"build_s": time.perf_counter() - begin, "bytes_per_face": 4 * dimension}
    command = [sys.executable, __file__, "--child", str(where), "--threshold", str(threshold)]
    child = subprocess.run(command, capture_output=True, text=True, check=True)
    mine = json.loads(child.stdout)
    # In turns, so that a noisy neighbour does not decide.
    index = opened(where, dimension)
    flat_ms, mine_ms, cpu = [], [], [0.0, 0.0]
    for i in range(-1, count):
        before = time.process_time()
        flat_one = clocked(lambda i: flat.search(probes[i][None], 64), range(i, i + 1))
        between = time.process_time()
        mine_one = clocked(lambda i: ask(index, probes, i, threshold), range(i, i + 1))
        if i >= 0:
            flat_ms += flat_one
            mine_ms += mine_one
            cpu = [cpu[0] + between - before, cpu[1] + time.process_time() - between]
    index.close()
    result["faiss_flat"]["ms"] = summary(flat_ms)
    result["processor_ms"] = {"faiss_flat": 1e3 * cpu[0] / count, "index": 1e3 * cpu[1] / count}
    found = [dict(one) for one in mine.pop("found")]
    # Scores within float32 of the threshold may fall on either side.
    sure = [{id for id, score in one.items() if score >= threshold + 1e-6} for one in wanted]
    total = sum(map(len, sure))
    missed = sum(len(one - set(got)) for one, got in zip(sure, found, strict=True))
    off = [
        abs(score - want[id])
        for want, got in zip(wanted, found, strict=True)
        for id, score in got.items()
        if id in want
    ]
    result["index"] = mine
    result["identity_recall"] = 1 - missed / max(total, 1)
    result["templates_above_threshold"] = total
    result["largest_score_error"] = max(off, default=0.0)
    result["ratio"] = {
        "p50": summary(flat_ms)["p50"] / summary(mine_ms)["p50"],
        "best": min(flat_ms) / min(mine_ms),
        "processor_time": cpu[0] / cpu[1],
    }
    return result


def _peak_mib() -> float:
    """Of this process since it was started; getrusage would tell the parent's."""
    status = Path("/proc/self/status").read_text()
    return float(status.partition("VmHWM:")[2].split()[0]) / 1024


def table(r: dict[str, Any]) -> str:
    mine, flat, size = r["index"], r["faiss_flat"], r["bytes_per_face"]
    rows = [
        ("templates × dimensions", f"{r['n']:,} × {r['dimension']}, {r['threads']} thread(s), {r['processor']}"),
        ("search p50 / p99 / best", "{p50:.2f} / {p99:.2f} / {best:.2f} ms".format(**mine["ms"])),
        ("the same, half filtered out", "{p50:.2f} / {p99:.2f} / {best:.2f} ms".format(**mine["half_filtered_ms"])),
        ("FAISS Flat p50 / p99 / best", "{p50:.2f} / {p99:.2f} / {best:.2f} ms".format(**flat["ms"])),
        ("ratio in turns, p50 / best", "{p50:.1f} / {best:.1f}".format(**r["ratio"])),
        (
            "processor time a search, FAISS Flat / index",
            "{faiss_flat:.1f} / {index:.1f} ms, ratio {0:.1f}".format(
                r["ratio"]["processor_time"], **r["processor_ms"]
            ),
        ),
        ("identity recall against exact", f"{r['identity_recall']:.6f} of {r['templates_above_threshold']:,}"),
        ("largest error of a score", f"{r['largest_score_error']:.1e}"),
        (
            "code error σ / largest / margin",
            f"{mine['sigma']:.4f} / {mine['largest_error']:.4f} / {mine['margin']:.4f}",
        ),
        ("bytes a face: codes / file / rows", "{codes:.0f} / {vectors:.0f} / {rows:.0f}".format(**size)),
        ("add / make codes", f"{r['build']['add_per_s']:,.0f} a second / {r['build']['codes_s']:.1f} s"),
        ("open / open and first search", f"{mine['open_s']:.2f} / {mine['open_and_first_search_s']:.2f} s"),
        ("peak memory of the searching process", f"{mine['peak_mib']:.0f} MiB"),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--probes", type=int, default=200)
    parser.add_argument("--threshold", type=float, default=0.41)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the index is made (default: the system's temporary folder)")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child is not None:
        in_fresh_process(args.child, args.threshold)
        return
    wanted = dict.fromkeys(THREADS, str(args.threads))
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        # Libraries read these when they are loaded, and NumPy is by now.
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | wanted)
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        result = measure(args.n, args.dim, args.probes, args.threshold, args.threads, Path(folder))
    print(json.dumps(result) if args.json else table(result))


if __name__ == "__main__":
    main()
