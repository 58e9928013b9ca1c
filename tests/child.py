"""The product with pretend eyes in a process of its own, which can be told to die at the Nth call of a function.

It kills itself with SIGKILL: no handler, no `finally`, no flush, as a power cut would for everything but the disk's
own cache. `python -m tests.child COMMAND...` is the command with pretend eyes.
"""

from __future__ import annotations

import errno
import importlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests import pretend

KILLED = -signal.SIGKILL


def run(home: Path, keys: Path, act: str, *words: Any, die: Sequence[str] = (), count: str = "") -> int:
    """Do one thing of `ACTS` with a home, in a process that `die` kills. Returns its exit code, -9 when it was killed.

    A place to die at is `module:Class.function@N`, before the Nth call, or `…@N+`, after it. With `count` the code is
    how often that function was called.
    """
    # Forked from a server that has imported everything, but holds no thread, lock or connection of ours.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.child", "countenance.app", "countenance.index.embedded", "alembic.command"])
    process = context.Process(target=_act, args=(str(home), str(keys), act, words, tuple(die), count))
    process.start()
    process.join(100)
    code = process.exitcode
    assert code is not None
    return code


def _act(home: str, keys: str, act: str, words: Sequence[Any], die: Sequence[str], count: str) -> None:
    from countenance.app import open_home
    from countenance.domain.errors import CountenanceError
    from countenance.settings import Settings
    from tests import databases

    install()
    calls = [0]
    if count:
        wrap(count, lambda real, *a, **k: (calls.__setitem__(0, calls[0] + 1), real(*a, **k))[1])
    for place in die:
        die_at(place)
    rows = databases.setting(Path(home))
    try:
        with open_home(settings=Settings(home=Path(home), key_dir=Path(keys), **rows)) as product:
            ACTS[act](product, *words)
    except CountenanceError as error:
        sys.exit(error.exit_code)
    sys.exit(calls[0])


def _erase(product: Any, what: str, *which: Any) -> None:
    from tests.places import TESTER

    product.erase(getattr(product.eraser, f"plan_{what}")(*which), TESTER)


def _erase_face(product: Any, authority: str, photograph: bytes) -> None:
    from tests.places import TESTER

    product.erase(product.plan_face_erasure(photograph, None, authority, TESTER, 0.5), TESTER)


def _ingest(product: Any, name: str, commit: int = 64) -> None:
    """`commit` is how many pictures are written at a time."""
    from countenance.services import ingest
    from tests.places import TESTER

    ingest.COMMIT_IMAGES = commit
    product.ingest(name, TESTER)


def _search(product: Any, authority: str, photograph: bytes) -> None:
    from tests.places import ask

    ask(product, authority, photograph)


def _rotate(product: Any) -> None:
    from countenance.services.keys import rotate_template_key
    from tests.places import TESTER

    rotate_template_key(product.key_ring, TESTER)


ACTS: dict[str, Callable[..., None]] = {
    "open": lambda product: None,
    "erase": _erase,
    "erase_face": _erase_face,
    "ingest": _ingest,
    "search": _search,
    "rotate": _rotate,
}


def install() -> None:
    """Put the pretend eyes in the models' place."""
    from countenance.cli import options
    from countenance.services import engine

    engine.Workers = pretend.Workers  # type: ignore[assignment,misc]
    engine.Engine.detect = staticmethod(pretend.detect)  # type: ignore[assignment,method-assign]
    engine.Engine.make_sure_of_weights = lambda _: None  # type: ignore[assignment,method-assign]
    options.ensure_weights = lambda *_: None  # type: ignore[assignment]


def wrap(place: str, around: Callable[..., Any]) -> None:
    """`around(real, *args)` in the place of a function or a plain method: `module:Class.function`."""
    module, _, path = place.partition(":")
    owner: Any = importlib.import_module(module)
    *owners, name = path.split(".")
    for part in owners:
        owner = getattr(owner, part)
    real = getattr(owner, name)
    setattr(owner, name, lambda *a, **k: around(real, *a, **k))


def die_at(where: str) -> None:
    """Kill this process at a call: before it does anything, or after it has done it."""
    place, _, call = where.rpartition("@")
    wanted, after = int(call.removesuffix("+")), call.endswith("+")
    seen = 0

    def around(real: Callable[..., Any], *args: Any, **named: Any) -> Any:
        nonlocal seen
        seen += 1
        mine = seen == wanted
        if mine and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args, **named)
        if mine and after:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    wrap(place, around)


def fail_at(kind: str) -> None:
    """Let the disk be full from the moment that an entry of this kind is to be written."""
    from countenance.ledger.folder import Folder

    def around(real: Callable[..., Any], self: Any, wanted: str, *args: Any, **named: Any) -> Any:
        if wanted == kind:
            wrap("countenance.ledger.folder:Folder.write", full)
        return real(self, wanted, *args, **named)

    def full(real: Callable[..., Any], self: Folder, *_: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    wrap("countenance.services.record:Record.enter", around)


if __name__ == "__main__":
    from countenance.cli import main

    install()
    if failing := os.environ.get("TEST_FAILS_AT"):
        fail_at(failing)
    main.main()
