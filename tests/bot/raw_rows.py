"""The figures of /stats, worked out anew from the rows of a SQLite file, one by one.

Nothing here comes from the product: what both say alike is likely so.
"""

import json
import math
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, f1_score

Row = dict[str, Any]


@dataclass(frozen=True)
class Rows:
    """The tables, as they are."""

    reviews: list[Row]
    predictions: list[Row]
    feedback: list[Row]
    training_runs: list[Row]
    admin_actions: list[Row]
    judgements: list[Row]

    @classmethod
    def read(cls, file: Path) -> "Rows":
        with closing(sqlite3.connect(file)) as database:
            database.row_factory = sqlite3.Row
            tables = {
                name: [dict(row) for row in database.execute(f"SELECT * FROM {name} ORDER BY id")]
                for name in cls.__dataclass_fields__
            }
        return cls(**tables)

    def since(self, moment: datetime) -> "Rows":
        """The reviews and predictions made from then on."""
        return replace(
            self,
            reviews=[row for row in self.reviews if time_of(row["created_at"]) >= moment],
            predictions=[row for row in self.predictions if time_of(row["created_at"]) >= moment],
        )


def time_of(stored: str) -> datetime:
    return datetime.fromisoformat(stored).replace(tzinfo=UTC)


def sentiment(rating: int) -> int:
    return 0 if rating < 6 else 1 if rating == 6 else 2


def figures(rows: Rows) -> dict[str, Any]:
    """By the names that the statistics give them."""
    standing = {row["feedback_id"]: row for row in rows.judgements if row["stands"]}
    rating_of = {}
    for row in rows.feedback:
        true = standing.get(row["id"], row)["rating"]
        if true is not None:
            rating_of[row["review_id"]] = row | {"rating": true}
    return {
        "written": {
            "reviews": len(rows.reviews),
            "users": len({row["user_id"] for row in rows.reviews}),
            "rated": sum(row["id"] in rating_of for row in rows.reviews),
        },
        "poolings": {
            pooling: _pooling([p for p in rows.predictions if p["pooling"] == pooling], rating_of)
            for pooling in ("cls", "mean")
        },
        "pairs": _pairs(rows.predictions, rating_of),
    }


def _pooling(predictions: list[Row], rating_of: dict[int, Row]) -> dict[str, Any]:
    said = np.array([row["sentiment"] for row in predictions])
    milliseconds = sorted(round(10 * row["milliseconds"]) / 10 for row in predictions)
    answered = [row for row in predictions if row["review_id"] in rating_of]
    asked, others = (
        [row for row in answered if rating_of[row["review_id"]]["asked"] == is_asked]
        for is_asked in (1, 0)
    )
    in_short = [row for row in answered if row["in_short"]]
    in_whole = [row for row in asked if not row["in_short"]]
    versions = sorted({row["model_version"] for row in in_whole})
    return {
        "sentiments": tuple(int((said == index).sum()) for index in range(3)),
        "median_milliseconds": milliseconds[(len(milliseconds) + 1) // 2 - 1],
        "p95_milliseconds": milliseconds[int(np.ceil(0.95 * len(milliseconds))) - 1],
        "answers": _answers(asked, rating_of),
        "others": _answers(others, rating_of),
        "predictions_in_short": sum(row["in_short"] for row in predictions),
        "in_short": _answers(in_short, rating_of),
        "versions": {
            version: _answers([p for p in in_whole if p["model_version"] == version], rating_of)
            for version in versions
        },
    }


def _answers(predictions: list[Row], rating_of: dict[int, Row]) -> dict[str, Any]:
    given = np.array([rating_of[row["review_id"]]["rating"] for row in predictions], dtype=int)
    truth = np.array([sentiment(rating) for rating in given], dtype=int)
    said = np.array([row["sentiment"] for row in predictions], dtype=int)
    error = np.abs(np.array([row["rating"] for row in predictions], dtype=int) - given)
    if not len(given):
        return {"count": 0}
    return {
        "count": len(given),
        "confusion": tuple(map(tuple, confusion_matrix(truth, said, labels=[0, 1, 2]).tolist())),
        "figures": {
            "accuracy": float((truth == said).mean()),
            "macro_f1": float(
                f1_score(truth, said, labels=[0, 1, 2], average="macro", zero_division=0)
            ),
            "rating_exact": float((error == 0).mean()),
            "rating_within_1": float((error <= 1).mean()),
            "rating_mae": float(error.mean()),
            "ece": _calibration(predictions, rating_of),
        },
    }


def _calibration(predictions: list[Row], rating_of: dict[int, Row]) -> float:
    gap_of_bin: dict[int, float] = {}
    for row in predictions:
        right = row["sentiment"] == sentiment(rating_of[row["review_id"]]["rating"])
        confidence = max(row[f"probability_{name}"] for name in ("bad", "neutral", "good"))
        place = math.ceil(confidence * 15)
        gap_of_bin[place] = gap_of_bin.get(place, 0.0) + right - confidence
    return sum(map(abs, gap_of_bin.values())) / len(predictions)


def _pairs(predictions: list[Row], rating_of: dict[int, Row]) -> dict[str, Any]:
    by_review: dict[int, dict[str, Row]] = {}
    for row in predictions:
        by_review.setdefault(row["review_id"], {})[row["pooling"]] = row
    pairs = [(both["cls"], both["mean"]) for both in by_review.values()]
    right = [
        tuple(row["sentiment"] == sentiment(rating_of[row["review_id"]]["rating"]) for row in both)
        for both in pairs
        if both[0]["review_id"] in rating_of
        if rating_of[both[0]["review_id"]]["asked"]
    ]
    only_cls, only_mean = right.count((True, False)), right.count((False, True))
    apart = [abs(cls["rating"] - mean["rating"]) for cls, mean in pairs]
    return {
        "reviews": len(pairs),
        "same_sentiment": sum(cls["sentiment"] == mean["sentiment"] for cls, mean in pairs),
        "rated": len(apart),
        "ratings_apart": {points: apart.count(points) for points in set(apart)},
        "all_users": {
            "answers": len(right),
            "only_cls_right": only_cls,
            "only_mean_right": only_mean,
        },
        "mcnemar_p": binomtest(only_mean, only_cls + only_mean).pvalue
        if only_cls + only_mean
        else 1.0,
    }


def agree(overview: Any, rows: Rows) -> None:
    """What /stats says is what the rows say."""
    expected = figures(rows)
    p = expected["pairs"].pop("mcnemar_p")
    if expected["pairs"]["all_users"]["answers"]:
        assert overview.comparison.accuracy.p == pytest.approx(p)
    else:
        assert overview.comparison.accuracy is None
    assert set(overview.poolings) == set(expected["poolings"])
    for name, pooling in overview.poolings.items():
        assert list(pooling.versions) == list(expected["poolings"][name]["versions"])
    for part, values in expected.items():
        _same(getattr(overview, part), values, part)


def _same(found: Any, expected: Any, name: str) -> None:
    if isinstance(expected, dict) and isinstance(found, dict):
        for key, value in expected.items():
            _same(found[key], value, f"{name}.{key}")
    elif isinstance(expected, dict):
        for key, value in expected.items():
            _same(getattr(found, key), value, f"{name}.{key}")
    else:
        exactly = isinstance(expected, tuple)
        assert found == (expected if exactly else pytest.approx(expected, abs=1e-9)), name


def details(row: Row) -> dict[str, Any]:
    """What is stored as JSON with an action of an admin."""
    return dict(json.loads(row["details"])) if row["details"] else {}
