"""The mean of the weights along the last half epoch, steadier than the weights at its end.

Stochastic weight averaging, Izmailov et al. 2018, https://arxiv.org/abs/1803.05407. Within one
epoch, because a training is resumed at the beginning of one: so no checkpoint has to keep it.
"""

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_swa_avg_fn

_EVERY = 16  # steps: each time reads all 29 million weights, which one step hardly moves
_ROWS = 4096  # of a weight, averaged together


class WeightAverage:
    """The mean of a model's weights at every 16th step since this was made."""

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
