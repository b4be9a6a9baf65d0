"""Predicted rows as what is asked for: JSON lines, CSV or parquet, each also gzipped.

Rows are staged as JSON lines, one object a row: the columns of the input and ours. What the
columns of all rows are, and of which types, is only known at the end: then they are turned into
the target.
"""

import csv
import gzip
import io
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from classifier.data.readers import extension
from classifier.data.text_lines import is_broken
from classifier.errors import ClassifierError
from classifier.files import spreadsheet_cell

KINDS = (".jsonl", ".csv", ".parquet")

_AT_ONCE = 1024  # rows
_FIGURES: dict[str, pa.DataType] = {
    "sentiment": pa.string(),
    "confidence": pa.float64(),
    "rating": pa.int64(),
    "rating_confidence": pa.float64(),
}
_PREDICTED: dict[str, pa.DataType] = {
    f"{pooling}_{figure}": kind for pooling in ("cls", "mean") for figure, kind in _FIGURES.items()
}
_OURS = {"row": pa.int64(), **_PREDICTED, "error": pa.string()}
_TAKEN = re.compile(rf"(?:input_)*(?:cls|mean|{'|'.join(_OURS)})")
_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?")


def check_target(target: Path, *, pipe: bool) -> None:
    """Raise ClassifierError for a target of no kind that can be written."""
    if pipe and extension(target) in ("", ".jsonl"):
        return
    if pipe:
        raise ClassifierError(f"{target} is a pipe, into which only JSON lines can be written.")
    if extension(target) not in KINDS:
        raise ClassifierError(f"{target} is not one of {', '.join(KINDS)} (each also .gz).")


def kept_name(column: str) -> str:
    """What a column of the input is called among ours: one that has our name gets `input_`."""
    return f"input_{column}" if _TAKEN.fullmatch(column) else column


def json_line(row: Mapping[str, Any]) -> str:
    """A staged row. What JSON does not have is null (NaN) or text (times, bytes)."""
    line = json.dumps(_plain(row), ensure_ascii=False, default=str)
    return (json.dumps(_plain(row), default=str) if is_broken(line) else line) + "\n"


def write_target(staged: Path, table: pq.ParquetFile | None, target: Path, to: Path) -> None:
    """Write the staged rows to `to`, in the form that the name of `target` says.

    The columns of a parquet, `table`, are copied to a parquet as they are, with their types; the
    staged rows need not have them.
    """
    zipped = target.name.lower().endswith(".gz")
    with to.open("wb") as stored:
        file = gzip.GzipFile("", "wb", fileobj=stored, mtime=0) if zipped else stored
        with cast(BinaryIO, file):
            if extension(target) == ".csv":
                _write_csv(staged, cast(BinaryIO, file))
            elif extension(target) == ".parquet":
                batches = _batches(staged) if table is None else _widened(staged, table)
                _write_parquet(batches, cast(BinaryIO, file))
            else:
                with staged.open("rb") as lines:
                    shutil.copyfileobj(lines, file)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _rows(staged: Path) -> Iterator[dict[str, Any]]:
    """The staged rows with our columns flat: `cls_sentiment` and so on."""
    with staged.open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            flat: dict[str, Any] = {}
            for name, value in json.loads(line).items():
                if name in ("cls", "mean"):
                    flat |= {f"{name}_{figure}": cell for figure, cell in value.items()}
                else:
                    flat[name] = value
            yield flat


def _types(staged: Path) -> dict[str, pa.DataType]:
    """All columns, the input's between the row and our predictions, with a type for each."""
    kinds: dict[str, set[type]] = {}
    for row in _rows(staged):
        for name in row.keys() - _OURS.keys():
            kinds.setdefault(name, set())
        for name, value in row.items():
            if name not in _OURS:
                wide = isinstance(value, int) and not -(2**63) <= value < 2**63
                kinds[name].add(str if wide else type(value))
    columns = {name: _type(found - {type(None)}) for name, found in kinds.items()}
    return {"row": pa.int64(), **columns, **_PREDICTED, "error": pa.string()}


def _type(kinds: set[type]) -> pa.DataType:
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {int}:
        return pa.int64()
    return pa.float64() if kinds and kinds <= {int, float} else pa.string()


def _written(value: Any) -> str | None:
    """A value as text; what is nested as JSON."""
    if value is None or isinstance(value, str):
        return None if value is None else value.encode("utf-8", "replace").decode()
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()


def _write_csv(staged: Path, file: BinaryIO) -> None:
    """With nothing that runs as a formula in a spreadsheet."""
    text = io.TextIOWrapper(file, "utf-8", newline="")
    writer = csv.DictWriter(text, list(_types(staged)), lineterminator="\n")
    writer.writeheader()
    for row in _rows(staged):
        writer.writerow({name: _cell(value) for name, value in row.items()})
    text.flush()
    text.detach()


def _cell(value: Any) -> object:
    if isinstance(value, bool | dict | list | str):
        text = _written(value) or ""
        return text if _NUMBER.fullmatch(text) else spreadsheet_cell(text)
    return value


def _batches(staged: Path) -> Iterator[pa.RecordBatch]:
    schema = pa.schema(list(_types(staged).items()))
    rows = _rows(staged)
    while some := list(islice(rows, _AT_ONCE)):
        columns = [_array([row.get(field.name) for row in some], field.type) for field in schema]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _widened(staged: Path, table: pq.ParquetFile) -> Iterator[pa.RecordBatch]:
    """The table's columns as they are, and ours."""
    rows = _rows(staged)
    for batch in table.iter_batches(_AT_ONCE):
        some = list(islice(rows, len(batch)))
        ours = {name: _array([row.get(name) for row in some], kind) for name, kind in _OURS.items()}
        fields = [field.with_name(kept_name(field.name)) for field in batch.schema]
        predicted = [pa.field(name, kind) for name, kind in _OURS.items() if name != "row"]
        yield pa.RecordBatch.from_arrays(
            [ours.pop("row"), *batch.columns, *ours.values()],
            schema=pa.schema([pa.field("row", pa.int64()), *fields, *predicted]),
        )


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    if kind == pa.string():
        values = [_written(value) for value in values]
    return pa.array(values, kind)


def _write_parquet(batches: Iterator[pa.RecordBatch], file: BinaryIO) -> None:
    first = next(batches)
    with pq.ParquetWriter(file, first.schema) as writer:
        writer.write_batch(first)
        for batch in batches:
            writer.write_batch(batch)
