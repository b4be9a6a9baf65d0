"""Dropout by other random numbers is dropout all the same."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from classifier.modeling.classifier import PoolingClassifier
from classifier.training.dropout import FastDropout, use_fast_dropout

SHAPE = (40, 101, 99)  # a number of elements that no power of two divides


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("p", [0.1, 0.5])
def test_it_drops_the_share_asked_for_and_keeps_the_expectation(
    dtype: torch.dtype, p: float
) -> None:
    torch.manual_seed(0)
    hidden = torch.ones(SHAPE, dtype=dtype, requires_grad=True)
    dropped = FastDropout(p)(hidden)
    assert dropped.dtype == dtype
    zero, scale = dropped.detach().unique().double().tolist()
    assert zero == 0
    assert scale == pytest.approx(1 / (1 - p), rel=0.003)
    count = hidden.numel()
    assert (dropped == 0).double().mean().item() == pytest.approx(p, abs=0.005)
    # Five standard deviations of the mean of so many draws.
    spread = scale * (p * (1 - p) / count) ** 0.5
    assert dropped.double().mean().item() == pytest.approx(1, abs=5 * spread)
    dropped.sum().backward()
    assert torch.equal(hidden.grad, dropped)  # type: ignore[arg-type]


def test_elements_are_dropped_independently() -> None:
    torch.manual_seed(1)
    kept = (FastDropout(0.5)(torch.ones(2**20)) > 0).double() - 0.5
    for lag in (1, 2, 3, 4, 5, 8, 64, 312):
        correlation = (kept[lag:] * kept[:-lag]).mean() / 0.25
        assert abs(correlation) < 5 / 2**10  # five standard deviations


def test_torchs_seed_decides() -> None:
    module, hidden = FastDropout(0.5), torch.ones(SHAPE)
    torch.manual_seed(2)
    first, second = module(hidden), module(hidden)
    torch.manual_seed(2)
    assert torch.equal(module(hidden), first)
    assert not torch.equal(first, second)


def test_an_evaluated_model_drops_nothing(
    tiny_model: Callable[..., PoolingClassifier],
) -> None:
    model = tiny_model().train()
    count = sum(type(module) is nn.Dropout for module in model.modules())
    use_fast_dropout(model)
    fast = [module for module in model.modules() if isinstance(module, FastDropout)]
    assert len(fast) == count > 4
    assert all(module.training for module in fast)
    model.eval()
    hidden = torch.ones(SHAPE)
    assert all(torch.equal(module(hidden), hidden) for module in fast)
