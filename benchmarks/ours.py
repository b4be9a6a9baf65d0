"""Ours: `classifier.training.train` as `python -m classifier train` calls it."""

import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from datasets import Dataset

from benchmarks import rows
from benchmarks.pace import Pace, TrainingJob
from classifier.checkpoint import Checkpoint
from classifier.distributed import Group, default_device
from classifier.labelled import labelled_part
from classifier.recipe import DEFAULT
from classifier.tokens import load_tokenizer
from classifier.training import Part, Step, new_model, train


class EnoughError(Exception):
    """Ends a training from within its progress bar."""


def measure(values: dict[str, Any]) -> dict[str, Any]:
    """A burst of training with one pooling."""
    job = TrainingJob(**values)
    started = time.perf_counter()
    part = part_of(job)
    prepared = time.perf_counter() - started
    pace = Pace(job.seconds)

    def on_step(step: Step) -> None:
        if pace.step(DEFAULT.batch_size, step.loss):
            raise EnoughError

    with tempfile.TemporaryDirectory() as folder, suppress(EnoughError):
        train(
            new_model(job.encoder, job.pooling, DEFAULT, job.seed),
            DEFAULT,
            part,
            part.head(DEFAULT.batch_size),
            job.seed,
            Checkpoint(Path(folder) / "burst.safetensors"),
            Group(rank=0, size=1, device=default_device()),
            on_step,
            lambda _: pace.interrupt(),
        )
    return pace.figures() | {"tokenizing_seconds": prepared}


def part_of(job: TrainingJob) -> Part:
    """The job's reviews as `train` prepares those to train on."""
    found = rows.load(job.rows)
    labels = Dataset.from_dict(
        {
            "sentiment": [row["sentiment"] for row in found],
            "rating": [row["rating"] for row in found],
            "weight": [1.0] * len(found),
        }
    )
    texts = [row["text"] for row in found]
    tokenizer = load_tokenizer(Path(job.encoder))
    return labelled_part(labels, texts, tokenizer, DEFAULT, Path(job.cache), to_train=True)
