"""The mean of the weights along the last half epoch."""

from collections.abc import Callable

import pytest
import torch
from torch.optim.swa_utils import AveragedModel

from classifier.modeling.classifier import PoolingClassifier
from classifier.training import optimization
from classifier.training.optimization import WeightAverage

NewModel = Callable[..., PoolingClassifier]


@torch.no_grad()
def walk(model: PoolingClassifier, average: WeightAverage, steps: int) -> None:
    """Steps after which the biases of the sentiment head are 1, 2, 3…"""
    for step in range(1, steps + 1):
        model.sentiment_head.bias.fill_(step)
        average.step()


def test_it_is_the_mean_of_every_sixteenth_step(tiny_model: NewModel) -> None:
    model = tiny_model("mean")
    average = WeightAverage(model)
    walk(model, average, 70)
    assert model.sentiment_head.bias.tolist() == [70.0] * 3  # the training itself goes on unmoved
    average.take()
    assert model.sentiment_head.bias.tolist() == [(16 + 32 + 48 + 64) / 4] * 3


def test_a_few_steps_end_with_the_last_weights(tiny_model: NewModel) -> None:
    model = tiny_model("mean")
    average = WeightAverage(model)
    walk(model, average, 15)
    average.take()
    assert model.sentiment_head.bias.tolist() == [15.0] * 3


@torch.no_grad()
def test_in_slices_it_is_torchs_own_to_the_last_bit(
    tiny_model: NewModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optimization, "_ROWS", 100)  # of 1,500 word pieces
    model = tiny_model("mean")
    average, torchs = WeightAverage(model), AveragedModel(model)
    chance = torch.Generator().manual_seed(0)
    for step in range(1, 81):
        for weight in model.parameters():
            weight.add_(torch.randn(weight.shape, generator=chance), alpha=0.1)
        average.step()
        if step % 16 == 0:
            torchs.update_parameters(model)
    average.take()
    expected = torchs.module.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in model.state_dict().items())
