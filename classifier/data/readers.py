"""The rows of .jsonl, .csv and .parquet files, each also gzipped."""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from classifier.data.cleaning import Rejected
from classifier.errors import ClassifierError

Row = tuple[int, dict[str, Any]]
"""A row's line in its file, from 1 (a table's row number), and its values by column."""

Reader = Callable[[BinaryIO], Iterator[Row | Rejected]]

_ROWS_AT_ONCE = 1000
_LONGEST_FIELD = 2**31 - 1  # the most that csv takes on every system; its default is 131,072


def read_rows(path: Path) -> Iterator[Row | Rejected]:
    """Every row of the file; a Rejected for a line that holds none.

    Raises ClassifierError for a file that can't be read as a whole, perhaps after some rows: only
    its end shows that a gzip is cut short.
    """
    try:
        reader = _reader_of(path)
        zipped = path.suffix.lower() == ".gz"
        with gzip.open(path) if zipped else path.open("rb") as file:
            yield from reader(cast(BinaryIO, file))
    except gzip.BadGzipFile as error:
        raise ClassifierError(f"{path} is not a sound gzip file ({error}).") from error
    except (EOFError, zlib.error) as error:
        raise ClassifierError(f"{path} is cut short or damaged ({error}).") from error
    except pa.ArrowException as error:
        why = str(error).partition("\n")[0]
        raise ClassifierError(f"{path} is not a sound parquet file ({why}).") from error
    except csv.Error as error:
        raise ClassifierError(f"{path} is not a sound csv file ({error}).") from error
    except UnicodeError as error:
        raise ClassifierError(f"{path} holds text that is not UTF-8.") from error
    except OSError as error:
        raise ClassifierError(f"{path} can't be read: {error.strerror or error}.") from error


def check_columns(name: object, columns: Mapping[str, None], *wanted: Collection[str]) -> None:
    """Raise ClassifierError unless the columns found, if any, include one of each of `wanted`."""
    missing = [" or ".join(choice) for choice in wanted if columns.keys().isdisjoint(choice)]
    if columns and missing:
        has = ", ".join(map(repr, columns))
        raise ClassifierError(f"{name} has no column {' and '.join(missing)} but {has:.300}.")


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


def jsonl_rows(file: BinaryIO) -> Iterator[Row | Rejected]:
    for number, line in enumerate(file, 1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            if not text.strip():
                continue
            values = json.loads(text)
        except UnicodeDecodeError:
            yield Rejected(number, "broken UTF-8")
        except (ValueError, RecursionError) as error:
            yield Rejected(number, f"invalid JSON: {error}")
        else:
            if isinstance(values, dict):
                yield number, values
            else:
                yield Rejected(number, f"not a JSON object but {type(values).__name__}")


def csv_rows(file: BinaryIO) -> Iterator[Row | Rejected]:
    csv.field_size_limit(_LONGEST_FIELD)
    # What is not UTF-8 becomes lone surrogates, so that it spoils its own row alone.
    text = io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")
    reader = csv.reader(text)
    header = next(reader, [])
    "".join(header).encode()  # a UnicodeEncodeError here means that nothing is UTF-8
    number = reader.line_num + 1
    for values in reader:
        if values and len(values) != len(header):
            yield Rejected(number, f"{len(values)} fields under a header of {len(header)}")
        elif values:
            yield number, dict(zip(header, values, strict=True))
        number = reader.line_num + 1


LINE_READERS: dict[str, Reader] = {".jsonl": jsonl_rows, ".csv": csv_rows}


def _parquet_rows(file: BinaryIO) -> Iterator[Row | Rejected]:
    table = pq.ParquetFile(io.BytesIO(file.read()))
    yield from table_rows(table.iter_batches(_ROWS_AT_ONCE))


def table_rows(batches: Iterable[pa.RecordBatch | pa.Table]) -> Iterator[Row]:
    number = 0
    for batch in batches:
        for values in batch.to_pylist():
            number += 1
            yield number, values
