"""Files predicted to files, also of a size that memory must not follow.

Run as a script, this file is the child process that measures the memory.
"""

import csv
import fcntl
import gzip
import io
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from classifier.errors import ClassifierError
from classifier.serving.bulk import BulkResult
from classifier.serving.bulk_source import BATCH
from tests.classifier.serving.invented_predictions import (
    Progress,
    expected,
    fake_predict,
    jsonl,
    names,
    read,
    reviews,
    run,
)

MANY = 200_000
GROWTH_MB = 16  # that memory may grow by on a file ten times as long


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


# Rows in, rows out


def test_every_row_is_answered_in_its_place(tmp_path: Path, target: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_bytes(
        b"\xef\xbb\xbf"
        + '{"review_id": "a", "content": "Отличный фильм", "grade10": 99}\n'.encode()
        + b"\n"
        + '{"content": "Скука, 3 из 10"}\n'.encode()
        + b'{"content": \n'
        + b'{"review_id": 7, "content": "   "}\n'
        + b'{"review_id": "b", "content": 5}\n'
        + b'{"content": "\xff\xfe"}\n'
        + b'{"content": "\\ud800 abc"}\n'
        + b"[1]\n"
        + b'{"content": "12345 !"}\n'
        + '{"content": "Сойдёт"}'.encode()
    )
    assert run(source, target) == BulkResult(predicted=3, resumed=0, rejected=7)
    lines = read(target)
    assert [line["row"] for line in lines] == [1, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    text = "Отличный фильм"
    kept = {"row": 1, "review_id": "a", "content": text, "grade10": 99}
    assert lines[0] == kept | expected(text)
    assert list(lines[0]) == ["row", "review_id", "content", "grade10", "cls", "mean"]
    text = "Скука, 3 из 10"
    assert lines[1] == {"row": 3, "content": text, **expected(text)}
    assert lines[-1] == {"row": 11, "content": "Сойдёт", **expected("Сойдёт")}
    errors = [line["error"] for line in lines[2:-1]]
    assert errors[0].startswith("invalid JSON")
    assert errors[1:] == [
        "empty content",
        "content is not text but int",
        "broken UTF-8",
        "broken UTF-8",
        "not a JSON object but list",
        "content without letters",
    ]
    assert [line["review_id"] for line in lines[3:5]] == [7, "b"]
    assert names(tmp_path) == ["in.jsonl", "out.jsonl"]


def test_the_predictors_own_predictions_fit(tmp_path: Path, target: Path) -> None:
    from classifier.serving.predictor import Prediction

    def predict(texts: list[str]) -> list[Any]:
        probabilities = (0.1, 0.2, 0.7)
        rated = ("v1", 1.5, 100)
        return [
            {
                "cls": Prediction("cls", "Good", probabilities, 8, (0.1,) * 11, 0.123456, *rated),
                "mean": Prediction("mean", "Good", probabilities, None, None, None, *rated),
            }
            for _ in texts
        ]

    run(jsonl(tmp_path / "in.jsonl", 1), target, predict)
    both = {"sentiment": "Good", "confidence": 0.7}
    cls = {**both, "rating": 8, "rating_confidence": 0.1235}
    mean = {**both, "rating": None, "rating_confidence": None}
    [line] = read(target)
    assert (line["review_id"], line["cls"], line["mean"]) == ("r1", cls, mean)


def csv_bytes(texts: list[str]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["grade3", "content", "review_id"])
    writer.writerows(["Good", text, f"r{number}"] for number, text in enumerate(texts, 1))
    return text.getvalue().encode()


def parquet_bytes(texts: list[str]) -> bytes:
    ids = [f"r{number}" for number in range(1, len(texts) + 1)]
    table = pa.table({"grade10": [1.0] * len(texts), "content": texts, "review_id": ids})
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=100)
    return sink.getvalue()


def text_bytes(texts: list[str]) -> bytes:
    return "\n".join(texts).encode()


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("extension", [".jsonl", ".csv", ".parquet", ".txt"])
def test_every_format_says_the_same(
    tmp_path: Path, target: Path, extension: str, zipped: bool
) -> None:
    texts = reviews(2 * BATCH + 3)
    if extension == ".jsonl":
        content = jsonl(tmp_path / "in.jsonl", len(texts)).read_bytes()
    else:
        formats = {".csv": csv_bytes, ".parquet": parquet_bytes, ".txt": text_bytes}
        content = formats[extension](texts)
    source = tmp_path / f"Reviews{extension.upper()}{'.gz' * zipped}"
    source.write_bytes(gzip.compress(content) if zipped else content)
    progress: Progress = []
    result = run(source, target, progress=progress)
    assert result == BulkResult(predicted=len(texts), resumed=0, rejected=0)
    lines = read(target)
    assert [line.get("review_id") for line in lines] == [
        None if extension == ".txt" else f"r{number}" for number in range(1, len(texts) + 1)
    ]
    assert [line["cls"] for line in lines] == [expected(text)["cls"] for text in texts]
    first = 2 if extension == ".csv" else 1  # a csv's first line is its header
    assert [line["row"] for line in lines] == list(range(first, len(texts) + first))

    in_all = len(texts) if extension == ".parquet" else source.stat().st_size
    assert len(progress) == 3
    assert progress == sorted(progress)
    assert progress[-1] == (in_all, in_all)
    assert all(0 < done <= in_all for done, _ in progress)


def test_progress_follows_the_bytes_read(tmp_path: Path, target: Path) -> None:
    noise = random.Random(0)
    lines = ({"content": f"а{noise.randbytes(200).hex()}"} for _ in range(20 * BATCH))
    source = tmp_path / "in.jsonl.gz"
    source.write_bytes(gzip.compress("".join(json.dumps(x) + "\n" for x in lines).encode(), 1))
    progress: Progress = []
    run(source, target, progress=progress)
    for batch, (done, in_all) in enumerate(progress, 1):
        assert in_all is not None
        assert done / in_all == pytest.approx(batch / 20, abs=0.15)


def test_a_text_file_keeps_its_line_numbers(tmp_path: Path, target: Path) -> None:
    source = tmp_path / "in.txt"
    source.write_bytes("\ufeffПервый\r\n\r\n  Третий \n".encode() + b"\xff\n" + "Пятый".encode())
    assert run(source, target) == BulkResult(predicted=3, resumed=0, rejected=1)
    assert read(target) == [
        {"row": 1, "content": "Первый", **expected("Первый")},
        {"row": 3, "content": "Третий", **expected("Третий")},
        {"row": 4, "content": "\udcff", "error": "broken UTF-8"},
        {"row": 5, "content": "Пятый", **expected("Пятый")},
    ]


def test_a_csv_is_flat_and_runs_nothing_in_a_spreadsheet(tmp_path: Path) -> None:
    ids = ["=1+1", "+7", "-5", "@me", 'a,\n"b', "plain=", None]
    source, target = tmp_path / "in.jsonl", tmp_path / "out.csv"
    rows = [{"review_id": name, "content": "Хорошо"} for name in ids] + [{"content": None}]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    run(source, target)
    with target.open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert [row["review_id"] for row in table] == [
        *("'=1+1", "+7", "-5", "'@me", 'a,\n"b', "plain=", "", ""),
    ]
    cls = expected("Хорошо")["cls"]
    assert table[0] == {
        "row": "1",
        "review_id": "'=1+1",
        "content": "Хорошо",
        "cls_sentiment": cls["sentiment"],
        "cls_confidence": str(cls["confidence"]),
        "cls_rating": str(cls["rating"]),
        "cls_rating_confidence": "0.25",
        "mean_sentiment": "Good",
        "mean_confidence": str(expected("Хорошо")["mean"]["confidence"]),
        "mean_rating": "",
        "mean_rating_confidence": "",
        "error": "",
    }
    assert {name: cell for name, cell in table[-1].items() if cell} == {
        "row": "8",
        "error": "empty content",
    }


# Going on


class StopNowError(Exception):
    pass


def interrupted_after(batches: int) -> Callable[[list[str]], Sequence[Any]]:
    calls = count()

    def predict(texts: list[str]) -> Sequence[Any]:
        if next(calls) == batches:
            raise StopNowError
        return fake_predict(texts)

    return predict


@pytest.mark.parametrize("extension", [".jsonl", ".csv", ".parquet", ".csv.gz", ".jsonl.gz"])
def test_an_interrupted_call_is_gone_on_with(tmp_path: Path, extension: str) -> None:
    source = jsonl(tmp_path / "in.jsonl", 5 * BATCH + 9)
    with source.open("a") as file:
        file.write("{}\n")
    whole, target = tmp_path / f"whole{extension}", tmp_path / f"out{extension}"
    run(source, whole)
    with pytest.raises(StopNowError):
        run(source, target, interrupted_after(3))
    assert not target.exists()
    partial = tmp_path / f"out{extension}.partial"
    if extension == ".jsonl":
        assert whole.read_bytes().startswith(partial.read_bytes())
    with partial.open("a") as file:
        file.write('{"row": 769, "revi')  # as a kill leaves it

    asked: list[list[str]] = []

    def predict(texts: list[str]) -> Sequence[Any]:
        asked.append(texts)
        return fake_predict(texts)

    result = run(source, target, predict)
    assert result == BulkResult(predicted=2 * BATCH + 9, resumed=3 * BATCH, rejected=1)
    rest = reviews(5 * BATCH + 9)[3 * BATCH :]
    assert asked == [rest[:BATCH], rest[BATCH : 2 * BATCH], rest[2 * BATCH :]]
    assert target.read_bytes() == whole.read_bytes()
    assert names(tmp_path) == sorted(["in.jsonl", target.name, whole.name])


def test_rejected_rows_are_counted_across_calls(tmp_path: Path, target: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"content": "Да"}\n{"content": ""}\n' * BATCH)
    with pytest.raises(StopNowError):
        run(source, target, interrupted_after(1))
    assert run(source, target) == BulkResult(BATCH // 2, resumed=BATCH, rejected=BATCH)


@pytest.mark.parametrize("change", ["version", "content", "time", "other file"])
def test_another_job_starts_anew_and_says_so(
    tmp_path: Path, target: Path, change: str, caplog: pytest.LogCaptureFixture
) -> None:
    source = jsonl(tmp_path / "in.jsonl", 3 * BATCH)
    with pytest.raises(StopNowError):
        run(source, target, interrupted_after(2))
    version = "v1"
    if change == "version":
        version = "v2"
    elif change == "content":
        jsonl(source, 3 * BATCH - 1)
    elif change == "time":
        os.utime(source, ns=(0, 0))
    else:
        source = Path(shutil.copy2(source, tmp_path / "other.jsonl"))
    assert caplog.messages == []
    assert run(source, target, version=version).resumed == 0
    assert caplog.messages == [f"{target}.partial is of another version or source: starting anew."]
    assert [line["row"] for line in read(target)] == list(range(1, len(read(source)) + 1))


def test_rows_of_another_version_are_never_taken_for_ones_own(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, whole = jsonl(tmp_path / "in.jsonl", 3 * BATCH), tmp_path / "whole.jsonl"
    run(source, whole)
    with pytest.raises(StopNowError):
        run(source, target, interrupted_after(1))
    calls, real = count(), os.fsync

    def fsync(descriptor: int) -> None:
        if next(calls) == 1:  # its rows are on the disk, and the note of them is next
            raise StopNowError
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(StopNowError):
        run(source, target, lambda texts: fake_predict(texts[::-1]), version="v2")
    monkeypatch.undo()
    run(source, target)
    assert target.read_bytes() == whole.read_bytes()


def test_a_partial_shorter_than_noted_is_not_trusted(tmp_path: Path, target: Path) -> None:
    source = jsonl(tmp_path / "in.jsonl", 3 * BATCH)
    with pytest.raises(StopNowError):
        run(source, target, interrupted_after(2))
    os.truncate(tmp_path / "out.jsonl.partial", 1000)
    assert run(source, target).resumed == 0
    assert len(read(target)) == 3 * BATCH


def test_a_finished_target_is_not_overwritten(tmp_path: Path, target: Path) -> None:
    source = jsonl(tmp_path / "in.jsonl", 3)
    run(source, target)
    before = target.read_bytes()
    with pytest.raises(ClassifierError, match=r"out\.jsonl exists already; remove it"):
        run(source, target)
    assert target.read_bytes() == before
    assert names(tmp_path) == ["in.jsonl", "out.jsonl"]


def test_two_processes_do_not_write_one_target(tmp_path: Path, target: Path) -> None:
    source = jsonl(tmp_path / "in.jsonl", 2 * BATCH)
    with pytest.raises(StopNowError):
        run(source, target, interrupted_after(1))
    partial = tmp_path / "out.jsonl.partial"
    before = partial.read_bytes()
    with partial.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(ClassifierError, match="Another process is writing"):
            run(source, target)
    assert partial.read_bytes() == before
    assert run(source, target).resumed == BATCH


# Faults


def cut(content: bytes) -> bytes:
    return content[: len(content) * 2 // 3]


def cut_gzip(content: bytes) -> bytes:
    return cut(gzip.compress(content))


def damaged_gzip(content: bytes) -> bytes:
    header = gzip.compress(b"")[:10]
    return gzip.compress(cut(content)) + header + b"\x07"  # deflate has no block of type 3


@pytest.mark.parametrize("extension", [".jsonl", ".csv", ".txt"])
@pytest.mark.parametrize(
    ("zipped", "why"), [(cut_gzip, "ended before"), (damaged_gzip, "block type")]
)
def test_rows_before_a_fault_are_kept(
    tmp_path: Path, target: Path, extension: str, zipped: Callable[[bytes], bytes], why: str
) -> None:
    noise = random.Random(0)
    texts = [f"а{noise.randbytes(50).hex()}" for _ in range(5 * BATCH)]
    writers = {".csv": csv_bytes, ".txt": text_bytes}
    if extension == ".jsonl":
        content = "".join(json.dumps({"content": text}) + "\n" for text in texts).encode()
    else:
        content = writers[extension](texts)
    source = tmp_path / f"in{extension}.gz"
    source.write_bytes(zipped(content))
    for attempt in range(2):  # the second goes on from the rows kept, to the same fault
        with pytest.raises(ClassifierError, match=why) as raised:
            run(source, target)
        kept = read(tmp_path / "out.jsonl.partial")
        assert str(source) in str(raised.value)
        assert f"; the {len(kept)} rows before that are kept in {target}.partial." in str(
            raised.value
        ), attempt
        assert 2 * BATCH < len(kept) < 4 * BATCH
        assert [line["cls"] for line in kept] == [expected(x)["cls"] for x in texts[: len(kept)]]
    assert not target.exists()


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("in.jsonl.gz", b'{"content": "abc"}\n', "can't be read any further: Not a gzipped file"),
        ("in.parquet", b"PAR1 nothing PAR1", "can't be read any further: "),
        ("in.parquet", cut(parquet_bytes(reviews(500))), "can't be read any further: "),
        ("in.parquet.gz", gzip.compress(parquet_bytes(["Да"]))[:-9], "can't be read any further"),
        ("in.csv", b"text,review_id\nabc,1\n", "no column content but 'text', 'review_id'"),
        ("in.jsonl", b'{"text": "abc"}\n', "no column content but 'text'"),
        ("in.jsonl", b"", "is empty: it has no rows"),
        ("in.csv", b"content,review_id\n", "is empty: it has no rows"),
        ("in.parquet", parquet_bytes([]), "is empty: it has no rows"),
        ("in.txt", b"\n \n", "is empty: it has no rows"),
        ("in.docx", b"abc", "is not one of .jsonl, .csv, .txt, .parquet"),
    ],
)
def test_a_bad_source_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, target: Path, name: str, content: bytes, why: str
) -> None:
    source = tmp_path / name
    source.write_bytes(content)
    with pytest.raises(ClassifierError) as raised:
        run(source, target)
    assert str(raised.value).startswith(str(source))
    assert why in str(raised.value)
    assert names(tmp_path) == [name]


def test_a_parquet_without_content_names_its_columns(tmp_path: Path, target: Path) -> None:
    pq.write_table(pa.table({"text": ["abc"], "review_id": ["1"]}), tmp_path / "in.parquet")
    with pytest.raises(ClassifierError, match="no column content but 'text', 'review_id'"):
        run(tmp_path / "in.parquet", target)


def test_a_source_or_a_target_that_cannot_be(tmp_path: Path, target: Path) -> None:
    with pytest.raises(ClassifierError, match="There is no file"):
        run(tmp_path / "none.jsonl", target)
    with pytest.raises(ClassifierError, match="There is no file"):
        run(tmp_path, target)
    source = jsonl(tmp_path / "in.jsonl", 3)
    with pytest.raises(ClassifierError, match=r"out\.xlsx is not one of \.jsonl, \.csv, \.parquet"):
        run(source, tmp_path / "out.xlsx")
    with pytest.raises(ClassifierError, match="can't be written: No such file or directory"):
        run(source, tmp_path / "none" / "out.jsonl")
    assert names(tmp_path) == ["in.jsonl"]


# In a process of its own


def child(*paths: Path) -> list[int]:
    """The numbers that this file prints as a script."""
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, __file__, *map(str, paths)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(root)},
        check=True,
    )
    return [int(number) for number in done.stdout.split()]


def growth_mb(source: Callable[[Path, int], Path], folder: Path) -> int:
    """By how much the peak of memory is higher after MANY rows than after a tenth of them."""
    few, many = source(folder / "few", MANY // 10), source(folder / "many", MANY)
    assert many.stat().st_size > 60 * 2**20
    before, after, rows = child(few, many, folder / "out.jsonl")
    assert rows == MANY
    return (after - before) // 1024


@pytest.mark.slow
def test_memory_does_not_grow_with_a_jsonl(tmp_path: Path) -> None:
    def source(path: Path, rows: int) -> Path:
        path = path.with_suffix(".jsonl")
        with path.open("w", encoding="utf-8") as file:
            line = json.dumps({"content": "Фильм понравился. " * 11}, ensure_ascii=False)
            file.writelines(f"{line}\n" for _ in range(rows))
        return path

    assert growth_mb(source, tmp_path) < GROWTH_MB


@pytest.mark.slow
def test_memory_does_not_grow_with_a_parquet_of_one_row_group(tmp_path: Path) -> None:
    def source(path: Path, rows: int) -> Path:
        path = path.with_suffix(".parquet")
        texts = pa.array(["Фильм понравился. " * 11] * rows)
        table = pa.table({"content": texts, "movie_name": texts})
        stored: dict[str, Any] = {"compression": "none", "use_dictionary": False}
        pq.write_table(table, path, row_group_size=rows, **stored)
        return path

    assert growth_mb(source, tmp_path) < GROWTH_MB


def peaks_of_memory(few: Path, many: Path, target: Path) -> list[int]:
    """Kilobytes after the first file and after the second, and how many rows that had."""

    def peak() -> int:  # not ru_maxrss, which begins with that of the process that started this one
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0])

    vars(os)["fsync"] = lambda _: None  # it is memory that is measured, not the disk
    run(few, target)
    target.unlink()
    before = peak()
    rows = run(many, target).predicted
    return [before, peak(), rows]


def main(*paths: str) -> None:
    assert "torch" not in sys.modules
    print(*peaks_of_memory(*map(Path, paths)))


if __name__ == "__main__":
    main(*sys.argv[1:])
