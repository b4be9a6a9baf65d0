"""A linear model of how often one and two words stand in a review, by scikit-learn.

It learns from a few hundred reviews what an encoder needs thousands for, and takes seconds.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from classifier.data.reviews import Reviews
from classifier.errors import ClassifierError
from classifier.labels import SENTIMENTS

_IN = 3  # reviews that have a word, for it to count


def features() -> TfidfVectorizer:
    """Counts of one and two words, the rarer the heavier; not fitted yet."""
    return TfidfVectorizer(ngram_range=(1, 2), min_df=_IN, sublinear_tf=True)


def regression(*, balanced: bool) -> LogisticRegression:
    """A classifier of sentiments; `balanced`: each counts the same, however few rows have it."""
    return LogisticRegression(C=10, max_iter=1000, class_weight="balanced" if balanced else None)


def linear_probabilities(learnt: Reviews, asked: Reviews) -> NDArray[np.float64]:
    """[n, 3]: of each sentiment for the reviews `asked`, learnt from others.

    Raises ClassifierError where the reviews to learn from have hardly a word in common.
    """
    counts, classifier = features(), regression(balanced=True)
    try:
        counted = counts.fit_transform(learnt.rows["text"])
    except ValueError as error:
        raise ClassifierError(
            f"{learnt.rows.info.description}: no word stands in {_IN} of the reviews or more. "
            "Are they texts?"
        ) from error
    classifier.fit(counted, learnt.rows["sentiment"])
    found = np.zeros((len(asked.rows), len(SENTIMENTS)))
    found[:, classifier.classes_] = classifier.predict_proba(counts.transform(asked.rows["text"]))
    return found
