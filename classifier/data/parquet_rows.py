"""The rows of a parquet file, of the columns that are needed."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from classifier.data.csv_rows import Row

_READ_AHEAD = 2**20  # bytes of a column; without it, a whole row group


def open_parquet(file: BinaryIO) -> pq.ParquetFile:
    """The file for reading front to back, with little of it in memory."""
    return pq.ParquetFile(file, pre_buffer=False, buffer_size=_READ_AHEAD)


def on_disk(file: BinaryIO, folder: Path | None = None) -> BinaryIO:
    """A copy of what can't be read back and forth, removed when it is closed; in `folder`."""
    copy = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
    shutil.copyfileobj(file, copy)
    return cast(BinaryIO, copy)


def column_batches(
    table: pq.ParquetFile, wanted: Collection[str], rows_at_once: int
) -> Iterator[pa.RecordBatch]:
    """Batches of the columns that are among `wanted`; of all, if `wanted` is empty or none is."""
    names: list[str] = table.schema_arrow.names
    read = [name for name in names if name in wanted] or names
    repeated = [name for name, times in Counter(read).items() if times > 1]
    if repeated:
        raise pa.ArrowInvalid(f"two columns are called {repeated[0]!r}")
    yield from table.iter_batches(rows_at_once, columns=read)


def table_rows(batches: Iterator[pa.RecordBatch]) -> Iterator[Row]:
    """The rows, numbered from 1."""
    number = 0
    for batch in batches:
        columns = [_values(column) for column in batch.columns]
        for cells in zip(*columns, strict=True):
            number += 1
            yield number, dict(zip(batch.schema.names, cells, strict=True))


def _values(column: pa.Array) -> list[Any]:
    """The values in Python; times, which Python may not know, and bytes as text."""
    if pa.types.is_temporal(column.type):
        column = column.cast(pa.string())
    try:
        values = column.to_pylist()
    except UnicodeDecodeError:
        values = column.cast(pa.large_binary()).to_pylist()
    except (ValueError, OverflowError):  # a time inside of a list, say
        values = [_text(value) for value in column]
    return [_decoded(value) for value in values]


def _decoded(value: Any) -> Any:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def _text(value: pa.Scalar) -> str | None:
    try:
        return str(value) if value.is_valid else None
    except (ValueError, OverflowError):
        return "a value that Python can't hold"
