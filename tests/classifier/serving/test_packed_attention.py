"""The attention that predicts gives what a softmax would, for scores of any size."""

import math

import pytest
import torch
from torch import Tensor

from classifier.serving.packed_attention import all_attend, cls_attends

HEADS, DIMS = 3, 10
SLOTS, LENGTHS = [32, 64, 32], [20, 64, 1]


def softmax_attention(projected: Tensor) -> Tensor:
    """`[tokens, hidden]`, by the book and in float64, of `[tokens, 3 * hidden]`."""
    query, key, value = projected.double().unflatten(1, (3, HEADS, DIMS)).permute(1, 2, 0, 3)
    weights = (query @ key.mT * math.log(2)).softmax(-1)
    mixed: Tensor = weights @ value
    return mixed.transpose(0, 1).flatten(1)


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 0.03)])
@pytest.mark.parametrize("shift", [0.0, 30.0, -30.0])
def test_tokens_take_what_a_softmax_gives_them(
    dtype: torch.dtype, tolerance: float, shift: float
) -> None:
    projected = noise(sum(SLOTS), 3 * HEADS * DIMS)
    query, key, _ = projected.chunk(3, dim=1)
    # The first number of each head adds `shift * 8` to its scores: 2 to that power is no number.
    query[:, ::DIMS] = 8
    key[:, ::DIMS] = shift
    projected = projected.to(dtype)
    found = all_attend(projected, HEADS, SLOTS, LENGTHS)
    assert found.dtype == dtype
    for review, mixed, length in zip(
        projected.split(SLOTS), found.split(SLOTS), LENGTHS, strict=True
    ):
        wanted = softmax_attention(review[:length])
        # Of a large score bfloat16 keeps whole numbers only: one token may weigh 2 for 1.
        if dtype == torch.float32 or not shift:
            assert abs(mixed[:length] - wanted).max() < tolerance * (1 + wanted.abs().max())
        assert mixed[:length].isfinite().all()
        assert abs(mixed[:length]).max() <= abs(review[:length].chunk(3, dim=1)[2]).max() * 1.02


def test_a_damaged_number_stays_visible() -> None:
    projected = noise(32, 3 * HEADS * DIMS)
    projected[3, 0] = torch.nan
    assert all_attend(projected, HEADS, [32], [32]).isnan().any()


def test_the_first_token_alone_takes_the_same_without_keys_and_values() -> None:
    hidden, width = noise(sum(SLOTS), HEADS * DIMS), HEADS * DIMS
    weight, bias = noise(3 * width, width) / 3, noise(3 * width)
    projected = hidden @ weight.T + bias
    found = cls_attends(hidden, weight, bias, HEADS, SLOTS, LENGTHS)
    for index, (review, length) in enumerate(zip(projected.split(SLOTS), LENGTHS, strict=True)):
        wanted = softmax_attention(review[:length])[0]
        torch.testing.assert_close(found[index].double(), wanted, rtol=0, atol=2e-5)
