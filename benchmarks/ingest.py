"""Ingest through the command: photographs a second, and how near that is to what the models alone allow.

    python -m benchmarks.ingest --photos FOLDER [--pack open] [--large] [--copies 8] [--rounds 2] [--out FILE]

Each round makes a new home, registers the folder and reads it with `countenance ingest --json`; before and after it
the bare-inference limit is taken on the same photographs (`benchmarks/inference_limit.py`), so that a change of the
machine's mood falls on both. `--large` decodes in the limit too. `--copies` makes of each photograph so many of other
bytes and slightly other framing, for sets so small that starting the processes would be all that is measured.

The rate is the report's own, start of the worker processes included. Memory is the sum of the proportional set sizes
of the command and all its children, sampled every few seconds, also over half of the photographs: it must not grow with
the collection. Processor seconds are those of the command and its children from start to end, the models' loading too.

`new_file_us` is what making a file took just before. Ext4 gives nobody an inode that was freed in the last five minutes
and looks at each such one on its way: after thousands of files were deleted it is ten times as much, and a crop is a
file. Wait then.

`cpu_ratio` compares processor seconds instead of rates: with all cores at work it is the same, and on a machine that
others use too it is the one to believe.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks import machine

ASK_SECONDS = 6.0
"""Between two looks at the memory."""

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--pack", default="open")
    parser.add_argument("--large", action="store_true", help="decoding is part of the limit")
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit-photographs", type=int, default=10_000, help="photographs of which the limit is taken")
    parser.add_argument("--name", help="how the table calls it")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    result = {"measure": "ingest", "name": args.name or args.photos.name, "pack": args.pack, **machine.described()}
    with tempfile.TemporaryDirectory() as folder:
        result["new_file_us"] = new_file_us(Path(folder) / "files")
        photos = copied(args.photos, args.copies, Path(folder) / "photos") if args.copies > 1 else args.photos.resolve()
        limits = [limit(photos, args)]
        runs = []
        for n in range(args.rounds):
            runs.append(run(photos, args.pack, Path(folder) / f"home{n}"))
            limits.append(limit(photos, args))
        half = run(halved(photos, Path(folder) / "half"), args.pack, Path(folder) / "half-home")
    rate = statistics.median(one["images_per_second"] for one in runs)
    bare = statistics.median(one["images_per_second"] for one in limits)
    cpu = statistics.median(one["cpu_seconds_per_image"] for one in runs)
    bare_cpu = statistics.median(one["cpu_seconds_per_image"] for one in limits)
    result |= {
        "images": runs[0]["images"],
        "faces": runs[0]["faces"],
        "indexed": runs[0]["indexed"],
        "no_face": runs[0]["no_face"],
        "images_per_second": rate,
        "cpu_seconds_per_image": cpu,
        "peak_memory_mib": max(one["peak_memory_mib"] for one in runs),
        "peak_memory_half_mib": half["peak_memory_mib"],
        "limit_images_per_second": bare,
        "limit_cpu_seconds_per_image": bare_cpu,
        "ratio": round(rate / bare, 3),
        "cpu_ratio": round(bare_cpu / cpu, 3),
        "target": 0.65 if args.large else 0.8,
        "limits": limits,
        "runs": runs,
    }
    machine.write(result, args.out)


def run(photos: Path, pack: str, home: Path) -> dict[str, Any]:
    """One ingest of a new home, watched from outside."""
    command = [str(Path(sys.executable).with_name("countenance"))]
    environment = os.environ | {
        "COUNTENANCE_HOME": str(home),
        "COUNTENANCE_KEY_DIR": str(home.with_suffix(".keys")),
        "COUNTENANCE_FACES__PACK": pack,
    }
    add = ["source", "add", "bench", "--kind", "folder", "--at", str(photos), "--owner", "Benchmark", "--basis", "own"]
    subprocess.run([*command, *add, "--json"], env=environment, check=True, stdout=subprocess.DEVNULL)
    begun = time.perf_counter()
    process = psutil.Popen(
        [*command, "ingest", "bench", "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    peak, asked = 0, 0.0
    while True:
        ended, status, used = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        # Asking costs milliseconds a process, in which it stands still: seldom, so as not to change what is measured.
        if time.perf_counter() - asked > ASK_SECONDS:
            peak, asked = max(peak, memory_of(process)), time.perf_counter()
        time.sleep(0.02)
    wall = time.perf_counter() - begun
    report = json.loads(process.stdout.read())
    if status or not report["complete"]:
        raise SystemExit(f"the ingest failed: {report}")
    images = report["images"]
    return {
        "images": images,
        "faces": report["faces"],
        "indexed": report["indexed"],
        "no_face": report["no_face"],
        "skipped": report["skipped"],
        "seconds": report["seconds"],
        "wall_seconds": round(wall, 2),
        "images_per_second": round(images / report["seconds"], 2),
        "cpu_seconds_per_image": round((used.ru_utime + used.ru_stime) / images, 5),
        "peak_memory_mib": round(peak / 2**20),
    }


def new_file_us(folder: Path) -> float:
    """Microseconds that making a file takes here and now."""
    folder.mkdir()
    begun = time.perf_counter()
    for n in range(500):
        (folder / str(n)).touch()
    return round((time.perf_counter() - begun) / 500 * 1e6, 1)


def memory_of(process: psutil.Popen) -> int:
    """Bytes that the process tree holds, shared pages divided."""
    memory = 0
    with contextlib.suppress(psutil.Error):
        for one in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                memory += one.memory_full_info().pss
    return memory


def limit(photos: Path, args: argparse.Namespace) -> dict[str, float]:
    """Photographs a second of the models alone, and the processor seconds of each."""
    script = Path(__file__).with_name("inference_limit.py")
    command = [sys.executable, str(script), str(photos), "--pack", args.pack, "--json", "--runtime", "openvino"]
    command += ["--limit", str(args.limit_photographs), *(["--decode"] if args.large else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    return {name: said[name] for name in ("images_per_second", "cpu_seconds_per_image")}


def listed(photos: Path) -> list[Path]:
    return sorted(one for one in photos.rglob("*") if one.suffix.lower() in SUFFIXES)


def halved(photos: Path, folder: Path) -> Path:
    """Every other photograph. Links would be refused, so files are linked hard or copied."""
    for n, file in enumerate(listed(photos)[::2]):
        target = folder / str(n // 100) / f"{n}{file.suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    return folder


def copied(photos: Path, copies: int, folder: Path) -> Path:
    """Each photograph again and again, cut a little differently and saved again."""
    from PIL import Image

    for file in listed(photos):
        with Image.open(file) as opened:
            image = opened.convert("RGB")
        for n in range(copies):
            target = folder / str(n) / f"{file.parent.parent.name}-{file.stem}.jpg"
            target.parent.mkdir(parents=True, exist_ok=True)
            image.crop((3 * n, 2 * n, image.width - 2 * n, image.height - 3 * n)).save(target, quality=90)
    return folder


if __name__ == "__main__":
    main()
