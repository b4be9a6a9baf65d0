"""Reviews to train on besides those of the source: what people said of a model's answers, say.

They join the training part alone, and leave no trace but in the weights: their texts and ids are
written to no file, so that those who wrote them can have them erased.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from classifier.data.duplicates import repeats_of
from classifier.data.reviews import load_reviews
from classifier.data.schema import OURS
from classifier.data.splits import Parts
from classifier.errors import ClassifierError

LARGEST_SHARE = 0.05
"""Of the weight of all rows that say who rated them, a person's is at most this share.

With fewer than 20 persons that can't be: each of them then weighs as one review at most.
"""


@dataclass(frozen=True)
class AdditionalRows:
    """Rows as `Reviews.rows` has them, each with its weight."""

    rows: Dataset
    fingerprint: str
    counts: dict[str, int]  # read, kept, and known: left out as like a row of a part or holdout

    @classmethod
    def load(cls, file: str, keep_ratings: bool) -> "AdditionalRows":
        """The usable rows of a file, no two alike; raises ClassifierError where there are none."""
        reviews = load_reviews(file, keep_ratings=keep_ratings, schema=OURS)
        counts = {"read": reviews.counts["read"], "kept": len(reviews.rows), "known": 0}
        return cls(reviews.rows, reviews.fingerprint, counts)

    def apart_from(self, parts: Parts, holdout: str | None) -> "AdditionalRows":
        """Without rows like one of the parts or of `holdout`, a file; ClassifierError for none."""
        known: list[str] = [text for part in vars(parts).values() for text in part["content"]]
        if holdout is not None:
            known += load_reviews(holdout, schema=OURS).rows["content"]
        repeated = repeats_of(known, list(self.rows["content"]))
        rows = self.rows.select([i for i, is_known in enumerate(repeated) if not is_known])
        if not len(rows):
            raise ClassifierError(f"All {len(self.rows)} extra reviews are known already.")
        counts = self.counts | {"kept": len(rows), "known": int(repeated.sum())}
        weights = weighed_by_person(rows["weight"], rows["person"])
        weighed = rows.remove_columns("weight").add_column("weight", weights)
        return replace(self, rows=weighed, counts=counts)

    def summary(self) -> str:
        """One line: how many there are."""
        return (
            f"Extra reviews: {self.counts['read']:,} read, {self.counts['known']:,} known already;"
            f" {self.counts['kept']:,} to train on."
        )


def weighed_by_person(
    weights: Sequence[float], persons: Sequence[str | None]
) -> NDArray[np.float64]:
    """The weights of the rows, where no person has too much of them; rows of nobody stay.

    A person's rows keep their proportions, and those of a person below the limit their weights.
    """
    weighed = np.array(weights, dtype=np.float64)
    known = np.array([person is not None for person in persons], dtype=bool)
    if not known.any():
        return weighed
    names = [person for person in persons if person is not None]
    _, person_of_row = np.unique(names, return_inverse=True)
    totals = np.bincount(person_of_row, weighed[known]).astype(np.float64)
    factors = np.minimum(1.0, _most_of_a_person(totals) / totals)
    weighed[known] *= factors[person_of_row]
    return weighed


def _most_of_a_person(totals: NDArray[np.float64]) -> float:
    """The largest weight of a person that is no larger share, when each has that at most."""
    most = round(1 / LARGEST_SHARE)
    if len(totals) < most:
        return 1.0
    descending = np.sort(totals)[::-1]
    # The first `cut` persons are cut to x, the others stay: x = share * (cut * x + the others').
    for cut in range(most):
        rest = descending[cut:].sum()
        limit = rest * LARGEST_SHARE / (1 - cut * LARGEST_SHARE)
        if limit >= descending[cut]:
            return float(limit)
    return float(descending[most - 1])
