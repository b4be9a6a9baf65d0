"""TF-IDF of one and two words: logistic regression for the sentiment, ridge for the rating."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge

from benchmarks import rows
from benchmarks.answering import Said, ServingJob, timed
from benchmarks.rows import Row
from classifier.labels import NO_RATING, RATINGS, SENTIMENTS
from classifier.training import linear

ABOUT = (
    "scikit-learn: TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True), "
    "LogisticRegression(C=10) for the sentiment, Ridge(alpha=0.3), rounded, for the rating"
)


@dataclass(frozen=True)
class Tfidf:
    """A fitted model; `rating` is None where no row had a rating."""

    vectorizer: Any
    sentiment: Any
    rating: Any

    def sentiments(self, texts: list[str]) -> NDArray[np.int64]:
        """[n], indices into SENTIMENTS."""
        return np.asarray(self.sentiment.predict(self.vectorizer.transform(texts)))

    def ratings(self, texts: list[str]) -> NDArray[np.int64] | None:
        """[n], 0 to 10."""
        if self.rating is None:
            return None
        answered = self.rating.predict(self.vectorizer.transform(texts))
        return np.asarray(np.clip(np.rint(answered), 0, RATINGS[-1]), dtype=np.int64)


def fit(found: list[Row], *, balanced: bool = False) -> Tfidf:
    """Fit both models on the same features. There is no randomness in it.

    `balanced`: every sentiment counts the same in the fit, however few of the rows have it.
    """
    vectorizer, sentiment = linear.features(), linear.regression(balanced=balanced)
    features = vectorizer.fit_transform([row["text"] for row in found])
    sentiment.fit(features, [row["sentiment"] for row in found])
    rated = [number for number, row in enumerate(found) if row["rating"] is not None]
    rating = Ridge(alpha=0.3, solver="sparse_cg") if rated else None
    if rating is not None:
        rating.fit(features[rated], [found[number]["rating"] for number in rated])
    return Tfidf(vectorizer, sentiment, rating)


def measure_fit(values: dict[str, Any]) -> dict[str, Any]:
    """The seconds of fitting on the rows of a training, which is all of its training."""
    found = rows.load(values["rows"])
    started = time.perf_counter()
    fit(found)
    return {"fit_seconds": time.perf_counter() - started, "fitted_reviews": len(found)}


def measure_answers(values: dict[str, Any]) -> dict[str, Any]:
    """The speed of its answers, fitted on other rows of the same source."""
    job = ServingJob(**values)
    fitted = fit(rows.load(job.others))

    def answer(texts: list[str]) -> dict[str, Said]:
        ratings = fitted.ratings(texts)
        said = [None] * len(texts) if ratings is None else ratings.tolist()
        return {"tfidf": Said([SENTIMENTS[index] for index in fitted.sentiments(texts)], said)}

    return timed(answer, job)


def measure_quality(values: dict[str, Any]) -> dict[str, Any]:
    """The figures on `test` of a model fitted on `rows`, `balanced` or not."""
    from classifier.evaluation.metrics import figures_of_answers
    from classifier.modeling.outputs import Answers, Labels

    found, test = rows.load(values["rows"]), rows.load(values["test"])
    started = time.perf_counter()
    fitted = fit(found, balanced=values["balanced"])
    seconds = time.perf_counter() - started
    texts = [row["text"] for row in test]
    ratings = [NO_RATING if row["rating"] is None else row["rating"] for row in test]
    return {
        **figures_of_answers(
            Answers(fitted.sentiments(texts), fitted.ratings(texts)),
            Labels(np.array([row["sentiment"] for row in test]), np.array(ratings)),
        ),
        "train_seconds": seconds,
        "trained_on": len(found),
        "test_rows": len(test),
    }
