"""How fast reviews are answered: one at a time, and many at once; and ours measured so."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import rows
from classifier.labels import SENTIMENTS

_WARM_UP = 5

# From texts to the sentiment of each, by the name of the model.
Answer = Callable[[list[str]], dict[str, list[str]]]


@dataclass(frozen=True)
class ServingJob:
    """What an arm's process is asked to measure."""

    version: str  # a folder
    rows: str  # a file of `rows.write`: the reviews to answer
    others: str  # another: the reviews that TF-IDF is fitted on
    single: int  # how many reviews to answer one at a time
    began: float  # time.time() when the process was started
    bfloat16: bool = False  # the pipeline's
    max_tokens: int | None = None  # of a review, instead of as many as the version reads


def measure(values: dict[str, Any]) -> dict[str, Any]:
    """Ours, the `Predictor`: both models, sentiment and rating, written ratings stripped."""
    # Imported here, so that TF-IDF's process, which times its answers too, is free of torch.
    from classifier.commands.quiet import quiet_libraries
    from classifier.modeling.device import default_device
    from classifier.serving.predictor import Predictor

    quiet_libraries()
    job = ServingJob(**values)
    predictor = Predictor(Path(job.version), default_device())
    if job.max_tokens is not None:
        for model in predictor.models.values():
            model.config = replace(model.config, max_tokens=job.max_tokens)

    def answer(texts: list[str]) -> dict[str, list[str]]:
        predicted = predictor.predict(texts)
        return {name: [both[name].sentiment for both in predicted] for name in predictor.models}

    return timed(answer, job)


def timed(answer: Answer, job: ServingJob) -> dict[str, Any]:
    """Milliseconds of a single review, reviews a second of all at once, and the accuracy."""
    found = rows.load(job.rows)
    texts = [row["text"] for row in found]
    answer(texts[:1])
    first = time.time() - job.began
    for text in texts[:_WARM_UP]:
        answer([text])
    single = [_seconds(answer, [text])[0] * 1000 for text in texts[: job.single]]
    answer(texts[:32])
    seconds, answered = _seconds(answer, texts)
    truth = np.array([SENTIMENTS[row["sentiment"]] for row in found])
    return {
        "first_answer_seconds": first,
        "p50_ms": statistics.median(single),
        "p95_ms": float(np.percentile(single, 95)),
        "reviews_per_second": len(texts) / seconds,
        "accuracy": {name: float(np.mean(truth == said)) for name, said in answered.items()},
    }


def _seconds(answer: Answer, texts: list[str]) -> tuple[float, dict[str, list[str]]]:
    started = time.perf_counter()
    answered = answer(texts)
    return time.perf_counter() - started, answered
