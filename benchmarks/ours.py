"""Ours: `classifier.training.loop.train` as `python -m classifier train` calls it."""

import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from datasets import Dataset

from benchmarks import rows
from benchmarks.pace import Pace, TrainingJob
from classifier.data.tokens import load_tokenizer
from classifier.modeling.device import default_device
from classifier.training.checkpoint import Checkpoint
from classifier.training.distributed import Group
from classifier.training.labelled import labelled_part
from classifier.training.loop import Part, Step, new_model, train
from classifier.training.recipe import DEFAULT


class _EnoughError(Exception):
    """Ends a training from within its progress bar."""


Trains = Callable[[Part, Checkpoint, Group, Callable[[Step], None], Callable[[Any], None]], object]


def measure(values: dict[str, Any]) -> dict[str, Any]:
    """A burst of training with one pooling."""
    job = TrainingJob(**values)
    masks = mask_id(job)

    def trains(
        part: Part,
        checkpoint: Checkpoint,
        group: Group,
        on_step: Callable[[Step], None],
        on_epoch: Callable[[Any], None],
    ) -> None:
        model = new_model(job.encoder, job.pooling, DEFAULT, job.seed)
        few = part.head(DEFAULT.batch_size)
        train(model, DEFAULT, part, few, job.seed, checkpoint, group, on_step, on_epoch, masks)

    return burst(job, trains)


def burst(job: TrainingJob, trains: Trains) -> dict[str, Any]:
    """The figures of what `trains`, ended when it has been timed for long enough.

    It is given the job's reviews, a checkpoint, this process as a group, and what it has to call
    after each step and each epoch.
    """
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
        trains(part, checkpoint, alone, on_step, lambda _: pace.interrupt())
    return pace.figures() | {"tokenizing_seconds": prepared}


def mask_id(job: TrainingJob) -> int:
    """Of the tokenizer's [MASK]."""
    found = load_tokenizer(Path(job.encoder)).mask_token_id
    assert isinstance(found, int)
    return found


def _part(job: TrainingJob) -> Part:
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
