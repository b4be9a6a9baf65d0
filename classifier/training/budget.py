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
from classifier.training.loop import Step, TrainingRun, new_model, train
from classifier.training.parts import Part
from classifier.training.recipe import Recipe

_TIMED_STEPS = 8  # after a first one that isn't timed: it allocates
_PREDICTED_PER_TRAINED = 3.5  # tokens predicted in the time that training on one takes
_TENTH = 0.1  # of the reviews is to validate, and one is held out by default; see splits.py
_HOLDOUT_PASSES = 2  # with and without the written ratings


def reviews_within(
    minutes: float, encoder: Encoder, recipe: Recipe, sample: Part, holdout: int | None = None
) -> int:
    """How many reviews like `sample` both poolings can be trained on and judged in `minutes`.

    Found by timing a few real training steps on this machine, on `sample`, which is repeated where
    it is less than two batches. `holdout` is the number of other reviews they are judged by,
    instead of by a tenth. Raises ClassifierError where judging alone takes longer.
    """
    seconds = _seconds_per_review(encoder, recipe, sample)
    lengths = sample.tokens.lengths
    whole = lengths.mean() / np.minimum(lengths, recipe.window).mean()  # to what training reads
    predicting = seconds * len(POOLINGS) * whole / _PREDICTED_PER_TRAINED
    judging = predicting * _HOLDOUT_PASSES
    trained = 1 - _TENTH * (2 if holdout is None else 1)
    each = trained * seconds * recipe.all_epochs + _TENTH * predicting * recipe.epochs
    if holdout is None:
        return int(minutes * 60 / (each + _TENTH * judging))
    left = minutes * 60 - holdout * judging
    if left <= 0:
        raise ClassifierError(
            f"To judge by {holdout:,} held-out reviews takes {holdout * judging / 60:.1f} "
            f"minutes alone, and there are {minutes:g}."
        )
    return int(left / each)


def _seconds_per_review(encoder: Encoder, recipe: Recipe, sample: Part) -> float:
    while len(sample.tokens) < 2 * recipe.batch_size:
        sample = sample + sample
    rows = recipe.batch_size * (1 + _TIMED_STEPS)
    model = new_model(str(encoder.folder), "mean", recipe, seed=0)
    ended: list[float] = []

    def on_step(_: Step) -> None:
        ended.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Checkpoint(Path(folder) / "timed.safetensors")
        run = TrainingRun(0, checkpoint, Group(0, 1, default_device()), on_step)
        one_epoch, few = replace(recipe, epochs=1), sample.head(recipe.batch_size)
        train(model, one_epoch, sample.head(rows), few, run)
    # The median: a moment in which the machine is busy elsewhere must not cost half the reviews.
    return float(np.median(np.diff(ended))) / recipe.batch_size
