"""Files in, one Dataset out; bad rows listed; files at fault named in a sentence."""

import csv
import errno
import gzip
import hashlib
import io
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from classifier.data.reviews import class_counts, load_reviews
from classifier.errors import ClassifierError

ROWS: list[dict[str, Any]] = [
    {
        "movie_name": f"Фильм {index % 3}",
        "review_id": f"id{index}",
        "title": "Заголовок, с запятой",
        "grade3": ("Bad", "Neutral", "Good")[index % 3],
        "grade10": (2.0, None, 9.0)[index % 3],
        "content": f'Отзыв номер {index}.\nВо второй строке «кавычки» и "ещё" кавычки.',
    }
    for index in range(9)
]


def _jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _csv(rows: list[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), file)
    return file.getvalue()


FORMATS = {".jsonl": _jsonl, ".csv": _csv, ".parquet": _parquet}


def _file(folder: Path, name: str, data: bytes) -> str:
    path = folder / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return str(path)


@pytest.mark.parametrize("gz", ["", ".gz"])
@pytest.mark.parametrize("extension", list(FORMATS))
def test_every_format_gives_the_same_rows(tmp_path: Path, extension: str, gz: str) -> None:
    path = _file(tmp_path, f"отзывы{extension}{gz}", FORMATS[extension](ROWS))
    loaded = load_reviews(path)
    assert loaded.rows.column_names == [
        "review_id",
        "movie_name",
        "content",
        "text",
        "sentiment",
        "rating",
        "weight",
        "person",
    ]
    assert list(loaded.rows["review_id"]) == [f"id{index}" for index in range(9)]
    assert list(loaded.rows["content"]) == [row["content"] for row in ROWS]
    assert list(loaded.rows["sentiment"]) == [0, 1, 2] * 3
    assert list(loaded.rows["rating"]) == [2, None, 9] * 3
    assert (loaded.source, loaded.reason) == (path, f"the file отзывы{extension}{gz}")
    assert loaded.fingerprint == load_reviews(_file(tmp_path, "a.jsonl", _jsonl(ROWS))).fingerprint
    assert class_counts(loaded.rows) == {"rows": 9, "Bad": 3, "Neutral": 3, "Good": 3, "rated": 6}


def test_content_and_one_grade_are_enough(tmp_path: Path) -> None:
    rated = [{"content": f"Кино номер {rating}", "grade10": rating} for rating in range(11)]
    rows = load_reviews(_file(tmp_path, "rated.jsonl", _jsonl(rated))).rows
    assert list(rows["sentiment"]) == [0] * 6 + [1] + [2] * 4
    assert list(rows["rating"]) == list(range(11))
    assert set(rows["movie_name"]) == {None}
    assert rows["review_id"][0] == hashlib.sha256("Кино номер 0".encode()).hexdigest()[:12]

    named = [{"content": "Кино", "grade3": "neutral"}]
    rows = load_reviews(_file(tmp_path, "named.csv", _csv(named))).rows
    assert (rows["sentiment"][0], rows["rating"][0]) == (1, None)


def test_where_the_grades_disagree_grade3_is_the_sentiment(tmp_path: Path) -> None:
    row = {"content": "Кино", "grade3": "Bad", "grade10": 9}
    rows = load_reviews(_file(tmp_path, "one.jsonl", _jsonl([row]))).rows
    assert (rows["sentiment"][0], rows["rating"][0]) == (0, 9)


def test_review_ids_are_unique(tmp_path: Path) -> None:
    ids = ["7", "7", None, "7", "7-2"]
    rows = [
        {"review_id": review_id, "content": f"Кино про {word}", "grade3": "Good"}
        for review_id, word in zip(ids, ["кота", "пса", "слона", "льва", "ужа"], strict=True)
    ]
    loaded = load_reviews(_file(tmp_path, "a.jsonl", _jsonl(rows)))
    own = hashlib.sha256("Кино про слона".encode()).hexdigest()[:12]
    assert list(loaded.rows["review_id"]) == ["7", "7-2", own, "7-3", "7-2-2"]


def test_bad_lines_of_a_jsonl_are_listed_and_the_rest_is_kept(tmp_path: Path) -> None:
    good = _jsonl(ROWS[:2]).splitlines()
    lines = [
        b"\xef\xbb\xbf" + good[0],
        b"",
        b'{"content": "\xd0", "grade3": "Good"}',
        b'{"content": "cut',
        b"[1]",
        b'{"content": "\\ud83d", "grade3": "Good"}',
        b"[" * 100_000,
        b'{"content": "Kino", "grade3": "Great"}',
        b'{"content": "8/10", "grade10": NaN, "grade3": "Good"}',
        good[1],
    ]
    rejects = tmp_path / "rejected.jsonl"
    loaded = load_reviews(_file(tmp_path, "a.jsonl", b"\n".join(lines)), rejects_path=rejects)
    listed = [json.loads(line) for line in rejects.read_text("utf-8").splitlines()]
    assert [(reject["row"], reject["reason"].partition(":")[0]) for reject in listed] == [
        (3, "broken UTF-8"),
        (4, "invalid JSON"),
        (5, "not a JSON object but list"),
        (6, "broken UTF-8"),
        (7, "invalid JSON"),
        (8, "unknown sentiment 'Great'"),
        (9, "content without letters"),
    ]
    assert [(reject.row, reject.reason) for reject in loaded.rejected] == [
        (reject["row"], reject["reason"]) for reject in listed
    ]
    assert list(loaded.rows["review_id"]) == ["id0", "id1"]
    assert (loaded.counts["read"], loaded.counts["rejected"]) == (9, 7)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "rejected.jsonl"]


def test_rows_of_a_csv_are_named_by_their_first_line(tmp_path: Path) -> None:
    text = (
        'content,grade3\n"Две\nстроки",Good\n\nПолно, да не то,Good\n'
        '"Один, два",Worse\nОдно поле\n' + "Длинно " * 30_000 + ",Bad\nБито \udcd0,Good\n"
    )
    data = b"\xef\xbb\xbf" + text.encode("utf-8", "surrogateescape")
    loaded = load_reviews(_file(tmp_path, "a.csv", data))
    assert [(reject.row, reject.reason.partition(":")[0]) for reject in loaded.rejected] == [
        (5, "3 fields under a header of 2"),
        (6, "unknown sentiment 'Worse'"),
        (7, "1 fields under a header of 2"),
        (9, "broken UTF-8"),
    ]
    assert list(loaded.rows["sentiment"]) == [2, 0]
    assert loaded.rows["content"][0] == "Две\nстроки"


def test_rows_of_a_parquet_are_numbered(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"content": "Кино", "grade10": 5.0},
        {"content": None, "grade10": 5.0},
    ]
    loaded = load_reviews(_file(tmp_path, "a.parquet", _parquet(rows)))
    assert [(reject.row, reject.reason) for reject in loaded.rejected] == [(2, "empty content")]


def test_a_clean_file_leaves_no_list_of_rejected_rows(tmp_path: Path) -> None:
    rejects = tmp_path / "rejected.jsonl"
    rejects.write_text("from an earlier run")
    load_reviews(_file(tmp_path, "a.jsonl", _jsonl(ROWS)), rejects_path=rejects)
    assert not rejects.exists()


def test_written_ratings_leave_the_text_and_the_same_rows_stay_with_keep_ratings(
    tmp_path: Path,
) -> None:
    rows = [
        {"content": "Сильное кино о море. Моя оценка: 9 из 10", "grade3": "Good"},
        {"content": "Оценка 8 из 10", "grade3": "Good"},
        {"content": "Скучно и долго", "grade3": "Bad"},
    ]
    path = _file(tmp_path, "a.jsonl", _jsonl(rows))
    stripped, whole = load_reviews(path), load_reviews(path, keep_ratings=True)
    assert "9" not in stripped.rows["text"][0]
    assert stripped.rows["text"][0].startswith("Сильное кино о море")
    assert stripped.counts["ratings_stripped"] == 1
    assert [(reject.row, reject.reason) for reject in stripped.rejected] == [
        (2, "nothing but written ratings")
    ]
    assert list(whole.rows["text"]) == list(whole.rows["content"])
    assert list(whole.rows["content"]) == list(stripped.rows["content"])
    assert whole.counts == stripped.counts | {"ratings_stripped": 0}
    assert whole.fingerprint == stripped.fingerprint


def test_the_counts_add_up(tmp_path: Path) -> None:
    long = " ".join(f"слово{index}" for index in range(60))
    rows = [
        {"content": long, "grade3": "Good", "grade10": 0.0},
        {"content": f"Заголовок. {long}", "grade3": "Good", "grade10": 8.0},
        {"content": long.upper(), "grade3": "Bad", "grade10": 0.0},
        {"content": "Другое кино", "grade3": "Bad", "grade10": 0.0},
        {"content": "", "grade3": "Bad", "grade10": 1.0},
    ]
    loaded = load_reviews(_file(tmp_path, "a.jsonl", _jsonl(rows)))
    assert loaded.counts == {
        "read": 5,
        "rejected": 1,
        "exact_duplicates": 1,
        "near_duplicates": 1,
        "kept": 2,
        "ratings_stripped": 0,
        "zero_ratings_dropped": 1,
        "unused_grades": 0,
    }
    assert list(loaded.rows["rating"]) == [None, 0]


def test_the_fingerprint_sees_every_label(tmp_path: Path) -> None:
    prints = {load_reviews(_file(tmp_path, "a.jsonl", _jsonl(ROWS))).fingerprint}
    for column, value in {"grade3": "Good", "grade10": 3, "content": "Иное"}.items():
        changed = [{**ROWS[0], column: value}, *ROWS[1:]]
        prints.add(load_reviews(_file(tmp_path, "a.jsonl", _jsonl(changed))).fingerprint)
    assert len(prints) == 4


def _folder(folder: Path) -> str:
    (folder / "reviews.jsonl").mkdir()
    return str(folder / "reviews.jsonl")


def _cut_gzip(folder: Path) -> str:
    path = Path(_file(folder, "cut.jsonl.gz", _jsonl(ROWS * 200)))
    path.write_bytes(path.read_bytes()[:-40])
    return str(path)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: str(folder / "none.jsonl"), "none.jsonl: no such file"),
        (_folder, "reviews.jsonl is a folder"),
        (lambda folder: _file(folder, "a.txt", b"x"), "a.txt is not one of .jsonl, .csv, .parquet"),
        (lambda folder: _file(folder, "a.jsonl", b""), "a.jsonl is empty: it has no rows"),
        (lambda folder: _file(folder, "a.csv", b"content,grade3\n"), "a.csv is empty"),
        (lambda folder: _file(folder, "a.csv.gz", b""), "a.csv.gz is empty"),
        (
            lambda folder: _file(folder, "a.jsonl", b'{"text": "Kino", "grade3": "Good"}\n'),
            "a.jsonl has no column content but 'text', 'grade3'",
        ),
        (
            lambda folder: _file(folder, "a.parquet", _parquet([{"content": "Кино"}])),
            "a.parquet has no column grade3 or grade10 but 'content'",
        ),
        (
            lambda folder: _file(folder, "a.csv", bytes(range(128, 256)) * 9),
            "a.csv can't be read: it holds text that is not UTF-8",
        ),
        (
            lambda folder: _file(folder, "a.jsonl", b'{"content": "1", "grade3": "Good"}\n' * 3),
            "a.jsonl has no usable row of 3; row 1, the first: content without letters",
        ),
        (_cut_gzip, "cut.jsonl.gz is cut short or damaged"),
        (
            lambda folder: str(
                Path(_file(folder, "a.jsonl", _jsonl(ROWS))).rename(folder / "b.jsonl.gz")
            ),
            "b.jsonl.gz is not a sound gzip file",
        ),
        (lambda folder: _file(folder, "a.parquet", b"PAR1"), "a.parquet is not a sound parquet"),
        (lambda folder: _file(folder, "a.parquet.gz", b"x"), "a.parquet.gz is not a sound parquet"),
    ],
)
def test_a_file_at_fault_is_one_sentence(
    tmp_path: Path, make: Callable[[Path], str], message: str
) -> None:
    with pytest.raises(ClassifierError, match=re.escape(message)) as caught:
        load_reviews(make(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_file_that_may_not_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:  # not by chmod, since root may read everything
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    path = _file(tmp_path, "a.jsonl", _jsonl(ROWS))
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ClassifierError, match=r"a\.jsonl can't be read: Permission denied"):
        load_reviews(path)


def test_the_rejected_rows_are_listed_even_where_none_is_left(tmp_path: Path) -> None:
    rejects = tmp_path / "rejected.jsonl"
    with pytest.raises(ClassifierError):
        load_reviews(_file(tmp_path, "a.jsonl", b"1\n2\n"), rejects_path=rejects)
    assert len(rejects.read_text().splitlines()) == 2


def test_the_bundled_sample_is_clean() -> None:
    loaded = load_reviews("sample")
    assert (loaded.source, loaded.reason) == ("sample", "the bundled sample, as asked for")
    assert loaded.rejected == []
    assert loaded.counts["kept"] == loaded.counts["read"] >= 400
    counts = class_counts(loaded.rows)
    assert min(counts[name] for name in ("Bad", "Neutral", "Good")) >= 40
