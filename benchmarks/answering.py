"""How fast reviews are answered: one at a time, and many at once."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import rows
from classifier.labels import SENTIMENTS

_WARM_UP = 5

# Texts in, the sentiment of each out, by the name of the model.
Answer = Callable[[list[str]], dict[str, list[str]]]


@dataclass(frozen=True)
class ServingJob:
    """What an arm's process is asked to do."""

    version: str  # a folder
    rows: str  # a file of `rows.write`: what to answer
    others: str  # likewise: what TF-IDF is fitted on
    single: int  # how many of them to answer one at a time
    began: float  # time.time() when the process was ordered
    bfloat16: bool = False  # the pipeline's
    max_tokens: int | None = None  # of a review, instead of as many as the version takes


def timed(answer: Answer, job: ServingJob) -> dict[str, Any]:
    """Milliseconds of a single review, reviews a second of all at once, and how many are right."""
    found = rows.load(job.rows)
    texts = [row["text"] for row in found]
    answer(texts[:1])
    first = time.time() - job.began
    for text in texts[:_WARM_UP]:
        answer([text])
    single = [_seconds(answer, [text])[0] * 1000 for text in texts[: job.single]]
    answer(texts[:32])
    seconds, answered = _seconds(answer, texts)
    return {
        "first_answer_seconds": first,
        "p50_ms": statistics.median(single),
        "p95_ms": float(np.percentile(single, 95)),
        "reviews_per_second": len(texts) / seconds,
        "accuracy": {name: _accuracy(said, found) for name, said in answered.items()},
    }


def _seconds(answer: Answer, texts: list[str]) -> tuple[float, dict[str, list[str]]]:
    started = time.perf_counter()
    answered = answer(texts)
    return time.perf_counter() - started, answered


def _accuracy(said: list[str], found: list[rows.Row]) -> float:
    right = [
        answer == SENTIMENTS[row["sentiment"]] for answer, row in zip(said, found, strict=True)
    ]
    return sum(right) / len(right)
