"""Logits of reviews, their labels, and the one answer that is shown.

The metrics and their libraries are elsewhere: a prediction starts sooner without them.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from classifier.errors import ClassifierError
from classifier.labels import NEAR, NO_RATING, RATINGS, SENTIMENTS
from classifier.modeling.temperature import calibrated_probabilities

if TYPE_CHECKING:  # a prediction starts sooner without this library
    from datasets import Dataset


@dataclass(frozen=True)
class Outputs:
    """One model's logits of n rows."""

    sentiment_logits: NDArray[np.floating[Any]]  # [n, 3], in the order of SENTIMENTS
    rating_logits: NDArray[np.floating[Any]] | None
    """[n, 11], for ratings 0 to 10; None for a model without a rating head."""

    def row(self, index: int) -> "Outputs":
        """The logits of one row, n = 1."""
        ratings = self.rating_logits
        return Outputs(
            self.sentiment_logits[index : index + 1],
            None if ratings is None else ratings[index : index + 1],
        )


def concatenated(parts: list[Outputs]) -> Outputs:
    """The outputs of one model for the rows of all parts, at least one, in their order."""
    ratings = [part.rating_logits for part in parts if part.rating_logits is not None]
    return Outputs(
        np.concatenate([part.sentiment_logits for part in parts]),
        np.concatenate(ratings) if ratings else None,
    )


@dataclass(frozen=True)
class Labels:
    """The true labels of the same n rows."""

    sentiment: NDArray[np.int64]  # [n], indices into SENTIMENTS
    rating: NDArray[np.int64]  # [n], 0 to 10, NO_RATING where missing


@dataclass(frozen=True)
class Answers:
    """The one sentiment and the one rating that a model answers for each of n rows."""

    sentiment: NDArray[np.int64]
    rating: NDArray[np.int64] | None


def rating_distribution(outputs: Outputs) -> NDArray[np.float64]:
    """Probabilities [n, 11] of the ratings 0 to 10; ValueError for a model without that head."""
    if outputs.rating_logits is None:
        raise ValueError("this model has no rating head")
    return calibrated_probabilities(outputs.rating_logits)


def shown_rating(probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    """The median [n] of rating distributions [n, 11], which has the least expected error."""
    return np.asarray((np.cumsum(probabilities, axis=1) >= 0.5).argmax(axis=1), dtype=np.int64)


def rating_confidence(
    probabilities: NDArray[np.float64], shown: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Probability [n] that the true rating is within one point of the one shown [n]."""
    near = np.abs(np.array(RATINGS) - shown[:, None]) <= NEAR
    return np.asarray(np.where(near, probabilities, 0.0).sum(axis=1).clip(max=1.0))


def answers_of(outputs: Outputs) -> Answers:
    """The model's answers: the likeliest sentiment, the median rating."""
    rated = outputs.rating_logits is not None
    return Answers(
        sentiment=np.asarray(outputs.sentiment_logits.argmax(axis=1), dtype=np.int64),
        rating=shown_rating(rating_distribution(outputs)) if rated else None,
    )


def check_outputs(outputs: Outputs, labels: Labels) -> None:
    """ClassifierError for no rows or logits that aren't finite, ValueError for unequal shapes."""
    rows = len(labels.sentiment)
    if rows == 0:
        raise ClassifierError("There are no reviews to evaluate on.")
    heads = [("sentiment", outputs.sentiment_logits, len(SENTIMENTS))]
    if outputs.rating_logits is not None:
        heads.append(("rating", outputs.rating_logits, len(RATINGS)))
    for head, logits, size in heads:
        if logits.shape != (rows, size) or len(labels.rating) != rows:
            raise ValueError(f"{head} logits are {logits.shape}, labels are {rows} rows")
        bad = ~np.isfinite(logits).all(axis=1)
        if bad.any():
            raise ClassifierError(
                f"The model's {head} scores of review {int(bad.argmax()) + 1} of {rows} are not "
                "finite numbers: its weights are damaged or its training diverged."
            )


def labels_of(rows: "Dataset") -> Labels:
    """The sentiments and ratings of `rows`."""
    ratings = [NO_RATING if rating is None else rating for rating in rows["rating"]]
    return Labels(
        np.asarray(rows["sentiment"], dtype=np.int64), np.asarray(ratings, dtype=np.int64)
    )
