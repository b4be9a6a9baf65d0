"""Ours: `classifier.training.adaptation.adapt` as `python -m classifier train` calls it."""

from dataclasses import replace
from typing import Any

from benchmarks.ours import burst, mask_id
from benchmarks.pace import TrainingJob
from classifier.training.adaptation import adapt
from classifier.training.checkpoint import Checkpoint
from classifier.training.distributed import Group
from classifier.training.loop import Part, new_model
from classifier.training.recipe import DEFAULT


def measure(values: dict[str, Any]) -> dict[str, Any]:
    """A burst of the encoder's adaptation."""
    job = TrainingJob(**values)
    recipe = replace(DEFAULT, adaptation_epochs=DEFAULT.epochs)  # one may not be enough
    masks = mask_id(job)

    def trains(part: Part, checkpoint: Checkpoint, group: Group, *told: Any) -> None:
        bert = new_model(job.encoder, "mean", recipe, job.seed).bert
        adapt(bert, recipe, part.tokens, masks, job.seed, checkpoint, group, *told)

    return burst(job, trains)
