"""The child that decodes what may crash: whatever it dies of becomes a reason."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from countenance.domain.errors import Unavailable, UnreadableImage
from countenance.imaging import apart
from countenance.imaging.apart import decode_apart
from countenance.imaging.decode import decode
from countenance.imaging.limits import Limits


@pytest.mark.parametrize("name", ["jpeg", "png-alpha", "tiff-pages"])
@pytest.mark.parametrize("side", [None, 32])
def test_it_gives_the_same_picture_as_this_process(name: str, side: int | None, samples: dict[str, bytes]) -> None:
    here, there = decode(samples[name], Limits(), side=side), decode_apart(samples[name], Limits(), side)
    assert np.array_equal(here.pixels, there.pixels)
    assert there.pixels.flags.writeable
    for what in ("width", "height", "scale", "format", "taken", "frames"):
        assert getattr(here, what) == getattr(there, what)


def test_limits_go_with_it(samples: dict[str, bytes]) -> None:
    with pytest.raises(UnreadableImage) as caught:
        decode_apart(samples["png"], Limits(max_pixels=100), None)
    assert caught.value.reason == "too-many-pixels"


@pytest.mark.parametrize(
    ("dies", "reason"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "corrupt"),
        ("os.abort()", "corrupt"),
        ("os.kill(os.getpid(), signal.SIGXCPU)", "too-slow"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "out-of-memory"),
        ("sys.exit(3)", "corrupt"),
        ("print('no answer that was asked for')", "corrupt"),
        ("print('{}')", "corrupt"),
        ("apart._restrain(Limits(max_seconds=0.1, max_pixels=1))\nwhile True: pass", "too-slow"),
    ],
)
def test_whatever_it_dies_of_is_a_reason(
    dies: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ["import os, signal, sys", "from countenance.imaging import apart"]
    lines += ["from countenance.imaging.limits import Limits", "sys.stdin.buffer.read()", dies]
    (tmp_path / "dying.py").write_text("\n".join(lines))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(apart, "_MODULE", "dying")
    with pytest.raises(UnreadableImage) as caught:
        decode_apart(b"bytes", Limits(), None)
    assert caught.value.reason == reason


def test_it_cannot_take_all_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["import sys", "from countenance.imaging import apart", "from countenance.imaging.limits import Limits"]
    lines += ["apart._restrain(Limits(max_pixels=1))", "sys.stdin.buffer.read()", "try:", "    bytearray(1 << 31)"]
    lines += ["except MemoryError:", "    apart._answer({'reason': 'out-of-memory', 'message': '', 'advice': ''}, b'')"]
    (tmp_path / "greedy.py").write_text("\n".join(lines))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(apart, "_MODULE", "greedy")
    with pytest.raises(UnreadableImage) as caught:
        decode_apart(b"bytes", Limits(), None)
    assert caught.value.reason == "out-of-memory"


def test_a_machine_that_starts_no_process_is_not_the_files_fault(monkeypatch: pytest.MonkeyPatch, heic: bytes) -> None:
    monkeypatch.setattr(apart.sys, "executable", "/nowhere/python")
    with pytest.raises(Unavailable):
        decode(heic, Limits())
