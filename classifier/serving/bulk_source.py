"""The rows of a file to predict, of any kind and size, in batches."""

import csv
import gzip
import shutil
import tempfile
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from classifier.data.cleaning import Rejected
from classifier.data.readers import LINE_READERS, Row, extension, table_rows
from classifier.errors import ClassifierError

Batch = list[Row | Rejected]

BATCH = 256
"""How many rows are read, predicted and put on the disk at a time: the most that a kill loses."""

_READ_AHEAD = 2**20  # bytes of a parquet's column; without it, a whole row group
_FAULTS = (OSError, EOFError, zlib.error, pa.ArrowException, csv.Error, UnicodeError)


class UnreadableError(Exception):
    """The source can't be read any further; the message says why."""


def _text_rows(file: BinaryIO) -> Iterator[Row | Rejected]:
    for number, line in enumerate(file, 1):
        try:
            content = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError:
            yield Rejected(number, "broken UTF-8")
        else:
            if content:
                yield number, {"content": content}


_LINE_READERS = {**LINE_READERS, ".txt": _text_rows}


def identity(source: Path) -> dict[str, Any]:
    """What identifies a source and its present state.

    Raises ClassifierError where there is no such file, or of no kind that can be read.
    """
    extensions = (*_LINE_READERS, ".parquet")
    if not source.is_file():
        raise ClassifierError(f"There is no file {source}.")
    if extension(source) not in extensions:
        raise ClassifierError(f"{source} is not one of {', '.join(extensions)} (each also .gz).")
    state = source.stat()
    return {
        "source": str(source.resolve()),
        "source_bytes": state.st_size,
        "source_modified_ns": state.st_mtime_ns,
    }


def read_batches(source: Path, scratch: Path) -> Generator[tuple[Batch, int, int], None, None]:
    """The rows, `BATCH` at a time, with how much of the source is read by then, and its size.

    Both are bytes as stored, or rows of a parquet. An interrupted call and the one that continues
    it have the same batches, because the last digits of a prediction depend on the reviews that
    are predicted with it. Raises UnreadableError, after the rows before the fault.
    """
    batch: Batch = []
    done = size = 0
    try:
        with ExitStack() as files:
            rows, read_until, size = _open(source, scratch, files)
            for row in rows:
                batch.append(row)
                if len(batch) == BATCH:
                    done = read_until(row.row if isinstance(row, Rejected) else row[0])
                    yield batch, done, size
                    batch = []
    except _FAULTS as error:
        if batch:
            yield batch, done, size
        why = getattr(error, "strerror", None) or str(error)
        raise UnreadableError(why.partition("\n")[0]) from error
    if batch:
        yield batch, size, size


def _open(
    source: Path, scratch: Path, files: ExitStack
) -> tuple[Iterator[Row | Rejected], Callable[[int], int], int]:
    """The rows, how much of the source is read at the row of a number, and the source's size.

    A zipped parquet is unzipped into the folder `scratch`: it is not read from front to back.
    """
    zipped = source.name.lower().endswith(".gz")
    stored = files.enter_context(source.open("rb"))
    file: Any = files.enter_context(gzip.GzipFile(fileobj=stored)) if zipped else stored
    reader = _LINE_READERS.get(extension(source))
    if reader is not None:
        return reader(file), lambda _number: stored.tell(), source.stat().st_size
    if zipped:
        unzipped = files.enter_context(tempfile.TemporaryFile(dir=scratch))  # noqa: SIM115
        shutil.copyfileobj(file, unzipped)
        file = unzipped
    table = pq.ParquetFile(file, pre_buffer=False, buffer_size=_READ_AHEAD)
    columns = table.schema_arrow.names
    if "content" in columns:
        columns = [name for name in columns if name in ("content", "review_id")]
    rows = table_rows(table.iter_batches(BATCH, columns=columns))
    return rows, lambda number: number, table.metadata.num_rows
