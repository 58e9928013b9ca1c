"""Lists of picture addresses: text with one a line, CSV or Parquet with columns. Read as a stream."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from countenance.domain.errors import BadInput
from countenance.domain.sources import Skipped
from countenance.sources.addresses import BadAddress, place
from countenance.sources.sidecar import MAX_CHARACTERS, open_regular

MAX_LINE = 64 * 1024
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "image": ("image", "url", "imageurl", "imgurl", "imageaddress", "address", "src"),
    "page": ("page", "pageurl", "pageaddress", "source", "sourceurl", "referrer"),
    "caption": ("caption", "text", "description"),
    "title": ("title", "pagetitle"),
    "alt": ("alt", "alttext"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One picture of a list. Addresses are in their normal spelling."""

    image: str
    page: str | None = None
    caption: str | None = None
    title: str | None = None
    alt: str | None = None


def read_list(path: str) -> Iterator[Row | Skipped]:
    """Every row, in order; a row without a usable address is Skipped ("bad-address") with its number in the list.

    Raises BadInput when the list is not there, or is a CSV or Parquet without a column of addresses.
    """
    suffix = Path(path).suffix.lower()
    rows = _parquet_rows if suffix == ".parquet" else _csv_rows if suffix in {".csv", ".tsv"} else _text_rows
    try:
        for number, values in rows(path):
            yield _row(path, number, values)
    except OSError as error:
        raise BadInput(
            f"the list cannot be read: {error.strerror}", advice="Check that the file is there and readable."
        ) from error


def count_rows(path: str) -> int:
    """How many rows a list has, without looking at their addresses. Raises as `read_list` does."""
    suffix = Path(path).suffix.lower()
    if suffix == ".parquet":
        parquet = require_parquet()
        with open(open_regular(path), "rb") as raw, parquet.ParquetFile(raw) as file:  # noqa: PTH123
            return int(file.metadata.num_rows)
    return sum(1 for _ in (_csv_rows if suffix in {".csv", ".tsv"} else _text_rows)(path))


def require_parquet() -> Any:
    """`pyarrow.parquet`. Raises BadInput when the extra is not installed."""
    try:
        import pyarrow.parquet
    except ImportError:
        raise BadInput(
            "Parquet lists need an optional part that is not installed",
            advice="Install it with: pip install 'countenance[parquet]'. Or give the list as CSV.",
        ) from None
    return pyarrow.parquet


def _row(path: str, number: int, values: Mapping[str, str | None]) -> Row | Skipped:
    address = values.get("image")
    try:
        image = place(address or "").url
    except BadAddress as error:
        return Skipped(f"{Path(path).name}, row {number}", "bad-address", str(error))
    page = values.get("page")
    try:
        page = place(page).url if page else None
    except BadAddress:
        page = None
    said = {name: (values.get(name) or "").strip()[:MAX_CHARACTERS] or None for name in ("caption", "title", "alt")}
    return Row(image, page, **said)


def _open(path: str) -> IO[str]:
    return open(open_regular(path), encoding="utf-8-sig", errors="replace", newline="")  # noqa: PTH123


def _text_rows(path: str) -> Iterator[tuple[int, dict[str, str | None]]]:
    with _open(path) as file:
        for number, line in _lines(file):
            text = line.strip()
            if text and not text.startswith("#"):
                yield number, {"image": text}


def _lines(file: IO[str]) -> Iterator[tuple[int, str]]:
    """Lines with their numbers; one of unreasonable length is cut, so that it is an address no more."""
    number = 0
    while line := file.readline(MAX_LINE):
        number += 1
        yield number, line
        while line and not line.endswith("\n"):
            line = file.readline(MAX_LINE)


def _csv_rows(path: str) -> Iterator[tuple[int, dict[str, str | None]]]:
    with _open(path) as file:
        sample = file.readline(MAX_LINE)
        file.seek(0)
        delimiter = max(",;\t", key=sample.count)
        reader = csv.reader((line for _, line in _lines(file)), delimiter=delimiter)
        try:
            columns = _columns(next(reader, []))
            for cells in reader:
                if any(cells):
                    yield reader.line_num, {name: cells[at] for name, at in columns.items() if at < len(cells)}
        except csv.Error as error:
            raise BadInput(f"the CSV cannot be read: {error}", advice="Check its quotes.") from None


def _parquet_rows(path: str) -> Iterator[tuple[int, dict[str, str | None]]]:
    parquet = require_parquet()
    try:
        with open(open_regular(path), "rb") as raw, parquet.ParquetFile(raw) as file:  # noqa: PTH123
            names = [str(name) for name in file.schema_arrow.names]
            columns = {name: names[at] for name, at in _columns(names).items()}
            number = 0
            for batch in file.iter_batches(batch_size=1_000, columns=list(columns.values())):
                for cells in batch.to_pylist():
                    number += 1
                    yield (
                        number,
                        {
                            name: cells[column] if isinstance(cells[column], str) else None
                            for name, column in columns.items()
                        },
                    )
    except (BadInput, OSError):
        raise
    except Exception as error:  # pyarrow has its own tree of errors
        raise BadInput("the Parquet list cannot be read", advice="Check that it is a whole Parquet file.") from error


def _columns(header: list[str]) -> dict[str, int]:
    """Which column holds what, by any of the usual names, whatever their case and punctuation."""
    plain = ["".join(c for c in name.lower() if c.isalnum()) for name in islice(header, 1_000)]
    found = {
        what: plain.index(next(name for name in names if name in plain))
        for what, names in _COLUMNS.items()
        if any(name in plain for name in names)
    }
    if "image" not in found:
        raise BadInput(
            "the list has no column of picture addresses",
            advice="Its first line has to name the columns: image (or url), and optionally page, title, alt, caption.",
        )
    return found
