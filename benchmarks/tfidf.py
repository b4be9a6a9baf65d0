"""TF-IDF of one and two words: logistic regression for the sentiment, ridge for the rating."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, f1_score

from benchmarks import rows
from benchmarks.rows import Row
from classifier.labels import SENTIMENTS

ABOUT = (
    "scikit-learn: TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), "
    "LogisticRegression(C=10) for the sentiment, Ridge(alpha=0.3), rounded, for the rating"
)


@dataclass(frozen=True)
class Tfidf:
    """Fitted; the rating's part is None where no row had a rating."""

    words: Any
    sentiment: Any
    rating: Any

    def sentiments(self, texts: list[str]) -> NDArray[np.int64]:
        """[n], indices into SENTIMENTS."""
        answered: NDArray[np.int64] = self.sentiment.predict(self.words.transform(texts))
        return answered

    def ratings(self, texts: list[str]) -> NDArray[np.int64] | None:
        """[n], 0 to 10."""
        if self.rating is None:
            return None
        answered = self.rating.predict(self.words.transform(texts))
        return np.asarray(np.clip(np.rint(answered), 0, 10), dtype=np.int64)


def fit(found: list[Row]) -> Tfidf:
    """Both models on the same features. It has no randomness."""
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    features = words.fit_transform([row["text"] for row in found])
    sentiment = LogisticRegression(C=10, max_iter=1000)
    sentiment.fit(features, [row["sentiment"] for row in found])
    rated = [number for number, row in enumerate(found) if row["rating"] is not None]
    rating = Ridge(alpha=0.3, solver="sparse_cg") if rated else None
    if rating is not None:
        rating.fit(features[rated], [found[number]["rating"] for number in rated])
    return Tfidf(words, sentiment, rating)


def measure(values: dict[str, Any]) -> dict[str, Any]:
    """How long fitting on the rows of a training takes: for scale, it needs no second pass."""
    found = rows.load(values["rows"])
    started = time.perf_counter()
    fit(found)
    return {"fit_seconds": time.perf_counter() - started, "fitted_reviews": len(found)}


def judge(values: dict[str, Any]) -> dict[str, Any]:
    """Fit on `rows`, and the figures on `test`."""
    found, test = rows.load(values["rows"]), rows.load(values["test"])
    started = time.perf_counter()
    fitted = fit(found)
    seconds = time.perf_counter() - started
    texts, truth = [row["text"] for row in test], [row["sentiment"] for row in test]
    answered, classes = fitted.sentiments(texts), list(range(len(SENTIMENTS)))
    f1 = {
        f"{average}_f1": float(
            f1_score(truth, answered, labels=classes, average=average, zero_division=0)
        )
        for average in ("macro", "weighted")
    }
    ratings = fitted.ratings(texts)
    errors = [
        abs(int(answer) - row["rating"])
        for answer, row in zip([] if ratings is None else ratings, test, strict=False)
        if row["rating"] is not None
    ]
    return {
        "accuracy": float(accuracy_score(truth, answered)),
        **f1,
        "rating_mae": sum(errors) / len(errors) if errors else None,
        "train_seconds": seconds,
        "trained_on": len(found),
        "test_rows": len(test),
    }
