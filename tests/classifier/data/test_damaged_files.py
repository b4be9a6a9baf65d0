"""Files as other programs write them, and as accidents leave them: read to the last row, or told.

Of every generated file either all rows are accounted for, each as it was or listed as unusable, or
there is one sentence that names the file.
"""

import csv
import io
import itertools
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from classifier.data.reviews import Reviews, load_reviews
from classifier.data.schema import Schema
from classifier.labels import SENTIMENTS

Row = dict[str, Any]

ENCODINGS = (
    *("utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le"),
    *("cp1251", "koi8-r", "cp866", "mac-cyrillic"),
)
SEPARATORS = ",;\t|"
LINE_ENDS = ("\n", "\r\n", "\r")
ORDERS = (
    ("content", "grade3", "grade10"),
    ("id", "content", "grade3"),
    ("grade3", "movie_name", "content"),
    ("id", "grade10", "title", "content"),
)
QUOTING = (csv.QUOTE_MINIMAL, csv.QUOTE_ALL)


@pytest.fixture(scope="session")
def rows(texts: list[str]) -> list[Row]:
    """Sixty reviews; every third text has two lines, quotes and separators."""
    chance = random.Random(0)
    pieces = [piece for text in texts for piece in text.split(". ") if len(piece) > 30]
    found = []
    for number, piece in enumerate(pieces[:60]):
        text = piece.replace("ё", "е").encode("cp1251", "ignore").decode("cp1251")
        text = "".join(char for char in text if char not in '«»—–…\n\r"')  # not in every encoding
        if number % 3 == 0:
            text = f'{text}; а вот.\nЧто "сказать", не знаю, 7,5 | 8\tи все'
        grade = ("Bad", "Neutral", "Good")[number % 3]
        rating = chance.choice({"Bad": [1, 3], "Neutral": [6], "Good": [8, 10]}[grade])
        found.append(
            {
                "id": f"r{number}",
                "content": f"{text} {number}",
                "grade3": grade,
                "grade10": rating,
                "movie_name": f"Кино {number % 7}",
                "title": "Мнение, да; и все",
            }
        )
    assert len(found) == 60
    return found


def as_csv(rows: list[Row], order: tuple[str, ...], separator: str, quoting: int, end: str) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, quoting=quoting, lineterminator=end)  # type: ignore[arg-type]
    writer.writerows([list(order), *([row[name] for name in order] for row in rows)])
    return text.getvalue()


def load(folder: Path, name: str, content: bytes, schema: Schema | None = None) -> Reviews:
    (folder / name).write_bytes(content)
    return load_reviews(str(folder / name), schema=schema or Schema())


def accounted(found: Reviews, rows: list[Row]) -> None:
    """All rows of the file are there, those that are kept as they were."""
    counts = found.counts
    assert counts["read"] == len(rows)
    assert counts["kept"] + counts["rejected"] == counts["read"]
    known = {row["content"]: row for row in rows}
    for content, sentiment in zip(found.rows["content"], found.rows["sentiment"], strict=True):
        row = known[content.replace("\r\n", "\n").replace("\r", "\n")]
        assert SENTIMENTS[sentiment] == row["grade3"]


def every_csv() -> Iterator[tuple[str, str, str, tuple[str, ...], int]]:
    return itertools.product(ENCODINGS, SEPARATORS, LINE_ENDS, ORDERS, QUOTING)


@pytest.mark.parametrize("step", [31, pytest.param(1, marks=pytest.mark.slow)])
def test_a_csv_is_read_however_it_is_written(tmp_path: Path, rows: list[Row], step: int) -> None:
    """864 files: encodings, separators, line ends, orders of columns, and quotes."""
    for case in itertools.islice(every_csv(), 0, None, step):
        encoding, separator, end, order, quoting = case
        text = as_csv(rows, order, separator, quoting, end)
        found = load(tmp_path, "a.csv", text.encode(encoding))
        accounted(found, rows)
        assert found.counts["kept"] == len(rows), case


def opened_quotes() -> Iterator[tuple[int, str, tuple[str, ...], int]]:
    of_one_line = [number for number in range(1, 61) if number % 3 != 1]
    return itertools.product(of_one_line[::2], SEPARATORS, ORDERS, QUOTING)


@pytest.mark.parametrize("step", [47, pytest.param(1, marks=pytest.mark.slow)])
def test_a_quote_that_is_not_closed_costs_one_row(
    tmp_path: Path, rows: list[Row], step: int
) -> None:
    """640 files: a quote before a cell of one row is missing its end, or has one too many."""
    for number, separator, order, quoting in itertools.islice(opened_quotes(), 0, None, step):
        text = as_csv(rows, order, separator, quoting, "\n")
        before = as_csv(rows[: number - 1], order, separator, quoting, "\n")
        record = text[len(before) :]
        at = record.index(rows[number - 1]["content"][:20])
        opened = record[:at] + '"' * (record[at - 1 : at] != '"') + record[at:]
        if record[at - 1 : at] == '"':  # it is quoted: the quote at its end is what is missing
            end = record.index('"' + (separator if order[-1] != "content" else "\n"), at)
            opened = record[:end] + record[end + 1 :]
        found = load(tmp_path, "a.csv", (before + opened).encode())
        line = before.count("\n") + 1
        case = (number, separator, order, quoting)
        assert found.counts["kept"] >= len(rows) - 1, (case, found.rejected)
        assert found.rejected[0].row == line, (case, found.rejected)
        assert "quote" in found.rejected[0].reason
