"""Reading what mentions something: the same entries as reading all of them, with every line still checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from countenance.domain.errors import LedgerBroken
from countenance.ledger import book, entry, log
from countenance.ledger.draft import Draft
from countenance.ledger.log import Ledger

WANTED = "A-0123456789ab"


@pytest.fixture
def filled(ledger: Ledger, actor: dict[str, Any]) -> Ledger:
    """Forty entries, of which every seventh mentions the authority: in the body, in the actor, in what is sealed."""
    drafts = []
    for n in range(40):
        who = actor | {"stated": WANTED} if n % 21 == 0 else actor
        sealed = [{"item": f"note:{WANTED}:revoked", "alg": "x", "ct": "QUFB"}] if n % 14 == 0 else []
        body = {"authority": WANTED if n % 7 == 0 else "A-ffffffffffff", "n": n, "text": "x" * (n * 37 % 400)}
        drafts.append(Draft("search.started", who, body, sealed))
    ledger.append_many(drafts)
    return ledger


@pytest.mark.parametrize("at_once", [1, 3, 16, 1024])
@pytest.mark.parametrize("block", [1, 700, 1 << 20])
def test_it_is_what_reading_everything_finds(
    filled: Ledger, at_once: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_AT_ONCE", at_once)
    monkeypatch.setattr(book, "_BLOCK", block)
    for start, stop in ((0, None), (0, 40), (7, 8), (8, 14), (8, 15), (39, 99), (40, None), (-3, 5)):
        expected = [e for e in filled.entries(start, stop) if WANTED.encode() in e.raw]
        assert list(filled.mentioning(WANTED, start, stop)) == expected
    assert [e.seq for e in filled.mentioning(WANTED)] == list(range(0, 40, 7))
    assert list(filled.mentioning("A-000000000000")) == []


def test_only_what_is_wanted_is_parsed(filled: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[int] = []
    real = entry.parse

    def parse(raw: bytes, seq: int) -> entry.Entry:
        parsed.append(seq)
        return real(raw, seq)

    monkeypatch.setattr(entry, "parse", parse)
    assert len(list(filled.mentioning(WANTED))) == len(parsed) == 6


def test_a_line_that_no_longer_mentions_it_is_missed(filled: Ledger, folder: Path) -> None:
    """Whoever wants a revocation unread has to change its line, and every line is checked."""
    file = folder / "entries.jsonl"
    lines = file.read_bytes().split(b"\n")
    lines[7] = lines[7].replace(WANTED.encode(), b"A-ffffffffffff")
    file.write_bytes(b"\n".join(lines))
    with pytest.raises(LedgerBroken):
        list(filled.mentioning(WANTED))
    assert [e.seq for e in filled.mentioning(WANTED, 8)] == list(range(14, 40, 7))


@pytest.mark.parametrize("name", ["nodes", "offsets"])
@pytest.mark.parametrize("how", ["cut", "zeros", "gone to the end"])
def test_derived_files_are_made_again(filled: Ledger, folder: Path, name: str, how: str) -> None:
    file = folder / name
    size = file.stat().st_size
    spoilt = {"cut": b"", "zeros": bytes(size), "gone to the end": b"\xff" * size}[how]
    with file.open("r+b") as derived:
        derived.write(spoilt)
        derived.truncate(len(spoilt))
    assert [e.seq for e in filled.mentioning(WANTED)] == list(range(0, 40, 7))
