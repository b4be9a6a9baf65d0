"""Reviews with both models' answers as a CSV file that a spreadsheet can open without harm."""

import csv
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from classifier.files import spreadsheet_cell
from classifier.labels import SENTIMENTS, sentiment_of
from db.hard_reviews import HardReview
from db.models import Prediction

_OF_PREDICTION = (
    "sentiment",
    "probability_bad",
    "probability_neutral",
    "probability_good",
    "rating",
    "rating_confidence",
    "sentiment_right",
    "rating_error",
    "milliseconds",
)
COLUMNS = (
    "review_id",
    "created_at",
    "source",
    "characters",
    "text",
    "model_version",
    "given_rating",
    "given_sentiment",
    "asked",
    *(f"cls_{name}" for name in _OF_PREDICTION),
    *(f"mean_{name}" for name in _OF_PREDICTION),
)


class ReviewTable:
    """A file being written; in UTF-8 with the mark by which spreadsheets know it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._file)
        self._writer.writerow(COLUMNS)

    def __enter__(self) -> "ReviewTable":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, reviews: Sequence[HardReview]) -> None:
        self._writer.writerows(
            [spreadsheet_cell(value) for value in _row(review)] for review in reviews
        )


def _row(hard: HardReview) -> list[Any]:
    review, given = hard.review, hard.given
    return [
        review.id,
        _written(review.created_at),
        review.source,
        len(review.text),
        review.text,
        hard.cls.model_version,
        given,
        None if given is None else SENTIMENTS[sentiment_of(given)],
        None if hard.asked is None else int(hard.asked),
        *_of_prediction(hard.cls, given),
        *_of_prediction(hard.mean, given),
    ]


def _of_prediction(said: Prediction, given: int | None) -> list[Any]:
    right = None if given is None else int(said.sentiment == sentiment_of(given))
    error = None if given is None or said.rating is None else abs(said.rating - given)
    return [
        SENTIMENTS[said.sentiment],
        _share(said.probability_bad),
        _share(said.probability_neutral),
        _share(said.probability_good),
        said.rating,
        _share(said.rating_confidence),
        right,
        error,
        round(said.milliseconds, 1),
    ]


def _share(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")  # UTC, as spreadsheets read it
