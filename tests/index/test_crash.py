"""Killed at any moment, the index opens sound: what was acknowledged is there, what was erased is nowhere."""

from __future__ import annotations

import ast
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from countenance.domain.errors import KeyTrouble
from countenance.index import opening
from countenance.index.rows import Rows

from .child import SEED, STEPS
from .kit import Shop, entries, found, look

CHILD = Path(__file__).with_name("child.py")


def child(shop: Shop, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(CHILD), str(shop.home), shop.engine, *words]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def dies(shop: Shop, *words: str) -> None:
    process = child(shop, *words)
    process.communicate(timeout=60)
    assert process.returncode == 9


def holding(shop: Shop) -> set[int]:
    """Which of the templates lie in any file."""
    data = b"".join(shop.files().values())
    return {n for n, row in enumerate(SEED.astype("<f2")) if row.tobytes()[:32] in data or row.tobytes()[-32:] in data}


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_at_each_step_is_completed_by_opening(tmp_path: Path, step: str) -> None:
    shop = Shop(tmp_path, "turbovec")
    index = shop.open()
    index.add(entries(range(10)), SEED[:10])
    index.prepare()
    shop.close()
    dies(shop, step)
    index = shop.open()
    act = step.split(",")[0]
    there = {id: id for id in range(10)}
    if act in ("erase", "delete"):
        there = {id: id for id in range(10) if id not in (3, 4)}
    if act == "replace":
        there[5] = 60
    assert index.ids() == sorted(there)
    assert holding(shop) == set(there.values())
    # A sidecar that is left holds the codes of nobody who is gone.
    sidecar = index._sidecar.load(replace(index._live.stamp(), generation=1_000))
    with shop.database().read() as c:
        visible = set(Rows("open").all_visible(c).tolist())
    assert sidecar is None or set(sidecar[0].slots().tolist()) <= visible
    for id, pick in there.items():
        assert found(look(index, SEED[pick], min_score=0.9)) == [id]
    assert index.verify() == []
    # Nothing was lost for good: the same slots serve again.
    index.add(entries([50, 51, 52]), SEED[50:53])
    assert index.verify() == []
    shop.close()


def test_killed_again_and_again_while_writing(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "turbovec")
    rng = np.random.default_rng(4)
    there: set[int] = set()
    for seed in range(5):
        process = child(shop, "loop", str(seed))
        assert process.stdout is not None
        assert process.stdout.readline() == f"there {sorted(there)}\n"
        time.sleep(float(rng.uniform(0.05, 0.4)))
        process.kill()
        maybe: set[int] = set()
        # Not `communicate`, which does not know of lines that `readline` has buffered.
        rest = process.stdout.read()
        process.communicate()
        for line in rest.splitlines():
            if not line.endswith("]"):
                continue
            word, _, ids = line.partition(" ")
            changed = set(ast.literal_eval(ids))
            if word in ("adding", "erasing"):
                maybe = changed
            elif word == "added":
                there, maybe = there | changed, set()
            else:
                there, maybe = there - changed, set()
        index = shop.open()
        now = set(index.ids())
        # The act that was under way happened wholly or not at all.
        assert now - maybe == there - maybe
        assert now & maybe in (set(), maybe)
        assert holding(shop) == now
        assert index.verify() == []
        for id in sorted(now)[:20]:
            assert found(look(index, SEED[id], min_score=0.9)) == [id]
        there = now
        shop.close()


def test_two_processes_see_each_other_at_once(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "turbovec")
    index = shop.open()
    process = child(shop, "serve")
    assert process.stdin is not None
    assert process.stdout is not None

    def ask(line: str) -> str:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(line + "\n")
        process.stdin.flush()
        return process.stdout.readline().strip()

    for n in range(10):
        index.add(entries([n]), SEED[[n]])
        assert ask(f"search {n}") == f"[{n}]"
        assert ask(f"add {n + 100} {n + 100}") == "done"
        assert found(look(index, SEED[n + 100], min_score=0.9)) == [n + 100]
        assert ask(f"erase {n}") == "()"
        assert found(look(index, SEED[n], min_score=0.9)) == []
        index.erase([n + 100])
        assert ask(f"search {n + 100}") == "[]"
    process.communicate(timeout=30)
    assert holding(shop) == set()
    shop.close()


@pytest.mark.parametrize(("moment", "key"), [("before", "key-1"), ("after", "key-2")])
def test_a_crash_while_re_keying_leaves_one_key_or_the_other(tmp_path: Path, moment: str, key: str) -> None:
    shop = Shop(tmp_path, "turbovec")
    index = shop.open()
    index.add(entries(range(10)), SEED[:10])
    dies(shop, "rekey", moment)
    assert opening.key_of(shop.folder, "open") == key
    other = {"key-1": "key-2", "key-2": "key-1"}[key]
    with pytest.raises(KeyTrouble):
        shop.open(key_id=other)
    if key == "key-2":
        # An index that was open before must not write into the file that nobody will read.
        with pytest.raises(KeyTrouble):
            index.add(entries([90]), SEED[90:91])
    index = shop.open(key_id=key)
    turned = SEED[:10] if key == "key-1" else SEED[:10, ::-1]
    assert np.allclose(index.vectors(range(10)), turned, atol=2e-3)
    for id in range(10):
        assert found(look(index, turned[id], min_score=0.9)) == [id]
    assert index.verify() == []
    assert list(shop.folder.glob(".*")) == []
    shop.close()
