"""Ours: training as `python -m classifier train` calls them."""

import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from datasets import Dataset

from benchmarks import rows
from benchmarks.pace import Pace, TrainingJob
from classifier.data.tokenizer import load_tokenizer
from classifier.modeling.device import default_device
from classifier.training.checkpoint import Checkpoint
from classifier.training.distributed import Group
from classifier.training.loop import Step, TrainingRun, new_model, train
from classifier.training.parts import Part
from classifier.training.recipe import DEFAULT


class _EnoughError(Exception):
    """Ends a training from within its progress bar."""


def measure(values: dict[str, Any]) -> dict[str, Any]:
    """The figures of a training with one pooling that ends as soon as enough of it was timed."""
    job = TrainingJob(**values)
    started = time.perf_counter()
    part = _part(job)
    prepared = time.perf_counter() - started
    pace = Pace(job.seconds)

    def on_step(step: Step) -> None:
        if pace.step(DEFAULT.batch_size, step.loss):
            raise _EnoughError

    with tempfile.TemporaryDirectory() as folder, suppress(_EnoughError):
        checkpoint = Checkpoint(Path(folder) / "burst.safetensors")
        alone = Group(rank=0, size=1, device=default_device())
        run = TrainingRun(job.seed, checkpoint, alone, on_step, lambda _: pace.interrupt())
        model = new_model(job.encoder, job.pooling, DEFAULT, job.seed)
        train(model, DEFAULT, part, part.head(DEFAULT.batch_size), run)
    return pace.figures() | {"tokenizing_seconds": prepared}


def _part(job: TrainingJob) -> Part:
    """The job's reviews, prepared as `python -m classifier train` prepares its training rows."""
    found = rows.load(job.rows)
    reviews = Dataset.from_list([{**row, "weight": 1.0} for row in found])
    tokenizer = load_tokenizer(Path(job.encoder))
    return Part.of_rows(reviews, tokenizer, DEFAULT, Path(job.cache), to_train=True)
