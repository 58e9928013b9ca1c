"""Worker processes that die, hang or answer at length: the run goes on, and only the picture at fault is given up."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from countenance.domain.errors import Broken, WeightsRefused
from countenance.faces.quality import Floor
from countenance.imaging.limits import Limits
from countenance.services import workers
from countenance.services.eyes import EyesConfig
from countenance.services.workers import Job, Outcome, Seen, Unseen, Workers
from tests import pretend
from tests.services import worker_double


@pytest.fixture(autouse=True)
def _doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "MODULE", worker_double.__name__)


def config(pack: str = "open", seconds: float = 20.0) -> EyesConfig:
    return EyesConfig(pack, "auto", None, True, Limits(max_seconds=seconds), Floor())


def go_through(pool: Workers, batches: Sequence[list[Job]]) -> Iterator[tuple[int, Outcome]]:
    """As a run does it."""
    deadline = time.monotonic() + 60
    left = list(batches)
    while left or pool.busy:
        assert time.monotonic() < deadline, "the pool does not move any more"
        if left and pool.room:
            pool.submit(left.pop(0))
            yield from pool.collect(0)
        else:
            yield from pool.collect(0.2)


def run(notes: Sequence[str], *, size: int = 4, count: int = 1, padding: int = 0, **more: Any) -> dict[int, Outcome]:
    jobs = [(n, pretend.photograph("ada", note=note, padding=padding)) for n, note in enumerate(notes)]
    batches = [jobs[k : k + size] for k in range(0, len(jobs), size)]
    found: dict[int, Outcome] = {}
    with Workers(config(**more), count) as pool:
        for n, outcome in go_through(pool, batches):
            assert n not in found, "a picture is answered once"
            found[n] = outcome
    assert sorted(found) == list(range(len(notes)))
    return found


def test_every_picture_is_answered_once_with_its_own_faces() -> None:
    found = run([f"note {n}" for n in range(30)], count=2)
    for n, outcome in found.items():
        assert isinstance(outcome, Seen)
        assert (outcome.faces[0].template == pretend.template("ada", f"note {n}")).all()


@pytest.mark.parametrize(("note", "reason"), [("kills", "out-of-memory"), ("crashes", "corrupt")])
def test_only_the_picture_that_kills_its_worker_is_given_up(note: str, reason: str) -> None:
    found = run(["a", "b", note, "c", "d", "e", "f", "g", "h"], count=1)
    given_up = {n: outcome for n, outcome in found.items() if isinstance(outcome, Unseen)}
    assert list(given_up) == [2]
    assert given_up[2].reason == reason


def test_a_picture_whose_worker_was_killed_by_somebody_else_is_seen_after_all(tmp_path: Path) -> None:
    found = run(["a", f"kills once {tmp_path / 'mark'}", "b", "c", "d"], size=3)
    assert all(isinstance(outcome, Seen) for outcome in found.values())


def test_a_worker_that_hangs_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "GRACE", 0.2)
    found = run(["a", "hangs", "b"], size=2, seconds=0.3)
    assert {n: o.reason for n, o in found.items() if isinstance(o, Unseen)} == {1: "too-slow"}


def test_a_worker_that_is_killed_while_it_has_nothing_to_do_is_replaced() -> None:
    with Workers(config(), 2) as pool:
        list(go_through(pool, [[(0, pretend.photograph("ada"))], [(1, pretend.photograph("bob"))]]))
        for worker in pool._workers:
            assert worker.process.pid
            os.kill(worker.process.pid, signal.SIGKILL)
        found = dict(go_through(pool, [[(2, pretend.photograph("ada"))], [(3, pretend.photograph("bob"))]]))
    assert sorted(found) == [2, 3]
    assert all(isinstance(outcome, Seen) for outcome in found.values())


def test_long_answers_and_large_pictures_do_not_wait_for_one_another() -> None:
    """The pipe holds far less than either: whoever writes without reading would never end."""
    found = run([f"large {n}" for n in range(12)], size=4, padding=2 << 20)
    assert all(isinstance(outcome, Seen) and len(outcome.crops[0] or b"") == 1 << 20 for outcome in found.values())


def test_workers_that_never_begin_are_an_error_and_no_verdict_on_the_pictures() -> None:
    with pytest.raises(Broken):
        run(["a", "b"], pack="stillborn")


def test_what_hinders_a_worker_from_beginning_is_said() -> None:
    with pytest.raises(WeightsRefused):
        run(["a", "b"], pack="no-weights")


def test_no_process_is_left_behind() -> None:
    with Workers(config(), 2) as pool:
        list(go_through(pool, [[(0, pretend.photograph("ada"))]]))
        ids = [worker.process.pid for worker in pool._workers]
    for pid in ids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
