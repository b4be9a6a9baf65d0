"""The training loop of one pooling."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from classifier.data.tokens import Tokens, shuffled_batches, sorted_batches
from classifier.labels import NO_RATING
from classifier.memory import give_back_freed_pages
from classifier.modeling.attention import attention_for
from classifier.modeling.classifier import PoolingClassifier, load_classifier, reset_heads
from classifier.modeling.device import keep_hidden_in
from classifier.modeling.outputs import Labels
from classifier.training.averaging import WeightAverage
from classifier.training.checkpoint import Checkpoint, History
from classifier.training.distributed import Group
from classifier.training.dropout import use_fast_dropout
from classifier.training.inference import TOKENS_AT_ONCE
from classifier.training.loss import Tally, Targets, loss_sums
from classifier.training.optimization import optimization
from classifier.training.recipe import Recipe
from classifier.training.windows import random_windows
from classifier.training.word_dropout import without_some_words

KEEPING_STEPS = 16
"""Steps between two times that freed pages are given back.

Batches of ever other lengths leave ever other holes, 80 to 100 MB after 32 steps (measured).
"""


@dataclass(frozen=True)
class Part:
    """Tokenized reviews with their labels, and how much each counts in training."""

    tokens: Tokens
    labels: Labels
    weights: NDArray[np.float32] | None = None  # [n]; None: all alike

    def head(self, rows: int) -> "Part":
        """The first `rows` of them."""
        labels = Labels(self.labels.sentiment[:rows], self.labels.rating[:rows])
        weights = None if self.weights is None else self.weights[:rows]
        return Part(self.tokens.head(rows), labels, weights)

    def joined(self, other: "Part") -> "Part":
        """These reviews, then the other's."""
        labels = Labels(
            np.concatenate([self.labels.sentiment, other.labels.sentiment]),
            np.concatenate([self.labels.rating, other.labels.rating]),
        )
        weights = None
        if self.weights is not None or other.weights is not None:
            weights = np.concatenate([_weights(self), _weights(other)])
        return Part(self.tokens + other.tokens, labels, weights)


@dataclass(frozen=True)
class Step:
    """Where a training stands, for a progress bar."""

    epoch: int  # from 1
    epochs: int
    done: int  # batches of this epoch
    batches: int
    loss: float


def new_model(encoder: str, pooling: str, recipe: Recipe, seed: int) -> PoolingClassifier:
    """The encoder in the folder `encoder` with heads drawn from `seed`.

    Both poolings get the same heads: they differ in the pooling alone. Raises ClassifierError
    for a folder that holds no BERT.
    """
    settings: dict[str, Any] = {
        "pooling": pooling,
        "rating_head": recipe.rating_head,
        "max_tokens": recipe.max_tokens,
        "head_share": recipe.head_share,
    }
    if not recipe.notebook:
        settings["attention_probs_dropout_prob"] = 0.0  # above zero it forbids the fast kernels
    model = load_classifier(Path(encoder), with_heads=False, dtype=torch.float32, **settings)
    torch.manual_seed(seed)
    reset_heads(model)
    return model


def train(
    model: PoolingClassifier,
    recipe: Recipe,
    training: Part,
    validation: Part,
    seed: int,
    checkpoint: Checkpoint,
    group: Group,
    on_step: Callable[[Step], None],
    on_epoch: Callable[[dict[str, float]], None],
    mask_id: int | None = None,
) -> History:
    """Train `model` in place, and give loss and accuracy by epoch.

    `mask_id` is the tokenizer's [MASK]; without it no words are hidden.

    The randomness of an epoch depends on (seed, epoch) alone, so a run taken up from its
    checkpoint goes on exactly as it would have without the interruption.
    """
    model.to(group.device)  # type: ignore[arg-type]
    dtype = recipe.dtype(group.device)
    model.set_attn_implementation(attention_for(group.device, dtype))
    keep_hidden_in(model.bert, dtype)
    if not recipe.notebook:
        use_fast_dropout(model)
    optimizers = optimization(model, recipe)
    history = checkpoint.restore(model, optimizers)
    replica = group.replicate(model)
    pad_to = recipe.max_tokens if recipe.notebook else None
    for epoch in range(len(history), recipe.epochs):
        started = time.perf_counter()
        torch.manual_seed(epoch_seed(seed, epoch, group.rank))  # dropout
        chance = np.random.default_rng((seed, epoch))
        tokens = random_windows(training.tokens, recipe.window, chance)
        if recipe.word_dropout and mask_id is not None:
            tokens = without_some_words(tokens, recipe.word_dropout, mask_id, chance)
        batches = shuffled_batches(
            tokens.lengths, recipe.batch_size, chance, like_length=not recipe.notebook
        )
        last = epoch + 1 == recipe.epochs
        average: WeightAverage | None = None
        model.train()
        tally = Tally(group.device)
        for number, rows in enumerate(batches):
            if last and number == len(batches) // 2 and not recipe.notebook:
                average = WeightAverage(model)
            # Each process takes its share of the batch; one without a share computes the
            # first row again, with weight 0, because the others wait for its gradients.
            mine = rows[group.rank :: group.size]
            weight = float(len(mine) > 0) * group.size  # DDP divides by the group's size
            mine = mine if len(mine) else rows[:1]
            input_ids, attention_mask = tokens.batch(mine, pad_to)
            targets = _targets(training, mine, group.device)
            with torch.autocast(group.device.type, dtype, enabled=dtype != torch.float32):
                output = replica(input_ids.to(group.device), attention_mask.to(group.device))
            sentiment_loss, rating_loss = losses = loss_sums(output, targets)
            rated = max(1, int((training.labels.rating[rows] != NO_RATING).sum()))
            loss = sentiment_loss / len(rows) + rating_loss / rated
            (loss * weight).backward()
            optimizers.step(epoch * len(batches) + number, recipe.epochs * len(batches))
            if average is not None:
                average.step()
            if weight:
                tally.add(output, targets, losses)
            if (number + 1) % KEEPING_STEPS == 0:
                give_back_freed_pages()
            on_step(Step(epoch + 1, recipe.epochs, number + 1, len(batches), loss.item()))
        if average is not None:
            average.take()
            average = None  # its 117 MB can be given back
        give_back_freed_pages()
        figures = {"epoch": float(epoch + 1), **tally.figures("train", group)}
        figures |= _measure(model, validation, dtype, group)
        history.append(figures | {"seconds": time.perf_counter() - started})
        if group.is_first:
            checkpoint.save(model, None if last else optimizers, history)
        on_epoch(history[-1])
        group.wait()
    return history


@torch.inference_mode()
def _measure(
    model: PoolingClassifier, part: Part, dtype: torch.dtype, group: Group
) -> dict[str, float]:
    model.eval()
    tally = Tally(group.device)
    batches = list(sorted_batches(part.tokens.lengths, TOKENS_AT_ONCE))
    for rows, width in batches[group.rank :: group.size]:
        input_ids, attention_mask = part.tokens.batch(rows, width)
        with torch.autocast(group.device.type, dtype, enabled=dtype != torch.float32):
            output = model(input_ids.to(group.device), attention_mask.to(group.device))
        targets = _targets(part, rows, group.device)
        tally.add(output, targets, loss_sums(output, targets))
    return tally.figures("validation", group)


def _targets(part: Part, rows: NDArray[np.int64], device: torch.device) -> Targets:
    weights = None if part.weights is None else torch.from_numpy(part.weights[rows]).to(device)
    return Targets(
        torch.from_numpy(part.labels.sentiment[rows]).to(device),
        torch.from_numpy(part.labels.rating[rows]).to(device),
        weights,
    )


def _weights(part: Part) -> NDArray[np.float32]:
    return np.ones(len(part.tokens), np.float32) if part.weights is None else part.weights


def epoch_seed(seed: int, epoch: int, rank: int) -> int:
    """A seed for torch that each process of the group has for itself."""
    return int(np.random.SeedSequence((seed, epoch, rank)).generate_state(1)[0])
