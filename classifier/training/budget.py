"""How many reviews a training can take in the minutes it is given."""

import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from classifier.errors import ClassifierError
from classifier.modeling.device import default_device
from classifier.modeling.encoders import Encoder
from classifier.modeling.pooling import POOLINGS
from classifier.training.checkpoint import Checkpoint
from classifier.training.distributed import Group
from classifier.training.loop import Part, Step, new_model, train
from classifier.training.recipe import Recipe

_TIMED_STEPS = 8  # after a first one that isn't timed: it allocates
_PREDICTED_PER_TRAINED = 3.5  # tokens predicted in the time that training on one takes
_TENTH = 0.1  # of the reviews is to validate, and one is held out by default; see splits.py
_HOLDOUT_PASSES = 2  # with and without the written ratings


def reviews_within(
    minutes: float, encoder: Encoder, recipe: Recipe, sample: Part, held_out: int | None = None
) -> int:
    """How many reviews like `sample` both poolings can be trained on and judged in `minutes`.

    Found by timing a few real training steps on this machine, on `sample`, which is repeated
    where it is less than two batches. `held_out` is how many reviews they are judged by besides,
    instead of by a tenth.

    Raises ClassifierError where those alone take longer.
    """
    seconds = _seconds_per_review(encoder, recipe, sample)
    lengths = sample.tokens.lengths
    whole = lengths.mean() / np.minimum(lengths, recipe.window).mean()  # to what training reads
    predicting = seconds * len(POOLINGS) * whole / _PREDICTED_PER_TRAINED
    judging = predicting * _HOLDOUT_PASSES
    trained = 1 - _TENTH * (2 if held_out is None else 1)
    each = trained * seconds * recipe.all_epochs + _TENTH * predicting * recipe.epochs
    if held_out is None:
        return int(minutes * 60 / (each + _TENTH * judging))
    left = minutes * 60 - held_out * judging
    if left <= 0:
        raise ClassifierError(
            f"To judge by {held_out:,} held-out reviews takes {held_out * judging / 60:.1f} "
            f"minutes alone, and there are {minutes:g}."
        )
    return int(left / each)


def _seconds_per_review(encoder: Encoder, recipe: Recipe, sample: Part) -> float:
    while len(sample.tokens) < 2 * recipe.batch_size:
        sample = sample.joined(sample)
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
