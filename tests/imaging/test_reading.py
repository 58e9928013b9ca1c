from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from countenance.domain.errors import Unavailable, UnreadableImage
from countenance.imaging import reading
from countenance.imaging.limits import Limits
from countenance.imaging.reading import read_file


def reason_for(path: Path, limits: Limits | None = None) -> str:
    with pytest.raises(UnreadableImage) as caught:
        read_file(path, limits or Limits())
    assert str(path) not in str(caught.value)
    assert caught.value.__cause__ is None  # what the system said holds the path
    return caught.value.reason


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(bytes(range(256)) * 300)
    assert read_file(path, Limits()) == bytes(range(256)) * 300


def test_a_name_that_is_not_utf8_is_read(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9\xff.jpg"))
    path.write_bytes(b"bytes")
    assert read_file(path, Limits()) == b"bytes"


def test_the_limit_on_bytes_is_exact(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 100)
    assert len(read_file(path, Limits(max_bytes=100))) == 100
    assert reason_for(path, Limits(max_bytes=99)) == "too-many-bytes"


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert reason_for(path) == "too-many-bytes"


def test_a_file_that_grows_while_it_is_read_stays_within_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 50)
    whole = reading.os.fstat

    def before_it_grew(handle: int) -> os.stat_result:
        state = whole(handle)
        path.write_bytes(b"x" * 5000)
        return state

    monkeypatch.setattr(reading.os, "fstat", before_it_grew)
    assert reason_for(path, Limits(max_bytes=100)) == "too-many-bytes"


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.touch()
    assert reason_for(path) == "empty"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert reason_for(path) == "fifo"


def test_a_socket_a_device_and_a_folder_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(path))
        assert reason_for(path) == "socket"
    assert reason_for(Path("/dev/zero")) == "device"
    assert reason_for(tmp_path) == "folder"


def test_symbolic_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"bytes")
    (tmp_path / "link").symlink_to("target")
    (tmp_path / "loop").symlink_to("loop")
    assert reason_for(tmp_path / "link") == "symlink"
    assert reason_for(tmp_path / "loop") == "symlink"


@pytest.mark.parametrize("other", ["link", "pipe"])
def test_what_is_exchanged_between_looking_and_opening_is_still_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"bytes")
    (tmp_path / "secret").write_bytes(b"secret")
    look = Path.stat

    def exchange(self: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        state = look(self, follow_symlinks=follow_symlinks)
        path.unlink()
        if other == "link":
            path.symlink_to("secret")
        else:
            os.mkfifo(path)
        return state

    monkeypatch.setattr(Path, "stat", exchange)
    assert reason_for(path) == {"link": "symlink", "pipe": "fifo"}[other]


def test_what_is_not_there_has_vanished(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    assert reason_for(tmp_path / "gone") == "vanished"
    assert reason_for(tmp_path / "file" / "below") == "vanished"
    assert reason_for(Path("nul\0name")) == "vanished"


@pytest.mark.parametrize(
    ("number", "reason"), [(13, "permission"), (5, "unreadable"), (2, "vanished"), (40, "symlink"), (6, "socket")]
)
def test_what_the_system_says_becomes_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: str
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x")

    def fail(*_: object) -> int:
        raise OSError(number, "no", str(path))

    monkeypatch.setattr(reading.os, "open", fail)
    assert reason_for(path) == reason


def test_a_process_without_handles_does_not_blame_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x")

    def fail(*_: object) -> int:
        raise OSError(24, "too many open files")

    monkeypatch.setattr(reading.os, "open", fail)
    with pytest.raises(Unavailable):
        read_file(path, Limits())


def test_no_handle_is_left_open(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 10)
    before = len(list(Path("/proc/self/fd").iterdir()))
    read_file(path, Limits())
    reason_for(path, Limits(max_bytes=1))
    assert len(list(Path("/proc/self/fd").iterdir())) == before
