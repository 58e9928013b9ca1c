"""Starts a crawl and reads its findings, one at a time: the crawl waits while its reader is busy."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

from countenance.domain.errors import FetchFailed
from countenance.domain.sources import Finding, Found
from countenance.sources.crawl.job import Job, read_finding

_PIPE_BYTES = 4096
_SET_PIPE_SIZE = 1031  # fcntl's F_SETPIPE_SZ, which Python names from 3.10 on Linux only
_KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "HOME", "TMPDIR", "TZ", "PYTHONPATH", "SSL_CERT_FILE", "SSL_CERT_DIR")


def run_crawl(job: Job, spool: Path) -> Iterator[Finding]:
    """Run a job in a process of its own. `job.folder` and `job.parent` are filled in here.

    Raises FetchFailed, after everything that was found before, when the crawl breaks off. Closing the iterator ends the
    crawl and deletes what was fetched and not yet handed out; pictures handed out belong to the caller.
    """
    spool.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="crawl-", dir=spool))
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "countenance.sources.crawl"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={name: os.environ[name] for name in _KEPT if name in os.environ},
        start_new_session=True,  # an interrupt from the keyboard is for us; we end the crawl
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    complaints: deque[bytes] = deque(maxlen=20)
    listening = threading.Thread(target=_listen, args=(process.stderr, complaints), daemon=True)
    listening.start()
    complete = False
    try:
        _shrink(process.stdout)
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(replace(job, folder=str(folder), parent=os.getpid()).line())
            process.stdin.flush()
        for line in process.stdout:
            finding = read_finding(line, folder)
            if finding is None:
                complete = True
                break
            if isinstance(finding, Found):
                # Moved out of the crawl's reach as it is handed out: what is not, is deleted in the end.
                (folder / "ready" / finding.path.name).rename(finding.path)
            yield finding
        if not complete:
            raise _broken_off(process, complaints, listening)
    except (ValueError, FileNotFoundError) as error:
        raise FetchFailed("the crawl said something that is no finding", advice="Run it again.") from error
    finally:
        _end(process, seconds=5 if complete else 0)
        listening.join(5)
        for stream in (process.stdin, process.stdout, process.stderr):
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        _tidy(folder)


def _broken_off(process: subprocess.Popen[bytes], complaints: deque[bytes], listening: threading.Thread) -> FetchFailed:
    # Its output has ended, so it is about to end itself.
    _end(process, seconds=5)
    listening.join(5)
    # The last line of a traceback names the error; the others may hold addresses.
    last = complaints[-1].decode("utf-8", "replace").partition(":")[0].strip()[:80] if complaints else ""
    how = f"signal {-process.returncode}" if process.returncode < 0 else f"status {process.returncode}"
    return FetchFailed(
        f"the crawl broke off ({how}{f', {last}' if last else ''})",
        advice="What was found before is kept. Check memory and disk space, and run it again.",
    )


def _listen(stream: IO[bytes], lines: deque[bytes]) -> None:
    while line := stream.readline(4096):
        if line.strip():
            lines.append(line)


def _shrink(pipe: IO[bytes]) -> None:
    """A small pipe, so that the crawl is never far ahead of its reader."""
    import fcntl

    with contextlib.suppress(OSError):
        fcntl.fcntl(pipe.fileno(), _SET_PIPE_SIZE, _PIPE_BYTES)


def _end(process: subprocess.Popen[bytes], *, seconds: float) -> None:
    """Wait that long for its own end, and no longer."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _tidy(folder: Path) -> None:
    for name in ("held", "ready"):
        shutil.rmtree(folder / name, ignore_errors=True)
    with contextlib.suppress(OSError):
        folder.rmdir()  # unless the caller still has pictures in it
