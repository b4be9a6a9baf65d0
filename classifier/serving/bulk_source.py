"""The source of a bulk prediction, row by row: of any kind that can be predicted, and any size."""

import csv
import gzip
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from classifier.data.cleaning import Rejected
from classifier.data.readers import Row, csv_rows, jsonl_rows, table_rows
from classifier.errors import ClassifierError

BATCH = 256
"""How many rows are read, predicted and put on the disk at a time: the most that a kill loses."""

_READ_AHEAD = 2**20  # bytes of a parquet's column; without it, a whole row group
_FAULTS = (OSError, EOFError, zlib.error, pa.ArrowException, csv.Error, UnicodeError)


class UnreadableError(Exception):
    """The source can't be read any further; the message says why."""


@dataclass(frozen=True)
class OpenedSource:
    """A source's rows, to be read once, and how far through it they are."""

    rows: Iterator[Row | Rejected]
    done: Callable[[int], int]  # from a row's number to how much of the source was read for it
    in_all: int


def _text_rows(file: BinaryIO) -> Iterator[Row | Rejected]:
    for number, line in enumerate(file, 1):
        try:
            content = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError:
            yield Rejected(number, "broken UTF-8")
        else:
            if content:
                yield number, {"content": content}


_LINE_READERS: dict[str, Callable[[BinaryIO], Iterator[Row | Rejected]]] = {
    ".jsonl": jsonl_rows,
    ".csv": csv_rows,
    ".txt": _text_rows,
}


def _extension(source: Path) -> str:
    return Path(source.name.lower().removesuffix(".gz")).suffix


def identity(source: Path) -> dict[str, Any]:
    """What tells a source from any other, and from itself before a change.

    Raises ClassifierError where there is no such file, or of no kind that can be read.
    """
    extensions = (*_LINE_READERS, ".parquet")
    if not source.is_file():
        raise ClassifierError(f"There is no file {source}.")
    if _extension(source) not in extensions:
        raise ClassifierError(f"{source} is not one of {', '.join(extensions)} (each also .gz).")
    state = source.stat()
    return {
        "source": str(source.resolve()),
        "source_bytes": state.st_size,
        "source_modified_ns": state.st_mtime_ns,
    }


def open_source(source: Path, scratch: Path, files: ExitStack) -> OpenedSource:
    """The rows of a source, to be read once while `files` are open.

    A zipped parquet is unzipped into the folder `scratch`: it is not read from front to back.
    Raises UnreadableError, as do the rows.
    """
    zipped = source.name.lower().endswith(".gz")
    with _explained():
        stored = files.enter_context(source.open("rb"))
        file: Any = files.enter_context(gzip.GzipFile(fileobj=stored)) if zipped else stored
        reader = _LINE_READERS.get(_extension(source))
        if reader is not None:
            size = source.stat().st_size
            return OpenedSource(_explained_rows(reader(file)), lambda _number: stored.tell(), size)
        if zipped:
            unzipped = files.enter_context(tempfile.TemporaryFile(dir=scratch))  # noqa: SIM115
            shutil.copyfileobj(file, unzipped)
            file = unzipped
        table = pq.ParquetFile(file, pre_buffer=False, buffer_size=_READ_AHEAD)
        columns = table.schema_arrow.names
        if "content" in columns:
            columns = [name for name in columns if name in ("content", "review_id")]
        rows = table_rows(table.iter_batches(BATCH, columns=columns))
        return OpenedSource(_explained_rows(rows), lambda number: number, table.metadata.num_rows)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except _FAULTS as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UnreadableError(why.partition("\n")[0]) from error


def _explained_rows(rows: Iterable[Row | Rejected]) -> Iterator[Row | Rejected]:
    with _explained():
        yield from rows


def batches(opened: OpenedSource) -> Iterator[tuple[list[Row | Rejected], int]]:
    """Rows, with how much of the source is read by then; those before a fault come out first.

    An interrupted call and the one that goes on from it have the same batches, because the last
    digits of a prediction depend on the reviews that are predicted with it.
    """
    batch: list[Row | Rejected] = []
    done = 0
    try:
        for row in opened.rows:
            batch.append(row)
            if len(batch) == BATCH:
                done = opened.done(row.row if isinstance(row, Rejected) else row[0])
                yield batch, done
                batch = []
    except UnreadableError:
        if batch:
            yield batch, done
        raise
    if batch:
        yield batch, opened.in_all


def check_columns(source: Path, rows: Iterable[Row | Rejected]) -> None:
    """Raise ClassifierError where these rows, the source's first, have no column `content`."""
    columns: dict[str, None] = {}  # a set that keeps their order
    for row in rows:
        if not isinstance(row, Rejected):
            columns.update(dict.fromkeys(row[1]))
    if columns and "content" not in columns:
        has = ", ".join(map(repr, columns))
        raise ClassifierError(f"{source} has no column content but {has:.300}.")
