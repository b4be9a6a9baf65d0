"""The rows that all arms of a benchmark share."""

import json
import statistics
from collections import Counter
from pathlib import Path
from typing import Any, TypedDict

from datasets import Dataset

from classifier.data.reviews import Reviews
from classifier.data.splits import stratified_subset
from classifier.labels import SENTIMENTS

_MULTIPLE_OF = 64  # so that every batch of a training is a full one


class Row(TypedDict):
    """A review as models see it: without the ratings written in it."""

    text: str
    sentiment: int
    rating: int | None


def subset(rows: Dataset, limit: int) -> Dataset:
    """At most `limit` rows, stratified by sentiment; a multiple of 64 where there are so many."""
    count = min(limit, len(rows))
    return stratified_subset(rows, max(count - count % _MULTIPLE_OF, min(count, _MULTIPLE_OF)), 0)


def described(reviews: Reviews, rows: Dataset) -> dict[str, Any]:
    """For the results: where the rows come from, how many, how long, and of which sentiments."""
    counts = Counter(rows["sentiment"])
    return {
        "source": Path(reviews.source).name,
        "fingerprint": reviews.fingerprint,
        "usable": len(reviews.rows),
        "rows": len(rows),
        "median_characters": round(statistics.median(map(len, rows["text"]))),
        "shares": {name: counts[index] / len(rows) for index, name in enumerate(SENTIMENTS)},
    }


def names(*sources: str | None) -> str:
    """A name of these sources for a file of results."""
    return "+".join(Path(source).name.partition(".")[0] for source in sources if source)


def write(file: Path, rows: Dataset) -> str:
    """Write the rows as JSON lines, for an arm's process; the file's path as a job holds it."""
    columns = rows.select_columns(list(Row.__annotations__))
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in columns]
    file.write_text("".join(lines), encoding="utf-8")
    return str(file)


def load(file: str) -> list[Row]:
    """The rows that `write` wrote."""
    with Path(file).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
