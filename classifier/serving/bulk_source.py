"""The rows of what is to be predicted, of any kind and size, in batches."""

import gzip
import io
import re
import secrets
import sys
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow.parquet as pq

from classifier.data.csv_rows import Row
from classifier.data.grades import Rejected
from classifier.data.parquet_rows import column_batches, on_disk, open_parquet, table_rows
from classifier.data.readers import (
    FAULTS,
    LINE_READERS,
    Reader,
    extension,
    text_rows,
    why_unreadable,
)
from classifier.data.text_lines import Peeked, text_lines
from classifier.errors import ClassifierError

Batch = list[Row | Rejected]

BATCH = 256
"""How many rows are read, predicted and put on the disk at a time: the most that a kill loses."""

STANDARD = Path("-")
"""Standard input or output, as a path."""

_READERS: dict[str, Reader] = {**LINE_READERS, ".txt": text_rows}
_KINDS = (*_READERS, ".parquet")


class UnreadableError(Exception):
    """The source can't be read any further; the message says why."""


def is_pipe(path: Path) -> bool:
    """Whether it is read or written once, from front to back."""
    return path == STANDARD or path.is_fifo() or path.is_char_device() or path.is_socket()


def identity(source: Path) -> dict[str, Any]:
    """What identifies a source and its present state; a pipe is another one every time.

    Raises ClassifierError where there is no such file, or of no kind that can be read.
    """
    if is_pipe(source):
        return {"source": str(source), "once": secrets.token_hex(8)}
    if not source.is_file():
        raise ClassifierError(f"There is no file {source}.")
    if extension(source) not in _KINDS:
        raise ClassifierError(f"{source} is not one of {', '.join(_KINDS)} (each also .gz).")
    state = source.stat()
    return {
        "source": str(source.resolve()),
        "source_bytes": state.st_size,
        "source_modified_ns": state.st_mtime_ns,
    }


@dataclass(frozen=True)
class Source:
    """An open source."""

    rows: Iterator[Row | Rejected]
    read_until: Callable[[int], int]
    """How much is read at the row of a number: bytes as stored, or rows of a parquet."""
    size: int | None  # in the same unit; of a pipe nobody knows
    table: pq.ParquetFile | None

    def batches(self) -> Generator[tuple[Batch, int, int | None], None, None]:
        """The rows, `BATCH` at a time, with how much of the source is read by then, and its size.

        An interrupted call and the one that continues it have the same batches, because the last
        digits of a prediction depend on the reviews that are predicted with it. Raises
        UnreadableError, after the rows before the fault.
        """
        batch: Batch = []
        done = 0
        try:
            for row in self.rows:
                batch.append(row)
                if len(batch) == BATCH:
                    done = self.read_until(row.row if isinstance(row, Rejected) else row[0])
                    yield batch, done, self.size
                    batch = []
        except FAULTS as error:
            if batch:
                yield batch, done, self.size
            raise UnreadableError(why_unreadable(error)) from error
        if batch:
            yield batch, done if self.size is None else self.size, self.size


@contextmanager
def open_source(
    path: Path, content: str, wanted: Collection[str], scratch: Path
) -> Iterator[Source]:
    """The source at `path`, whose texts are in the column `content`.

    A parquet is read for the columns `wanted`, or for all if that is empty; one that can't be
    read back and forth is copied into the folder `scratch`. Raises UnreadableError.
    """
    with ExitStack() as files:
        try:
            source = _opened(path, content, wanted, scratch, files)
        except FAULTS as error:
            raise UnreadableError(why_unreadable(error)) from error
        yield source


def _opened(
    path: Path, content: str, wanted: Collection[str], scratch: Path, files: ExitStack
) -> Source:
    pipe = is_pipe(path)
    if path == STANDARD and sys.stdin is None:
        raise UnreadableError("standard input is closed")
    stored = sys.stdin.buffer if path == STANDARD else files.enter_context(path.open("rb"))
    stream, kind, zipped = stored, extension(path), path.name.lower().endswith(".gz")
    if pipe:
        peeked = Peeked(stored)
        zipped = peeked.head.startswith(b"\x1f\x8b")
        stream = io.BufferedReader(peeked)
    if zipped:
        stream = files.enter_context(cast(io.BufferedReader, gzip.GzipFile(fileobj=stream)))
    if pipe and kind not in _KINDS:
        peeked = Peeked(stream)
        kind = _kind_of(peeked.head, content)
        stream = io.BufferedReader(peeked)
    if kind != ".parquet":
        size = None if pipe else path.stat().st_size
        rows = _READERS[kind](stream, [content])
        return Source(rows, lambda _: 0 if pipe else stored.tell(), size, None)
    whole: BinaryIO = files.enter_context(on_disk(stream, scratch)) if pipe or zipped else stream
    table = open_parquet(whole)
    rows = table_rows(column_batches(table, wanted, BATCH))
    return Source(rows, lambda number: number, table.metadata.num_rows, table)


def _kind_of(head: bytes, content: str) -> str:
    """What a pipe without an extension holds, by how it begins."""
    if head.startswith(b"PAR1"):
        return ".parquet"
    first = next((line for line in text_lines(io.BytesIO(head)) if line.strip()), "")
    if first.lstrip().startswith("{"):
        return ".jsonl"
    names = [name.strip(' "\r\n') for name in re.split(r"[,;\t|]", first)]
    return ".csv" if content in names or first.startswith("sep=") else ".txt"
