"""A process that tests kill: adds and erases for ever, or stops dead at one step of one act.

python child.py HOME ENGINE loop SEED          writes a line when a call has returned
python child.py HOME ENGINE STEP               STEP is a key of STEPS
python child.py HOME ENGINE serve              answers "search PICK", "add ID PICK", "erase ID" line by line
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from countenance.index import opening
from countenance.index.embedded import EmbeddedIndex
from countenance.index.rows import Rows
from countenance.index.sidecar import Sidecar
from countenance.index.vectors import VectorFile
from tests.index.kit import Shop, entries, found, look, strangers

SEED = strangers(400, seed=77)
"""Template n of the tests that kill."""

# step: (where, before the call or after it, what is being done then)
STEPS: dict[str, tuple[Any, str, str, str]] = {
    "add, nothing claimed": (Rows, "claim", "before", "add"),
    "add, claimed": (VectorFile, "write", "before", "add"),
    "add, written": (VectorFile, "write", "after", "add"),
    "add, row not committed": (Rows, "place", "after", "add"),
    "replace, old bytes there": (EmbeddedIndex, "_purge", "before", "replace"),
    "erase, rows gone": (EmbeddedIndex, "_purge", "before", "erase"),
    "erase, bytes zeroed": (VectorFile, "zero", "after", "erase"),
    "erase, sidecar gone": (Rows, "clean", "before", "erase"),
    "erase, slots clean": (Rows, "clean", "after", "erase"),
    "erase, sidecar half-written": (Sidecar, "save", "before", "erase"),
    "delete": (EmbeddedIndex, "delete", "after", "delete"),
}


def stop_at(step: str) -> str:
    """Make this process end, as by kill -9, at a step. Returns what to do to come there."""
    owner, name, when, act = STEPS[step]
    real = getattr(owner, name)

    def cut(*args: Any, **kwargs: Any) -> Any:
        if when == "after":
            real(*args, **kwargs)
        os._exit(9)

    setattr(owner, name, cut)
    return act


def do(index: EmbeddedIndex, act: str) -> None:
    match act:
        case "add":
            index.add(entries([50, 51, 52]), SEED[50:53])
        case "replace":
            index.add(entries([5]), SEED[60:61])
        case "erase":
            index.erase([3, 4])
        case "delete":
            index.delete([3, 4])


def loop(index: EmbeddedIndex, seed: int) -> None:
    rng = np.random.default_rng(seed)
    there = set(index.ids())
    say(f"there {sorted(there)}")
    while True:
        ids = rng.choice(len(SEED), 7, replace=False).tolist()
        fresh = [id for id in ids if id not in there]
        say(f"adding {fresh}")
        index.add(entries(fresh), SEED[fresh])
        there |= set(fresh)
        say(f"added {fresh}")
        gone = rng.choice(sorted(there), min(len(there), 5), replace=False).tolist()
        say(f"erasing {gone}")
        index.erase(gone)
        there -= set(gone)
        say(f"erased {gone}")


def serve(index: EmbeddedIndex) -> None:
    for line in sys.stdin:
        match line.split():
            case ["search", pick]:
                say(str(found(look(index, SEED[int(pick)], min_score=0.9))))
            case ["add", id, pick]:
                index.add(entries([int(id)]), SEED[[int(pick)]])
                say("done")
            case ["erase", id]:
                say(str(index.erase([int(id)]).pending))


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    home, engine, what, *rest = sys.argv[1:]
    shop = Shop(Path(home), engine)  # type: ignore[arg-type]
    if what == "loop":
        loop(shop.open(), int(rest[0]))
    elif what == "serve":
        serve(shop.open())
    elif what == "rekey":
        index = shop.open()
        if rest[0] == "before":
            Path.replace = _die  # type: ignore[assignment,method-assign]
        else:
            opening.adopt_key = _die
        index.rekey(lambda rows: rows[:, ::-1], "key-2")
    else:
        index = shop.open()
        do(index, stop_at(what))
    raise SystemExit("this process should be dead by now")


def _die(*_args: Any, **_kwargs: Any) -> Any:
    os._exit(9)


if __name__ == "__main__":
    main()
