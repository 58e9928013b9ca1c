"""Where things are mentioned is looked up rather than read; whatever is done to the files of it, nothing is hidden."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countenance.domain.errors import LedgerBroken
from countenance.ledger import book, entry, finding, log
from countenance.ledger.believed import Believed
from countenance.ledger.disk import Disk
from countenance.ledger.draft import Draft
from countenance.ledger.log import Ledger
from countenance.ledger.note import Signer

KEY = b"k" * 32
ONE = "A-0123456789ab"
OTHER = "A-ffffffffffff"
NEEDLES = (
    f'"authority":"{ONE}"',
    f'"authority":"{OTHER}"',
    '"authority":"A-',
    '"type":"search.started"',
    '"type":"key.',
)
A_PART = 16
ENTRIES = 100
"""Six parts and four entries more."""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "LEVEL", A_PART.bit_length() - 1)
    monkeypatch.setattr(log, "_FEW", 0)
    monkeypatch.setattr(log, "_AT_ONCE", 5)


class Kept:
    """A ledger that keeps where things are mentioned."""

    def __init__(self, folder: Path, signer: Signer) -> None:
        self.folder, self.signer = folder, signer

    def open(self, key: bytes | None = KEY) -> Ledger:
        return Ledger.open(self.folder, self.signer, origin=self.signer.name, finding_key=key)

    def append(self, count: int, every: int = 7) -> None:
        with self.open() as ledger:
            begin = ledger.size
            ledger.append_many([_draft(n, every) for n in range(begin, begin + count)])

    def found(self, needle: str = NEEDLES[0], key: bytes | None = KEY) -> list[int]:
        with self.open(key) as ledger:
            return [one.seq for one in ledger.mentioning(needle)]

    def parts(self) -> list[Path]:
        return sorted((self.folder / "finding").iterdir())

    def right(self) -> None:
        """It finds what reading everything finds."""
        for needle in NEEDLES:
            assert self.found(needle) == self.found(needle, key=None)
        assert self.found()


def _draft(n: int, every: int) -> Draft:
    body = {"authority": ONE if n % every == 0 else OTHER, "n": n}
    kind = "key.rotated-by-hand" if n % 31 == 3 else "search.started"
    return Draft(kind, {"authenticated": "os:me", "stated": None}, body)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    made = Kept(tmp_path / "ledger", Signer.generate("tests.example/finding"))
    made.append(ENTRIES)
    assert made.found() == list(range(0, ENTRIES, 7))
    assert len(made.parts()) == ENTRIES // A_PART
    return made


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[int]]:
    """The numbers of entries that are read, one by one or many at once."""
    seen: set[int] = set()
    real, line = book.Book.checked, book.Book.line

    def checked(self: book.Book, start: int, stop: int) -> list[tuple[bytes, bytes]]:
        seen.update(range(start, stop))
        return real(self, start, stop)

    def one(self: book.Book, seq: int) -> bytes:
        seen.add(seq)
        return line(self, seq)

    monkeypatch.setattr(book.Book, "checked", checked)
    monkeypatch.setattr(book.Book, "line", one)
    return seen


def test_only_what_mentions_it_and_the_newest_is_read(kept: Kept, read: set[int]) -> None:
    assert kept.found() == list(range(0, ENTRIES, 7))
    assert read == {*range(0, ENTRIES, 7), *range(96, ENTRIES)}


@pytest.mark.parametrize(
    "span", [(0, None), (0, 16), (15, 17), (16, 32), (31, 97), (90, 100), (99, 200), (-3, 5), (50, 50)]
)
@pytest.mark.parametrize("needle", NEEDLES)
def test_it_is_what_reading_everything_finds(kept: Kept, needle: str, span: tuple[int, int | None]) -> None:
    with kept.open() as ledger, kept.open(None) as plain:
        assert list(ledger.mentioning(needle, *span)) == list(plain.mentioning(needle, *span))
        # Of several texts each entry comes once and in order, also where it holds two, and where one is not known.
        for several in ((needle, NEEDLES[0], '"type":"key.'), (needle, OTHER)):
            wanted = [e for e in plain.entries(*span) if any(text.encode() in e.raw for text in several)]
            assert list(ledger.mentioning(several, *span)) == list(plain.mentioning(several, *span)) == wanted


def test_what_is_appended_is_found_by_who_has_it_open(kept: Kept) -> None:
    with kept.open() as ledger:
        assert len(list(ledger.mentioning(NEEDLES[0]))) == 15
        for count in (1, 3, 40):
            kept.append(count)
            assert [one.seq for one in ledger.mentioning(NEEDLES[0])] == list(range(0, ledger.size, 7))
    assert len(kept.parts()) == 9


def _hide(path: Path) -> None:
    """Take every number out of a part and leave the code as it is."""
    data = path.read_bytes()
    at = data.index(b"\n") + 1 + 32
    path.write_bytes(data[:at] + bytes(8))


def _flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("at", [0, 30, 60, 70, 90, -1])
def test_an_altered_part_is_not_believed(kept: Kept, at: int) -> None:
    for path in kept.parts():
        _flip(path, at)
    kept.right()


@pytest.mark.parametrize("length", [0, 1, 29, 40, 61, 69, 100, -1])
def test_a_part_that_was_written_half_is_not_believed(kept: Kept, length: int) -> None:
    whole = [path.read_bytes() for path in kept.parts()]
    for path, data in zip(kept.parts(), whole, strict=True):
        path.write_bytes(data[:length])
    kept.right()
    assert [path.read_bytes() for path in kept.parts()] == whole


def test_an_emptied_part_hides_nothing(kept: Kept) -> None:
    for path in kept.parts():
        _hide(path)
    kept.right()


def test_nobody_without_the_key_makes_a_part(kept: Kept) -> None:
    """One that fits the entries in everything and leaves the wanted ones out."""
    with kept.open() as ledger:
        finder = finding.Finder(kept.folder, Disk(), b"x" * 32, ledger.origin)
        for number in range(ENTRIES // A_PART):
            empty = finding.Growing(number)
            lines = ledger._book.checked(number * A_PART, (number + 1) * A_PART)
            empty.take((leaf, b"") for leaf, _ in lines)
            finder.keep(empty)
    kept.right()


def test_a_part_stands_for_its_own_entries_only(kept: Kept) -> None:
    first, second, *_ = kept.parts()
    second.write_bytes(first.read_bytes())
    kept.right()


def test_the_parts_of_another_home_are_not_believed(kept: Kept, tmp_path: Path) -> None:
    other = Kept(tmp_path / "other", Signer.generate("tests.example/other"))
    other.append(ENTRIES, every=11)
    other.found()
    shutil.rmtree(kept.folder / "finding")
    shutil.copytree(other.folder / "finding", kept.folder / "finding")
    kept.right()


def test_a_ledger_that_was_brought_back_and_went_another_way(kept: Kept, tmp_path: Path) -> None:
    """The parts are those of the longer one: of what both share they are right, of the rest they are refused."""
    older = Kept(tmp_path / "older", kept.signer)
    older.append(40)
    older.found()
    shutil.copytree(older.folder, tmp_path / "saved")
    older.append(60)
    older.found()
    longer = older.folder / "finding"
    shutil.copytree(longer, tmp_path / "parts")
    shutil.rmtree(older.folder)
    shutil.copytree(tmp_path / "saved", older.folder)
    shutil.rmtree(longer)
    shutil.copytree(tmp_path / "parts", longer)
    assert older.found() == list(range(0, 40, 7))
    older.append(60, every=5)
    older.right()


def test_a_line_that_it_leads_to_is_still_checked(kept: Kept) -> None:
    file = kept.folder / "entries.jsonl"
    file.write_bytes(file.read_bytes().replace(ONE.encode(), OTHER.encode(), 2))
    with pytest.raises(LedgerBroken):
        kept.found()


@pytest.mark.parametrize("key", [KEY, None])
def test_a_line_that_was_altered_together_with_its_hash_is_not_believed(kept: Kept, key: bytes | None) -> None:
    """The file of hashes is nobody's word: what stands there has to lead to the root that is signed."""
    file, hashes = kept.folder / "entries.jsonl", kept.folder / "nodes"
    lines = file.read_bytes().split(b"\n")
    old = lines[14]
    lines[14] = old.replace(ONE.encode(), OTHER.encode())
    file.write_bytes(b"\n".join(lines))
    leaf, instead = (book.merkle.leaf_hash(line) for line in (old, lines[14]))
    hashes.write_bytes(hashes.read_bytes().replace(leaf, instead))
    with pytest.raises(LedgerBroken):
        kept.found(key=key)
    with pytest.raises(LedgerBroken), kept.open() as ledger:
        list(ledger.entries(10, 20))


def test_a_spoilt_file_of_hashes_is_made_again(kept: Kept) -> None:
    hashes = kept.folder / "nodes"
    hashes.write_bytes(bytes(hashes.stat().st_size))
    kept.right()


def test_a_folder_that_cannot_be_written_costs_only_time(kept: Kept) -> None:
    shutil.rmtree(kept.folder / "finding")
    (kept.folder / "finding").write_bytes(b"in the way")
    kept.right()


def test_what_a_killed_process_left_is_cleared_away(kept: Kept) -> None:
    left = kept.folder / "finding" / "00000003-1-1.new"
    left.write_bytes(b"half")
    os.utime(left, (0, 0))
    kept.parts()[0].unlink()
    kept.found()
    assert not left.exists()
    assert len(kept.parts()) == ENTRIES // A_PART


CHILD = f"""
import sys
from pathlib import Path
from countenance.ledger import finding, keys, log
from countenance.ledger.log import Ledger
finding.LEVEL, log._FEW = 4, 0
sys.stdin.readline()
with Ledger.open(Path(sys.argv[1]), keys.load(Path(sys.argv[2])), origin="tests.example/two", finding_key={KEY!r}) as l:
    print([one.seq for one in l.mentioning('"authority":"{ONE}"')])
"""


def test_two_processes_make_the_parts_at_once(tmp_path: Path) -> None:
    from countenance.ledger import keys

    path = tmp_path / "keys" / "ledger.key"
    two = Kept(tmp_path / "ledger", keys.create(path, "tests.example/two"))
    two.append(800)
    command = [sys.executable, "-c", CHILD, str(two.folder), str(path)]
    running = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate()[0].strip() for process in running]
    assert said == [str(list(range(0, 800, 7)))] * 2
    assert [path.name for path in two.parts()] == [f"{n:08x}" for n in range(50)]
    two.right()


values = st.recursive(
    st.text(max_size=8)
    | st.sampled_from(["H-", "H-1f", "H-x", 'H-"', '"hold":"H-1', "people.added", ":", '":"', "\\"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["hold", "type", "a", '"', ":", "x-y"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(values)
def test_no_line_holds_a_text_that_is_not_found_in_it(value: Any) -> None:
    """Whatever stands in an entry: a text that is looked up is found wherever it stands."""
    raw = entry.canonical({"body": value, "type": "people.added"})
    found = finding.texts_in(raw)
    for text in (
        b'"hold":"H-',
        b'"hold":"H-1f"',
        b'"hold":"H-1"',
        b'"type":"people.',
        b'"type":"people.added"',
        b'"a":"H-',
    ):
        assert finding.findable(text)
        assert (text in raw) <= (text in found)


@pytest.mark.parametrize(
    "text", [ONE, '"authority":"A-01', '"stated":"A', '"type":"people', '"x-y":"A-1"', '"token":"t1"']
)
def test_another_text_is_read_for(kept: Kept, text: str) -> None:
    assert not finding.findable(text.encode())
    with kept.open() as ledger, kept.open(None) as plain:
        assert list(ledger.mentioning(text)) == list(plain.mentioning(text))


def test_nothing_readable_stands_in_a_part(kept: Kept) -> None:
    for path in kept.parts():
        data = path.read_bytes()
        for text in (b"A-", b"authority", b"search.started", ONE[2:].encode(), bytes.fromhex(ONE[2:])):
            assert text not in data


def test_a_hash_is_believed_only_under_the_root(kept: Kept) -> None:
    with kept.open() as ledger:
        frontier, node = ledger._book.frontier, ledger._book.folder.tree.node
        believed = Believed(frontier, node)
        assert all(believed.node(0, n) == node(0, n) for n in range(ENTRIES))
        for level, index in ((0, ENTRIES), (0, -1), (7, 0), (4, 6)):
            with pytest.raises(IndexError):
                believed.node(level, index)
        bad = Believed(frontier, lambda level, index: bytes(32) if (level, index) == (2, 5) else node(level, index))
        with pytest.raises(LedgerBroken):
            bad.node(0, 20)
