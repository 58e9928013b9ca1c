"""An extract: every leaf, and of the entries those that were chosen; nothing in it can be altered."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from countenance.domain.errors import BadInput, LedgerBroken
from countenance.ledger import checkpoint, manifest, merkle, verify
from countenance.ledger.container import Writer
from countenance.ledger.draft import Draft
from countenance.ledger.extract import Extract
from countenance.ledger.log import Ledger
from countenance.ledger.note import Signer, VerifierKey

ORIGIN = "countenance.test/ledger"
START = datetime(2026, 5, 1, 12, tzinfo=UTC)


def pack(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    writer = Writer(file)
    for name, data in members.items():
        writer.add(name, iter([data]))
    writer.finish()
    return file.getvalue()


def unpacked(raw: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def accepted(raw: bytes, **more: Any) -> verify.Report:
    return verify.verify_bundle(io.BytesIO(raw), **more)


def refusal(raw: bytes, **more: Any) -> str:
    with pytest.raises(LedgerBroken) as caught:
        accepted(raw, **more)
    return caught.value.message


@pytest.fixture
def used(open_ledger: Callable[..., Ledger]) -> Ledger:
    """Twelve entries, an hour apart: two people, two cases."""
    hours = iter(range(100))
    ledger = open_ledger(clock=lambda: START + timedelta(hours=next(hours)))
    ada, ben = {"authenticated": "account:1", "stated": "Ada"}, {"authenticated": "account:2", "stated": None}
    for who, kind, body in (
        (ada, "authority.granted", {"authority": "A", "case": "PD-1"}),
        (ben, "authority.granted", {"authority": "B", "case": "PD-2"}),
        (ada, "search.started", {"authority": "A", "search": "s1"}),
        (ben, "search.started", {"authority": "B", "search": "s2"}),
        (ada, "search.shown", {"search": "s1"}),
        (ada, "session.closed", {}),
        (ben, "picture.opened", {"search": "s1"}),
        (ben, "search.shown", {"search": "s2"}),
        (ben, "session.closed", {}),
    ):
        ledger.append(kind, who, body)
    ledger.rotate_key(ben)
    ledger.append("search.disclosed", ada, {"search": "s1"})
    ledger.append("search.disclosed", ben, {"search": "s2"})
    return ledger


def extract(ledger: Ledger, tmp_path: Path, **choice: Any) -> bytes:
    ledger.export(tmp_path / "extract.zip", Extract(**choice))
    return (tmp_path / "extract.zip").read_bytes()


def numbers(raw: bytes) -> list[int]:
    return [json.loads(line)["seq"] for line in unpacked(raw)["entries.jsonl"].splitlines()]


@pytest.mark.parametrize(
    ("choice", "given"),
    [
        ({"case": "PD-1"}, [0, 2, 4, 6, 9, 10]),
        ({"case": "PD-1", "user": "account:2"}, [6, 9]),
        ({"user": "Ada"}, [0, 2, 4, 5, 9, 10]),
        ({"begin": START + timedelta(hours=3), "end": START + timedelta(hours=5)}, [3, 4, 9]),
        ({"begin": START + timedelta(hours=3), "case": "PD-1"}, [4, 6, 9, 10]),
        ({"case": "nobody's"}, [9]),
    ],
)
def test_what_is_chosen(used: Ledger, tmp_path: Path, choice: dict[str, Any], given: list[int]) -> None:
    raw = extract(used, tmp_path, **choice)
    assert numbers(raw) == given
    report = accepted(raw, key=VerifierKey.parse(used.vkey))
    assert (report.size, report.root, report.given) == (12, used.root, len(given))
    absent = [seq for first, last in report.absent for seq in range(first, last + 1)]
    assert sorted(absent + given) == list(range(12))
    assert all(later > earlier + 1 for (_, earlier), (later, _) in zip(report.absent, report.absent[1:], strict=False))
    assert report.asked == Extract(**choice).asked
    assert [change.seq for change in report.handovers] == [9]


def test_what_is_not_chosen_is_not_in_it(used: Ledger, tmp_path: Path) -> None:
    raw = extract(used, tmp_path, user="account:2")
    assert b'"stated":"Ada"' not in raw
    assert b"PD-1" not in raw


def test_it_says_plainly_what_is_not_in_it(used: Ledger, tmp_path: Path) -> None:
    text = accepted(extract(used, tmp_path, case="PD-1")).as_text()
    assert "an extract   6 of them are given" in text
    assert "not in it    6: 1, 3, 5, 7–8, 11" in text
    assert "case PD-1" in text
    assert "operator's word" in text
    told = accepted(extract(used, tmp_path, case="PD-1")).as_json()
    assert told["absent"] == [[1, 1], [3, 3], [5, 5], [7, 8], [11, 11]]
    whole = accepted(extract(used, tmp_path, begin=START - timedelta(days=1)))
    assert "not in it    0: nothing" in whole.as_text()


def test_it_continues_any_older_checkpoint(used: Ledger, tmp_path: Path) -> None:
    raw = extract(used, tmp_path, user="Ada")
    lines = [found.raw for found in used.entries()]
    signer = used._book.signer
    for size in range(10, 13):
        root = merkle.root_of(map(merkle.leaf_hash, lines[:size]))
        kept = checkpoint.parse(checkpoint.sign(checkpoint.TreeHead(ORIGIN, size, root), [signer]).encode())
        assert accepted(raw, since=kept).since == size
        wrong = checkpoint.parse(checkpoint.sign(checkpoint.TreeHead(ORIGIN, size, bytes(32)), [signer]).encode())
        assert f"first {size}" in refusal(raw, since=wrong)
    used.append("a.b", {"authenticated": "x", "stated": None}, {})
    assert "entry 12 is missing" in refusal(raw, since=checkpoint.parse(used.checkpoint().encode()))


def test_gaps_in_time_and_a_clock_set_back_are_shown(open_ledger: Callable[..., Ledger], tmp_path: Path) -> None:
    minutes = iter([0, 10, 300, 280, 281, 1000, 1001])
    ledger = open_ledger(clock=lambda: START + timedelta(minutes=next(minutes)))
    for n in range(7):
        ledger.append("a.b", {"authenticated": "ab"[n in (0, 5)], "stated": None}, {})
    ledger.export(tmp_path / "whole.zip")
    whole = accepted((tmp_path / "whole.zip").read_bytes())
    assert (whole.gap.seq, whole.gap.seconds, whole.backs) == (5, 719 * 60, ((3, 1200),))
    assert "entry 3: the clock was set back by 0:20:00" in whole.as_text()
    part = accepted(extract(ledger, tmp_path, user="a"))
    # Between entries 4 and 6 lies one that is not given: that is no gap in time.
    assert (part.gap.seq, part.gap.seconds, part.backs) == (2, 290 * 60, ((3, 1200),))


def test_no_single_bit_is_free(used: Ledger, tmp_path: Path) -> None:
    raw = bytearray(extract(used, tmp_path, case="PD-2", user="account:2", end=START + timedelta(hours=4)))
    assert numbers(bytes(raw)) == [1, 3, 9]
    accepted(bytes(raw))
    for place in range(len(raw)):
        for bit in (0, 3, 7):
            raw[place] ^= 1 << bit
            try:
                accepted(bytes(raw))
            except LedgerBroken:
                pass
            else:
                pytest.fail(f"bit {bit} of byte {place} can be changed")
            raw[place] ^= 1 << bit


def forge(members: dict[str, bytes], signer: Signer, asked: dict[str, str] | None, **changed: bytes) -> bytes:
    """The same extract with some members replaced, rightly signed: what a dishonest operator can make."""
    parts = {name: data for name, data in members.items() if not name.startswith("manifest")}
    parts |= {name.replace("_", "."): data for name, data in changed.items()}
    digests = {name: (len(data), sha256(data).hexdigest()) for name, data in parts.items()}
    listed = manifest.text(ORIGIN, signer.verifier, digests, asked)
    return pack(parts | {"manifest": listed.encode(), "manifest.sig": signer.signature_line(listed).encode()})


def test_what_the_operator_cannot_do_with_an_extract(used: Ledger, tmp_path: Path) -> None:
    raw = extract(used, tmp_path, user="account:2")
    members, signer, asked = unpacked(raw), used._book.signer, {"user": "account:2"}
    lines = members["entries.jsonl"].splitlines(keepends=True)
    assert numbers(raw) == [1, 3, 6, 7, 8, 9, 11]
    accepted(forge(members, signer, asked))

    def entries(*given: bytes) -> bytes:
        return forge(members, signer, asked, entries_jsonl=b"".join(given))

    assert "entry 3" in refusal(entries(lines[0], lines[1].replace(b"s2", b"s9"), *lines[2:]))
    assert "line after entry 6" in refusal(entries(*lines[:3], lines[2], *lines[3:]))
    assert "line after entry 3" in refusal(entries(lines[1], lines[0], *lines[2:]))
    assert "entry 4" in refusal(entries(*lines[:2], lines[2].replace(b'"seq":6', b'"seq":4'), *lines[3:]))
    assert "entry 99" in refusal(entries(*lines, lines[0].replace(b'"seq":1', b'"seq":99')))
    assert "no number" in refusal(entries(b"{}\n", *lines))
    assert "no number" in refusal(entries(b"[]\n", *lines))
    assert "cut off" in refusal(entries(*lines, b"{"))
    # The entry in which a key took over cannot be left out: the signatures do not fit then.
    without = [line for line in lines if b"key-rotated" not in line]
    old = VerifierKey.parse(json.loads(lines[5])["body"]["old"])
    assert accepted(forge(members, signer, asked), key=old).signer_checked
    assert "another key" in refusal(entries(*without), key=old)
    # Leaves are all there: none can be dropped or changed.
    leaves = members["leaves"]
    for wrong in (leaves[:-32], leaves[32:], leaves + leaves[:32], bytes(32) + leaves[32:], leaves[:-1]):
        refusal(forge(members, signer, asked, leaves=wrong))


def test_an_extract_is_not_taken_for_the_whole(used: Ledger, tmp_path: Path) -> None:
    members = unpacked(extract(used, tmp_path, user="account:2"))
    assert "entry 0" in refusal(forge(members, used._book.signer, None))
    listed = members["manifest"].decode()
    assert listed.startswith("countenance-ledger-bundle/2\n")
    for wrong in ('asked {"user": "account:2"}', 'asked {"who":"x"}', 'asked {"user":1}', "asked []", "asked {"):
        text = listed.replace('asked {"user":"account:2"}', wrong)
        signed = used._book.signer.signature_line(text).encode()
        refusal(pack(members | {"manifest": text.encode(), "manifest.sig": signed}))


@pytest.mark.parametrize("choice", [{}, {"begin": START, "end": START}, {"case": "a\nb"}, {"user": "x" * 501}])
def test_a_choice_that_is_none(choice: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        Extract(**choice)


def test_a_long_extract_is_read_in_pieces(ledger: Ledger, tmp_path: Path, actor: dict[str, Any]) -> None:
    other = {"authenticated": "other", "stated": None}
    ledger.append_many([Draft("a.b", other if n % 3 else actor, {"n": n}) for n in range(9000)])
    report = accepted(extract(ledger, tmp_path, user="other"))
    assert (report.given, len(report.absent), report.size) == (6000, 3000, 9000)
    assert "and 2980 more runs" in report.as_text()
