"""What every index has to do, whichever engine finds its candidates: one class, run for each of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from countenance.domain.errors import BadInput, PermitMisused, UnknownThing
from countenance.domain.faces import Vectors
from countenance.domain.index import And, Entry, Eq, Filter, Hits, In, Not, NotIn, Or, Range
from countenance.domain.permits import Permit
from countenance.index.codes import Engine
from countenance.index.embedded import EmbeddedIndex
from countenance.store.database import Database
from tests import databases

DIMENSION = 64
HERE = (("source", 1),)


class Shop:
    """A home's database and vector folder, and indexes opened on them."""

    def __init__(self, home: Path, engine: Engine, *, dimension: int = DIMENSION, few: int = 0) -> None:
        self.home = home
        self.folder = home / "vectors"
        self.engine: Engine = engine
        self.dimension = dimension
        self.few = few
        self._opened: list[EmbeddedIndex] = []
        self._databases: list[Database] = []

    @property
    def path(self) -> Path:
        return self.folder / "open.f16"

    def database(self) -> Database:
        database = Database.open(databases.place(self.home / "countenance.db"), busy_ms=5_000)
        self._databases.append(database)
        return database

    def open(self, **changes: Any) -> EmbeddedIndex:
        """As another process would: with connections of its own."""
        wanted: dict[str, Any] = {
            "pack": "open",
            "pipeline": 1,
            "dimension": self.dimension,
            "key_id": "key-1",
            "engine": self.engine,
            "few": self.few,
            "wait_s": 5.0,
        }
        index = EmbeddedIndex.open(self.database(), self.folder, **(wanted | changes))
        self._opened.append(index)
        return index

    def close(self) -> None:
        for index in self._opened:
            index.close()
        for database in self._databases:
            database.close()
        self._opened.clear()
        self._databases.clear()

    def files(self) -> dict[Path, bytes]:
        """Every byte of the home."""
        return {path: path.read_bytes() for path in sorted(self.home.rglob("*")) if path.is_file()}

    def holding(self, template: Any) -> list[Path]:
        """Files that hold a template's float16 values, or any quarter of them."""
        values = as_stored(template)
        step = len(values) // 4
        needles = [values[i : i + step] for i in range(0, len(values), step)]
        return [path for path, data in self.files().items() if any(needle in data for needle in needles)]


def permit_for(probes: Vectors, sources: Iterable[int] = range(1, 10)) -> Permit:
    return Permit(authority="A", search="S", probes=probes, sources=sources)


def look(
    index: EmbeddedIndex,
    template: Any,
    *,
    min_score: float = 0.3,
    limit: int = 100,
    where: Filter | None = None,
    sources: Iterable[int] = range(1, 10),
) -> Hits:
    probes = np.asarray(template, np.float32)[None, :]
    return index.search(permit_for(probes, sources), probes, min_score=min_score, limit=limit, where=where)


def found(hits: Hits) -> list[int]:
    return [hit.id for hit in hits.hits]


def unit(rows: Any) -> Vectors:
    rows = np.asarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def strangers(count: int, dimension: int = DIMENSION, seed: int = 0) -> Vectors:
    return unit(np.random.default_rng(seed).normal(size=(count, dimension)))


def people(count: int, members: int, dimension: int = DIMENSION, seed: int = 0, spread: float = 0.9) -> Vectors:
    """Identities of several templates each; the members of one lie at a cosine of about 1 / (1 + spread²)."""
    rng = np.random.default_rng(seed)
    centres = np.repeat(unit(rng.normal(size=(count, dimension))), members, axis=0)
    return unit(centres + spread * rng.normal(size=(count * members, dimension)) / np.sqrt(dimension))


def entries(ids: Iterable[int], attributes: tuple[tuple[str, int], ...] = HERE) -> list[Entry]:
    return [Entry(id, attributes) for id in ids]


def as_stored(template: Any) -> bytes:
    return np.asarray(template, np.float32).astype("<f2").tobytes()


def exact_scores(templates: Vectors, probe: Any) -> Any:
    """Cosines with what is stored, in float64."""
    stored = templates.astype(np.float16).astype(np.float64)
    wide = np.asarray(probe, np.float64)
    wide = wide / np.linalg.norm(wide)
    # Row by row and rounded once: BLAS gives two equal rows results that may differ in the last bit, which is no order.
    return np.array([math.fsum(row * wide) / math.sqrt(math.fsum(row * row)) for row in stored])


def expected(ids: Sequence[int], templates: Vectors, probe: Any, min_score: float) -> list[tuple[int, float]]:
    scores = exact_scores(templates, probe)
    reached = [(id, float(score)) for id, score in zip(ids, scores, strict=True) if score >= min_score]
    return sorted(reached, key=lambda hit: (-hit[1], hit[0]))


def holds(where: Filter, attributes: frozenset[tuple[str, int]]) -> bool:
    """The filter algebra once more, in the plainest way."""
    match where:
        case Eq(name, value):
            return (name, value) in attributes
        case In(name, values):
            return any(n == name and v in values for n, v in attributes)
        case NotIn(name, values):
            return not any(n == name and v in values for n, v in attributes)
        case Range(name, low, high):
            return any(n == name and (low is None or v >= low) and (high is None or v <= high) for n, v in attributes)
        case And(parts):
            return all(holds(part, attributes) for part in parts)
        case Or(parts):
            return any(holds(part, attributes) for part in parts)
        case Not(part):
            return not holds(part, attributes)


names = st.sampled_from(["source", "year", "nothing"])
values = st.integers(0, 4)
leaves: st.SearchStrategy[Filter] = st.one_of(
    st.builds(Eq, names, values),
    st.builds(In, names, st.frozensets(values, max_size=3)),
    st.builds(NotIn, names, st.frozensets(values, max_size=3)),
    st.builds(Range, names, st.none() | values, st.none() | values),
)
filters: st.SearchStrategy[Filter] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(And, st.lists(inner, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=6,
)


class IndexContract:
    """Subclass with a fixture `shop`."""

    def test_what_was_added_is_found_at_once_with_its_exact_cosine(self, shop: Shop) -> None:
        index = shop.open()
        templates = people(40, 5)
        ids = list(range(1, 201))
        index.add(entries(ids[:120]), templates[:120])
        look(index, templates[0])
        index.add(entries(ids[120:]), templates[120:])
        for probe in (templates[3], templates[190], strangers(1, seed=9)[0]):
            hits = look(index, probe)
            wanted = expected(ids, templates, probe, 0.3)
            assert found(hits) == [id for id, _ in wanted]
            assert [hit.score for hit in hits.hits] == pytest.approx([score for _, score in wanted], abs=1e-6)
            assert hits.searched == 200
            assert not hits.truncated

    def test_a_low_threshold_returns_everything_and_a_high_one_nothing(self, shop: Shop) -> None:
        index = shop.open()
        templates = strangers(700)
        index.add(entries(range(700)), templates)
        wanted = expected(range(700), templates, templates[0], -1.0)
        assert found(look(index, templates[0], min_score=-1.0, limit=700)) == [id for id, _ in wanted]
        assert found(look(index, -templates[0], min_score=0.9)) == []

    def test_truncated_says_that_more_reached_the_score(self, shop: Shop) -> None:
        index = shop.open()
        templates = people(3, 400, spread=0.5)
        ids = list(range(1, 1201))
        index.add(entries(ids), templates)
        wanted = expected(ids, templates, templates[0], 0.5)
        count = len(wanted)
        assert count > 300
        for limit in (1, 10, count - 1):
            hits = look(index, templates[0], min_score=0.5, limit=limit)
            assert hits.truncated
            assert found(hits) == [id for id, _ in wanted[:limit]]
        hits = look(index, templates[0], min_score=0.5, limit=count)
        assert not hits.truncated
        assert len(hits.hits) == count

    def test_ties_are_ordered_by_id(self, shop: Shop) -> None:
        index = shop.open()
        same = np.repeat(strangers(1), 9, axis=0)
        index.add(entries([5, 3, 9, 1, 7, 2, 8, 6, 4]), same)
        assert found(look(index, same[0], limit=5)) == [1, 2, 3, 4, 5]

    def test_ids_are_any_int64(self, shop: Shop) -> None:
        index = shop.open()
        templates = strangers(3)
        index.add(entries([-7, 0, 2**63 - 1]), templates)
        assert index.ids() == [-7, 0, 2**63 - 1]
        assert found(look(index, templates[2], min_score=0.9)) == [2**63 - 1]
        assert np.allclose(index.vectors([2**63 - 1, -7]), templates[[2, 0]], atol=1e-3)
        with pytest.raises(UnknownThing):
            index.vectors([0, 1])

    def test_adding_an_id_again_replaces_it_and_leaves_nothing_of_the_old(self, shop: Shop) -> None:
        index = shop.open()
        old, new = strangers(2)
        index.add(entries([1]), old[None])
        assert found(look(index, old)) == [1]
        index.add([Entry(1, (("source", 2),))], new[None])
        assert found(look(index, old)) == []
        assert found(look(index, new, where=Eq("source", 2))) == [1]
        assert found(look(index, new, where=Eq("source", 1))) == []
        assert index.count() == 1
        index.prepare()
        assert shop.holding(old) == []
        assert shop.holding(new) != []
        assert index.verify() == []

    def test_what_is_deleted_is_invisible_everywhere_at_once(self, shop: Shop) -> None:
        index, other = shop.open(), shop.open()
        templates = strangers(20)
        index.add(entries(range(20)), templates)
        assert found(look(other, templates[4])) == [4]
        assert index.delete([4, 99]) == 1
        assert index.delete([4]) == 0
        for each in (index, other):
            assert found(look(each, templates[4])) == []
            assert look(each, templates[5], min_score=0.9).searched == 19
            assert 4 not in each.ids()
            assert each.count() == 19

    def test_what_is_erased_is_in_no_file_and_the_rest_answers_as_before(self, shop: Shop) -> None:
        index, other = shop.open(), shop.open()
        templates = people(30, 4)
        index.add(entries(range(120)), templates)
        index.prepare()
        gone, kept = [7, 8, 50, 119], [i for i in range(120) if i not in (7, 8, 50, 119)]
        assert all(shop.holding(templates[id]) for id in gone)
        look(other, templates[0])
        erasure = index.erase([*gone, 1000])
        assert (erasure.erased, erasure.pending) == (4, ())
        for id in gone:
            assert shop.holding(templates[id]) == []
        for each in (index, other):
            for probe in templates[[7, 9, 50, 51]]:
                wanted = expected(kept, templates[kept], probe, 0.3)
                hits = look(each, probe)
                assert found(hits) == [id for id, _ in wanted]
                assert [h.score for h in hits.hits] == pytest.approx([score for _, score in wanted], abs=1e-6)
        assert index.verify() == []
        shop.close()
        assert all(shop.holding(templates[id]) == [] for id in gone)
        assert found(look(shop.open(), templates[50], min_score=0.95)) == []

    def test_emptied_slots_are_used_again(self, shop: Shop) -> None:
        index = shop.open()
        templates = strangers(60)
        index.add(entries(range(30)), templates[:30])
        look(index, templates[0])
        size = shop.path.stat().st_size
        for begin in range(0, 30, 10):
            index.erase(range(begin, begin + 10))
            index.add(entries(range(100 + begin, 110 + begin)), templates[30 + begin : 40 + begin])
        assert shop.path.stat().st_size == size
        assert index.ids() == list(range(100, 130))
        for i in range(30):
            assert found(look(index, templates[30 + i], min_score=0.9)) == [100 + i]
        assert index.verify() == []

    def test_everything_is_there_after_reopening(self, shop: Shop) -> None:
        index = shop.open()
        templates = people(20, 5)
        index.add(entries(range(100)), templates)
        before = [look(index, probe) for probe in templates[:10]]
        index.erase([3])
        index.add(entries([3]), templates[3:4])
        shop.close()
        index = shop.open()
        assert [look(index, probe) for probe in templates[:10]] == before
        assert index.ids() == list(range(100))

    def test_filters_agree_with_their_plain_meaning(self, shop: Shop) -> None:
        rng = np.random.default_rng(5)
        index = shop.open()
        templates = people(1, 40, spread=0.3)
        model: dict[int, frozenset[tuple[str, int]]] = {}
        for id in range(40):
            pairs = {("source", int(v)) for v in rng.integers(0, 5, rng.integers(1, 3))}
            pairs |= {("year", int(v)) for v in rng.integers(0, 5, rng.integers(0, 3))}
            model[id] = frozenset(pairs)
        index.add([Entry(id, tuple(sorted(pairs))) for id, pairs in model.items()], templates)

        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
        @given(filters, st.frozensets(values), st.integers(0, 39), st.frozensets(values, max_size=2))
        def agree(where: Filter, sources: frozenset[int], retagged: int, tags: frozenset[int]) -> None:
            index.tag(retagged, "year", tags)
            others = {pair for pair in model[retagged] if pair[0] != "year"}
            model[retagged] = frozenset(others | {("year", tag) for tag in tags})
            wanted = [id for id, pairs in model.items() if holds(And((where, In("source", sources))), pairs)]
            hits = look(index, templates[0], min_score=-1, where=where, sources=sources)
            assert sorted(found(hits)) == wanted
            assert hits.searched == len(wanted)
            assert index.count(where) == sum(holds(where, pairs) for pairs in model.values())

        agree()

    def test_many_values_in_a_filter(self, shop: Shop) -> None:
        index = shop.open()
        template = strangers(1)
        index.add(entries([1]), template)
        assert found(look(index, template[0], where=In("source", frozenset(range(60_000))))) == [1]
        assert found(look(index, template[0], where=NotIn("source", frozenset(range(60_000))))) == []

    def test_a_search_never_leaves_the_sources_of_its_permit(self, shop: Shop) -> None:
        index = shop.open()
        templates = people(1, 3, spread=0.2)
        index.add([Entry(1, (("source", 1),)), Entry(2, (("source", 2),)), Entry(3)], templates)
        assert found(look(index, templates[0], sources=[1])) == [1]
        assert found(look(index, templates[0], sources=[1], where=Or((Eq("source", 2), Eq("source", 1))))) == [1]
        assert found(look(index, templates[0], sources=[])) == []

    def test_a_permit_opens_one_search_for_its_own_probe(self, shop: Shop) -> None:
        index = shop.open()
        templates = strangers(2)
        index.add(entries([1, 2]), templates)
        probes = templates[:1]
        permit = permit_for(probes)
        with pytest.raises(PermitMisused):
            index.search(permit, templates[1:], min_score=0.3, limit=5)
        assert found(index.search(permit, probes, min_score=0.3, limit=5)) == [1]
        with pytest.raises(PermitMisused):
            index.search(permit, probes, min_score=0.3, limit=5)
        with pytest.raises((AttributeError, TypeError)):
            index.search(None, probes, min_score=0.3, limit=5)  # type: ignore[arg-type]

    def test_a_refused_argument_still_spends_the_permit(self, shop: Shop) -> None:
        index = shop.open()
        probes = strangers(1)
        permit = permit_for(probes)
        with pytest.raises(BadInput):
            index.search(permit, probes, min_score=0.3, limit=0)
        with pytest.raises(PermitMisused):
            index.search(permit, probes, min_score=0.3, limit=1)

    def test_what_is_no_template_is_refused(self, shop: Shop) -> None:
        index = shop.open()
        good = strangers(2)
        bad = good.copy()
        bad[1] = np.nan
        for ids, templates in (
            ([1], good),
            ([1, 1], good),
            ([1, 2], good * 2),
            ([1, 2], bad),
            ([1, 2], good[:, :-1]),
        ):
            with pytest.raises(BadInput):
                index.add(entries(ids), templates)
        for probes in (good, good[:1] * 0.5, bad[1:], good[:1, :-1]):
            with pytest.raises(BadInput):
                index.search(permit_for(probes), probes, min_score=0.3, limit=5)
        assert index.ids() == []
        assert index.verify() == []

    def test_an_empty_index_answers(self, shop: Shop) -> None:
        index = shop.open()
        index.add([], np.zeros((0, DIMENSION), np.float32))
        index.tag(4, "source", [1])
        hits = look(index, strangers(1)[0])
        assert (hits.hits, hits.truncated, hits.searched) == ((), False, 0)
        assert (index.delete([1]), index.erase([1]).erased, index.erase([]).erased) == (0, 0, 0)
        assert (index.count(), index.ids(), index.verify()) == (0, [], [])
        assert index.vectors([]).shape == (0, DIMENSION)

    def test_a_snapshot_opens_as_the_moment_it_was_taken(self, shop: Shop, tmp_path: Path) -> None:
        import sqlite3

        index = shop.open()
        templates = strangers(30)
        index.add(entries(range(20)), templates[:20])
        copy = Shop(tmp_path / "copy", shop.engine)
        copy.home.mkdir()
        if databases.on_postgresql():
            shop.close()
            databases.copy(shop.home, copy.home)
            index = shop.open()
        else:
            with sqlite3.connect(shop.home / "countenance.db") as source:
                target = sqlite3.connect(copy.home / "countenance.db")
                source.backup(target)
                target.close()
            source.close()
        # What comes in between the two copies has no row in the first one.
        index.add(entries(range(20, 30)), templates[20:])
        index.snapshot(copy.folder)
        index.erase([2])
        restored = copy.open()
        assert restored.ids() == list(range(20))
        assert found(look(restored, templates[2], min_score=0.9)) == [2]
        assert found(look(restored, templates[25], min_score=0.9)) == []
        assert copy.holding(templates[25]) == []
        assert restored.verify() == []
        copy.close()

    def test_any_sequence_of_acts_agrees_with_a_dictionary(self, shop: Shop) -> None:
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            _machine(shop.home, shop.engine),
            settings=settings(
                max_examples=8, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
            ),
        )


def _machine(home: Path, engine: Engine) -> Callable[[], RuleBasedStateMachine]:
    templates = people(8, 4, seed=3)
    runs = iter(range(1_000_000))

    class Machine(RuleBasedStateMachine):
        ids = st.lists(st.integers(0, 15), min_size=1, max_size=5, unique=True)
        picks = st.lists(st.integers(0, 31), min_size=5, max_size=5)

        @initialize()
        def begin(self) -> None:
            place = home / f"run-{next(runs)}"
            place.mkdir()
            self.shop = Shop(place, engine)
            self.index = self.shop.open()
            self.other = self.shop.open()
            self.model: dict[int, tuple[int, int]] = {}
            self.stored: set[int] = set()

        @rule(ids=ids, picks=picks, source=st.integers(1, 3))
        def add(self, ids: list[int], picks: list[int], source: int) -> None:
            chosen = picks[: len(ids)]
            self.index.add(entries(ids, (("source", source),)), templates[chosen])
            self.model.update({id: (pick, source) for id, pick in zip(ids, chosen, strict=True)})
            self.stored |= set(chosen)

        @rule(id=st.integers(0, 15), source=st.integers(1, 3))
        def tag(self, id: int, source: int) -> None:
            self.other.tag(id, "source", [source])
            if id in self.model:
                self.model[id] = (self.model[id][0], source)

        @rule(ids=ids)
        def delete(self, ids: list[int]) -> None:
            assert self.other.delete(ids) == len(self.model.keys() & set(ids))
            self._drop(ids)

        @rule(ids=ids)
        def erase(self, ids: list[int]) -> None:
            self.index.erase(ids)
            self._drop(ids)

        @rule()
        def prepare(self) -> None:
            self.index.prepare()

        @rule()
        def reopen(self) -> None:
            self.shop.close()
            self.index, self.other = self.shop.open(), self.shop.open()
            # Opening erases what was deleted before.
            kept = {pick for pick, _ in self.model.values()}
            for pick in self.stored - kept:
                assert self.shop.holding(templates[pick]) == []
            self.stored = kept

        @precondition(lambda self: self.model)
        @rule(pick=st.integers(0, 31), source=st.sampled_from([None, 1, 2, 3]), limit=st.integers(1, 20))
        def search(self, pick: int, source: int | None, limit: int) -> None:
            where = None if source is None else Eq("source", source)
            there = sorted(id for id, (_, s) in self.model.items() if source in (None, s))
            rows = templates[[self.model[id][0] for id in there]].reshape(len(there), DIMENSION)
            wanted = expected(there, rows, templates[pick], 0.35)
            for index in (self.index, self.other):
                hits = look(index, templates[pick], min_score=0.35, limit=limit, where=where)
                assert found(hits) == [id for id, _ in wanted[:limit]]
                assert hits.truncated == (len(wanted) > limit)
                assert hits.searched == len(there)

        @invariant()
        def counted(self) -> None:
            assert self.other.ids() == sorted(self.model)

        def teardown(self) -> None:
            if hasattr(self, "shop"):
                faults = self.index.verify()
                assert [fault for fault in faults if "not erased yet" not in fault] == []
                self.shop.close()
                databases.drop(self.shop.home)

        def _drop(self, ids: list[int]) -> None:
            for id in ids:
                self.model.pop(id, None)

    return Machine
