"""Files with random damage: all their rows are accounted for, or one sentence names the file.

Each through the reader of labelled reviews and through the prediction of files.
"""

import csv
import gzip
import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from classifier.data.reviews import load_reviews
from classifier.errors import ClassifierError
from tests.classifier.serving.invented_predictions import read, run

Damage = Callable[[bytes, random.Random], bytes]

KINDS = (".csv", ".jsonl", ".parquet", ".csv.gz", ".jsonl.gz", ".parquet.gz")
COUNT = 600


def rows(chance: random.Random) -> list[dict[str, Any]]:
    values: list[Any] = [None, "", "NULL", "8/10", "nan", 7, 3, 9.5, 10, 11, "x" * 50, True]
    labels: list[Any] = [None, "Good", "bad", "neutral", "positive", "Meh", 1, -1, 0]
    return [
        {
            "id": f"r{number}",
            "content": chance.choice(("Кино, да", 'Он "рад"', "Две\nстроки", "")) + f" {number}",
            "grade3": chance.choice(labels[1:5] if chance.random() < 0.9 else labels),
            "grade10": chance.choice(values[5:9] if chance.random() < 0.9 else values),
        }
        for number in range(chance.randrange(1, 40))
    ]


def as_bytes(kind: str, table: list[dict[str, Any]], chance: random.Random) -> bytes:
    if kind.startswith(".csv"):
        text = io.StringIO()
        end, separator = chance.choice(("\n", "\r\n", "\r")), chance.choice(",;\t|")
        writer = csv.DictWriter(text, list(table[0]), lineterminator=end, delimiter=separator)
        writer.writeheader()
        writer.writerows(table)
        content = text.getvalue().encode(chance.choice(("utf-8", "utf-8-sig", "utf-16", "cp1251")))
    elif kind.startswith(".jsonl"):
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in table)
        content = lines.encode(chance.choice(("utf-8", "utf-16", "koi8-r")))
    else:
        columns = {
            name: [None if row[name] is None else str(row[name]) for row in table]
            for name in table[0]
        }
        sink = io.BytesIO()
        pq.write_table(pa.table(columns), sink)
        content = sink.getvalue()
    return content


def cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def spoilt(content: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(chance.randrange(1, 9)):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    return bytes(damaged)


def with_more(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    more = chance.choice((b'"', b"\0", b"\r", b"\n", b",;\t", b"\xff\xfe", b'""', b"\\", b"{"))
    return content[:at] + more * chance.randrange(1, 4) + content[at:]


def doubled(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    return content[:at] + content[chance.randrange(len(content)) :] + content[at:]


def whole(content: bytes, _chance: random.Random) -> bytes:
    return content


@pytest.mark.parametrize("damage", [whole, cut, spoilt, with_more, doubled])
@pytest.mark.parametrize("step", [20, pytest.param(1, marks=pytest.mark.slow)])
def test_damage_is_counted_or_told(tmp_path: Path, damage: Damage, step: int) -> None:
    """600 files for each kind of damage."""
    for number in range(0, COUNT, step):
        chance = random.Random(number)
        kind = KINDS[chance.randrange(len(KINDS))]
        content = damage(as_bytes(kind, rows(chance), chance), chance)
        if kind.endswith(".gz"):
            content = gzip.compress(content)
            content = damage(content, chance) if chance.random() < 0.3 else content
        path, out = tmp_path / f"a{kind}", tmp_path / f"out{number}.jsonl"
        path.write_bytes(content)
        told = []
        try:
            counts = load_reviews(str(path)).counts
        except ClassifierError as error:
            told.append(str(error))
        else:
            used = counts["kept"] + counts["exact_duplicates"] + counts["near_duplicates"]
            assert used + counts["rejected"] == counts["read"], number
        try:
            done = run(path, out)
        except ClassifierError as error:
            told.append(str(error))
        else:
            assert done.predicted + done.rejected == len(read(out)), number
        assert all(str(path) in said and "\n" not in said for said in told), (number, told)
        for left in tmp_path.iterdir():
            left.unlink()
