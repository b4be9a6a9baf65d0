"""The mean of the weights along the last half epoch."""

from collections.abc import Callable

import torch

from classifier.averaging import WeightAverage
from classifier.model import PoolingClassifier

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
