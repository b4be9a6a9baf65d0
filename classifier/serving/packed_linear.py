"""A linear layer for predicting alone, with what comes after it in the same pass.

oneDNN adds the bias, and GELU or another tensor, while a product is still in the CPU's registers,
and keeps the weight in the order in which it multiplies. torch has these operators for its compiler
(torch/_inductor/fx_passes/mkldnn_fusion.py); elsewhere the plain ones do the same in more passes.
"""

import torch
from torch import Tensor
from torch.nn.functional import gelu, linear


class PackedLinear:
    """`x Wᵀ + b` of `[tokens, inputs]`, in the weight's number format."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        """`weight`: `[outputs, inputs]`."""
        self._fused = (
            weight.device.type == "cpu"
            and weight.dtype == torch.bfloat16
            and torch.backends.mkldnn.is_available()
            and torch.ops.mkldnn._is_mkldnn_bf16_supported()
        )
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight) if self._fused else weight
        self._bias = bias

    def __call__(self, hidden: Tensor) -> Tensor:
        """`[tokens, outputs]`."""
        return self._fused_with("none", hidden) if self._fused else self._plain(hidden)

    def then_gelu(self, hidden: Tensor) -> Tensor:
        """GELU of it."""
        return self._fused_with("gelu", hidden) if self._fused else gelu(self._plain(hidden))

    def plus(self, other: Tensor, hidden: Tensor) -> Tensor:
        """`other` and it, added up."""
        if not self._fused:
            return other + self._plain(hidden)
        summed: Tensor = torch.ops.mkldnn._linear_pointwise.binary(
            hidden, other, self._weight, self._bias, "add"
        )
        return summed

    def _plain(self, hidden: Tensor) -> Tensor:
        return linear(hidden, self._weight, self._bias)

    def _fused_with(self, activation: str, hidden: Tensor) -> Tensor:
        done: Tensor = torch.ops.mkldnn._linear_pointwise(
            hidden, self._weight, self._bias, activation, [], "none"
        )
        return done
