import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface

from classifier.data.tokens import Tokens
from classifier.modeling.attention import CPU_BFLOAT16_ATTENTION, attention_for
from classifier.modeling.device import compute_dtype, cpu_has_bfloat16
from classifier.training.distributed import Group
from classifier.training.recipe import NOTEBOOK, Recipe
from tests.tiny import predict_tokens

SHAPE = (3, 4, 24, 26)  # reviews, heads, tokens, dims
LENGTHS = torch.tensor([24, 17, 3])
KERNEL: Callable[..., tuple[Tensor, None]] = AttentionInterface()[CPU_BFLOAT16_ATTENTION]
MASK: Callable[..., Tensor | None] = AttentionMaskInterface()[CPU_BFLOAT16_ATTENTION]


def padding() -> Tensor:
    """int64 [reviews, tokens], 1 for a real token."""
    return (torch.arange(SHAPE[2]) < LENGTHS[:, None]).long()


def pass_through(kernel: Callable[..., Tensor], dtype: torch.dtype) -> list[Tensor]:
    """Output [reviews, tokens, heads, dims] and the gradients of query, key and value.

    In float32, from inputs that bfloat16 holds exactly. The output of padding counts for nothing.
    """
    draw = torch.Generator().manual_seed(1)
    inputs = [
        torch.randn(SHAPE, generator=draw).bfloat16().to(dtype).requires_grad_() for _ in range(3)
    ]
    upstream = torch.randn(3, 24, 4, 26, generator=draw).bfloat16().to(dtype)
    real = padding()[:, :, None, None]
    output = kernel(*inputs) * real
    output.backward(upstream)
    return [tensor.detach().float() for tensor in (output, *(i.grad for i in inputs))]  # type: ignore[union-attr]


def ours(mask: Tensor | None, scaling: float | None = None) -> Callable[..., Tensor]:
    def kernel(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        bias = MASK(attention_mask=mask, dtype=torch.float32)
        return KERNEL(nn.Module().eval(), query, key, value, bias, scaling=scaling)[0]

    return kernel


def torchs(mask: Tensor | None, scaling: float | None = None) -> Callable[..., Tensor]:
    def kernel(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        allowed = None if mask is None else mask[:, None, None, :].bool()
        mixed = scaled_dot_product_attention(query, key, value, allowed, scale=scaling)
        return mixed.transpose(1, 2)

    return kernel


@pytest.mark.parametrize("scaling", [None, 0.3])
@pytest.mark.parametrize("mask", [None, padding(), torch.ones(3, 24, dtype=torch.int64)])
def test_outputs_and_gradients_are_those_of_torch(
    mask: Tensor | None, scaling: float | None
) -> None:
    wanted = pass_through(torchs(mask, scaling), torch.float32)
    for mine, theirs in zip(pass_through(ours(mask, scaling), torch.float32), wanted, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-5)
    # bfloat16 has 8 binary digits. Measured: an output or gradient errs by at most 1.0 % of the
    # largest one, in torch's own bfloat16 kernel by 0.5 %.
    for mine, theirs in zip(pass_through(ours(mask, scaling), torch.bfloat16), wanted, strict=True):
        assert (mine - theirs).abs().max() < 0.02 * theirs.abs().max()


def test_padding_gets_no_attention_and_no_gradient() -> None:
    _, _, key_gradient, value_gradient = pass_through(ours(padding()), torch.bfloat16)
    padded = (padding() == 0)[:, None, :, None].expand(SHAPE)
    assert torch.all(key_gradient[padded] == 0)
    assert torch.all(value_gradient[padded] == 0)


def test_a_batch_without_padding_has_no_mask() -> None:
    assert MASK(attention_mask=None) is None
    assert MASK(attention_mask=torch.ones(2, 5, dtype=torch.int64)) is None
    bias = MASK(attention_mask=torch.tensor([[1, 1, 0]]), dtype=torch.bfloat16)
    assert bias is not None
    assert (bias.shape, bias.dtype) == ((1, 1, 1, 3), torch.bfloat16)
    assert bias.flatten().tolist() == [0.0, 0.0, torch.finfo(torch.bfloat16).min]


def test_dropout_is_for_training_alone() -> None:
    query, key, value = torch.randn(3, *SHAPE, generator=torch.Generator().manual_seed(2))
    module = nn.Module()
    everything_dropped, _ = KERNEL(module.train(), query, key, value, None, dropout=1.0)
    assert torch.all(everything_dropped == 0)
    untouched, _ = KERNEL(module.eval(), query, key, value, None, dropout=1.0)
    plain, _ = KERNEL(module, query, key, value, None)
    assert torch.equal(untouched, plain)
    assert untouched.abs().sum() > 0


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_a_models_logits_in_bfloat16_are_near_those_in_float32(
    tiny_model: Callable[..., Any], ragged: Tokens, pooling: str
) -> None:
    model = tiny_model(pooling)
    plain = predict_tokens(model, ragged, torch.float32)
    model.set_attn_implementation(CPU_BFLOAT16_ATTENTION)
    same_kernel = predict_tokens(model, ragged, torch.float32)
    fast = predict_tokens(model, ragged, torch.bfloat16)
    assert plain.rating_logits is not None
    assert fast.rating_logits is not None
    assert abs(same_kernel.sentiment_logits - plain.sentiment_logits).max() < 1e-5
    spread = plain.sentiment_logits.std()
    assert spread > 0.1  # the logits are not all alike, so near means something
    # Measured: 3.3 % of the spread at most.
    assert abs(fast.sentiment_logits - plain.sentiment_logits).max() < 0.1 * spread
    assert abs(fast.rating_logits - plain.rating_logits).max() < 0.1 * plain.rating_logits.std()


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="the kernel lists no CPU flags")
def test_bfloat16_is_found_where_the_kernel_lists_it() -> None:
    flags = set(Path("/proc/cpuinfo").read_text().split())
    has_it = bool(flags & {"avx512_bf16", "amx_bf16", "svebf16"})
    limited = os.environ.get("ATEN_CPU_CAPABILITY") == "avx2"
    assert cpu_has_bfloat16() == (has_it and not limited)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="AVX2 is x86's")
def test_bfloat16_is_not_used_where_torch_is_kept_to_avx2() -> None:
    code = "from classifier.modeling.device import cpu_has_bfloat16; print(cpu_has_bfloat16())"
    told = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"ATEN_CPU_CAPABILITY": "avx2"},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        check=True,
        text=True,
    )
    assert told.stdout == "False\n"


def test_the_kernel_goes_with_the_format(
    arithmetic: str, alone: Group, tiny_recipe: Recipe
) -> None:
    dtype = compute_dtype(alone.device)
    assert str(dtype) == f"torch.{arithmetic}"
    assert tiny_recipe.dtype(alone.device) == dtype
    assert NOTEBOOK.dtype(alone.device) == torch.float32
    wanted = "sdpa" if arithmetic == "float32" else CPU_BFLOAT16_ATTENTION
    assert attention_for(alone.device, dtype) == wanted
    assert attention_for(torch.device("cuda"), torch.bfloat16) == "sdpa"
