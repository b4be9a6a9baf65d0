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
            yield from reader(cast(BinaryIO, file), wanted)
    except gzip.BadGzipFile as error:
        raise ClassifierError(f"{path} is not a sound gzip file ({error}).") from error
    except (EOFError, zlib.error) as error:
        raise ClassifierError(f"{path} is cut short or damaged ({error}).") from error
    except pa.ArrowException as error:
        why = str(error).partition("\n")[0]
        raise ClassifierError(f"{path} is not a sound parquet file ({why}).") from error
    except csv.Error as error:
        raise ClassifierError(f"{path} is not a sound csv file ({error}).") from error
    except EncodingError as error:
        raise ClassifierError(f"{path} can't be read: {error}.") from error
    except OSError as error:
        raise ClassifierError(f"{path} can't be read: {error.strerror or error}.") from error


def extension(path: Path) -> str:
    """The kind of a file: its extension in lower case, without .gz."""
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
