"""The report: complete, the same to the last byte, and deaf to what strangers write into logs."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import unicodedata
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from countenance.reports import proxylog_sheet
from countenance.reports.plain import printable
from countenance.reports.proxylog import pdf
from tests.reports.sample import body, session, totals

ROOT = Path(__file__).parents[2]


def read(data: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(data))


def words(text: str) -> str:
    """Without what a line break or a fine place to break puts between."""
    return "".join(text.replace("\u200b", "").split())


def text_of(data: bytes) -> str:
    return words("".join(page.extract_text() for page in read(data).pages))


@pytest.fixture(scope="module")
def analysis() -> dict[str, Any]:
    return body(24)


@pytest.fixture(scope="module")
def report(analysis: dict[str, Any]) -> bytes:
    return pdf(analysis)


def test_the_first_page_has_question_answer_and_gaps(analysis: dict[str, Any], report: bytes) -> None:
    first = words(read(report).pages[0].extract_text())
    for line in (*analysis["summary"], *analysis["coverage"]["sentences"]):
        assert words(line) in first, line
    assert words("or only visited?") in first
    searches = analysis["totals"]["searches"]
    assert words(f"{searches['at_least']} to {searches['at_most']}") in first, "the picture’s own words"


def test_everything_stands_in_it(analysis: dict[str, Any], report: bytes) -> None:
    text = text_of(report)
    for one in analysis["input"]:
        assert one["sha256"] in text
    for line in analysis["coverage"]["remedies"]:
        assert words(line) in text
    assert words("2026-03-11 00:00:00 2026-03-12 14:00:00 4,012") in text
    assert words("2026-03-08 01:00:00") not in text, "a quiet night is no gap"
    for profile in analysis["profiles"]:
        assert words(profile["title"]) in text
        assert profile["stale_after"] in text
    for found in analysis["sessions"]:
        assert text.count(found["id"]) == 2, "once among the findings, once in the appendix"
        assert all(words(reason) in text for reason in found["reasons"])
        for line in found["evidence"]:
            assert words(f"{line['file']}:{line['line']}{line['at'][:10]}") in text
    for found in analysis["reverse_image"]["sessions"]:
        assert found["id"] in text
    assert text.count("staleprofile") == 1 + sum(s["stale"] for s in analysis["sessions"])
    for line in analysis["rejected"]["listed"]:
        assert f"{line['file']}:{line['line']}{line['reason']}" in text


def test_what_comes_closest_to_a_search_is_told_first(analysis: dict[str, Any], report: bytes) -> None:
    text = text_of(report)
    place = {s["id"]: text.index(s["id"]) for s in analysis["sessions"]}
    by_class = {grade: [place[s["id"]] for s in analysis["sessions"] if s["class"] == grade] for grade in
                ("RESULTS_VIEWED", "SEARCH_SUBMITTED", "UPLOAD", "VISIT")}  # fmt: skip
    order = list(by_class.values())
    assert all(max(a) < min(b) for a, b in pairwise(order))


def test_it_can_be_kept_and_read_aloud(report: bytes) -> None:
    reader = read(report)
    xmp = reader.trailer["/Root"]["/Metadata"].get_data()
    assert b"pdfaid:part" in xmp
    assert b"pdfuaid:part" in xmp
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert reader.trailer["/Root"]["/Lang"] == "en-GB"
    assert reader.metadata is not None
    assert reader.metadata.title == f"Visits or searches? Analysis {body(24)['analysis']} of proxy logs"
    assert reader.metadata.creation_date is not None
    assert reader.metadata.creation_date.year == 1970, "no clock was read"


_IN_A_PROCESS = """
import sys
from hashlib import sha256
from itertools import pairwise
from countenance.reports.proxylog import pdf
from tests.reports.sample import body
print(sha256(pdf(body(24))).hexdigest())
"""


@pytest.mark.parametrize(
    "world", [{"TZ": "Asia/Tokyo", "LANG": "de_DE.UTF-8", "PYTHONHASHSEED": "1"}, {"PYTHONHASHSEED": "2"}]
)
def test_the_same_bytes_in_another_process(report: bytes, world: dict[str, str], tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", _IN_A_PROCESS],
        env=os.environ | world | {"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == sha256(report).hexdigest()


def test_another_analysis_gives_other_bytes(analysis: dict[str, Any], report: bytes) -> None:
    changed = json.loads(json.dumps(analysis))
    changed["sessions"][0]["evidence"][0]["line"] += 1
    assert pdf(changed) != report


HOSTILE = (
    '#import "@preview/cetz:0.3.0": *',
    '#read("/etc/passwd")',
    '#panic("no")',
    "$ sum_(k=0)^n k $ \\ #pagebreak() *bold* _it_ `raw` <label> @ref // gone /* gone */",
    '"); #let d = none; ("',
    "= Heading\n\n- list",
    "\x00\x07\x1b[31m\x7f\udcff",
    "\u202egnp.exe\u2066\u200f\u200b\ufeff",
    "漢字 עברית 👁 \U000e0041",
    "e" + "\u0301" * 50,
    "/" + "a" * 10_000,
    "x" * 9_999,
    "#" * 500,
)


def spoiled(value: Any, text: str) -> Any:
    """Every text of an analysis that comes from outside, replaced."""
    if isinstance(value, list):
        return [spoiled(one, text) for one in value]
    if not isinstance(value, dict):
        return value
    ours = {"class", "ceiling", "at", "start", "end", "category", "fit", "from", "to", "by"}
    return {
        (text if key == "fields" else key): (
            text if isinstance(one, str) and key not in ours
            else [text for _ in one] if key in ("reasons", "would_change", "sentences", "remedies", "summary")
            else spoiled(one, text)
        )
        for key, one in value.items()
    }  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:20]))
def test_what_strangers_write_is_only_shown(text: str) -> None:
    report = pdf(spoiled(body(3, lines=2), text))
    found = text_of(report)
    assert words(printable(text, 60)[:60]) in found
    assert all(c in " \n\u200b" or unicodedata.category(c)[0] != "C" for c in found)
    assert len(read(report).pages) < 40


def test_every_letter_that_is_let_through_is_in_the_fonts() -> None:
    every = "".join(c for n in range(0x20, 0x2300) if printable(c := chr(n)) == c)
    assert len(every) > 400
    parts = [every[n : n + 100] for n in range(0, len(every), 100)]
    analysis = body(1, lines=len(parts))
    for line, part in zip(analysis["sessions"][0]["evidence"], parts, strict=True):
        line["shown"] = line["role"] = part
    analysis["sessions"][0]["reasons"] = parts
    pdf(analysis)  # A letter without a glyph is an error under PDF/UA.


def test_thousands_of_sessions_are_cut_and_counted() -> None:
    analysis = body(0)
    told = [session(n, "VISIT" if n % 10 else "SEARCH_SUBMITTED", lines=1) for n in range(5_000)]
    sheet = proxylog_sheet.sheet(analysis | {"sessions": told, "totals": totals(told)})
    assert len(sheet["findings"]) == proxylog_sheet.FINDINGS
    assert {finding["class"] for finding in sheet["findings"]} == {"SEARCH_SUBMITTED"}
    assert sheet["findings_more"] == [["Visit", "4,500"]]
    long = [session(n, "VISIT", lines=300) for n in range(200)]
    sheet = proxylog_sheet.sheet(analysis | {"sessions": long, "totals": totals(long)})
    shown = sum(len(one["rows"]) for one in sheet["appendix"])
    assert shown == proxylog_sheet.ALL_LINES
    assert sheet["appendix_more"] == f"{200 * 300 - shown:,}"


def test_nothing_found_is_a_report_too() -> None:
    analysis = body(0)
    analysis |= {"input": [], "profiles": [], "summary": [], "sites": []}
    analysis["coverage"] = {"sentences": [], "remedies": [], "gaps": []}
    analysis["reverse_image"] = {"totals": totals([]), "sessions": []}
    analysis["rejected"] = {"total": 0, "by_reason": {}, "listed": []}
    text = text_of(pdf(analysis))
    assert words("There is no session.") in text
    assert words("Every line was read.") in text
    assert words("No line went to such a site.") in text


def test_a_demonstration_says_so(analysis: dict[str, Any], report: bytes) -> None:
    assert "DEMO" in read(pdf(analysis, demo=True)).pages[-1].extract_text()
    assert "DEMO" not in text_of(report)
