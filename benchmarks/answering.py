"""How fast reviews are answered: one at a time, and many at once; and ours measured so."""

import operator
import statistics
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import rows
from benchmarks.rows import Row
from classifier.labels import SENTIMENTS

if TYPE_CHECKING:  # TF-IDF's process, which times its answers too, is free of torch
    from classifier.data.tokens import Tokens
    from classifier.modeling.outputs import Outputs
    from classifier.modeling.pooling import Pooling

CALIBRATING = 128
"""So many of the reviews that aren't answered show an int8 model what its numbers are like."""

_WARM_UP = 5


@dataclass(frozen=True)
class Said:
    """What a model says of n texts."""

    sentiments: list[str]
    ratings: list[int | None]  # None where it has no rating head


Answer = Callable[[list[str]], dict[str, Said]]  # by the name of the model


@dataclass(frozen=True)
class ServingJob:
    """What an arm's process is asked to measure."""

    version: str  # a folder
    rows: str  # a file of `rows.write`: the reviews to answer
    others: str  # another: the reviews that TF-IDF is fitted on
    single: int  # how many reviews to answer one at a time
    began: float  # time.time() when the process was started
    exported: str = ""  # a folder for the models as ONNX
    form: str = ""  # of these: float32, blocks, dynamic, static
    bfloat16: bool = False  # the pipeline's
    max_tokens: int | None = None  # of a review, instead of as many as the version reads


def measure(values: dict[str, Any]) -> dict[str, Any]:
    """Ours, the `Predictor`: both models, sentiment and rating, written ratings stripped."""
    from classifier.commands.quiet import quiet_libraries
    from classifier.modeling.device import default_device
    from classifier.serving.predictor import Predictor

    quiet_libraries()
    job = ServingJob(**values)
    predictor = Predictor(Path(job.version), default_device())
    if job.max_tokens is not None:
        for model in predictor.models.values():
            model.config = replace(model.config, max_tokens=job.max_tokens)

    def answer(texts: list[str]) -> dict[str, Said]:
        predicted = predictor.predict(texts)
        return {
            name: Said(
                [both[name].sentiment for both in predicted],
                [both[name].rating for both in predicted],
            )
            for name in predictor.models
        }

    return timed(answer, job)


def side_by_side(folder: Path, models: "Mapping[Pooling, Callable[[Tokens], Outputs]]") -> Answer:
    """Both models at once, as the `Predictor` has them: the same tokens, half of the threads each.

    `folder` is the version's.
    """
    import torch

    from classifier.data.tokenizer import FastTokenizer
    from classifier.data.written_ratings import strip_ratings
    from classifier.modeling.outputs import answers_of
    from classifier.serving.packed_config import ServedConfig

    config, tokenizer = ServedConfig.read(folder / "cls"), FastTokenizer(folder / "cls")
    threads = max(1, torch.get_num_threads() // len(models))
    pool = ThreadPoolExecutor(len(models), "model", torch.set_num_threads, (threads,))

    def answer(texts: list[str]) -> dict[str, Said]:
        seen = texts if config.keep_ratings else [strip_ratings(text) for text in texts]
        tokens = tokenizer.tokens(seen, config.max_tokens, config.head_share)
        running = {name: pool.submit(model, tokens) for name, model in models.items()}
        said: dict[str, Said] = {}
        for name, future in running.items():
            found = answers_of(future.result())
            ratings = [None] * len(texts) if found.rating is None else found.rating.tolist()
            said[name] = Said([SENTIMENTS[index] for index in found.sentiment], ratings)
        return said

    return answer


def timed(answer: Answer, job: ServingJob) -> dict[str, Any]:
    """Milliseconds of a single review, reviews a second of all at once, and how right they are."""
    found = rows.load(job.rows)
    texts = [row["text"] for row in found]
    answer(texts[:1])
    first = time.time() - job.began
    for text in texts[:_WARM_UP]:
        answer([text])
    used = time.process_time()
    single = [_seconds(answer, [text])[0] * 1000 for text in texts[: job.single]]
    used = time.process_time() - used
    answer(texts[:32])
    seconds, answered = _seconds(answer, texts)
    truth = [SENTIMENTS[row["sentiment"]] for row in found]
    return {
        "first_answer_seconds": first,
        "p50_ms": statistics.median(single),
        "p95_ms": float(np.percentile(single, 95)),
        "cpu_ms": used / len(single) * 1000,  # of all threads; other work hardly changes it
        "reviews_per_second": len(texts) / seconds,
        "accuracy": {
            name: statistics.mean(map(operator.eq, truth, said.sentiments))
            for name, said in answered.items()
        },
        "rating_mae": {name: _error(found, said.ratings) for name, said in answered.items()},
    }


def _error(found: list[Row], ratings: list[int | None]) -> float | None:
    """The mean absolute error over the rated rows; None where nothing can be compared."""
    pairs = zip(found, ratings, strict=True)
    errors = [
        abs(row["rating"] - said)
        for row, said in pairs
        if row["rating"] is not None and said is not None
    ]
    return statistics.mean(errors) if errors else None


def _seconds(answer: Answer, texts: list[str]) -> tuple[float, dict[str, Said]]:
    started = time.perf_counter()
    answered = answer(texts)
    return time.perf_counter() - started, answered
