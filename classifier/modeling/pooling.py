"""The two poolings under comparison: from one vector a token to one vector a review."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

Pooling = Literal["cls", "mean"]


def cls_pooling(hidden: Tensor, _attention_mask: Tensor) -> Tensor:
    """The [CLS] token's vector: `[batch, tokens, hidden]` → `[batch, hidden]`.

    As in BERT (Devlin et al. 2019, https://arxiv.org/abs/1810.04805), without its extra
    dense layer and tanh: the linear heads stand on the encoder's own output.
    """
    return hidden[:, 0]


def masked_mean_pooling(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """The mean of the vectors of real tokens: `[batch, tokens, hidden]` → `[batch, hidden]`.

    Padding has weight 0 (Reimers & Gurevych 2019, https://arxiv.org/abs/1908.10084). The sum
    runs in float32: a bfloat16 sum over 256 tokens loses its last digits.
    """
    mask = attention_mask.unsqueeze(-1).to(hidden.dtype)  # [batch, tokens, 1]
    total = (hidden * mask).sum(dim=1, dtype=torch.float32)
    return (total / attention_mask.sum(dim=1, keepdim=True).clamp(min=1)).to(hidden.dtype)


POOLINGS: dict[Pooling, Callable[[Tensor, Tensor], Tensor]] = {
    "cls": cls_pooling,
    "mean": masked_mean_pooling,
}
