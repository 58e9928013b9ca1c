"""What runs is what is reported, and nothing phones home."""

from __future__ import annotations

import ast
import importlib.util
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from countenance.domain.errors import BadInput
from countenance.faces import runtime
from countenance.faces.runtime import open_engine
from countenance.faces.weights import cache_folder

_WATCHED = """
import sys

seen = []


def watch(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "subprocess.Popen"):
        seen.append(event)
        raise OSError("the network is off")


sys.addaudithook(watch)
import numpy as np

from countenance.faces.pipeline import load_pipeline

pipeline = load_pipeline("open", offline=True, runtime=sys.argv[1])
pipeline.faces(np.zeros((300, 400, 3), np.uint8))
assert pipeline.describe()["engine"] == sys.argv[1]
print(seen, [name for name in sys.modules if "telemetry" in name and sys.modules[name] is not None])
"""


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_nothing_phones_home(engine: str, tmp_path: Path) -> None:
    """In a process whose network is off, and that sees every attempt; in a home where consent files would show."""
    # What would keep the engines quiet by itself is taken away, also what this process has set by now.
    quieting = ("CI", "GITHUB_ACTIONS", "TF_BUILD", "PYTEST_CURRENT_TEST")
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in quieting and not name.startswith(("ORT_", "XDG_", "OPENVINO"))
    }
    weights = cache_folder().resolve()
    run = subprocess.run(
        [sys.executable, "-c", _WATCHED, engine],
        env=environment | {"HOME": str(tmp_path), "COUNTENANCE_WEIGHTS": str(weights)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "[] []"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_engines_are_imported_in_one_place_only() -> None:
    """Elsewhere they would come with their telemetry."""
    root = Path(runtime.__file__).parents[1]
    importing = set()
    for file in root.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] in ("openvino", "onnxruntime") for name in names):
                importing.add(file.relative_to(root).as_posix())
    assert importing == {"faces/runtime.py"}


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_what_runs_is_reported(engine: str) -> None:
    facts = open_engine(engine, threads=1).describe()  # type: ignore[arg-type]
    assert facts["engine"] == engine
    assert facts["device"] == "cpu"
    assert facts["threads"] == 1
    assert facts["cores"] == len(os.sched_getaffinity(0))
    assert facts["precision"] == ("bf16" if engine == "openvino" and has_bf16() else "fp32")


def has_bf16() -> bool:
    flags = Path("/proc/cpuinfo").read_text("utf-8")
    return "avx512_bf16" in flags or "amx_bf16" in flags


def test_the_choice_for_this_machine() -> None:
    expected = "openvino" if platform.machine() in ("x86_64", "AMD64") else "onnxruntime"
    assert open_engine("auto").name == expected


def test_without_openvino_the_other_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "openvino" else real(name))
    assert open_engine("auto").name == "onnxruntime"
    with pytest.raises(BadInput):
        open_engine("openvino")


def test_an_unused_gpu_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "gpu_present", lambda: True)
    facts = open_engine("openvino").describe()
    assert facts["gpu"] is True
    assert "onnxruntime-gpu" in facts["hint"]
    monkeypatch.setattr(runtime, "gpu_present", lambda: False)
    assert open_engine("openvino").describe()["hint"] is None


def test_a_signal_is_survived_after_engines_came_and_went() -> None:
    """OpenVINO gives its thread a stack for signal handlers, which must not go with the engine."""
    program = (
        "from countenance.domain.errors import UnreadableImage\n"
        "from countenance.faces.runtime import open_engine\n"
        "from countenance.imaging.guard import deadline\n"
        "first, second = open_engine('openvino'), open_engine('openvino')\n"
        "del first\n"
        "del second\n"
        "try:\n"
        "    with deadline(0.05):\n"
        "        while True: pass\n"
        "except UnreadableImage:\n"
        "    print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "refused\n"), done.stderr
