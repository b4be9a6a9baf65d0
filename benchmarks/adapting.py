"""Ours: `classifier.adaptation.adapt` as `python -m classifier train` calls it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.ours import burst
from benchmarks.pace import TrainingJob
from classifier.adaptation import adapt
from classifier.checkpoint import Checkpoint
from classifier.distributed import Group
from classifier.recipe import DEFAULT
from classifier.tokens import load_tokenizer
from classifier.training import Part, new_model


def measure(values: dict[str, Any]) -> dict[str, Any]:
    """A burst of the encoder's adaptation."""
    job = TrainingJob(**values)
    recipe = replace(DEFAULT, adaptation_epochs=DEFAULT.epochs)  # one may not be enough
    mask_id = load_tokenizer(Path(job.encoder)).mask_token_id
    assert isinstance(mask_id, int)

    def trains(part: Part, checkpoint: Checkpoint, group: Group, *told: Any) -> None:
        bert = new_model(job.encoder, "mean", recipe, job.seed).bert
        adapt(bert, recipe, part.tokens, mask_id, job.seed, checkpoint, group, *told)

    return burst(job, trains)
