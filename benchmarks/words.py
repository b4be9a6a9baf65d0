"""TF-IDF as an answerer of reviews."""

from typing import Any

from benchmarks import rows, tfidf
from benchmarks.answering import ServingJob, timed
from classifier.labels import SENTIMENTS


def measure(values: dict[str, Any]) -> dict[str, Any]:
    """TF-IDF, fitted on other rows of the same source."""
    job = ServingJob(**values)
    fitted = tfidf.fit(rows.load(job.others))

    def answer(texts: list[str]) -> dict[str, list[str]]:
        fitted.ratings(texts)  # it is asked for the rating as well, as ours is
        return {"tfidf": [SENTIMENTS[index] for index in fitted.sentiments(texts)]}

    return timed(answer, job)
