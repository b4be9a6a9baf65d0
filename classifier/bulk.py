"""Predictions for a file of any size, written to a file: streamed, resumable, in flat memory.

    out.jsonl.partial        the rows predicted so far
    out.jsonl.partial.json   of which source and model version, and how many are on the disk
    out.jsonl                what the first becomes after the last row

A kill at any moment costs the batch under way; the same call again goes on after the last one.
"""

import csv
import fcntl
import glob
import gzip
import io
import json
import logging
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from classifier.atomic import explain_full_disk, fsync, write_json
from classifier.cleaning import Rejected, parse_review
from classifier.errors import ClassifierError
from classifier.review_files import Row, csv_rows, jsonl_rows, table_rows

if TYPE_CHECKING:  # these import torch, which takes seconds, and nothing here needs it
    from classifier.pooling import Pooling
    from classifier.predictor import Prediction

    Predict = Callable[[list[str]], Sequence[Mapping[Pooling, Prediction]]]

BATCH = 256
"""How many rows are read, predicted and put on the disk at a time: the most that a kill loses."""

_DIGITS = 4  # of a probability
_READ_AHEAD = 2**20  # bytes of a parquet's column; without it, a whole row group
_FAULTS = (OSError, EOFError, zlib.error, pa.ArrowException, csv.Error, UnicodeError)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BulkResult:
    """What became of the rows of a source."""

    predicted: int  # by this call
    resumed: int  # found in the partial file of an interrupted call, the rejected among them
    rejected: int  # those with an error in place of predictions, whichever call met them


def predict_file(
    predict: "Predict",
    source: Path,
    target: Path,
    *,
    version: str,
    on_progress: Callable[[int, int], None],
) -> BulkResult:
    """Predict every review of `source` into `target`, going on where an interrupted call stopped.

    `source` is .jsonl, .csv or .parquet with a column `content` (and maybe `review_id`; others
    are passed over), or .txt with a review a line; each also .gz. `target` is .jsonl or .csv. It
    gets a row for each row of the source, in their order: with the predictions of both models,
    or with an `error` that says why there are none. `version` names the models.
    `on_progress(done, in_all)` is called after each batch with bytes of the source as stored, or
    with rows where that is a parquet.

    Where the source has changed since the interrupted call, or the version is another, what that
    call left is thrown away, with a warning in the log.

    Raises ClassifierError where `target` exists, where `source` can't be read to its end, has no
    row or no column `content`, and where the disk is full. Rows predicted by then stay in the
    partial file, and the next call goes on from there.
    """
    job = {**_identity(source), "version": version}
    header, as_text = _form_of(target)
    with explain_full_disk(target), _Partial.open(target, job, header) as partial:
        resumed, rejected, seen = partial.rows, partial.rejected, 0
        try:
            with ExitStack() as files:
                opened = _open(source, target.parent, files)
                for batch, done in _batches(opened):
                    if not seen:
                        _check_columns(source, batch)
                    lines = _predicted(batch[max(0, resumed - seen) :], predict)
                    if lines:
                        partial.append(as_text(lines), len(lines), sum("error" in x for x in lines))
                    seen += len(batch)
                    on_progress(done, opened.in_all)
        except _UnreadableError as fault:
            kept = f"; the {partial.rows} rows before that are kept in {partial.path}"
            raise ClassifierError(
                f"{source} can't be read any further: {fault}{kept * bool(partial.rows)}."
            ) from fault
        if not partial.rows:
            raise ClassifierError(f"{source} is empty: it has no rows.")
        partial.finish()
    predicted = partial.rows - resumed - (partial.rejected - rejected)
    return BulkResult(predicted, resumed, partial.rejected)


# The source, row by row.


class _UnreadableError(Exception):
    """The source can't be read any further; the message says why."""


@dataclass(frozen=True)
class _Opened:
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


def _identity(source: Path) -> dict[str, Any]:
    """What tells a source from any other, and from itself before a change."""
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


def _open(source: Path, scratch: Path, files: ExitStack) -> _Opened:
    """The rows of a source, to be read once while `files` are open.

    A zipped parquet is unzipped into the folder `scratch`: it is not read from front to back.
    """
    zipped = source.name.lower().endswith(".gz")
    with _explained():
        stored = files.enter_context(source.open("rb"))
        file: Any = files.enter_context(gzip.GzipFile(fileobj=stored)) if zipped else stored
        reader = _LINE_READERS.get(_extension(source))
        if reader is not None:
            size = source.stat().st_size
            return _Opened(_explained_rows(reader(file)), lambda _number: stored.tell(), size)
        if zipped:
            unzipped = files.enter_context(tempfile.TemporaryFile(dir=scratch))  # noqa: SIM115
            shutil.copyfileobj(file, unzipped)
            file = unzipped
        table = pq.ParquetFile(file, pre_buffer=False, buffer_size=_READ_AHEAD)
        columns = table.schema_arrow.names
        if "content" in columns:
            columns = [name for name in columns if name in ("content", "review_id")]
        rows = table_rows(table.iter_batches(BATCH, columns=columns))
        return _Opened(_explained_rows(rows), lambda number: number, table.metadata.num_rows)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except _FAULTS as error:
        why = getattr(error, "strerror", None) or str(error)
        raise _UnreadableError(why.partition("\n")[0]) from error


def _explained_rows(rows: Iterable[Row | Rejected]) -> Iterator[Row | Rejected]:
    with _explained():
        yield from rows


def _batches(opened: _Opened) -> Iterator[tuple[list[Row | Rejected], int]]:
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
    except _UnreadableError:
        if batch:
            yield batch, done
        raise
    if batch:
        yield batch, opened.in_all


def _check_columns(source: Path, rows: Iterable[Row | Rejected]) -> None:
    columns: dict[str, None] = {}  # a set that keeps their order
    for row in rows:
        if not isinstance(row, Rejected):
            columns.update(dict.fromkeys(row[1]))
    if columns and "content" not in columns:
        has = ", ".join(map(repr, columns))
        raise ClassifierError(f"{source} has no column content but {has:.300}.")


# From rows of the source to rows of the target.


def _predicted(rows: Sequence[Row | Rejected], predict: "Predict") -> list[dict[str, Any]]:
    lines, contents = [], []
    for row in rows:
        line, content = _begun(row)
        lines.append(line)
        if content is not None:
            contents.append(content)
    sound = [line for line in lines if "error" not in line]
    answers = predict(contents) if contents else []
    for line, answer in zip(sound, answers, strict=True):
        line.update({pooling: _shown(prediction) for pooling, prediction in answer.items()})
    return lines


def _begun(row: Row | Rejected) -> tuple[dict[str, Any], str | None]:
    """A row of the target before its predictions, and the review to be predicted, if it is one."""
    if isinstance(row, Rejected):
        return {"row": row.row, "review_id": None, "error": row.reason}, None
    number, values = row
    review_id = values.get("review_id")
    line = {"row": number, "review_id": None if review_id is None else str(review_id)}
    # The grade is a stand-in: parse_review insists on one, and nobody looks at it.
    checked = {"content": values.get("content"), "review_id": review_id, "grade10": 0}
    try:
        return line, parse_review(number, checked).content
    except ValueError as error:
        return {**line, "error": str(error)}, None


def _shown(prediction: "Prediction") -> dict[str, Any]:
    sure = prediction.rating_confidence
    return {
        "sentiment": prediction.sentiment,
        "confidence": round(prediction.confidence, _DIGITS),
        "rating": prediction.rating,
        "rating_confidence": None if sure is None else round(sure, _DIGITS),
    }


_CSV_COLUMNS = [
    *("row", "review_id"),
    *("cls_sentiment", "cls_confidence", "cls_rating", "cls_rating_confidence"),
    *("mean_sentiment", "mean_confidence", "mean_rating", "mean_rating_confidence"),
    "error",
]


def _jsonl(lines: Iterable[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def _csv(lines: Iterable[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, _CSV_COLUMNS, lineterminator="\n")
    for line in lines:
        cells: dict[str, Any] = {}
        for name, value in line.items():
            if isinstance(value, dict):
                cells.update({f"{name}_{figure}": cell for figure, cell in value.items()})
            else:
                cells[name] = _harmless(value)
        writer.writerow(cells)
    return text.getvalue()


def _harmless(cell: object) -> object:
    """A spreadsheet would run a cell that begins like a formula (CWE-1236): quote it."""
    runs = isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{cell}" if runs else cell


def _form_of(target: Path) -> tuple[str, Callable[[Iterable[Mapping[str, Any]]], str]]:
    """The target's first line, and what turns rows into text."""
    forms = {".jsonl": ("", _jsonl), ".csv": (",".join(_CSV_COLUMNS) + "\n", _csv)}
    if target.suffix.lower() not in forms:
        raise ClassifierError(f"{target} is not one of {', '.join(forms)}.")
    return forms[target.suffix.lower()]


# The target while it grows.


class _Partial:
    """The rows predicted so far, and a note of how many of them are surely on the disk.

    Rows are on the disk before the note counts them, so whatever follows the counted ones, half a
    row perhaps, is what a kill interrupted.
    """

    def __init__(self, target: Path, job: dict[str, Any]) -> None:
        self.target = target
        self.path = target.with_name(f"{target.name}.partial")
        self.note = target.with_name(f"{target.name}.partial.json")
        self.job = job
        self.rows = self.rejected = 0
        self._refuse_to_overwrite()
        with self._explained():
            self.file = self.path.open("ab")

    @classmethod
    @contextmanager
    def open(cls, target: Path, job: dict[str, Any], header: str) -> Iterator["_Partial"]:
        """Locked while it is open, and kept afterwards if it has rows."""
        partial = cls(target, job)
        with partial.file:
            try:
                fcntl.flock(partial.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ClassifierError(f"Another process is writing {partial.path}.") from None
            try:
                partial._refuse_to_overwrite()  # another process may have finished it since
                with partial._explained():
                    partial._resume(header)
                yield partial
            finally:
                if not partial.rows:
                    partial.path.unlink(missing_ok=True)

    def append(self, text: str, rows: int, rejected: int) -> None:
        """Add whole rows; when it returns they are on the disk."""
        with self._explained():
            self.file.write(text.encode("utf-8", "replace"))
            self.file.flush()
            os.fsync(self.file.fileno())
        self.rows += rows
        self.rejected += rejected
        counts = {"rows": self.rows, "rejected": self.rejected, "bytes": self.file.tell()}
        write_json(self.note, {**self.job, **counts})

    def finish(self) -> None:
        """Make it the target."""
        with self._explained():
            self.path.replace(self.target)
            fsync(self.target.parent)
            self.note.unlink()

    def _refuse_to_overwrite(self) -> None:
        if not self.target.exists():
            return
        if not self.path.exists():  # a kill between the last two steps of finish left the note
            self.note.unlink(missing_ok=True)
        raise ClassifierError(f"{self.target} exists already; remove it or name another file.")

    def _resume(self, header: str) -> None:
        for leftover in self.note.parent.glob(f".{glob.escape(self.note.name)}.*.tmp"):
            leftover.unlink()  # of a kill while the note was written
        note = json.loads(self.note.read_bytes()) if self.note.exists() else {}
        if self.job.items() <= note.items() and note["bytes"] <= self.path.stat().st_size:
            self.rows, self.rejected = note["rows"], note["rejected"]
            self.file.truncate(note["bytes"])
            self.file.seek(0, os.SEEK_END)
            return
        if note:
            _log.warning("%s is of another version or source: starting anew.", self.path)
        self.note.unlink(missing_ok=True)  # first, lest it count rows of the new job as its own
        self.file.truncate(0)
        self.file.seek(0)
        self.file.write(header.encode())

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ClassifierError(f"{self.path} can't be written: {error.strerror}.") from error
