"""What a file of predictions keeps of its input, in every form, and through pipes."""

import csv
import gzip
import io
import json
import os
import sys
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from classifier.data.schema import Schema
from classifier.errors import ClassifierError
from tests.classifier.serving.invented_predictions import expected, read, run

TEXTS = ["Хорошо, и весело", "Скучно", "Сойдёт"]
FAR = 400_000_000_000_000_000  # microseconds; Python knows no such year


def table() -> pa.Table:
    return pa.table(
        {
            "row": pa.array([7, 8, 9], pa.int8()),
            "content": pa.array(TEXTS).dictionary_encode(),
            "day": pa.array([FAR, 0, None], pa.timestamp("us")),
            "price": pa.array([Decimal("1.50"), None, Decimal("-2.25")], pa.decimal128(5, 2)),
            "tags": pa.array([["a", None], [], None], pa.list_(pa.string())),
            "raw": pa.array([b"\xff\x00", b"", None], pa.binary()),
            "cls": pa.array([{"x": 1.5}, {"x": float("nan")}, None]),
        }
    )


def source(folder: Path, kind: str) -> Path:
    path = folder / f"in{kind}"
    if kind == ".parquet":
        pq.write_table(table(), path)
    elif kind == ".csv":
        path.write_text(
            "ид;content;row;цена\na;Хорошо, и весело;=1;-1,5\nb;Скучно;;\nc;Сойдёт;3;\n"
        )
    else:
        more: list[dict[str, Any]] = [{"row": 1, "n": 10**30}, {"n": 2, "x": [1]}, {"y": True}]
        rows = ({"content": text, **extra} for text, extra in zip(TEXTS, more, strict=True))
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("target", [".jsonl", ".csv", ".parquet"])
@pytest.mark.parametrize("zipped", ["", ".gz"])
@pytest.mark.parametrize("kind", [".jsonl", ".csv", ".parquet"])
def test_every_column_is_kept_in_every_form(
    tmp_path: Path, kind: str, target: str, zipped: str
) -> None:
    path, out = source(tmp_path, kind), tmp_path / f"out{target}{zipped}"
    result = run(path, out)
    content = gzip.decompress(out.read_bytes()) if zipped else out.read_bytes()
    if target == ".parquet":
        rows = pq.read_table(io.BytesIO(content)).drop_columns(["day"] * (kind == ".parquet"))
        lines = rows.to_pylist()
    elif target == ".csv":
        lines = list(csv.DictReader(io.StringIO(content.decode())))
    else:
        lines = [json.loads(line) for line in content.decode().splitlines()]
        assert b"NaN" not in content
    assert [line["content"] for line in lines] == TEXTS
    assert result.predicted == 3
    assert set(result.renamed) == {"row", *(["cls"] * (kind == ".parquet"))}
    for text, line in zip(TEXTS, lines, strict=True):
        cls = line["cls"] if target == ".jsonl" else {"sentiment": line["cls_sentiment"]}
        assert cls["sentiment"] == expected(text)["cls"]["sentiment"]
    names = {name for line in lines for name in line}
    kept = {".jsonl": {"n", "x", "y"}, ".csv": {"ид", "цена"}, ".parquet": {"price", "tags", "raw"}}
    assert kept[kind] | {"input_row", "row", "content"} <= names
    if kind == ".csv":
        assert [line["цена"] for line in lines] == ["-1,5", "", ""]
        assert [line["input_row"] for line in lines] == [
            "'=1" if target == ".csv" else "=1",
            "",
            "3",
        ]


def test_a_parquet_keeps_its_types(tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    run(source(tmp_path, ".parquet"), out)
    found, given = pq.read_table(out), table()
    for name in given.column_names:
        kept = f"input_{name}" if name in ("row", "cls") else name
        assert found.column(kept).type == given.column(name).type
        assert found.column(kept).cast(given.column(name).type).equals(given.column(name)) or (
            name == "cls"  # has a NaN, which equals nothing
        )


@pytest.mark.parametrize("kind", [".jsonl", ".csv", ".parquet"])
def test_a_pipe_is_read_and_written(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = source(tmp_path, kind).read_bytes()
    monkeypatch.chdir(tmp_path)
    for name, given in (("fifo", content), ("-", content), ("-", gzip.compress(content))):
        out = tmp_path / "out.jsonl"
        if name == "fifo":
            os.mkfifo(tmp_path / name)
            threading.Thread(target=(tmp_path / name).write_bytes, args=(given,)).start()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        run(Path(name), out)
        assert [line["content"] for line in read(out)] == TEXTS
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        run(Path("-"), Path("-"))
        assert capsys.readouterr().out == out.read_text()
        out.unlink()


def test_into_a_pipe_only_json_lines_can_be_written(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "out.csv")
    with pytest.raises(ClassifierError, match="is a pipe, into which only JSON lines"):
        run(source(tmp_path, ".csv"), tmp_path / "out.csv")


def test_the_text_may_be_in_a_column_of_another_name(tmp_path: Path) -> None:
    path, out = tmp_path / "in.csv", tmp_path / "out.jsonl"
    path.write_text("id,text\n1,Хорошо\n")
    with pytest.raises(ClassifierError, match=r"no column content but 'id', 'text': .*--columns"):
        run(path, out)
    predicted = run(path, out, schema=Schema("content=text"))
    assert predicted.predicted == 1
    assert read(out) == [{"row": 2, "id": "1", "text": "Хорошо", **expected("Хорошо")}]
