"""A review with both models' answers as a row of a CSV file that a spreadsheet opens safely."""

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


def table_row(hard: HardReview) -> list[Any]:
    """What COLUMNS name, nothing of which a spreadsheet would run as a formula."""
    review, given = hard.review, hard.given
    cells = [
        review.id,
        review.created_at.strftime("%Y-%m-%d %H:%M:%S"),  # UTC, as spreadsheets read it
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
    return [spreadsheet_cell(cell) for cell in cells]


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
