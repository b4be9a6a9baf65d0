"""Expressions on predictions and ratings that both databases understand."""

from collections.abc import Callable
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, func
from sqlalchemy.orm import InstrumentedAttribute

from db.models import Feedback, Prediction

SentimentOf = Callable[[int], int]
"""The sentiment 0..2 that a rating 0..10 stands for."""


class Period(NamedTuple):
    """From `since` on, before `until`; both aware."""

    since: datetime
    until: datetime

    def holds(self, moment: InstrumentedAttribute[datetime]) -> ColumnElement[bool]:
        return and_(moment >= self.since, moment < self.until)


def truth(given: InstrumentedAttribute[int], sentiment_of: SentimentOf) -> ColumnElement[int]:
    """The sentiment that a rating given stands for."""
    # One comparison for each run of ratings with the same sentiment: about 3 a row, not 11.
    runs = groupby(range(11), sentiment_of)
    return case(*((given <= max(ratings), sentiment) for sentiment, ratings in runs))


def answer_counts(
    said: type[Prediction], given: type[Feedback], sentiment_of: SentimentOf
) -> tuple[ColumnElement[Any], ...]:
    """Of predictions joined to feedback: answers, right, rated, and absolute errors, summed."""
    right = case((truth(given.rating, sentiment_of) == said.sentiment, 1), else_=0)
    error = func.abs(said.rating - given.rating)
    return func.count(), func.sum(right), func.count(said.rating), func.coalesce(func.sum(error), 0)


def confidence(prediction: type[Prediction]) -> ColumnElement[float]:
    """The probability of the sentiment predicted."""
    return probability_of(prediction.sentiment.expression, prediction)


def probability_of(
    sentiment: ColumnElement[int], prediction: type[Prediction]
) -> ColumnElement[float]:
    return case(
        (sentiment == 0, prediction.probability_bad),
        (sentiment == 1, prediction.probability_neutral),
        else_=prediction.probability_good,
    )


def confidence_of(said: Prediction) -> float:
    """The same of a prediction that has been read."""
    return (said.probability_bad, said.probability_neutral, said.probability_good)[said.sentiment]


def bin_of(share: ColumnElement[float], bins: int) -> ColumnElement[int]:
    """Which of `bins` equal parts of 0 to 1 a share lies in, from 0; a part holds its upper end."""
    # Rounding and truncation differ between the databases.
    upper_ends = [(share <= (i + 1) / bins, i) for i in range(bins - 1)]
    return case(*upper_ends, else_=bins - 1)


def same_review(cls: type[Prediction], mean: type[Prediction]) -> ColumnElement[bool]:
    """Predictions of one review by both poolings of one version; join `mean` to `cls` on it."""
    return and_(
        cls.pooling == "cls",
        mean.pooling == "mean",
        mean.review_id == cls.review_id,
        mean.model_version == cls.model_version,
    )
