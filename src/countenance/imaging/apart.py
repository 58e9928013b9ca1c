"""Decoding in a process of its own, for decoders that a hostile file can crash.

pi_heif is one: a HEIC with a byte changed at the right place is a segmentation fault, which no `except` catches and
which would take a whole ingest with it. The child gets the bytes through a pipe, has limits on memory and processor
time that the kernel enforces, and may die of anything. Starting it costs a few tenths of a second.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from dataclasses import asdict
from datetime import datetime
from typing import Any

import numpy as np

from countenance.domain.errors import Unavailable, UnreadableImage
from countenance.imaging.limits import Limits
from countenance.imaging.picture import Picture
from countenance.imaging.sniff import Format

_BASE_MEMORY = 768 * 2**20
_MEMORY_A_PIXEL = 16
_MODULE = "countenance.imaging.apart"
_BY_SIGNAL = {signal.SIGXCPU: "too-slow", signal.SIGKILL: "out-of-memory"}


def decode_apart(data: bytes, limits: Limits, side: int | None) -> Picture:
    """As `decode.decode`, in a child process.

    Raises UnreadableImage, and Unavailable when no process can be started.
    """
    asked = json.dumps({"limits": asdict(limits), "side": side}).encode() + b"\n"
    # More threads would only reserve address space, which is limited.
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    try:
        child = subprocess.run(
            [sys.executable, "-P", "-m", _MODULE],
            input=asked + data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            timeout=4 * limits.max_seconds + 10,  # by the clock, for a child that sleeps; busy ones end sooner
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UnreadableImage("too-slow") from None
    except OSError as error:
        raise Unavailable("a decoder could not be started", advice="look at the limits on processes") from error
    if child.returncode:
        reason = _BY_SIGNAL.get(signal.Signals(-child.returncode)) if child.returncode < 0 else None
        raise UnreadableImage(reason or "corrupt")
    try:
        return _unpack(child.stdout)
    except (ValueError, KeyError) as error:  # it was made to say something else
        raise UnreadableImage("corrupt") from error


def _unpack(answer: bytes) -> Picture:
    head, _, pixels = answer.partition(b"\n")
    said: dict[str, Any] = json.loads(head)
    if "reason" in said:
        raise UnreadableImage(said["reason"], said["message"], advice=said["advice"])
    # Copied: an array over the pipe's bytes could not be written to, unlike those of other formats.
    array = np.frombuffer(pixels, dtype=np.uint8).reshape(said["shape"]).copy()
    return Picture(
        drawing=array,
        width=said["width"],
        height=said["height"],
        scale=said["scale"],
        format=Format[said["format"]],
        taken=datetime.fromisoformat(said["taken"]) if said["taken"] else None,
        frames=said["frames"],
    )


def main() -> None:
    """The child: one request on standard input, one answer on standard output."""
    from countenance.imaging.decode import decode_here

    asked = json.loads(sys.stdin.buffer.readline())
    limits = Limits(**asked["limits"])
    _restrain(limits)
    try:
        picture = decode_here(sys.stdin.buffer.read(), limits, side=asked["side"])
    except UnreadableImage as error:
        _answer({"reason": error.reason, "message": error.message, "advice": error.advice}, b"")
        return
    pixels = picture.pixels
    head = {
        "shape": pixels.shape,
        "width": picture.width,
        "height": picture.height,
        "scale": picture.scale,
        "format": picture.format.name,
        "taken": picture.taken.isoformat() if picture.taken else None,
        "frames": picture.frames,
    }
    _answer(head, pixels.data)


def _restrain(limits: Limits) -> None:
    memory = _BASE_MEMORY + _MEMORY_A_PIXEL * limits.max_pixels + limits.max_bytes
    seconds = int(limits.max_seconds) + 2  # after `guard.deadline`, which gives an orderly answer where it can
    for kind, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(kind)[1]
        soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (soft, hard))


def _answer(head: dict[str, Any], pixels: bytes | memoryview) -> None:
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n")
    sys.stdout.buffer.write(pixels)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
