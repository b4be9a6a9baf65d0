"""The rows of .jsonl, .csv, .parquet and .txt files, each also gzipped."""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

from classifier.data.csv_rows import Row, csv_rows
from classifier.data.grades import Rejected
from classifier.data.parquet_rows import column_batches, on_disk, open_parquet, table_rows
from classifier.data.text_lines import EncodingError, is_broken, text_lines
from classifier.errors import ClassifierError

Reader = Callable[[BinaryIO, Collection[str]], Iterator[Row | Rejected]]
"""Rows of an open file; of the columns named alone, where others cost something to read."""

FAULTS = (OSError, EOFError, zlib.error, pa.ArrowException, csv.Error, EncodingError, UnicodeError)
"""What reading a file may raise."""

_SAID = {
    gzip.BadGzipFile: "not a sound gzip file",
    EOFError: "cut short or damaged",
    zlib.error: "cut short or damaged",
    pa.ArrowException: "not a sound parquet file",
    csv.Error: "not a sound csv file",
    UnicodeError: "not sound text",
}
_ROWS_AT_ONCE = 1000
_MOST_DIGITS = 4000  # of a whole number; Python refuses more than 4,300


def read_rows(path: Path, wanted: Collection[str]) -> Iterator[Row | Rejected]:
    """Every row of the file, with the columns `wanted` at least; a Rejected for a line of none.

    Raises ClassifierError for a file that can't be read as a whole, perhaps after some rows: only
    its end shows that a gzip is cut short.
    """
    try:
        reader = _reader_of(path)
        zipped = path.suffix.lower() == ".gz"
        with gzip.open(path) if zipped else path.open("rb") as file:
            if not zipped and file.seekable():
                file.seek(0)  # on macOS /dev/fd/7 goes on where another reader was
            yield from reader(cast(BinaryIO, file), wanted)
    except FAULTS as error:
        fault = next((said for kind, said in _SAID.items() if isinstance(error, kind)), None)
        why = why_unreadable(error)
        raise ClassifierError(
            f"{path} can't be read: {why}." if fault is None else f"{path} is {fault} ({why})."
        ) from error


def why_unreadable(error: Exception) -> str:
    """What one of FAULTS says, in one line."""
    return str(getattr(error, "strerror", None) or error).strip().partition("\n")[0]


def extension(path: Path) -> str:
    """The kind of a file: its extension in lower case, without .gz.

    A file that a program has opened for this one (/dev/fd/7) has no name: it is .jsonl.
    """
    if path.parent == Path("/dev/fd"):
        return ".jsonl"
    return Path(path.name.lower().removesuffix(".gz")).suffix


def _reader_of(path: Path) -> Reader:
    if not path.exists():
        raise ClassifierError(f"{path}: no such file.")
    if path.is_dir():
        raise ClassifierError(f"{path} is a folder; name a file of reviews.")
    readers = {**LINE_READERS, ".parquet": _parquet_rows}
    if extension(path) not in readers:
        raise ClassifierError(f"{path} is not one of {', '.join(readers)} (each also .gz).")
    return readers[extension(path)]


def jsonl_rows(file: BinaryIO, _wanted: Collection[str] = ()) -> Iterator[Row | Rejected]:
    """A Rejected for a line that is no JSON object; blank lines are none."""
    for number, line in enumerate(text_lines(file), 1):
        if not line.strip():
            continue
        if is_broken(line):
            yield Rejected(number, "broken UTF-8")
            continue
        try:
            values = json.loads(line, parse_int=_whole_number)
        except (ValueError, RecursionError) as error:
            yield Rejected(number, f"invalid JSON: {error}")
        else:
            if isinstance(values, dict):
                yield number, values
            else:
                yield Rejected(number, f"not a JSON object but {type(values).__name__}")


def _whole_number(digits: str) -> int | str:
    """The number, or the digits of one that Python converts to no number, for being too long."""
    return int(digits) if len(digits) < _MOST_DIGITS else digits


def text_rows(file: BinaryIO, _wanted: Collection[str] = ()) -> Iterator[Row | Rejected]:
    """A review a line; blank lines are none."""
    for number, line in enumerate(text_lines(file), 1):
        if line.strip():
            yield number, {"content": line.strip()}


LINE_READERS: dict[str, Reader] = {".jsonl": jsonl_rows, ".csv": csv_rows}


def _parquet_rows(file: BinaryIO, wanted: Collection[str]) -> Iterator[Row | Rejected]:
    table = open_parquet(file if isinstance(file, io.BufferedReader) else on_disk(file))
    yield from table_rows(column_batches(table, wanted, _ROWS_AT_ONCE))
