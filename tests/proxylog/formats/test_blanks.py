"""A column that was blanked before the log was handed over: the line is read, and never shows more than it did."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

import pytest

from countenance.domain.proxy import WebRequest
from countenance.proxylog.formats.kind import Example, Format, Layout
from countenance.proxylog.formats.known import FORMATS
from countenance.proxylog.formats.lines import row, spaced
from tests.proxylog.formats import kit

EVERY = [(one, example) for one in FORMATS for example in one.examples]


def _blanked(one: Format, line: str, example: Example) -> Iterator[str]:
    """The line without one of its columns, for each."""
    if line.startswith("{"):
        yield from _without_members(json.loads(line))
    elif one.name in ("squid", "ncsa", "squid-custom"):
        yield from _without_words(line, "/|" if "|" in line else "/")
    elif one.name == "w3c":
        cells = [f'"{cell}"' if " " in cell else cell for cell in spaced(line)]
        for place in range(len(cells)):
            yield " ".join([*cells[:place], "-", *cells[place + 1 :]])
    elif one.name == "zeek" or "\t" in line:
        cells = line.split("\t")
        for place, cell in enumerate(cells):
            yield "\t".join([*cells[:place], f"{cell.split('=')[0]}=" if "=" in cell else "-", *cells[place + 1 :]])
    else:
        delimiter = ";" if line.count(";") > 8 else ","
        cells = row(line, delimiter)
        for place in range(len(cells)):
            for blank in ("", "-"):
                out = io.StringIO()
                writer = csv.writer(out, delimiter=delimiter, lineterminator="")
                writer.writerow([*cells[:place], blank, *cells[place + 1 :]])
                yield out.getvalue()


def _without_members(whole: dict[str, object]) -> Iterator[str]:
    for name, value in whole.items():
        if isinstance(value, dict):
            for less in _without_members(value):
                yield json.dumps(whole | {name: json.loads(less)})
        else:
            yield json.dumps(whole | {name: ""})
            yield json.dumps(whole | {name: None})
            yield json.dumps({key: other for key, other in whole.items() if key != name})


def _without_words(line: str, also: str) -> Iterator[str]:
    """Without one of the words between blanks, without what stands between quotes, without one half of `a/b`."""
    words = line.split(" ")
    for place, word in enumerate(words):
        bare = word.strip('"[]')
        if bare:
            yield " ".join([*words[:place], word.replace(bare, "-"), *words[place + 1 :]])
        for sign in also:
            halves = word.split(sign)
            if len(halves) == 2 or sign == "|":
                for half in range(len(halves)):
                    less = sign.join([*halves[:half], "-", *halves[half + 1 :]])
                    yield " ".join([*words[:place], less, *words[place + 1 :]])
    parts = line.split('"')
    for place in range(1, len(parts), 2):
        yield '"'.join([*parts[:place], "-", *parts[place + 1 :]])
        yield '"'.join([*parts[:place], "", *parts[place + 1 :]])


@pytest.mark.parametrize(("one", "example"), EVERY, ids=[f"{one.name}-{ex.title[:16]}" for one, ex in EVERY])
def test_blanks_are_read_and_show_no_more(one: Format, example: Example) -> None:
    layout = one.open(example.lines, example.reading)
    lines = []
    for number, line in enumerate(example.lines, 1):
        if isinstance(kit.outcome(layout, line, number), WebRequest):
            lines.append(line)
    read = 0
    for line in lines:

        def fresh(line: str = line) -> Layout:
            """The layout as it stands where this line is."""
            made = one.open(example.lines, example.reading)
            for before in example.lines[: example.lines.index(line)]:
                kit.outcome(made, before, 1)
            return made

        read += kit.check_blanks(fresh, line, _blanked(one, line, example))
    assert read >= len(lines)
