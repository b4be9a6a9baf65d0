"""A linear layer and what comes after it, in one pass or in several."""

import pytest
import torch
from torch.nn.functional import gelu, linear

from classifier.serving.packed_linear import PackedLinear

# Of the number itself, or of 1 where it is less; bfloat16 keeps 8 binary digits.
TOLERANCES = [(torch.float32, 1e-5), (torch.bfloat16, 2**-6)]


@pytest.mark.parametrize(("dtype", "tolerance"), TOLERANCES)
@pytest.mark.parametrize("tokens", [1, 32, 50])
def test_it_is_linear_with_what_comes_after(
    dtype: torch.dtype, tolerance: float, tokens: int
) -> None:
    torch.manual_seed(0)
    weight, bias = (torch.randn(40, 24) / 5).to(dtype), torch.randn(40).to(dtype)
    hidden, other = torch.randn(tokens, 24).to(dtype), torch.randn(tokens, 40).to(dtype)
    wanted = linear(hidden.float(), weight.float(), bias.float())
    layer = PackedLinear(weight, bias)

    def near(found: torch.Tensor, exact: torch.Tensor) -> None:
        assert found.dtype == dtype
        allowed = tolerance * exact.abs().clamp(min=1)
        assert ((found.float() - exact).abs() <= allowed).all()

    with torch.inference_mode():
        near(layer(hidden), wanted)
        near(layer.then_gelu(hidden), gelu(wanted))
        near(layer.plus(other, hidden), other.float() + wanted)
