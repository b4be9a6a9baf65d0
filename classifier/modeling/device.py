"""The device that computes, and the number formats of products and of hidden states."""

import os
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:  # seconds to import, and a prediction does without it
    from transformers import BertModel


def default_device() -> torch.device:
    """This process's GPU, or the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return torch.device("cpu")


def cpu_has_bfloat16() -> bool:
    """Whether matrix products in bfloat16 run on the CPU's own instructions.

    Elsewhere they are emulated and up to a hundred times slower than float32: on a processor
    without them, and where ATEN_CPU_CAPABILITY=avx2 keeps torch from using them.
    """
    if torch.backends.cpu.get_cpu_capability() == "AVX2":
        return False
    flags = torch.cpu.get_capabilities()
    return bool(flags.get("avx512_bf16") or flags.get("amx_bf16") or flags.get("sve_bf16"))


def compute_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the device has it, float32 elsewhere."""
    has_bfloat16 = (
        torch.cuda.is_bf16_supported(including_emulation=False)
        if device.type == "cuda"
        else device.type == "cpu" and cpu_has_bfloat16()
    )
    return torch.bfloat16 if has_bfloat16 else torch.float32


def keep_hidden_in(bert: "BertModel", dtype: torch.dtype) -> None:
    """Let the hidden states of `bert` be in `dtype`, under autocast to it.

    Autocast leaves the embeddings in float32, so that every sum and norm after them is float32
    too, and each product converts its input again: a step of 16 reviews took 363 ms, and 320
    without (measured). The weights, and what a norm sums, stay float32.
    """
    if dtype != torch.float32:
        bert.embeddings.register_forward_hook(lambda _module, _inputs, hidden: hidden.to(dtype))
