"""What every format must do, as plain functions: for the shipped ones, and for your own.

Lines come from strangers: whatever one holds, `read` turns it into a request, skips it, or says in a word why it
cannot.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Sequence

import pytest

from countenance.domain.errors import BadInput
from countenance.domain.proxy import WebRequest
from countenance.proxylog.formats.kind import LONGEST, BadLine, Example, Fast, Format, Layout, Reading
from countenance.proxylog.formats.times import EARLIEST, LATEST

LONGEST_DURATION = 10.0**9
SNIPPETS = (
    *(
        '"',
        "'",
        "\\",
        "\t",
        " ",
        ",",
        ";",
        "{",
        "}",
        "[",
        "]",
        "-",
        "%",
        "#",
        "=",
        "\0",
        "\ud800",
        "\ufeff",
        "\x1b[31m",
    ),
    *("\u00a0", "\u2028", "é", "。", "٣", "1e9", "-1", "9" * 40, "0.5", "00", "null", "true", "://", "@", ":", "::1"),
    *("http://", "[::", "%2e", "%ff", "CONNECT", "TCP_DENIED", "GET", "31/Feb/2026", "2026-02-30", "24:00:00", '""'),
    *("\\u0000", "\\ud800", "[[[[" * 200, "xn--", "a" * 300, "#Fields: date time", "\r", "\n"),
)
"""What breaks readers of logs."""


def outcome(layout: Layout, line: str, number: int) -> WebRequest | str | None:
    """The request, None, or the reason why not. Anything else that is raised is a fault."""
    try:
        return layout.read(line, number)
    except BadLine as bad:
        reason = bad.reason
    assert re.fullmatch(r"[a-z-]{3,20}", reason), reason
    return reason


def check_example(one: Format, example: Example) -> None:
    """Each line is what the example says."""
    assert len(example.lines) == len(example.expected)
    layout = one.open(example.lines, example.reading)
    for number, (line, expected) in enumerate(zip(example.lines, example.expected, strict=True), 1):
        found = outcome(layout, line, number)
        if not isinstance(expected, dict):
            assert found == expected, line
            continue
        assert isinstance(found, WebRequest), (line, found)
        assert {key: getattr(found, key) for key in expected} == expected, line
        assert found.line == number
        check_request(found)


def check_request(found: WebRequest) -> None:
    """Whatever a line says, a request is in order."""
    assert EARLIEST - LONGEST_DURATION < found.at < LATEST
    assert found.host == found.host.lower()
    assert not found.host.endswith(".")
    assert not set("/@?#") & set(found.host)
    assert found.port is None or 0 <= found.port <= 65535
    assert found.path is None or (found.path.startswith("/") and "?" not in found.path)
    assert found.kind == "request" or (found.path is None and found.query is None)
    assert found.status is None or 0 <= found.status <= 999
    assert found.method is None or found.method == found.method.upper()
    for count in (found.sent, found.received, found.seconds):
        assert count is None or count >= 0
    for text in (found.user, found.address, found.file_name, found.connection):
        assert text not in ("", "-")
    for text in (found.referrer, found.agent):
        assert text != "-"
    for text in (found.host, found.path, found.query, found.user, found.agent, found.referrer, found.file_name):
        assert text is None or (text.encode("utf-8") is not None and "\0" not in text)


def check_recognised(one: Format, example: Example, others: Sequence[Format]) -> None:
    """The example is known as its own and, with what is said about it, as nothing else."""
    scores = {other.name: other.recognise(example.lines[:50], example.reading) for other in others}
    mine = scores.pop(one.name)
    assert 0 < mine <= 100
    if example.reading == Reading():  # what a person says goes before what the lines look like
        assert not any(scores.values()), scores
    assert all(score < mine for score in scores.values()), scores


def check_headless(one: Format, example: Example) -> None:
    """A piece without its header is not taken for something else, and is read under the header of its sibling."""
    whole = one.open(example.lines, example.reading)
    for number, line in enumerate(example.lines, 1):
        found = outcome(whole, line, number)
        if isinstance(found, WebRequest):
            assert outcome(one.open(example.lines, example.reading), line, number) == found
            assert (
                not one.headed
                or line.startswith("{")
                or not isinstance(outcome(one.open((), example.reading), line, number), WebRequest)
            )
            return
    raise AssertionError("an example without a request")


def check_limits(one: Format, example: Example) -> None:
    """Too long, not text, a NUL: refused in a word, and nothing of it remembered."""
    layout = one.open(example.lines, example.reading)
    before = [outcome(layout, line, 1) for line in example.lines[:1]]
    good = max(example.lines, key=len)
    assert outcome(layout, good + "x" * LONGEST, 2) == "too-long"
    assert outcome(layout, "x" * (LONGEST + 1), 2) == "too-long"
    for bad in ("\0", "\ud800", "\udcff"):
        assert outcome(layout, good[:20] + bad + good[20:], 3) == "encoding"
    assert outcome(layout, "", 4) is None
    assert [outcome(layout, line, 1) for line in example.lines[:1]] == before
    for filler in (
        "x",
        '"',
        '" ',
        " ",
        "\t",
        ",",
        "[",
        "{",
        '{"a":',
        "\\",
        '\\"',
        "a:",
        "%",
        "=\t",
        "1",
        "/",
        "@",
        '",',
    ):
        outcome(layout, (filler * LONGEST)[:LONGEST], 5)
        outcome(layout, (good[: len(good) // 2] + filler * LONGEST)[:LONGEST], 6)


def mutate(line: str, dice: random.Random) -> str:
    """The line with a few things wrong."""
    for _ in range(dice.randint(1, 3)):
        at, end = sorted((dice.randint(0, len(line)), dice.randint(0, len(line))))
        if dice.random() < 0.5:
            end = min(end, at + dice.randint(0, 4))
        line = line[:at] + dice.choice((*SNIPPETS, "", "", line[at:end] * 2)) + line[end:]
    return line


def check_fast(fast: Fast, layout: Layout, line: str, number: int) -> bool:
    """A line that the expression matches is one that `read` reads, and both say the same. Whether it matched.

    The engine sees no half surrogate pairs, and gives lines that are too long to `read`.
    """
    if len(line) > LONGEST or any("\ud800" <= letter <= "\udfff" for letter in line):
        return False
    found = re.compile(fast.pattern).fullmatch(line)
    if found is None:
        return False
    request = outcome(layout, line, number)
    assert isinstance(request, WebRequest), (line, request)
    said = found.groupdict()
    if "epoch" in said:
        assert abs(request.at + (request.seconds or 0) - float(said["epoch"])) < 0.002
    for key in ("user", "address"):
        if key in said:
            assert getattr(request, key) == (None if said[key] == "-" else said[key]), line
    if said.get("method") not in (None, "-", "NONE", "unknown"):
        assert request.method == said["method"].upper()
    return True


def check_blanks(layout: Callable[[], Layout], line: str, blanked: Iterable[str]) -> int:
    """A line with a column blanked is read all the same, and never shows more. How many were read."""
    whole, count = outcome(layout(), line, 1), 0
    assert isinstance(whole, WebRequest)
    for less in blanked:
        found = outcome(layout(), less, 1)
        if not isinstance(found, WebRequest):
            # Without its time a line is no evidence; without the log's name nobody knows what it says.
            assert found in ("time", "other-log", "fields"), (less, found)
            continue
        count += 1
        check_request(found)
        assert found.ceiling <= whole.ceiling, less
        assert found.outcome != "allowed" or whole.outcome == "allowed", less
        assert found.file_name in (None, whole.file_name), less
    return count


def check_refused(text: Sequence[str], recognise: Callable[[Sequence[str], Reading], Format]) -> None:
    """Lines that are no log of any kind are taken for none."""
    with pytest.raises(BadInput) as refusal:
        recognise(text, Reading())
    assert refusal.value.advice
