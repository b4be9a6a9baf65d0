"""The training loop: one pooling, one seed."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from classifier.data.tokens import Tokens, shuffled_batches, sorted_batches
from classifier.labels import NO_RATING
from classifier.memory import give_back_freed_pages
from classifier.modeling.attention import attention_for
from classifier.modeling.classifier import PoolingClassifier, reset_heads
from classifier.modeling.device import keep_hidden_in
from classifier.modeling.families import is_bert
from classifier.modeling.loading import classifier_on
from classifier.training.augmentation import random_windows
from classifier.training.checkpoint import Checkpoint, History
from classifier.training.distributed import Group
from classifier.training.dropout import use_fast_dropout
from classifier.training.loss import LossMeter, class_weights, loss_sums
from classifier.training.optimization import WeightAverage, optimization
from classifier.training.parts import Part
from classifier.training.recipe import Recipe

# Steps after which freed pages are given back to the system: every batch has other lengths and
# leaves other holes, 80 to 100 MB after 32 steps (measured).
_STEPS_BETWEEN_RETURNS = 16
# Attention holds 12 numbers for each pair of a review's tokens: 50 MB for two of 1,024.
_VALIDATED_AT_ONCE = 2048  # tokens

Forward = Callable[..., Any]  # the model's forward pass in the recipe's number format and device


@dataclass(frozen=True)
class Step:
    """Where a training stands, for a progress bar."""

    epoch: int  # from 1
    epochs: int
    done: int  # batches of this epoch
    batches: int
    loss: float


@dataclass(frozen=True)
class TrainingRun:
    """One training's seed, its checkpoint, the processes it works with, and whom it tells."""

    seed: int
    checkpoint: Checkpoint
    group: Group
    on_step: Callable[[Step], None] = lambda _: None
    on_epoch: Callable[[dict[str, float]], None] = lambda _: None


def new_model(encoder: str, pooling: str, recipe: Recipe, seed: int) -> PoolingClassifier:
    """The encoder in the folder `encoder` with heads drawn from `seed`.

    Both poolings get the same heads: they differ in the pooling alone. Raises ClassifierError
    for a folder that holds no encoder.
    """
    names = ("rating_head", "max_tokens", "head_share")
    settings = {name: getattr(recipe, name) for name in names} | {"pooling": pooling}
    # Dropout in the attention rules out the fast kernels.
    model = classifier_on(Path(encoder), attention_dropout=recipe.dropout != "fast", **settings)
    torch.manual_seed(seed)
    reset_heads(model)
    return model


def train(
    model: PoolingClassifier, recipe: Recipe, training: Part, validation: Part, run: TrainingRun
) -> History:
    """Train `model` in place, and return the loss and accuracy of each epoch.

    The randomness of an epoch depends on (seed, epoch) alone, so a run resumed from its
    checkpoint ends exactly as it would have without the interruption.
    """
    group, dtype = run.group, recipe.dtype(run.group.device)
    model.to(group.device)  # type: ignore[arg-type]
    if is_bert(model.encoder):
        model.encoder.set_attn_implementation(attention_for(group.device, dtype))
        keep_hidden_in(model.encoder, dtype)
    if recipe.dropout == "fast":
        use_fast_dropout(model)
    optimizers = optimization(model, recipe)
    history = run.checkpoint.restore(model, optimizers)
    replica = group.replicate(model)
    reviews = _Reviews(model, recipe, training, validation, group)

    def in_format(module: torch.nn.Module) -> Forward:
        def forward(*inputs: Tensor) -> Any:
            with torch.autocast(group.device.type, dtype, enabled=dtype != torch.float32):
                return module(*(tensor.to(group.device) for tensor in inputs))

        return forward

    for epoch in range(len(history), recipe.epochs):
        started = time.perf_counter()
        torch.manual_seed(epoch_seed(run.seed, epoch, group.rank))  # dropout
        batches = reviews.begin_epoch(np.random.default_rng((run.seed, epoch)))
        last = epoch + 1 == recipe.epochs
        average: WeightAverage | None = None
        model.train()
        for number, rows in enumerate(batches):
            if recipe.averaging and last and number == len(batches) // 2:
                average = WeightAverage(model)
            loss, factor = reviews.loss(in_format(replica), rows)
            (loss * factor).backward()
            optimizers.step(epoch * len(batches) + number, recipe.epochs * len(batches))
            if average is not None:
                average.step()
            if (number + 1) % _STEPS_BETWEEN_RETURNS == 0:
                give_back_freed_pages()
            run.on_step(Step(epoch + 1, recipe.epochs, number + 1, len(batches), loss.item()))
        if average is not None:
            average.take()
            average = None  # its 117 MB can be given back
        give_back_freed_pages()
        figures = {"epoch": float(epoch + 1), **reviews.figures(in_format(model))}
        history.append(figures | {"seconds": time.perf_counter() - started})
        if group.is_first:
            run.checkpoint.save(model, None if last else optimizers, history)
        run.on_epoch(history[-1])
        group.wait()
    return history


def epoch_seed(seed: int, epoch: int, rank: int) -> int:
    """A seed for torch that each process of the group has for itself."""
    return int(np.random.SeedSequence((seed, epoch, rank)).generate_state(1)[0])


@dataclass
class _Reviews:
    """Sentiment and rating of the training part, checked on the validation part."""

    model: PoolingClassifier
    recipe: Recipe
    training: Part
    validation: Part
    group: Group
    by_class: Tensor = field(init=False)  # float32 [3]
    tokens: Tokens = field(init=False)  # of the epoch under way, as is the meter
    meter: LossMeter = field(init=False)

    def __post_init__(self) -> None:
        weights = class_weights(self.training.labels.sentiment, self.recipe.class_power)
        self.by_class = weights.to(self.group.device)

    def begin_epoch(self, chance: np.random.Generator) -> list[NDArray[np.int64]]:
        """The batches, as row numbers."""
        recipe = self.recipe
        tokens = random_windows(self.training.tokens, recipe.window, chance)
        self.tokens, self.meter = tokens, LossMeter(self.group.device)
        like_length = recipe.batch_order == "like_length"
        return shuffled_batches(tokens.lengths, recipe.batch_size, chance, like_length=like_length)

    def loss(self, forward: Forward, rows: NDArray[np.int64]) -> tuple[Tensor, float]:
        """The loss of a batch, and the factor of its gradient in this process."""
        group, recipe = self.group, self.recipe
        # Each process takes its share of the batch; one without a share computes the first
        # row again, with weight 0, because the others wait for its gradients.
        mine = rows[group.rank :: group.size]
        factor = float(len(mine) > 0) * group.size  # DDP divides by the group's size
        mine = mine if len(mine) else rows[:1]
        width = recipe.max_tokens if recipe.padding == "full" else None
        output = forward(*self.tokens.batch(mine, width))
        targets = self.training.targets(mine, group.device)
        if factor:  # without the classes' weights, as for the validation part
            self.meter.add(output, targets, loss_sums(output, targets))
        sentiment_loss, rating_loss = loss_sums(output, targets, self.by_class)
        rated = max(1, int((self.training.labels.rating[rows] != NO_RATING).sum()))
        return sentiment_loss / len(rows) + rating_loss / rated, factor

    def figures(self, forward: Forward) -> dict[str, float]:
        """Means over the epoch's rows in all processes; `forward` is of the model alone."""
        return self.meter.figures("train", self.group) | self._validated(forward)

    @torch.inference_mode()
    def _validated(self, forward: Forward) -> dict[str, float]:
        self.model.eval()
        meter, part, group = LossMeter(self.group.device), self.validation, self.group
        batches = list(sorted_batches(part.tokens.lengths, _VALIDATED_AT_ONCE))
        for rows, width in batches[group.rank :: group.size]:
            output = forward(*part.tokens.batch(rows, width))
            targets = part.targets(rows, group.device)
            meter.add(output, targets, loss_sums(output, targets))
        return meter.figures("validation", group)
