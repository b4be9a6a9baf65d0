"""Loss and accuracy, summed up batch by batch and over processes."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from classifier.labels import NO_RATING, SENTIMENTS
from classifier.modeling.modeling_kinorate import KinorateOutput
from classifier.training.distributed import Group


@dataclass(frozen=True)
class Targets:
    """The labels of one batch, on the model's device."""

    sentiment: Tensor  # int64 [batch]
    rating: Tensor  # int64 [batch], NO_RATING where missing
    weights: Tensor | None = None  # float32 [batch]; None: all alike


def class_weights(sentiment: NDArray[np.int64], power: float) -> Tensor:
    """How much a row of each sentiment counts in the loss, float32 [3]; 1 in the mean of the rows.

    (rows / rows of the class) to `power`: 0 counts all rows alike, 1 all classes alike. The hub's
    reviews are Good three times in four, and a plain loss hardly learns the other two.
    """
    counts = np.bincount(sentiment, minlength=len(SENTIMENTS))
    weights = (len(sentiment) / np.maximum(counts, 1)) ** power
    return torch.tensor(weights / (weights @ counts / len(sentiment)), dtype=torch.float32)


def loss_sums(
    output: KinorateOutput, targets: Targets, by_class: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Cross-entropy of sentiment and of rating, summed by weight over the rows that have one.

    `by_class`, float32 [3], are more weights for the sentiment: `class_weights`.
    """
    assert output.sentiment_logits is not None
    sentiment = _loss_sum(output.sentiment_logits, targets.sentiment, targets.weights, by_class)
    if output.rating_logits is None:
        return sentiment, torch.zeros_like(sentiment)
    return sentiment, _loss_sum(output.rating_logits, targets.rating, targets.weights)


def _loss_sum(
    logits: Tensor, truth: Tensor, by_row: Tensor | None, by_class: Tensor | None = None
) -> Tensor:
    losses = cross_entropy(
        logits.float(), truth, weight=by_class, ignore_index=NO_RATING, reduction="none"
    )
    return losses.sum() if by_row is None else (losses * by_row).sum()


class LossMeter:
    """Sums over the rows seen so far."""

    def __init__(self, device: torch.device) -> None:
        # rows, rated rows, sentiment loss, rating loss, sentiment right, rating right
        self._sums = torch.zeros(6, dtype=torch.float64, device=device)

    @torch.no_grad()
    def add(self, output: KinorateOutput, targets: Targets, losses: tuple[Tensor, Tensor]) -> None:
        """Count one batch, whose `loss_sums` are `losses`."""
        assert output.sentiment_logits is not None
        right = (output.sentiment_logits.argmax(1) == targets.sentiment).sum()
        rated = targets.rating != NO_RATING
        rating_right = torch.zeros_like(right)
        if output.rating_logits is None:
            rated = torch.zeros_like(rated)
        else:
            cumulative = output.rating_logits.float().softmax(1).cumsum(1)
            median = (cumulative < 0.5).sum(1)
            rating_right = ((median == targets.rating) & rated).sum()
        row = [torch.tensor(len(rated)), rated.sum(), *losses, right, rating_right]
        self._sums += torch.stack([value.to(self._sums) for value in row])

    def figures(self, part: str, group: Group) -> dict[str, float]:
        """The means over every process's rows, named for `part`."""
        rows, rated, loss, rating_loss, right, rating_right = group.total(self._sums).tolist()
        figures = {f"{part}_loss": loss / rows, f"{part}_accuracy": right / rows}
        if rated:
            figures[f"{part}_loss"] += rating_loss / rated
            figures[f"{part}_rating_loss"] = rating_loss / rated
            figures[f"{part}_rating_accuracy"] = rating_right / rated
        return figures
