"""Ours: the predictor of the command line and the bot."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.answering import ServingJob, timed
from classifier.commands.quiet import quiet_libraries
from classifier.modeling.device import default_device
from classifier.modeling.pooling import POOLINGS
from classifier.serving.predictor import Predictor


def measure(values: dict[str, Any]) -> dict[str, Any]:
    """`Predictor`: both models, sentiment and rating, ratings stripped."""
    quiet_libraries()
    job = ServingJob(**values)
    predictor = Predictor(Path(job.version), default_device())
    if job.max_tokens is not None:
        for model in predictor.models.values():
            model.config = replace(model.config, max_tokens=job.max_tokens)

    def answer(texts: list[str]) -> dict[str, list[str]]:
        predicted = predictor.predict(texts)
        return {pooling: [both[pooling].sentiment for both in predicted] for pooling in POOLINGS}

    return timed(answer, job)
