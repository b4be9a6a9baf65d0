"""A review with both models' answers as a row of a CSV file that a spreadsheet opens safely."""

from collections.abc import Callable
from typing import Any

from classifier.files import spreadsheet_cell
from classifier.labels import SENTIMENTS, sentiment_of
from db.hard_reviews import HardReview
from db.models import Judgement, Prediction

_OF_REVIEW: dict[str, Callable[[HardReview], Any]] = {
    "review_id": lambda hard: hard.review.id,
    # In UTC, as spreadsheets read it.
    "created_at": lambda hard: hard.review.created_at.strftime("%Y-%m-%d %H:%M:%S"),
    "source": lambda hard: hard.review.source,
    "characters": lambda hard: len(hard.review.text),
    "text": lambda hard: hard.review.text,
    "model_version": lambda hard: hard.cls.model_version,
    "tokens": lambda hard: hard.cls.tokens,
    "in_short": lambda hard: int(hard.cls.in_short),
    "given_rating": lambda hard: hard.given,  # as it counts
    "given_sentiment": lambda hard: (
        None if hard.given is None else SENTIMENTS[sentiment_of(hard.given)]
    ),
    "asked": lambda hard: None if hard.asked is None else int(hard.asked),
    "author_rating": lambda hard: hard.by_author,
    "judged": lambda hard: None if hard.judgement is None else _word(hard.judgement),
}
_OF_PREDICTION: dict[str, Callable[[Prediction, int | None], Any]] = {
    "sentiment": lambda said, _: SENTIMENTS[said.sentiment],
    "probability_bad": lambda said, _: round(said.probability_bad, 4),
    "probability_neutral": lambda said, _: round(said.probability_neutral, 4),
    "probability_good": lambda said, _: round(said.probability_good, 4),
    "rating": lambda said, _: said.rating,
    "rating_confidence": lambda said, _: (
        None if said.rating_confidence is None else round(said.rating_confidence, 4)
    ),
    "sentiment_right": lambda said, given: (
        None if given is None else int(said.sentiment == sentiment_of(given))
    ),
    "rating_error": lambda said, given: (
        None if given is None or said.rating is None else abs(said.rating - given)
    ),
    "milliseconds": lambda said, _: round(said.milliseconds, 1),
}
COLUMNS = (
    *_OF_REVIEW,
    *(f"{pooling}_{name}" for pooling in ("cls", "mean") for name in _OF_PREDICTION),
)


def _word(judgement: Judgement) -> str:
    if judgement.rating is None:
        return "wrong"
    return "right" if judgement.rating == judgement.given else "other rating"


def table_row(hard: HardReview) -> list[Any]:
    """What COLUMNS name, nothing of which a spreadsheet would run as a formula."""
    cells = [cell(hard) for cell in _OF_REVIEW.values()]
    for said in (hard.cls, hard.mean):
        cells += [cell(said, hard.given) for cell in _OF_PREDICTION.values()]
    return [spreadsheet_cell(cell) for cell in cells]
