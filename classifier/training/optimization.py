"""The optimizers of a training, its learning rate step by step, and the mean of its weights."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer, SparseAdam
from torch.optim.swa_utils import AveragedModel, get_swa_avg_fn

from classifier.modeling.classifier import PoolingClassifier
from classifier.training.recipe import Recipe

_MAX_GRADIENT_NORM = 1.0
_EVERY = 16  # steps: averaging reads all 29 million weights, which one step hardly moves
_ROWS = 4096  # of a weight, averaged together


@dataclass(frozen=True)
class Optimization:
    """The optimizers of one training, stepped together."""

    optimizers: list[Optimizer]
    clipped: list[nn.Parameter]  # clip_grad_norm_ can't take the sparse ones
    recipe: Recipe

    def step(self, step: int, steps: int) -> None:
        """Take step number `step` (from 0) of `steps`, and clear the gradients."""
        rate = self.recipe.learning_rate * rate_share(step, steps, self.recipe)
        if self.clipped:
            nn.utils.clip_grad_norm_(self.clipped, _MAX_GRADIENT_NORM)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate * group.get("rate", 1.0)
            optimizer.step()
            optimizer.zero_grad()

    def tensors(self) -> Iterator[tuple[str, Tensor]]:
        """The state as named tensors, so that a checkpoint needs no pickle."""
        for number, optimizer in enumerate(self.optimizers):
            for parameter, state in optimizer.state_dict()["state"].items():
                for name, value in state.items():
                    yield f"{number}.{parameter}.{name}", torch.as_tensor(value)

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Restore the state that `tensors` returned."""
        for number, optimizer in enumerate(self.optimizers):
            state: dict[int, dict[str, Tensor | int]] = {}
            for key, value in tensors.items():
                owner, parameter, name = key.split(".", 2)
                if int(owner) == number:
                    # SparseAdam counts its steps in a plain int, AdamW in a tensor.
                    plain = isinstance(optimizer, SparseAdam) and name == "step"
                    state.setdefault(int(parameter), {})[name] = int(value) if plain else value
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": state, "param_groups": groups})


def optimization(model: PoolingClassifier, recipe: Recipe) -> Optimization:
    """AdamW, as fast as the recipe allows.

    26 of rubert-tiny2's 29 million parameters are word embeddings, and a batch touches a few
    thousand of its 83,828 rows. Their gradients stay sparse, and Adam updates those rows
    alone (measured: 0.02 s a step instead of 0.43 fused and 1.3 plain).
    """
    if recipe.optimizer == "plain":
        plain = AdamW(model.parameters(), lr=recipe.learning_rate)
        return Optimization([plain], [], recipe)
    words = model.encoder.get_input_embeddings()
    for table in model.modules():  # a T5 has two of the same weights
        if isinstance(table, nn.Embedding) and table.weight is words.weight:
            table.sparse = True
    decayed: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for parameter in model.parameters():
        if parameter is not words.weight:
            # No decay for biases and layer norms (one dimension), as in BERT's own training.
            (decayed if parameter.ndim > 1 else others).append(parameter)
    dense = AdamW(
        [
            {"params": decayed, "weight_decay": recipe.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ],
        lr=recipe.learning_rate,
        fused=True,
    )
    sparse = SparseAdam(
        [{"params": [words.weight], "rate": recipe.word_rate}], lr=recipe.learning_rate
    )
    return Optimization([dense, sparse], decayed + others, recipe)


def rate_share(step: int, steps: int, recipe: Recipe) -> float:
    """The share of the learning rate at `step`: linear warm-up, then linear decay to zero."""
    if recipe.schedule == "constant":
        return 1.0
    warmup = max(1, round(steps * recipe.warmup_share))
    if step < warmup:
        return (step + 1) / warmup
    return max(0.0, (steps - step) / max(1, steps - warmup))


class WeightAverage:
    """The mean of a model's weights at every 16th step, steadier than the weights at the end.

    Stochastic weight averaging, Izmailov et al. 2018, https://arxiv.org/abs/1803.05407. Within one
    epoch, because a training is resumed at the beginning of one: so no checkpoint has to keep it.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        on_cpu = next(model.parameters()).device.type == "cpu"
        self._average = AveragedModel(model, avg_fn=_in_slices if on_cpu else None)
        self._steps = 0

    def step(self) -> None:
        """Count one step of the optimizers, and the weights after it where it is the 16th."""
        self._steps += 1
        if self._steps % _EVERY == 0:
            self._average.update_parameters(self._model)

    def take(self) -> None:
        """Set the model's weights to the mean; before the 16th step they stay as they are."""
        if self._steps >= _EVERY:
            self._model.load_state_dict(self._average.module.state_dict())


def _in_slices(averaged: Tensor, current: Tensor, count: Tensor | int) -> Tensor:
    """torch's running mean, written over `averaged` a slice at a time.

    torch computes it of a whole weight: for the word embeddings that took 300 MB (measured).
    """
    mean = get_swa_avg_fn()
    for old, new in zip(averaged.split(_ROWS), current.split(_ROWS), strict=True):
        old.copy_(mean(old, new, count))
    return averaged
