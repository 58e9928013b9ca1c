"""Rates from made-up people: what is one person's is taken away, and what is left is counted right."""

from __future__ import annotations

from math import sqrt
from pathlib import Path

import numpy as np
import pytest

from countenance.domain.errors import BadInput
from countenance.domain.strangers import Calibration
from countenance.faces.quality import Floor
from countenance.imaging.limits import Limits
from countenance.services import workers
from countenance.services.calibrate import LEAST, PeopleSet, calibrate, embed_folder
from countenance.services.eyes import EyesConfig
from countenance.services.workers import Workers
from tests import pretend
from tests.services import worker_double

DIMENSION = 64


def strangers(count: int, seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((count, DIMENSION))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def again(rows: np.ndarray, seed: int) -> np.ndarray:
    """Other photographs of the same people: cosine about 0.97."""
    mixed = rows + 0.25 * strangers(len(rows), seed)
    return np.asarray(mixed / np.linalg.norm(mixed, axis=1, keepdims=True), np.float32)


def people_set(name: str, rows: np.ndarray, people: np.ndarray | None = None) -> PeopleSet:
    return PeopleSet(name, rows, np.full(len(rows), -1) if people is None else people)


def test_rates_are_right_within_their_error() -> None:
    """The cosine of independent unit vectors is spread as (1 - t²)^((d - 3) / 2): the share above z is known."""
    at = np.linspace(-1, 1, 200_001)
    density = (1 - at**2) ** ((DIMENSION - 3) / 2)
    above = np.cumsum(density[::-1])[::-1] / density.sum()
    body = calibrate("open", [people_set("a", strangers(700, 1)), people_set("b", strangers(700, 2))])
    # Of two strangers in one folder who are as alike as any two across, one goes: a few in a thousand.
    a, b = (one["people"] for one in body["sets"])
    assert 693 <= min(a, b) <= max(a, b) <= 700
    assert body["people"] == body["photographs"] == a + b
    assert body["pairs"] == (2 * a * b + a * (a - 1) + b * (b - 1)) // 2
    assert body["background"]["mean"] == pytest.approx(0, abs=0.01)
    assert body["background"]["deviation"] == pytest.approx(1 / sqrt(DIMENSION), rel=0.02)
    checked = 0
    for z, rate, low, high in body["curve"]:
        assert low <= rate <= high
        if 1e-3 < rate < 0.2:
            true = float(np.interp(z / sqrt(DIMENSION), at, above))
            assert rate == pytest.approx(true, rel=0.1), z
            # Five in a hundred for the backgrounds, which are reckoned from 700 scores each.
            assert low * 0.95 <= true <= high * 1.05
            checked += 1
    assert checked > 10
    rates = [row[1] for row in body["curve"]]
    assert rates == sorted(rates, reverse=True)
    # What is written is what a search reads.
    read = Calibration.from_json(body)
    assert (read.pack, read.pipeline) == ("open", body["pipeline"])


def test_people_whom_a_folder_repeats_are_taken_away() -> None:
    first = strangers(300, 3)
    repeated = np.concatenate([first, again(first[:60], 4)])
    clean = calibrate("open", [people_set("a", first), people_set("b", strangers(300, 5))])
    body = calibrate("open", [people_set("a", repeated), people_set("b", strangers(300, 5))])
    said = {one["name"]: one for one in body["sets"]}
    assert 60 <= said["a"]["repeats_removed"] <= 63
    assert said["a"]["people"] == 360 - said["a"]["repeats_removed"]
    assert said["b"]["repeats_removed"] <= 3
    assert 0.3 < body["same_person_above"] < 0.9
    # With the sixty pairs of one person left in, the highest score would be that of a mate.
    assert body["curve"][-1][0] == pytest.approx(clean["curve"][-1][0], abs=0.6)
    assert max(row[0] for row in body["curve"]) < 6.5


def test_photographs_of_people_in_both_folders_are_taken_away_and_counted_as_doubtful() -> None:
    """A few: the ceiling is a rank, and takes one pair in a million across folders for one person's."""
    first, second = strangers(1200, 6), strangers(1200, 7)
    shared = np.concatenate([second, again(first[:1], 8)])
    body = calibrate("open", [people_set("a", first), people_set("b", shared)])
    assert body["doubtful"]["photographs"] == 2, "one in each folder"
    assert 2398 - 24 <= body["photographs"] <= 2399
    assert max(row[0] for row in body["curve"]) < 7
    # Each doubtful one is counted as an error that may have been: the tail's upper bound rises.
    clean = calibrate("open", [people_set("a", first), people_set("b", second)])
    assert body["curve"][-1][3] > clean["curve"][-1][3] * 0.99


def test_a_folder_that_says_who_is_who_is_compared_with_others_only() -> None:
    first = strangers(200, 9)
    labelled = np.concatenate([first, again(first, 10)])
    people = np.concatenate([np.arange(200), np.arange(200)])
    body = calibrate("open", [people_set("a", labelled, people), people_set("b", strangers(200, 11))])
    said = {one["name"]: one for one in body["sets"]}
    assert (said["a"]["people"], said["a"]["repeats_removed"]) == (200, 0)
    b = said["b"]["people"]
    assert body["pairs"] == (2 * 400 * b + b * (b - 1)) // 2
    assert max(row[0] for row in body["curve"]) < 6.5


@pytest.mark.parametrize("sets", [[], [people_set("a", strangers(200, 12))]])
def test_one_folder_is_refused(sets: list[PeopleSet]) -> None:
    with pytest.raises(BadInput, match="two folders"):
        calibrate("open", sets)


def config() -> EyesConfig:
    return EyesConfig("open", "auto", None, True, Limits(), Floor())


def test_a_folder_gives_the_largest_face_of_each_picture_and_its_subfolders_are_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "MODULE", worker_double.__name__)
    for n in range(LEAST):
        person = "ada" if n % 2 else "bob"
        (tmp_path / person).mkdir(exist_ok=True)
        (tmp_path / person / f"{n:03}.png").write_bytes(pretend.photograph(person, "somebody", note=str(n)))
    (tmp_path / "ada" / "nobody.png").write_bytes(pretend.photograph())
    (tmp_path / "ada" / "small.png").write_bytes(pretend.photograph("~eve"))
    (tmp_path / "ada" / "broken.png").write_bytes(pretend.photograph("ada", broken="truncated"))
    with Workers(config(), 2) as pool:
        found = embed_folder(tmp_path, pool, Limits())
    assert found.labelled
    assert found.templates.shape == (LEAST, 128)
    assert sorted(np.bincount(found.people).tolist()) == [LEAST // 2, LEAST // 2]
    # In the order of the files, whatever order the workers answered in.
    ordered = [("ada", n) for n in range(1, LEAST, 2)] + [("bob", n) for n in range(0, LEAST, 2)]
    expected = np.stack([pretend.template(person, str(n)) for person, n in ordered])
    assert (found.templates == expected).all()


def test_too_few_pictures_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "MODULE", worker_double.__name__)
    for n in range(LEAST - 1):
        (tmp_path / f"{n}.png").write_bytes(pretend.photograph("ada", note=str(n)))
    with Workers(config(), 1) as pool, pytest.raises(BadInput, match=f"{LEAST - 1} pictures"):
        embed_folder(tmp_path, pool, Limits())
