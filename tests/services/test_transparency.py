"""The report to the public: true counts, nothing small, the same bytes."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from countenance.domain.inspections import Finding, Inspection
from countenance.domain.publishing import SMALL
from countenance.reports.transparency import as_csv, as_pdf
from countenance.services.transparency import INSPECTED, OUTCOMES, outcome, transparency
from tests import pretend
from tests.domain.acting import MONDAY, acts, deed, grant, search
from tests.places import Place, ask
from tests.places import grant as granted

KINDS = {
    "cut_off": lambda one: replace(one, shown=None),
    "none": lambda one: replace(one, shown=replace(one.shown, groups=0, reliable=False)),
    "unreliable": lambda one: replace(one, shown=replace(one.shown, reliable=False)),
    "same": lambda one: replace(one, deeds=(deed("verdict", 1, words="same"),)),
    "different": lambda one: replace(one, deeds=(deed("verdict", 1, words="different"),)),
    "cannot_tell": lambda one: replace(one, deeds=(deed("verdict", 1, words="unsure"),)),
    "unjudged": lambda one: one,
}


def body(counts: dict[str, int], **more: object) -> dict:
    made = [KINDS[kind](search(n)) for kind, count in counts.items() for n in range(count)]
    named = (replace(grant(0, "p", "C-1"), authority="A-C-1"),)
    return transparency(acts(made, grants=named, adjudicates=True, **more), ("p",))


def test_every_search_has_one_outcome() -> None:
    assert set(KINDS) == set(OUTCOMES)
    assert [outcome(make(search(1))) for make in KINDS.values()] == list(KINDS)


def test_counts_and_both_denominators() -> None:
    told = body({"none": 40, "same": 20, "different": 5, "cannot_tell": 10, "unjudged": 25})
    assert told["searches"] == 100
    assert told["tables"]["outcome"]["cells"]["different"] == 5
    assert told["tables"]["basis"]["cells"] == {"consent": 100}
    assert [(r["errors"], r["trials"]) for r in told["rates"]] == [(5, 100), (5, 35)]


def test_a_small_number_of_errors_is_in_no_rate() -> None:
    told = body({"none": 40, "same": 20, "different": 3, "cannot_tell": 10})
    assert told["tables"]["outcome"]["cells"]["different"] is None
    assert told["rates"] == []


@given(st.fixed_dictionaries({kind: st.integers(0, 8) for kind in KINDS}))
def test_no_number_in_the_report_is_small(counts: dict[str, int]) -> None:
    """Whatever table or rate it stands in: no count from 1 to 4 is told anywhere, and no total undoes another table."""
    told = body(counts)
    numbers = [told["searches"]]
    for table in [*told["tables"].values(), told["refused"]]:
        numbers += [*table["cells"].values(), table["total"]]
        assert table["total"] in (told["searches"], None) or table is told["refused"]
        if table["total"] is not None and table["hidden"]:
            assert table["hidden"] > 1
    numbers += [number for one in told["rates"] for number in (one["errors"], one["trials"])]
    assert all(number is None or number == 0 or number >= SMALL for number in numbers)


def test_words_of_ones_own_are_not_told() -> None:
    told = transparency(acts([search(n, purpose="my neighbour Mr Secret") for n in range(9)]), ())
    assert "Secret" not in json.dumps(told)


def test_as_csv_and_pdf_the_same_bytes_each_time() -> None:
    told = body({"none": 40, "same": 20, "different": 5, "cannot_tell": 2, "unjudged": 25})
    assert as_csv(told, OUTCOMES) == as_csv(told, OUTCOMES)
    rows = list(csv.DictReader(io.StringIO(as_csv(told, OUTCOMES).decode())))
    assert {row["count"] for row in rows if row["row"] == OUTCOMES["cannot_tell"]} == {"suppressed"}
    pytest.importorskip("typst")
    pdf = as_pdf(told, OUTCOMES)
    assert pdf == as_pdf(told, OUTCOMES)
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    assert "How faces were searched for" in text
    assert "suppressed" in text


def test_the_command(house: Place) -> None:
    with house.open() as product:
        authority = granted(product, "album")
        for n in range(6):
            ask(product, authority, pretend.photograph("ada", note=str(n)))
        day = product.ledger_entries(0, 1)[0]["at"][:10]
    until = f"{MONDAY.year + 9}-01-01"
    words = ["report", "transparency", "--from", day, "--to", until]
    for name in ("a.json", "b.json", "a.csv", "a.pdf"):
        done = house.command(*words, "--out", house.root / name)
        assert done.code == 0, done.err
    assert (house.root / "a.json").read_bytes() == (house.root / "b.json").read_bytes()
    assert json.loads((house.root / "a.json").read_text())["searches"] == 6
    assert (house.root / "a.pdf").read_bytes().startswith(b"%PDF")
    assert house.command(*words, "--out", house.root / "a.json").code == 2
    assert house.command(*words, "--out", house.root / "a.doc").code == 2
    with house.open() as product:
        assert product.ledger_entries(product.ledger_size - 1, product.ledger_size)[0]["type"] == "oversight.read"


def inspected(n: int, finding: str | None) -> Inspection:
    found = Finding("user:x", finding, MONDAY, 1) if finding else None
    return Inspection(f"I-{n}", "D-1", f"S-{n}", "random", 1, MONDAY, MONDAY, None, finding=found)


def test_inspections_are_counted_and_small_counts_are_not_told() -> None:
    searches = [search(n) for n in range(30)]
    looked_at = [inspected(n, "in-order" if n < 12 else "improper" if n < 14 else None) for n in range(20)]
    elsewhen = [inspected(99, "improper")]
    told = transparency(acts(searches), (), [*looked_at, *elsewhen])["inspected"]
    assert (told["total"], told["cells"]["in-order"], told["cells"]["query"]) == (20, 12, 0)
    assert told["cells"]["improper"] is None
    assert told["cells"]["not-yet"] is None, "or the two could be told apart by subtracting"
    text = as_csv(transparency(acts(searches), (), looked_at), OUTCOMES | INSPECTED).decode()
    assert "inspected,it was in order,12,20" in text
    assert "inspected" not in as_csv(transparency(acts(searches), ()), OUTCOMES).decode()
