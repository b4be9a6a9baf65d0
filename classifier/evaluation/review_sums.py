"""What each review adds to the counts that a model's compared figures are made of."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.evaluation.metrics import CLASSES, sentiment_figures
from classifier.evaluation.resampling import Figures, ratio
from classifier.labels import NO_RATING
from classifier.modeling.outputs import Answers, Labels

MEASURES = ("macro_f1", "accuracy", "rating_mae")  # what is compared, by keys of `figures.METRICS`


def with_ratings(answers: Sequence[Answers], labels: Labels) -> bool:
    """Whether all of the models answer with a rating, and some row has one."""
    rated = bool((labels.rating != NO_RATING).any())
    return rated and all(model.rating is not None for model in answers)


def review_sums(answers: Sequence[Answers], labels: Labels, *, ratings: bool) -> NDArray[np.int64]:
    """What each of n rows adds, [n, k], over all trainings of a model in `answers`.

    One to a cell of the confusion, and with `ratings` its error and one if it is rated.
    """
    each = np.stack([_sums(one, labels, ratings) for one in answers])  # [trainings, n, k]
    return np.asarray(each.sum(axis=0), dtype=np.int64)


def _sums(model: Answers, labels: Labels, ratings: bool) -> NDArray[np.int64]:
    confusion = np.eye(CLASSES**2, dtype=np.int64)
    columns = [confusion[labels.sentiment * CLASSES + model.sentiment]]
    if ratings and model.rating is not None:
        rated = labels.rating != NO_RATING
        error = np.where(rated, np.abs(model.rating - labels.rating), 0)
        columns += [error[:, None], rated[:, None].astype(np.int64)]
    return np.hstack(columns)


def figures_of_sums(sums: NDArray[Any]) -> Figures:
    """The `MEASURES` [m] of sums [m, k] over reviews as `review_sums` gives them."""
    confusion, errors = np.hsplit(sums, [CLASSES**2])
    figures = sentiment_figures(confusion.reshape(-1, CLASSES, CLASSES))
    if errors.shape[1]:
        figures["rating_mae"] = ratio(errors[:, 0], errors[:, 1])
    return {name: figures[name] for name in MEASURES if name in figures}
