"""A folder is read whole, in order, and nothing but regular files inside it is ever opened."""

from __future__ import annotations

import json
import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

from countenance.domain.errors import FetchFailed, NotRegistered
from countenance.domain.sources import Finding, Found, PageSeen, Skipped, Source
from countenance.sources import folder as folder_module
from countenance.sources.folder import FolderReader, file_uri
from countenance.sources.sidecar import open_regular

MakeSource = Callable[..., Source]
NOBODY = 65534


def read(root: Path, source: MakeSource) -> list[Finding]:
    return list(FolderReader(source("folder", root)).read())


def found(findings: list[Finding]) -> list[Found]:
    return [f for f in findings if isinstance(f, Found)]


def reasons(findings: list[Finding]) -> dict[str, str]:
    return {f.address.rsplit("/", 1)[1]: f.reason for f in findings if isinstance(f, Skipped)}


@contextmanager
def without_root() -> Iterator[None]:
    """Permissions do not bind root, so become nobody for a moment."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that nobody can reach too."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        yield path
        for folder, _, _ in os.walk(path):
            Path(folder).chmod(0o755)


def test_reads_files_of_every_level_in_a_stable_order(tmp_path: Path, source: MakeSource) -> None:
    for name in ("b/2.jpg", "b/1.jpg", "a/deep/er/3.jpg", "z.jpg", "ä.jpg", "B.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    findings = read(tmp_path, source)
    assert [str(f.path.relative_to(tmp_path)) for f in found(findings)] == [
        "B.jpg",
        "z.jpg",
        "ä.jpg",
        "a/deep/er/3.jpg",
        "b/1.jpg",
        "b/2.jpg",
    ]
    last = found(findings)[-1]
    assert last.address == (tmp_path / "b/2.jpg").as_uri()
    assert last.page == (tmp_path / "b").as_uri()
    assert not last.spooled
    assert findings == [f for f in findings if not isinstance(f, Skipped)]
    # Each folder is closed by its PageSeen, after its last file.
    assert findings[3] == PageSeen(tmp_path.as_uri())
    assert findings[-1] == PageSeen((tmp_path / "b").as_uri())


def test_a_reading_is_complete_only_at_its_end(tmp_path: Path, source: MakeSource) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    reader = FolderReader(source("folder", tmp_path))
    for _ in reader.read():
        assert not reader.complete
    assert reader.complete
    with pytest.raises(FetchFailed):
        list(FolderReader(source("folder", tmp_path / "absent")).read())


def test_the_key_changes_with_the_file(tmp_path: Path, source: MakeSource) -> None:
    picture = tmp_path / "a.jpg"
    picture.write_bytes(b"one")
    (before,) = found(read(tmp_path, source))
    assert before.unchanged_key == found(read(tmp_path, source))[0].unchanged_key
    status = picture.stat()
    assert before.unchanged_key == f"3-{status.st_mtime_ns}-{status.st_ino}"
    picture.write_bytes(b"four")
    assert before.unchanged_key != found(read(tmp_path, source))[0].unchanged_key


def test_what_is_no_regular_file_is_reported_and_never_opened(
    tmp_path: Path, source: MakeSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret.jpg").write_bytes(b"outside")
    (tmp_path / "rootling").mkdir()
    os.mkfifo(root / "fifo.jpg")
    with socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.chdir(root)  # socket paths are short
        listening.bind("socket.jpg")
    (root / "device.jpg").symlink_to("/dev/zero")
    (root / "real.jpg").write_bytes(b"inside")
    (root / "inside.jpg").symlink_to("real.jpg")
    (root / "outside.jpg").symlink_to(tmp_path / "secret.jpg")
    (root / "outside-folder").symlink_to(tmp_path)
    (root / "outside-namesake").symlink_to(tmp_path / "rootling")
    (root / "outside-dangling.jpg").symlink_to(tmp_path / "nothing")
    (root / "dangling.jpg").symlink_to("nothing.jpg")
    (root / "self.jpg").symlink_to("self.jpg")
    (root / "sub").mkdir()
    (root / "sub" / "up").symlink_to("..")
    opened: list[str] = []
    real_open = os.open

    def watched(path: str, *args: int, **kwargs: int) -> int:
        opened.append(str(path))
        return real_open(path, *args, **kwargs)

    monkeypatch.setattr(folder_module.os, "open", watched)
    started = time.monotonic()
    findings = read(root, source)
    assert time.monotonic() - started < 5
    assert opened == [str(root), str(root / "sub")]
    assert [f.path.name for f in found(findings)] == ["real.jpg"]
    assert reasons(findings) == {
        "fifo.jpg": "fifo",
        "socket.jpg": "socket",
        "device.jpg": "symlink-outside",
        "inside.jpg": "symlink-inside",
        "outside.jpg": "symlink-outside",
        "outside-folder": "symlink-outside",
        "outside-namesake": "symlink-outside",
        "outside-dangling.jpg": "symlink-outside",
        "dangling.jpg": "vanished",
        "self.jpg": "symlink-loop",
        "up": "symlink-loop",
    }


def test_a_device_is_refused(source: MakeSource) -> None:
    """Making a device node needs a privilege that a test machine may lack; every machine has a folder of them."""
    assert reasons(read(Path("/dev"), source))["null"] == "device"


def test_opening_what_became_a_fifo_or_a_link_neither_waits_nor_follows(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    for name in ("fifo", "link", "absent"):
        with pytest.raises(OSError):
            os.close(open_regular(tmp_path / name))
    os.close(open_regular(tmp_path / "file"))


def test_without_permission_the_rest_is_still_read(open_folder: Path, source: MakeSource) -> None:
    for name in ("closed/in.jpg", "open/in.jpg", "open/locked.jpg"):
        (open_folder / name).parent.mkdir(exist_ok=True)
        (open_folder / name).write_bytes(b"x")
    (open_folder / "open/locked.jpg").chmod(0)
    (open_folder / "closed").chmod(0)
    reader = FolderReader(source("folder", open_folder))
    with without_root():
        findings = list(reader.read())
    assert not reader.complete
    assert [f.path.name for f in found(findings)] == ["in.jpg"]
    assert reasons(findings) == {"closed": "permission", "locked.jpg": "permission"}
    assert all(f.hides for f in findings if isinstance(f, Skipped))
    # Nothing is known to have vanished where something could not be looked at.
    assert [f for f in findings if isinstance(f, PageSeen)] == [PageSeen(open_folder.as_uri())]


def test_a_folder_that_cannot_be_listed_at_all_is_an_error(open_folder: Path, source: MakeSource) -> None:
    with pytest.raises(FetchFailed):
        read(open_folder / "absent", source)
    (open_folder / "closed").mkdir(mode=0)
    with without_root(), pytest.raises(FetchFailed):
        read(open_folder / "closed", source)


def test_a_registered_folder_that_became_a_link_is_not_followed(tmp_path: Path, source: MakeSource) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.jpg").write_bytes(b"x")
    (tmp_path / "registered").symlink_to("other")
    with pytest.raises(NotRegistered):
        read(tmp_path / "registered", source)


def test_what_vanishes_while_reading_is_reported(tmp_path: Path, source: MakeSource) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    for name in ("gone", "swapped", "last"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "b.jpg").write_bytes(b"x")
    outside = tmp_path.parent / "elsewhere"
    outside.mkdir()
    (outside / "secret.jpg").write_bytes(b"x")
    findings: list[Finding] = []
    for finding in FolderReader(source("folder", tmp_path)).read():
        if finding == PageSeen(tmp_path.as_uri()):  # the subfolders are listed, and not yet read
            for name in ("gone", "swapped"):
                (tmp_path / name / "b.jpg").unlink()
                (tmp_path / name).rmdir()
            (tmp_path / "swapped").symlink_to(outside)
        findings.append(finding)
    assert reasons(findings) == {"gone": "vanished", "swapped": "vanished"}
    assert [f.path.name for f in found(findings)] == ["a.jpg", "b.jpg"]


def test_a_file_that_vanishes_between_listing_and_looking(
    tmp_path: Path, source: MakeSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"x")
    real = os.access

    def vanishing(path: str, *args: int, **kwargs: bool) -> bool:
        if path.endswith("a.jpg"):
            raise FileNotFoundError(2, "gone")
        return real(path, *args, **kwargs)

    monkeypatch.setattr(folder_module.os, "access", vanishing)
    findings = read(tmp_path, source)
    assert reasons(findings) == {"a.jpg": "vanished"}
    assert [f.path.name for f in found(findings)] == ["b.jpg"]


def test_names_that_are_not_utf8(tmp_path: Path, source: MakeSource) -> None:
    raw = os.fsencode(tmp_path) + b"/caf\xe9 %41?#.jpg"
    with Path(os.fsdecode(raw)).open("wb") as file:
        file.write(b"x")
    (one,) = found(read(tmp_path, source))
    assert os.fsencode(one.path) == raw
    assert one.address.endswith("/caf%E9%20%2541%3F%23.jpg")
    assert unquote_to_bytes(one.address.removeprefix("file://")) == raw
    assert one.address == file_uri(one.path)
    one.address.encode("ascii")
    with one.path.open("rb") as file:
        assert file.read() == b"x"


def test_a_sidecar_says_where_a_picture_was(tmp_path: Path, source: MakeSource) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    (tmp_path / "plain.jpg").write_bytes(b"x")
    (tmp_path / "lonely.json").write_text("{}")
    sidecar = tmp_path / "a.jpg.json"
    sidecar.write_text(
        json.dumps(
            {
                "page": "https://example.org/team",
                "title": "The team",
                "alt": "Two people",
                "caption": "Spring \ud800",
                "date": "2024-05-01T12:00:00+02:00",
            }
        )
    )
    findings = read(tmp_path, source)
    by_name = {f.path.name: f for f in found(findings)}
    assert set(by_name) == {"a.jpg", "plain.jpg", "lonely.json"}
    one = by_name["a.jpg"]
    assert (one.page, one.title, one.alt) == ("https://example.org/team", "The team", "Two people")
    assert one.caption == "Spring ?"
    assert one.dated == datetime(2024, 5, 1, 10, tzinfo=UTC)
    assert by_name["plain.jpg"].page == tmp_path.as_uri()
    assert by_name["plain.jpg"].dated is None
    sidecar.write_text('{"alt": "Nobody"}')
    changed = found(read(tmp_path, source))[0]
    assert changed.alt == "Nobody"
    assert changed.unchanged_key != one.unchanged_key


@pytest.mark.parametrize(
    "content",
    [b"not json", b"[]", b"[" * 60_000, b'{"page": "file:///etc"}', b'{"alt": 3}', b'{"date": "soon"}', b" " * 70_000],
)
def test_a_bad_sidecar_is_reported_and_its_picture_read(tmp_path: Path, source: MakeSource, content: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    (tmp_path / "a.jpg.json").write_bytes(content)
    findings = read(tmp_path, source)
    assert reasons(findings) == {"a.jpg.json": "bad-sidecar"}
    assert [f.path.name for f in found(findings)] == ["a.jpg"]


def test_a_sidecar_that_is_a_fifo_does_not_wait(tmp_path: Path, source: MakeSource) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    os.mkfifo(tmp_path / "a.jpg.json")
    findings = read(tmp_path, source)
    assert reasons(findings) == {"a.jpg.json": "fifo"} or reasons(findings)["a.jpg.json"] == "bad-sidecar"
    assert [f.path.name for f in found(findings)] == ["a.jpg"]


def test_a_folder_of_100_000_files(tmp_path: Path, source: MakeSource) -> None:
    """Links to one inode, as many names: quick to make and the same to list."""
    (tmp_path / "many").mkdir()
    many = os.open(tmp_path / "many", os.O_RDONLY)
    first = tmp_path / "first"
    first.write_bytes(b"x")
    try:
        for at in range(100_000):
            if at % 50_000 == 0:  # file systems bound the links to one file
                first = tmp_path / f"first{at}"
                first.write_bytes(b"x")
            os.link(first, f"{at:06}.jpg", dst_dir_fd=many)
    finally:
        os.close(many)
    seen = 0
    last = ""
    for finding in FolderReader(source("folder", tmp_path / "many")).read():
        if isinstance(finding, Found):
            assert finding.address > last
            last = finding.address
            seen += 1
    assert seen == 100_000


def test_a_very_deep_folder_does_not_end_the_run(tmp_path: Path, source: MakeSource) -> None:
    fd = os.open(tmp_path, os.O_RDONLY)
    for _ in range(60):
        os.mkdir("d" * 100, dir_fd=fd)
        deeper = os.open("d" * 100, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = deeper
    os.close(fd)
    (tmp_path / "a.jpg").write_bytes(b"x")
    findings = read(tmp_path, source)
    assert [f.path.name for f in found(findings)] == ["a.jpg"]
    (too_deep,) = [f for f in findings if isinstance(f, Skipped)]
    assert too_deep.reason == "unreadable"
    assert too_deep.hides
