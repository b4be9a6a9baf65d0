"""Ours: `classifier.adaptation.adapt` as `python -m classifier train` calls it."""

import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.ours import EnoughError, part_of
from benchmarks.pace import Pace, TrainingJob
from classifier.adaptation import adapt
from classifier.checkpoint import Checkpoint
from classifier.distributed import Group, default_device
from classifier.recipe import DEFAULT
from classifier.tokens import load_tokenizer
from classifier.training import Step, new_model


def measure(values: dict[str, Any]) -> dict[str, Any]:
    """A burst of the encoder's adaptation."""
    job = TrainingJob(**values)
    started = time.perf_counter()
    tokens = part_of(job).tokens
    prepared = time.perf_counter() - started
    mask_id = load_tokenizer(Path(job.encoder)).mask_token_id
    assert isinstance(mask_id, int)
    pace = Pace(job.seconds)

    def on_step(step: Step) -> None:
        if pace.step(DEFAULT.batch_size, step.loss):
            raise EnoughError

    with tempfile.TemporaryDirectory() as folder, suppress(EnoughError):
        adapt(
            new_model(job.encoder, "mean", DEFAULT, job.seed).bert,
            replace(DEFAULT, adaptation_epochs=DEFAULT.epochs),  # one may not be enough
            tokens,
            mask_id,
            job.seed,
            Checkpoint(Path(folder) / "burst.safetensors"),
            Group(rank=0, size=1, device=default_device()),
            on_step,
            lambda _: pace.interrupt(),
        )
    return pace.figures() | {"tokenizing_seconds": prepared}
