"""Attention within each review of a packed batch, without gradients.

A softmax took half of the attention's time. Here the weights are 2 to the power of the scores,
with log2(e) contained in the query's weights, and the product with the values yields the sum of
the weights too, because the values have columns of ones. Where scores are too large or too small
for that, the largest is subtracted first.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import linear, pad

_SAFE = 1e30  # sums of weights from 1 / _SAFE to _SAFE are far from the ends of bfloat16's range


def all_attend(projected: Tensor, heads: int, slots: list[int], lengths: list[int]) -> Tensor:
    """`[tokens, hidden]` of reviews packed in `slots` tokens each, of which `lengths` count.

    `projected`: `[tokens, 3 * hidden]`, the query in units of log2, the key and the value.
    """
    memory = projected.new_empty(heads * max(slots) ** 2)  # for one review's scores at a time
    return torch.cat(
        [
            _attend(review.unflatten(1, (3, heads, -1)).permute(1, 2, 0, 3), length, memory)
            for review, length in zip(projected.split(slots), lengths, strict=True)
        ]
    )


def _attend(projected: Tensor, length: int, memory: Tensor) -> Tensor:
    """`[tokens, hidden]` of one review, from `[3, heads, tokens, dims]`."""
    query, key, value = projected
    heads, tokens, dims = value.shape
    scores = memory[: heads * tokens**2].view(heads, tokens, tokens)
    torch.bmm(query, key.mT, out=scores)
    # One column is enough; whole sixteens are quicker to multiply with.
    value = pad(value, (0, 16 - dims % 16), value=1.0)
    value[:, length:] = 0
    summed = torch.bmm(scores.exp2_(), value)
    least, most = summed[:, :, dims].aminmax()
    if not (least > 1 / _SAFE and most < _SAFE):  # nor where it is not a number
        torch.bmm(query, key.mT, out=scores)
        scores[:, :, length:] = -torch.inf
        scores -= scores.amax(-1, keepdim=True)
        summed = torch.bmm(scores.exp2_(), value)
    mixed = summed / summed[:, :, dims:][:, :, :1]  # all columns: a part of them is slow to divide
    return mixed[:, :, :dims].transpose(0, 1).flatten(1)


def cls_attends(
    hidden: Tensor, weight: Tensor, bias: Tensor, heads: int, slots: list[int], lengths: list[int]
) -> Tensor:
    """`[reviews, hidden]`: attention of each review's [CLS] alone, without any key or value.

    `hidden`: `[tokens, hidden]`; `weight` and `bias` would give `projected` of it. As in
    `modeling.cls_shortcut`, a score q · (W x + b) is (Wᵀ q) · x, apart from a term that all
    tokens share, and a mean of W x + b is W (mean of x) + b.
    """
    query, key, value = weight.chunk(3)
    query_bias, _, value_bias = bias.chunk(3)
    reviews = hidden.split(slots)
    first = torch.stack([review[0] for review in reviews])
    asking = linear(first, query, query_bias).unflatten(1, (heads, -1))
    asked = torch.einsum("rhd,hdc->rhc", asking, key.unflatten(0, (heads, -1)))
    seen = []
    for tokens, asks, length in zip(reviews, asked, lengths, strict=True):
        scores = asks @ tokens.mT * math.log(2)
        scores[:, length:] = -torch.inf
        seen.append(scores.softmax(-1) @ tokens)
    mixed = torch.einsum("rhc,hdc->rhd", torch.stack(seen), value.unflatten(0, (heads, -1)))
    return mixed.flatten(1) + value_bias
