"""How many reviews a training can take in the minutes it is given."""

import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from classifier.checkpoint import Checkpoint
from classifier.distributed import Group, default_device
from classifier.encoders import Encoder
from classifier.pooling import POOLINGS
from classifier.recipe import Recipe
from classifier.training import Part, Step, new_model, train

_TIMED_STEPS = 8  # after a first one that isn't timed: it allocates
_PREDICTED_PER_TRAINED = 3.5  # tokens predicted in the time that training on one takes
_TRAINED, _VALIDATED, _HELD_OUT = 0.8, 0.1, 0.1  # shares of the reviews, see splits.py
_HOLDOUT_PASSES = 2  # with and without the written ratings


def reviews_within(minutes: float, encoder: Encoder, recipe: Recipe, sample: Part) -> int:
    """How many reviews like `sample` both poolings can be trained on and judged in `minutes`.

    Found by timing a few real training steps on this machine; `sample` needs about ten
    batches.
    """
    seconds = _seconds_per_review(encoder, recipe, sample)
    lengths = sample.tokens.lengths
    whole = lengths.mean() / np.minimum(lengths, recipe.window).mean()  # to what training reads
    predicted = _VALIDATED * recipe.epochs + _HELD_OUT * _HOLDOUT_PASSES
    passes = predicted * len(POOLINGS) * whole / _PREDICTED_PER_TRAINED
    return int(minutes * 60 / (seconds * (_TRAINED * recipe.all_epochs + passes)))


def _seconds_per_review(encoder: Encoder, recipe: Recipe, sample: Part) -> float:
    rows = recipe.batch_size * (1 + _TIMED_STEPS)
    model = new_model(str(encoder.folder), "mean", recipe, seed=0)
    ended: list[float] = []

    def on_step(_: Step) -> None:
        ended.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        train(
            model,
            replace(recipe, epochs=1),
            sample.head(rows),
            sample.head(recipe.batch_size),
            seed=0,
            checkpoint=Checkpoint(Path(folder) / "timed.safetensors"),
            group=Group(rank=0, size=1, device=default_device()),
            on_step=on_step,
            on_epoch=lambda _: None,
        )
    # The median: a moment in which the machine is busy elsewhere must not cost half the reviews.
    return float(np.median(np.diff(ended))) / recipe.batch_size
