"""Which files are read, and why others are not."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from countenance.proxylog.inputs import FAULTS, Fault, Input, Unread, find_inputs, shown


def names(paths: list[str]) -> list[str]:
    return [one.name for one in find_inputs(paths)[0]]


def reasons(paths: list[str]) -> dict[str, str]:
    return {Path(fault.file).name: fault.reason for fault in find_inputs(paths)[1]}


def test_folder_is_walked_in_order_and_without_links(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("z.log", "a.log", "b/c.log"):
        (tmp_path / name).write_text("x\n")
    (tmp_path / "elsewhere").symlink_to("/etc/hostname")
    (tmp_path / "b" / "up").symlink_to(tmp_path)
    (tmp_path / "round").symlink_to("round")
    (tmp_path / "gone").symlink_to("nothing")
    assert names([str(tmp_path)]) == [str(tmp_path / name) for name in ("a.log", "b/c.log", "z.log")]
    assert reasons([str(tmp_path)]) == {
        "elsewhere": "symlink",
        "up": "symlink-loop",
        "round": "symlink-loop",
        "gone": "vanished",
    }


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "sock"))
        assert reasons([str(tmp_path)]) == {"pipe": "fifo", "sock": "socket"}
    assert reasons([str(tmp_path / "pipe"), "/dev/zero", str(tmp_path / "no")]) == {
        "pipe": "fifo",
        "zero": "device",
        "no": "vanished",
    }


def test_a_pipe_in_the_place_of_a_file_does_not_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "log")
    with pytest.raises(Unread) as raised:
        Input("log", os.fsencode(tmp_path / "log"), 10).open()
    assert raised.value.reason == "fifo"


def test_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log").write_text("x\n")

    def refuse(*_: object) -> int:
        raise PermissionError(13, "no")

    (one,), _ = find_inputs([str(tmp_path / "log")])
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(Unread) as raised:
        one.open()
    assert raised.value.reason == "permission"


def test_a_file_is_read_once_under_its_smaller_name(tmp_path: Path) -> None:
    (tmp_path / "b.log").write_text("x\n")
    os.link(tmp_path / "b.log", tmp_path / "a.log")
    (tmp_path / "c.log").symlink_to("b.log")
    both = [str(tmp_path / "b.log"), str(tmp_path / "a.log"), str(tmp_path / "c.log"), str(tmp_path)]
    assert names(both) == [str(tmp_path / "a.log")]


def test_a_link_that_is_named_is_read(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("x\n")
    (tmp_path / "link").symlink_to("real")
    assert names([str(tmp_path / "link")]) == [str(tmp_path / "link")]


def test_a_pattern_is_a_rotated_set(tmp_path: Path) -> None:
    for name in ("access.log", "access.log.1", "access.log.2.gz", "error.log"):
        (tmp_path / name).write_text("x\n")
    assert [Path(name).name for name in names([f"{tmp_path}/access.log*"])] == [
        "access.log",
        "access.log.1",
        "access.log.2.gz",
    ]
    assert reasons([f"{tmp_path}/nothing*"]) == {"nothing*": "vanished"}


def test_names_are_text_and_never_alike(tmp_path: Path) -> None:
    for name in (b"a\xff", rb"a\xff", b"a\n"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text("x\n")
    found = [Path(name).name for name in names([str(tmp_path)])]
    assert sorted(found) == [r"a\\xff", r"a\n", r"a\xff"]
    assert shown(b"\xff") == r"\xff"


def test_standard_input_comes_once(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("x\n")
    assert names(["-", str(tmp_path / "log"), "-"]) == ["-", str(tmp_path / "log")]


def test_standard_input_is_read(tmp_path: Path) -> None:
    code = "from countenance.proxylog.inputs import Input; print(Input('-', None, None).open().read(5))"
    done = subprocess.run([sys.executable, "-c", code], input=b"hello", capture_output=True, check=True)
    assert done.stdout == b"b'hello'\n"


def test_every_reason_has_words() -> None:
    assert Fault("f", "several-headers", ("a", "b")).words.endswith("(a, b)")
    assert all(words == words.strip() and words[0].islower() for words in FAULTS.values())
