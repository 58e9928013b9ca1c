"""How analyses of proxy logs are shown on a terminal, and what is read and written beside them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from heapq import nsmallest
from pathlib import Path
from typing import Any

import typer

from countenance.cli.output import Reply
from countenance.domain.errors import BadInput, Unavailable

SHOWN = 40


class RejectedCsv:
    """Where the lines that could not be read are written, one by one, if anywhere."""

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def write(self, lines: Iterable[Any]) -> None:
        """Every line that could not be read."""
        if self._file is None:
            return
        import csv

        try:
            with self._file.open("w", encoding="utf-8", newline="") as out:
                writer = csv.writer(out)
                writer.writerow(("file", "line", "reason"))
                writer.writerows((line.file, line.line, line.reason) for line in lines)
        except OSError as error:
            raise Unavailable(
                f"{self._file} cannot be written: {error.strerror}", advice="choose another place"
            ) from None


def tell(
    reply: Reply, analysis: dict[str, Any], said: dict[str, Any], *, report: Path | None, csv: bool, demo: bool
) -> None:
    """An analysis in the form that was asked for; `said` is its JSON object."""
    body = analysis["body"]
    if report is not None:
        from countenance.reports.proxylog import pdf

        write(report, pdf(body, demo=demo))
    if csv:
        from countenance.reports.proxylog_csv import csv_lines

        sys.stdout.writelines(csv_lines(body))
    elif not reply.stream(said):
        show_analysis(reply, analysis)
        if report is not None:
            reply.say(f"Wrote {report}.")


def show_analysis(reply: Reply, analysis: dict[str, Any]) -> None:
    """The answer in words, the classes, the sessions with searches first, and what was read."""
    body = analysis["body"]
    for sentence in body["summary"]:
        reply.say(sentence)
    reply.table(
        "Sessions by class",
        ("class", "sessions"),
        [(name, count) for name, count in body["totals"]["by_class"].items() if count],
    )
    count = body["totals"]["sessions"]
    first = nsmallest(
        SHOWN, body["sessions"], key=lambda s: (-s["searches"]["at_least"], -s["searches"]["at_most"], s["start"])
    )
    reply.table(
        f"Sessions on face-search sites{f' (the first {SHOWN})' if count > SHOWN else ''}",
        ("session", "user", "site", "start", "class", "ceiling", "searches", "beside the ledger"),
        [
            (
                s["id"],
                s["user"],
                s["site"],
                s["start"][:19],
                s["class"],
                s["ceiling"],
                in_short(s["searches"]),
                s["authorised"]["fit"],
            )
            for s in first
        ],
    )
    reply.table(
        "Input",
        ("file", "format", "lines", "not read", "SHA-256"),
        [(f["file"], f["format"], f["lines"], f["rejected"], f["sha256"]) for f in body["input"]],
    )
    reply.say(
        f"Analysis {body['analysis']}, kept until {analysis['keep_until'][:10]}. Receipt: entry {analysis['seq']}"
    )
    reply.say("Why a session is what it is: countenance proxylog explain SESSION")


def in_short(searches: dict[str, int]) -> str:
    """ "2", or "0 to 16"."""
    low, high = searches["at_least"], searches["at_most"]
    return str(low) if low == high else f"{low} to {high}"


def sentences(reply: Reply, title: str, lines: list[str]) -> None:
    """A heading with sentences under it, if there are any."""
    if lines:
        reply.say(f"\n{title}")
        for sentence in lines:
            reply.say(f"  - {sentence}")


def text_of(file: Path | None) -> str | None:
    """The text of a file that was named. Raises BadInput."""
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} cannot be read: {error}", advice="name a TOML file in UTF-8") from None


def secret_of(file: Path | None) -> str:
    """The second person's token, from a file or typed unseen. Raises BadInput."""
    if file is None:
        return str(typer.prompt("Second person's token", hide_input=True, err=True)).strip()
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise BadInput(
            f"the second person's token cannot be read from {file}", advice="the file holds the token alone"
        ) from None


def write(file: Path, content: bytes) -> None:
    """Write a file. Raises Unavailable."""
    try:
        file.write_bytes(content)
    except OSError as error:
        raise Unavailable(f"{file} cannot be written: {error.strerror}", advice="choose another place") from None
