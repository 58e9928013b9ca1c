"""The ledger: durable appends by many threads and by several processes, beside the disk's own syncs in the same run.

    python -m benchmarks.ledger_speed --json
    python -m benchmarks.ledger_speed --entries 1000000 --out benchmarks/results/ledger.json

Appends are what the product makes (`ledger_mix`), each with its receipt, with every sync on. `raw` is how often a
second a line of the same length can be appended to a file and synced, by one thread. With ``--entries`` a ledger of so
many is made and verified, as it lies in its folder and as a bundle, by the verifier in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.ledger_mix import drafts
from countenance.ledger import checkpoint, keys, merkle
from countenance.ledger.draft import Draft
from countenance.ledger.entry import time_text
from countenance.ledger.log import Ledger

ORIGIN = "countenance.benchmark/ledger"
THREADS = 32


def opened(folder: Path) -> Ledger:
    """The ledger that is measured."""
    key = folder / "ledger.key"
    signer = keys.load(key) if key.exists() else keys.create(key, ORIGIN)
    return Ledger.open(folder / "ledger", signer, origin=ORIGIN)


def raw_syncs(folder: Path, line: bytes, seconds: float = 1.5) -> float:
    """Appends of `line` with a sync each, a second."""
    fd = os.open(folder / "raw", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    count, started = 0, time.perf_counter()
    while (took := time.perf_counter() - started) < seconds:
        os.pwrite(fd, line, count * len(line))
        os.fdatasync(fd)
        count += 1
    os.close(fd)
    (folder / "raw").unlink()
    return count / took


def appended(ledger: Ledger, given: Sequence[Draft], threads: int) -> dict[str, Any]:
    """Append all of `given`, one by one, by so many threads."""
    took: list[float] = []

    def work(mine: Sequence[Draft]) -> None:
        for one in mine:
            before = time.perf_counter()
            ledger.append(one.kind, one.actor, one.body, one.sealed)
            took.append(time.perf_counter() - before)

    running = [threading.Thread(target=work, args=(given[n::threads],)) for n in range(threads)]
    started = time.perf_counter()
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    whole = time.perf_counter() - started
    took.sort()
    return {
        "threads": threads,
        "entries": len(took),
        "per_s": round(len(took) / whole),
        "p50_ms": round(1e3 * took[len(took) // 2], 2),
        "p99_ms": round(1e3 * took[int(len(took) * 0.99)], 2),
    }


def idle(ledger: Ledger, given: Sequence[Draft]) -> dict[str, Any]:
    """One append at a time, with a pause before each."""
    took = []
    for one in given:
        time.sleep(0.005)
        before = time.perf_counter()
        ledger.append(one.kind, one.actor, one.body, one.sealed)
        took.append(1e3 * (time.perf_counter() - before))
    took.sort()
    p50, p99 = took[len(took) // 2], took[int(len(took) * 0.99)]
    return {"entries": len(took), "p50_ms": round(p50, 2), "p99_ms": round(p99, 2)}


def several(folder: Path, processes: int, threads: int, count: int) -> dict[str, Any]:
    """So many processes, each of so many threads, on one folder."""
    command = [sys.executable, "-m", "benchmarks.ledger_speed", "--child", str(folder), str(threads), str(count)]
    with opened(folder) as ledger:
        before = ledger.size
        running = [subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE) for _ in range(processes)]
        for process in running:
            assert process.stdout is not None
            process.stdout.readline()
        started = time.perf_counter()
        told = [process.communicate(b"go\n")[0] for process in running]
        whole = time.perf_counter() - started
        added = ledger.size - before
    if any(process.returncode for process in running) or added != processes * count:
        raise SystemExit(f"{added} entries were added, and {processes * count} were wanted")
    p99 = max(json.loads(line)["p99_ms"] for line in told)
    return {"processes": processes, "threads": threads, "entries": added, "per_s": round(added / whole), "p99_ms": p99}


def child(folder: Path, threads: int, count: int) -> None:
    """One of several processes: waits until all are ready."""
    given = list(drafts(count, seed=os.getpid()))
    with opened(folder) as ledger:
        print("ready", flush=True)
        sys.stdin.readline()
        print(json.dumps(appended(ledger, given, threads)))


def made(folder: Path, count: int) -> Ledger:
    """A ledger of `count` entries, half a minute apart, as a year of use leaves them."""
    signer, moment = keys.create(folder / "ledger.key", ORIGIN), datetime(2026, 1, 1, tzinfo=UTC)
    frontier = merkle.Frontier()
    (folder / "ledger").mkdir()
    with (folder / "ledger" / "entries.jsonl").open("wb") as file:
        for seq, one in enumerate(drafts(count, seed=2)):
            line = one.encode(seq, time_text(moment + timedelta(seconds=31.4 * seq)), None)
            frontier.push(merkle.leaf_hash(line))
            file.write(line + b"\n")
    signed = checkpoint.sign(checkpoint.TreeHead(ORIGIN, count, frontier.root()), [signer])
    (folder / "ledger" / "checkpoint").write_text(signed)
    return opened(folder)


def verified(command: list[str]) -> dict[str, Any]:
    """How long a command takes, and how much memory it and its workers have at most."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, _memory(process.pid))
        time.sleep(0.05)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return {"seconds": round(time.perf_counter() - started, 2), "peak_mb": round(peak / 1e6)}


def _memory(pid: int) -> int:
    """Bytes that a process and its children have to themselves or share, each page once where the system says so."""
    import psutil

    total = 0
    try:
        whole = psutil.Process(pid)
        for process in (whole, *whole.children(recursive=True)):
            total += process.memory_full_info().pss
    except psutil.Error:
        pass
    return total


FOLDER = (
    "import sys; from pathlib import Path; from countenance.ledger.note import VerifierKey;"
    "from countenance.ledger.verify import verify_folder\n"
    "if __name__ == '__main__': verify_folder(Path(sys.argv[1]), VerifierKey.parse(sys.argv[2]))"
)


def large(folder: Path, count: int) -> dict[str, Any]:
    """A ledger of `count` entries: its size, and how fast it verifies."""
    folder = folder / "large"
    folder.mkdir()
    with made(folder, count) as ledger:
        vkey = ledger.vkey
        ledger.export(folder / "bundle.zip")
    on_disk = sum(path.stat().st_size for path in (folder / "ledger").iterdir())
    script = folder / "verify_folder.py"
    script.write_text(FOLDER)
    result: dict[str, Any] = {"entries": count, "bytes_on_disk": on_disk, "bytes_an_entry": round(on_disk / count)}
    for name, command in {
        "bundle": ["-m", "countenance.ledger.verify", str(folder / "bundle.zip"), "--key", vkey],
        "folder": [str(script), str(folder / "ledger"), vkey],
    }.items():
        best = min((verified(command) for _ in range(3)), key=lambda one: float(one["seconds"]))
        result[name] = best | {"per_s": round(count / best["seconds"])}
    return result


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--appends", type=int, default=10_000, help="entries by many threads")
    parser.add_argument("--entries", type=int, default=0, help="entries of the ledger that is verified")
    parser.add_argument("--folder", type=Path, help="where the ledger is made (default: a temporary folder)")
    parser.add_argument("--json", action="store_true", help="print JSON (the only form; kept for the habit)")
    parser.add_argument("--out", type=Path, help="where the result is kept")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        child(Path(asked.child[0]), int(asked.child[1]), int(asked.child[2]))
        return
    result: dict[str, Any] = {"measure": "ledger", **machine.described()}
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        folder = Path(name)
        given = list(drafts(asked.appends))
        line = b"x" * 900
        before = raw_syncs(folder, line)
        with opened(folder) as ledger:
            result["one_thread"] = appended(ledger, given[:500], 1)
            result["threads"] = appended(ledger, given, THREADS)
            result["idle"] = idle(ledger, given[:400])
        result["raw_syncs_per_s"] = round(max(before, raw_syncs(folder, line)))
        result["threads"]["over_raw"] = round(result["threads"]["per_s"] / result["raw_syncs_per_s"], 2)
        result["processes"] = [several(folder, n, 8, asked.appends // (4 * n)) for n in (2, 4)]
        if asked.entries:
            result["large"] = large(folder, asked.entries)
    result["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)
    machine.write(result, asked.out)


if __name__ == "__main__":
    main()
