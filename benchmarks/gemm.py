"""How much arithmetic a training step needs, and how much of it a second this machine can do.

The speed of a training as a share of the machine's is what Chowdhery et al. call the model FLOPs
utilization (PaLM, 2022, https://arxiv.org/abs/2204.02311, appendix B): only the arithmetic that the
model needs counts, neither padding nor anything else that an implementation computes besides.
"""

import statistics
import time
from collections.abc import Iterable
from typing import Any

import torch
from transformers import AutoConfig

from classifier.modeling.device import compute_dtype, default_device
from classifier.training.recipe import DEFAULT

_SQUARE = 2048
_BACKWARD = 2  # a product's backward pass is two products of its size


def training_flops(config: Any, lengths: Iterable[int]) -> float:
    """Floating-point operations of a training step over texts of these lengths, unpadded.

    A multiplication and an addition are two. By formula: in each layer the six matrix products of
    a token and the two between all pairs of a text's tokens, forward and backward.
    """
    hidden, wide = int(config.hidden_size), int(config.intermediate_size)
    forward = 0.0
    for tokens in lengths:
        linear = 2 * tokens * (4 * hidden * hidden + 2 * hidden * wide)
        forward += linear + 2 * 2 * tokens * tokens * hidden
    return forward * int(config.num_hidden_layers) * (1 + _BACKWARD)


def measure(values: dict[str, Any]) -> dict[str, Any]:
    """GFLOP/s of a large square product, and of the layers' products in a full training batch."""
    config = AutoConfig.from_pretrained(values["encoder"])
    hidden, wide = config.hidden_size, config.intermediate_size
    tokens = DEFAULT.batch_size * DEFAULT.window
    seconds = values["seconds"]
    shapes = [(hidden, hidden)] * 4 + [(hidden, wide), (wide, hidden)]
    with torch.inference_mode():
        square = _flops_per_second([(_SQUARE, _SQUARE, _SQUARE)], seconds)
        forward = [(tokens, into, out) for into, out in shapes]
        to_input = [(tokens, out, into) for into, out in shapes]
        to_weight = [(into, tokens, out) for into, out in shapes]
        layers = _flops_per_second(forward + to_input + to_weight, seconds)
    return {
        "arithmetic": str(compute_dtype(default_device())).removeprefix("torch."),
        "square_gflops": square / 1e9,
        "layers_gflops": layers / 1e9,
    }


def _flops_per_second(shapes: list[tuple[int, int, int]], seconds: float) -> float:
    """The products [a, b] @ [b, c] of all shapes, repeated for `seconds`; by the median round."""
    device = default_device()
    like: dict[str, Any] = {"device": device, "dtype": compute_dtype(device)}
    products = [
        (torch.randn(a, b, **like), torch.randn(b, c, **like), torch.empty(a, c, **like))
        for a, b, c in shapes
    ]

    rounds: list[float] = []  # seconds; the first two don't count
    while sum(rounds[2:]) < seconds or len(rounds) < 3:
        started = time.perf_counter()
        for left, right, out in products:
            torch.mm(left, right, out=out)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        rounds.append(time.perf_counter() - started)
    return sum(2.0 * a * b * c for a, b, c in shapes) / statistics.median(rounds[2:])
