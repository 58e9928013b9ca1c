"""Reading a proxy's log: speed and memory, beside plain reading and hashing of the same file in the same run.

    python benchmarks/proxylog_speed.py --gigabytes 1
    python benchmarks/proxylog_speed.py --gigabytes 10 --folder /var/tmp --out benchmarks/results/proxylog-10.json

The log is Squid's native one and synthetic: 4,000 addresses with one user each, 2 % without, a third of the lines
tunnels, the rest URLs of all lengths; 1 line in 10,000 is about a face-search site. Every byte is hashed and every line
checked. The scan runs in a process of its own; memory is the largest sum of resident pages of that process and its
children, looked at fifty times a second. `plain` is reading and SHA-256 alone, measured before and after, the better
of both.

SARG, GoAccess and lnav are timed on the same file where they are on the PATH (`apt-get install sarg goaccess lnav`).
They answer less: none hashes what it read, lists what it could not read, joins lines to sessions or tells a visit from
a search. GoAccess and SARG count users, addresses and sites; lnav does not know the format, so it filters text.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine

CHUNK = 400_000
RELEVANT = 10_000
PATIENCE = 900
"""Seconds that another tool is waited for."""
SITES = ("pimeyes.com", "facecheck.id")
PEERS: dict[str, tuple[str, ...]] = {
    "goaccess": (
        "goaccess",
        "{log}",
        "--log-format=%x.%^ %~%L %h %^/%s %b %m %U %^",
        "--datetime-format=%s",
        "--date-format=%s",
        "--time-format=%s",
        "--no-progress",
        "-o",
        "{out}/report.json",
    ),
    "sarg": ("sarg", "-f", "{out}/sarg.conf", "-l", "{log}", "-o", "{out}/sarg", "-w", "{out}/temp", "-x"),
    "lnav": ("lnav", "-n", "-c", r":filter-in pimeyes\.com|facecheck\.id", "{log}"),
}


def make_log(file: Path, size: int, seed: int = 1) -> int:
    """Write a log of about that many bytes. Returns how many of its lines are about a face-search site."""
    import polars as pl

    rng = np.random.default_rng(seed)
    at, relevant = 1_793_610_000_000, 0
    words = np.array(
        [f"{word}{n}" for word in ("news", "mail", "cdn", "img", "api", "static", "video") for n in range(40)]
    )
    paths = np.array(["/" + "/".join(rng.choice(words, rng.integers(0, 7))) for _ in range(3_000)])
    queries = np.array(["", "", "?", *("?id=" + str(rng.integers(10**12)) + "&v=" + str(n) for n in range(500))])
    kinds = np.array(["text/html", "image/jpeg", "application/javascript", "application/json", "video/mp4"])
    with file.open("wb") as out:
        while out.tell() < size:
            n = CHUNK
            times = at + np.cumsum(rng.integers(0, 8, n))
            at = int(times[-1])
            tunnel = rng.random(n) < 1 / 3
            host = np.char.add(rng.choice(words, n), ".example.org")
            asked = rng.integers(0, RELEVANT, n) == 0
            relevant += int(asked.sum())
            host[asked] = rng.choice(SITES, int(asked.sum()))
            who = rng.integers(0, 4_000, n)
            url = pl.Series(host.astype(str))
            frame = pl.DataFrame(
                {
                    "s": times // 1000,
                    "ms": times % 1000,
                    "ela": rng.integers(1, 90_000, n),
                    "a": who // 250,
                    "b": who % 250,
                    "size": rng.integers(100, 10**6, n),
                    "host": url,
                    "path": paths[rng.integers(0, len(paths), n)],
                    "query": queries[rng.integers(0, len(queries), n)],
                    "mime": kinds[rng.integers(0, len(kinds), n)],
                    "user": np.where(rng.random(n) < 0.02, -1, who),
                    "tunnel": tunnel,
                }
            )
            user = pl.when(pl.col("user") < 0).then(pl.lit("-")).otherwise(pl.format("user{}", "user"))
            start = pl.format(
                "{}.{} {} 10.20.{}.{} ",
                "s",
                pl.col("ms").cast(pl.String).str.zfill(3),
                pl.col("ela").cast(pl.String).str.pad_start(6),
                "a",
                "b",
            )
            lines = frame.select(
                pl.when("tunnel")
                .then(
                    pl.concat_str(
                        start,
                        pl.format("TCP_TUNNEL/200 {} CONNECT {}:443 ", "size", "host"),
                        user,
                        pl.lit(" HIER_DIRECT/203.0.113.7 -"),
                    )
                )
                .otherwise(
                    pl.concat_str(
                        start,
                        pl.format("TCP_MISS/200 {} GET https://{}{}{} ", "size", "host", "path", "query"),
                        user,
                        pl.format(" HIER_DIRECT/203.0.113.7 {}", "mime"),
                    )
                )
            ).to_series()
            out.write(("\n".join(lines.to_list()) + "\n").encode())
    return relevant


def plain(file: Path) -> float:
    """Seconds that reading and hashing the file takes."""
    started, digest = time.perf_counter(), hashlib.sha256()
    with file.open("rb", buffering=0) as source:
        while piece := source.read(2**20):
            digest.update(piece)
    return time.perf_counter() - started


def child(log: Path, work: Path) -> None:
    """One scan, told as JSON."""
    from countenance.proxylog.scan import ScanOptions, scan

    started = time.perf_counter()
    options = ScanOptions(lambda host: host.endswith(SITES), SITES)
    with scan([log], options, work) as found:
        kept = sum(1 for _ in found.requests())
        seconds = time.perf_counter() - started
        lines, rejected = found.files[0].lines, found.files[0].rejected
        duplicates = found.coverage.relevant.duplicates
    result = {"seconds": seconds, "lines": lines, "rejected": rejected, "relevant": kept + duplicates}
    print(json.dumps({**result, "sha256": found.files[0].sha256}))


def scanned(log: Path, work: Path) -> dict[str, Any]:
    """A scan in a process of its own, and the memory of its process tree."""
    import psutil

    command = [sys.executable, "-m", "benchmarks.proxylog_speed", "--child", str(log), str(work)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": "."})
    peak, over = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        one = psutil.Process(process.pid)
        while not over.wait(0.02):
            try:
                peak = max(peak, sum(p.memory_info().rss for p in (one, *one.children(recursive=True))))
            except psutil.Error:
                continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    out, _ = process.communicate()
    over.set()
    watcher.join()
    if process.returncode:
        raise SystemExit("the scan failed")
    return {**json.loads(out), "peak_mb": round(peak / 1e6)}


def peers(log: Path) -> dict[str, Any]:
    """Seconds that other tools take, where they are installed."""
    found: dict[str, Any] = {}
    for name, words in PEERS.items():
        if shutil.which(name) is None:
            found[name] = None
            continue
        with tempfile.TemporaryDirectory() as out:
            command = [word.format(log=log, out=out) for word in words]
            for folder in ("sarg", "temp"):
                (Path(out) / folder).mkdir()
            # Its two lists alone: a page for each of 4,000 users takes it most of an hour.
            (Path(out) / "sarg.conf").write_text("report_type topusers topsites\n")
            started = time.perf_counter()
            try:
                done = subprocess.run(
                    command, capture_output=True, check=False, stdin=subprocess.DEVNULL, timeout=PATIENCE
                )
            except subprocess.TimeoutExpired:
                found[name] = {"seconds": None, "longer_than": PATIENCE}
                continue
            seconds = round(time.perf_counter() - started, 2)
            found[name] = {"seconds": seconds, "exit": done.returncode}
            if done.returncode:
                found[name]["says"] = done.stderr.decode(errors="replace")[-200:]
    return found


def main() -> None:
    """Make the log, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--folder", type=Path, help="where the log is made (default: a temporary folder)")
    parser.add_argument("--out", type=Path, help="where the result is kept")
    parser.add_argument("--without-peers", action="store_true")
    parser.add_argument("--child", type=Path, nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        child(*asked.child)
        return
    about = machine.described()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        log = Path(folder) / "access.log"
        relevant = make_log(log, int(asked.gigabytes * 1e9))
        size = log.stat().st_size
        before = plain(log)
        result = scanned(log, Path(folder) / "work")
        bare = min(before, plain(log))
        if result["rejected"] or result["relevant"] != relevant:
            raise SystemExit(f"the scan found {result}, but {relevant} lines are relevant")
        seconds = result["seconds"]
        others = {} if asked.without_peers else peers(log)
    machine.write(
        {
            "measure": "proxylog",
            **about,
            "megabytes": round(size / 1e6),
            "lines": result["lines"],
            "relevant": relevant,
            "seconds": round(seconds, 2),
            "mb_per_s": round(size / 1e6 / seconds, 1),
            "lines_per_s": round(result["lines"] / seconds),
            "peak_mb": result["peak_mb"],
            "plain_mb_per_s": round(size / 1e6 / bare, 1),
            "times_plain": round(seconds / bare, 2),
            "peers": others,
        },
        asked.out,
    )


if __name__ == "__main__":
    main()
