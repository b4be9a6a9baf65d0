"""Hidden states in bfloat16, and logits still near those of float32."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from classifier.data.tokens import Tokens
from classifier.modeling.device import keep_hidden_in
from tests.tiny import predict_tokens


@pytest.mark.parametrize("pooling", ["cls", "mean"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_layers_pass_on_their_output_in_that_format(
    tiny_model: Callable[..., Any], pooling: str, dtype: torch.dtype
) -> None:
    model = tiny_model(pooling)
    keep_hidden_in(model.encoder, dtype)
    passed: list[Tensor] = []
    for layer in model.encoder.encoder.layer:
        layer.register_forward_hook(lambda _module, _inputs, output: passed.append(output))
    input_ids = torch.tensor([[2, 7, 8, 3]])
    with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
        output = model(input_ids, torch.ones_like(input_ids))
    assert passed
    assert {hidden.dtype for hidden in passed} == {dtype}
    output.sentiment_logits.float().sum().backward()
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_logits_stay_near_those_of_float32(
    tiny_model: Callable[..., Any], ragged: Tokens, pooling: str
) -> None:
    model = tiny_model(pooling)
    plain = predict_tokens(model, ragged, torch.float32)
    keep_hidden_in(model.encoder, torch.bfloat16)
    fast = predict_tokens(model, ragged, torch.bfloat16)
    assert plain.rating_logits is not None
    assert fast.rating_logits is not None
    for mine, exact in (
        (fast.sentiment_logits, plain.sentiment_logits),
        (fast.rating_logits, plain.rating_logits),
    ):
        # Measured: 2 % at most.
        assert abs(mine - exact).max() < 0.1 * exact.std()
