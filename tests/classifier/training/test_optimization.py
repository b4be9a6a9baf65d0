"""The fast optimizers do what plain Adam does."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from classifier.modeling.classifier import PoolingClassifier
from classifier.training.optimization import optimization
from classifier.training.recipe import DEFAULT, NOTEBOOK, Recipe

NewModel = Callable[..., PoolingClassifier]
IDS = torch.arange(5, 25).view(2, 10)


def after_one_step(model: PoolingClassifier, recipe: Recipe) -> dict[str, Tensor]:
    """How far each parameter moved in the first step of a training of one step."""
    model.eval()  # no dropout
    before = {name: value.clone() for name, value in model.named_parameters()}
    optimizers = optimization(model, recipe)
    output = model(IDS, torch.ones_like(IDS))
    (output.sentiment_logits.square().sum() + output.rating_logits.square().sum()).backward()
    optimizers.step(0, 1)
    return {name: (value.detach() - before[name]).abs() for name, value in model.named_parameters()}


def test_every_parameter_takes_a_step_but_the_words_that_no_review_has(
    tiny_model: NewModel,
) -> None:
    recipe = replace(DEFAULT, learning_rate=1e-3, weight_decay=0.0, word_rate=3.0)
    moved = after_one_step(tiny_model("mean"), recipe)
    words = moved["encoder.embeddings.word_embeddings.weight"]
    # Adam's first step is the rate itself, whatever the gradient's size.
    assert words.max().item() == pytest.approx(3e-3, rel=0.01)
    assert moved["sentiment_head.weight"].max().item() == pytest.approx(1e-3, rel=0.01)
    unread = torch.ones(len(words), dtype=torch.bool)
    unread[IDS.flatten()] = False
    assert not words[unread].any()


def test_the_fast_optimizers_take_the_plain_one_s_step(tiny_model: NewModel) -> None:
    fast = replace(DEFAULT, learning_rate=1e-3, weight_decay=0.0, word_rate=1.0)
    plain = replace(NOTEBOOK, learning_rate=1e-3)
    one, other = tiny_model("cls"), tiny_model("cls")
    ours, theirs = after_one_step(one, fast), after_one_step(other, plain)
    for name, moved in ours.items():
        if name.endswith("key.bias"):  # the softmax cancels it: its gradient is rounding alone
            continue
        near = torch.isclose(moved, theirs[name], atol=2e-5)
        assert near.float().mean() > 0.99, name
