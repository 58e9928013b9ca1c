"""What a measure ran on, and how its result is written down."""

from __future__ import annotations

import datetime
import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any


def described() -> dict[str, Any]:
    """Processor, cores, load before the measure, versions."""
    from importlib.metadata import PackageNotFoundError, version

    def known(name: str) -> str | None:
        try:
            return version(name)
        except PackageNotFoundError:
            return None

    head = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": round(os.getloadavg()[0], 2),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M"),
        "commit": head.stdout.strip() or None,
        "python": platform.python_version(),
        "openvino": known("openvino"),
        "onnxruntime": known("onnxruntime"),
    }


def write(result: dict[str, Any], out: Path | None) -> None:
    """Print a result, and keep it where `python -m benchmarks.table` finds it."""
    text = json.dumps(result, indent=1)
    print(text)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text + "\n")


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    flags = next((line for line in lines if line.startswith("flags")), "")
    extras = [name for name in ("avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16") if f" {name}" in flags]
    return f"{names[0] if names else platform.processor()} ({', '.join(extras)})"
