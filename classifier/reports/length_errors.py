"""How right the models are on short reviews and on long ones."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from classifier.labels import NO_RATING
from classifier.modeling.outputs import Labels, Outputs, answers_of

_BINS = 5


@dataclass(frozen=True)
class ErrorsByLength:
    """The holdout cut into up to five bins of about as many rows each, by rising length."""

    shortest: NDArray[np.int64]  # [bins], in characters, as is the longest
    longest: NDArray[np.int64]
    rows: NDArray[np.int64]
    rated_rows: NDArray[np.int64]
    accuracy: dict[str, NDArray[np.float64]]
    """Pooling to [3, bins]: the accuracy, and its Wilson interval of 95 %, low and high."""
    rating_mae: dict[str, NDArray[np.float64]]
    """Likewise, with the normal interval; NaN where a bin has too few ratings; only for models
    with a rating head, and empty where no row has a rating."""

    @property
    def has_ratings(self) -> bool:
        return bool(self.rating_mae)


def errors_by_length(
    lengths: NDArray[np.int64], labels: Labels, outputs: Mapping[str, Outputs]
) -> ErrorsByLength:
    """Accuracy and rating MAE of each model by the length of the text, for n rows, n at least 1."""
    inner_edges = np.quantile(lengths, np.linspace(0, 1, _BINS + 1))[1:-1]
    # Equal lengths share a bin, so there may be fewer bins; they are numbered without gaps.
    bin_of_row = np.unique(np.digitize(lengths, inner_edges), return_inverse=True)[1]
    members = [np.flatnonzero(bin_of_row == index) for index in range(bin_of_row.max() + 1)]
    rated = labels.rating != NO_RATING
    accuracy, rating_mae = {}, {}
    for pooling, of_model in outputs.items():
        answers = answers_of(of_model)
        right = answers.sentiment == labels.sentiment
        accuracy[pooling] = np.array([_share(right[rows]) for rows in members]).T
        if answers.rating is not None and rated.any():
            error = np.abs(answers.rating - labels.rating).astype(float)
            mae = [_mean(error[rows][rated[rows]]) for rows in members]
            rating_mae[pooling] = np.array(mae).T
    return ErrorsByLength(
        shortest=np.array([lengths[rows].min() for rows in members]),
        longest=np.array([lengths[rows].max() for rows in members]),
        rows=np.array([len(rows) for rows in members]),
        rated_rows=np.array([rated[rows].sum() for rows in members]),
        accuracy=accuracy,
        rating_mae=rating_mae,
    )


def _share(right: NDArray[np.bool_]) -> tuple[float, float, float]:
    hits = int(right.sum())
    interval = binomtest(hits, len(right)).proportion_ci(method="wilson")
    return hits / len(right), interval.low, interval.high


def _mean(values: NDArray[np.float64]) -> tuple[float, float, float]:
    if len(values) < 2:
        return (float(values[0]) if len(values) else np.nan, np.nan, np.nan)
    mean, half = values.mean(), 1.96 * values.std(ddof=1) / np.sqrt(len(values))
    return mean, max(0.0, mean - half), mean + half
