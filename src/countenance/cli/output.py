"""How a command answers: tables for people, one object with --json, progress and errors on standard error."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from countenance.domain.errors import CountenanceError
    from countenance.services.tally import Progress


INTERRUPTED = 130


def failure(error: CountenanceError | KeyboardInterrupt) -> tuple[int, dict[str, Any]]:
    """The exit code of what ended a command, and what is said of it."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, {"code": "interrupted", "message": "interrupted"}
    return error.exit_code, error.as_json()


class Reply:
    """One command's answer."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    def object(self, value: dict[str, Any]) -> bool:
        """Print the one object when JSON was asked for. Returns whether it was."""
        if self.as_json:
            sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
            sys.stdout.flush()
        return self.as_json

    def stream(self, value: dict[str, Any]) -> bool:
        """The same for an object that holds iterables (not lists), of which each item is read when it is printed."""
        if self.as_json:
            mark, rows = secrets.token_hex(16), []

            def later(iterable: Any) -> str:
                rows.append(iterable)
                return mark

            text = json.dumps(value, ensure_ascii=False, default=later)
            before, *after = text.split(json.dumps(mark))
            sys.stdout.write(before)
            for iterable, rest in zip(rows, after, strict=True):
                sys.stdout.write("[")
                for n, row in enumerate(iterable):
                    sys.stdout.write((", " if n else "") + json.dumps(row, ensure_ascii=False))
                sys.stdout.write("]" + rest)
            sys.stdout.write("\n")
            sys.stdout.flush()
        return self.as_json

    def say(self, text: str) -> None:
        """A line for people."""
        if not self.as_json:
            from rich.console import Console

            Console(soft_wrap=True).print(text, markup=False, highlight=False)

    def told(self, *lines: str) -> None:
        """Lines that hold what strangers wrote, each on one of its own whatever the terminal's width."""
        for line in lines:
            self.say(_plain(line).replace("\n", "\N{REPLACEMENT CHARACTER}"))

    def note(self, text: str) -> None:
        """A line on standard error, whatever the form of the answer."""
        sys.stderr.write(text + "\n")

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """A table for people."""
        if self.as_json:
            return
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(title=title or None, title_justify="left", header_style="bold")
        for name in columns:
            table.add_column(name, overflow="fold")
        for row in rows:
            # Names and addresses come from strangers: never markup, never a terminal's control codes.
            table.add_row(*(Text(_plain(value)) for value in row))
        Console().print(table)

    def facts(self, title: str, facts: dict[str, Any]) -> None:
        """A two-column table."""
        self.table(title, ("", ""), list(facts.items()))

    def error(self, body: dict[str, Any]) -> None:
        """What went wrong: one object on standard output with JSON, words on standard error otherwise."""
        if self.object({"error": body}):
            return
        sys.stderr.write(f"Error: {_plain(body['message'])}\n")
        for face in body.get("faces", ()):
            sys.stderr.write(f"  face {face['n']}: box {face['box']}\n")
        if body.get("advice"):
            sys.stderr.write(f"  {_plain(body['advice'])}\n")

    @contextmanager
    def progress(self, what: str) -> Iterator[Callable[[Progress], None]]:
        """A progress bar on standard error for a run."""
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        with Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,.0f} pictures"),
            TextColumn("{task.fields[rate]:.1f}/s"),
            TextColumn("{task.fields[faces]:,} faces"),
            TextColumn("{task.fields[skipped]:,} skipped"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=False,
        ) as bar:
            task = bar.add_task(what, total=None, rate=0.0, faces=0, skipped=0)

            def show(p: Any) -> None:
                bar.update(task, completed=p.done, total=p.total, rate=p.rate, faces=p.faces, skipped=p.skipped)

            yield show

    @contextmanager
    def bytes_progress(self, what: str, *, unit: str = "bytes") -> Iterator[Callable[[int, int | None], None]]:
        """A progress bar on standard error for a download, or for anything else that is counted."""
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn() if unit == "bytes" else MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        ) as bar:
            task = bar.add_task(what, total=None)

            def show(done: int, total: int | None) -> None:
                bar.update(task, completed=done, total=total)

            yield show


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        value = ", ".join(f"{name}: {count}" for name, count in value.items()) or "none"
    if isinstance(value, (list, tuple)):
        value = ", ".join(map(str, value)) or "none"
    if value is None:
        value = "–"
    text = value if isinstance(value, str) else str(value)
    text = text.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)
