"""The one home of inference. OpenVINO on x86-64 processors, onnxruntime elsewhere and on GPUs; the choice is reported.

Nothing phones home. Both engines would: `import openvino` sends a "general_import" event through its telemetry
package, and onnxruntime from 1.29 uploads what models and sessions it sees, under an identifier that it keeps in the
user's cache. So they are imported here and nowhere else, each with that part barred first.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
import threading
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from countenance.domain.errors import BadInput, WeightsRefused

Choice: TypeAlias = Literal["auto", "openvino", "onnxruntime"]

Images: TypeAlias = NDArray[np.uint8]
"""(n, height, width, 3), RGB."""


class Model(Protocol):
    """A graph that an engine has made ready. Safe to call from several threads, which then take turns."""

    def run(self, batch: Images) -> list[NDArray[np.float32]]:
        """The outputs in the graph's order, float32, the batch first."""
        ...

    def warm(self, shape: tuple[int, int, int, int]) -> None:
        """Do now what the first batch of this shape would wait for."""
        ...


class Engine(Protocol):
    """Something that runs graphs."""

    name: str

    def load(self, graph: bytes) -> Model:
        """Make a graph from `graph.prepare` ready. Raises WeightsRefused when the engine cannot read it."""
        ...

    def describe(self) -> dict[str, Any]:
        """What really runs: engine, version, device, precision, threads, cores, gpu and a hint if one is unused."""
        ...


def open_engine(choice: Choice = "auto", threads: int = 1) -> Engine:
    """The engine for this machine, or the one that is asked for.

    Raises BadInput when the one asked for is not installed.
    """
    if choice == "auto":
        choice = "openvino" if _openvino_suits() else "onnxruntime"
    if importlib.util.find_spec(choice) is None:
        raise BadInput(f"{choice} is not installed", advice="Leave the setting `faces.runtime` at auto.")
    return OpenVino(threads) if choice == "openvino" else OnnxRuntime(threads)


def _openvino_suits() -> bool:
    if platform.machine() not in ("x86_64", "AMD64") or importlib.util.find_spec("openvino") is None:
        return False
    return not _cuda_ready()


def _cuda_ready() -> bool:
    """Whether there is an NVIDIA GPU and an onnxruntime that can use it."""
    if not gpu_present() or importlib.util.find_spec("onnxruntime") is None:
        return False
    return "CUDAExecutionProvider" in import_onnxruntime().get_available_providers()


def gpu_present() -> bool:
    """Whether the machine shows an NVIDIA GPU."""
    return Path("/proc/driver/nvidia/version").exists() or Path("/dev/nvidia0").exists()


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def _report(engine: str, version: str, device: str, precision: str, threads: int) -> dict[str, Any]:
    unused = gpu_present() and device == "cpu"
    return {
        "engine": engine,
        "version": version,
        "device": device,
        "precision": precision,
        "threads": threads,
        "cores": usable_cores(),
        "gpu": gpu_present(),
        "hint": "A GPU is here and not used: install onnxruntime-gpu instead of onnxruntime." if unused else None,
    }


def import_openvino() -> Any:
    """openvino without its telemetry: the module that sends events on import cannot be imported in this process."""
    sys.modules.setdefault("openvino.tools.ovc", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def import_onnxruntime() -> Any:
    """onnxruntime without its telemetry, which it can only be told by the environment and before it is loaded."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    return onnxruntime


@cache
def _core() -> Any:
    """OpenVINO itself: one for the process, and never taken apart. It gives the thread that makes it a stack for signal
    handlers, and of several taken apart in any order one leaves a stack that is gone: the next signal, of a picture
    that takes too long or of Ctrl-C, would end the process."""
    return import_openvino().Core()


_opening = threading.Lock()


class OpenVino:
    """OpenVINO on the processor, in bfloat16 where it has the instructions."""

    name = "openvino"

    def __init__(self, threads: int) -> None:
        self._openvino = import_openvino()
        with _opening:  # of two that are made at once, one would be taken apart
            self._core = _core()
        self._threads = threads
        self._bf16 = "BF16" in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")

    def load(self, graph: bytes) -> Model:
        try:
            model = self._core.read_model(graph, b"")
        except RuntimeError as error:
            raise WeightsRefused("OpenVINO cannot read a model", advice="Try the runtime onnxruntime.") from error
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": self._threads,
            "NUM_STREAMS": 1,
            # Every process would pin its thread to the first core: two workers would share it while the other idles.
            "ENABLE_CPU_PINNING": False,
            "INFERENCE_PRECISION_HINT": "bf16" if self._bf16 else "f32",
        }
        return _OpenVinoModel(self._core, model, settings, self._openvino.Tensor)

    def describe(self) -> dict[str, Any]:
        version = self._openvino.__version__.split("-")[0]
        return _report(self.name, version, "cpu", "bf16" if self._bf16 else "fp32", self._threads)


class _OpenVinoModel:
    """Compiled once for each shape of input that comes: fixed shapes run a fifth to a half faster than free ones."""

    def __init__(self, core: Any, model: Any, settings: dict[str, Any], tensor: Any) -> None:
        self._core = core
        self._tensor = tensor
        self._model = model
        self._settings = settings
        self._requests: dict[tuple[int, ...], tuple[Any, list[Any]]] = {}
        self._lock = threading.Lock()

    def run(self, batch: Images) -> list[NDArray[np.float32]]:
        with self._lock:
            request, outputs = self._request(batch.shape)
            request.set_input_tensor(self._tensor(batch, shared_memory=True))
            request.start_async()
            request.wait()
            return [np.array(one.data, np.float32) for one in outputs or request.output_tensors]

    def warm(self, shape: tuple[int, int, int, int]) -> None:
        with self._lock:
            self._request(shape)

    def _request(self, shape: tuple[int, ...]) -> tuple[Any, list[Any]]:
        """What runs this shape, and its outputs when they stay where they are; asking for them takes its time."""
        known = self._requests.get(shape)
        if known is None:
            model = self._model.clone()
            model.reshape(list(shape))
            compiled = self._core.compile_model(model, "CPU", self._settings)
            request = compiled.create_infer_request()
            fixed = all(one.get_partial_shape().is_static for one in compiled.outputs)
            self._requests[shape] = known = (request, list(request.output_tensors) if fixed else [])
        return known


class OnnxRuntime:
    """onnxruntime, on a GPU where its CUDA provider is there."""

    name = "onnxruntime"

    def __init__(self, threads: int) -> None:
        self._onnxruntime = import_onnxruntime()
        self._threads = threads
        self._cuda = _cuda_ready()

    def load(self, graph: bytes) -> Model:
        options = self._onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        providers = ["CUDAExecutionProvider"] if self._cuda else []
        try:
            session = self._onnxruntime.InferenceSession(graph, options, [*providers, "CPUExecutionProvider"])
        except Exception as error:  # its exceptions have no common base but Exception
            raise WeightsRefused("onnxruntime cannot read a model", advice="Try the runtime openvino.") from error
        return _OnnxModel(session)

    def describe(self) -> dict[str, Any]:
        device = "cuda" if self._cuda else "cpu"
        return _report(self.name, self._onnxruntime.__version__, device, "fp32", self._threads)


class _OnnxModel:
    def __init__(self, session: Any) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name

    def run(self, batch: Images) -> list[NDArray[np.float32]]:
        return list(self._session.run(None, {self._input: batch}))

    def warm(self, shape: tuple[int, int, int, int]) -> None:
        """Nothing waits for a shape here."""
