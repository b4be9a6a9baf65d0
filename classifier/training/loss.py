"""Loss and accuracy, summed up batch by batch and over processes."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from classifier.labels import NO_RATING
from classifier.modeling.modeling_kinorate import KinorateOutput
from classifier.training.distributed import Group


@dataclass(frozen=True)
class Targets:
    """The labels of one batch, on the model's device."""

    sentiment: Tensor  # int64 [batch]
    rating: Tensor  # int64 [batch], NO_RATING where missing
    weights: Tensor | None = None  # float32 [batch]; None: all alike


def loss_sums(output: KinorateOutput, targets: Targets) -> tuple[Tensor, Tensor]:
    """Cross-entropy of sentiment and of rating, summed by weight over the rows that have one."""
    assert output.sentiment_logits is not None
    sentiment = _loss_sum(output.sentiment_logits, targets.sentiment, targets.weights)
    if output.rating_logits is None:
        return sentiment, torch.zeros_like(sentiment)
    return sentiment, _loss_sum(output.rating_logits, targets.rating, targets.weights)


def _loss_sum(logits: Tensor, truth: Tensor, weights: Tensor | None) -> Tensor:
    if weights is None:
        return cross_entropy(logits.float(), truth, ignore_index=NO_RATING, reduction="sum")
    losses = cross_entropy(logits.float(), truth, ignore_index=NO_RATING, reduction="none")
    return (losses * weights).sum()


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
