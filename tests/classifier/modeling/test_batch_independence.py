"""A review's logits depend on that review alone."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from classifier.data.tokens import Tokens
from classifier.modeling.attention import CPU_BFLOAT16_ATTENTION
from classifier.modeling.classifier import PoolingClassifier
from tests.tiny import predict_tokens

NewModel = Callable[..., PoolingClassifier]

# Attention kernel, number format, and the largest difference allowed between two logits of one
# review. In float32 only the order of additions differs. In bfloat16 a step is 2**-8 of a
# value, and the logits here are about 1 (measured: 0.012 at most).
PATHS = [
    pytest.param("sdpa", torch.float32, 1e-5, id="sdpa-float32"),
    pytest.param(CPU_BFLOAT16_ATTENTION, torch.float32, 1e-5, id="ours-float32"),
    pytest.param("sdpa", torch.bfloat16, 0.04, id="sdpa-bfloat16"),
    pytest.param(CPU_BFLOAT16_ATTENTION, torch.bfloat16, 0.04, id="ours-bfloat16"),
]
every_path = pytest.mark.parametrize(("kernel", "dtype", "tolerance"), PATHS)
both_poolings = pytest.mark.parametrize("pooling", ["cls", "mean"])


def logits(
    model: PoolingClassifier, tokens: Tokens, dtype: torch.dtype, most_tokens: int = 2048
) -> NDArray[np.float32]:
    """Of both heads, [reviews, 3 + 11]."""
    outputs = predict_tokens(model, tokens, dtype, most_tokens)
    assert outputs.rating_logits is not None
    return np.hstack([outputs.sentiment_logits, outputs.rating_logits]).astype(np.float32)


def chosen(tokens: Tokens, rows: list[int]) -> Tokens:
    """Those texts, in that order."""
    texts = [tokens.ids[tokens.starts[row] : tokens.starts[row + 1]] for row in rows]
    starts = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    return Tokens(np.concatenate(texts), starts, tokens.pad_id)


@both_poolings
@every_path
def test_logits_do_not_depend_on_the_batch(
    tiny_model: NewModel,
    ragged: Tokens,
    pooling: str,
    kernel: str,
    dtype: torch.dtype,
    tolerance: float,
) -> None:
    model = tiny_model(pooling)
    model.set_attn_implementation(kernel)
    each_alone = logits(model, ragged, dtype, most_tokens=1)
    assert np.ptp(each_alone, axis=0).min() > 5 * tolerance  # the reviews differ by more
    together = logits(model, ragged, dtype)
    in_threes = logits(model, ragged, dtype, most_tokens=192)
    order = np.random.default_rng(0).permutation(len(ragged)).tolist()
    shuffled = logits(model, chosen(ragged, order), dtype)
    np.testing.assert_allclose(together, each_alone, rtol=0, atol=tolerance)
    np.testing.assert_allclose(in_threes, each_alone, rtol=0, atol=tolerance)
    np.testing.assert_allclose(shuffled, each_alone[order], rtol=0, atol=tolerance)


@both_poolings
@every_path
def test_logits_do_not_depend_on_padding(
    tiny_model: NewModel,
    ragged: Tokens,
    pooling: str,
    kernel: str,
    dtype: torch.dtype,
    tolerance: float,
) -> None:
    model = tiny_model(pooling).eval()
    model.set_attn_implementation(kernel)
    rows = np.arange(4)
    unpadded = [ragged.batch(rows[[row]], pad_to=int(ragged.lengths[row])) for row in rows]
    with torch.inference_mode(), torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
        narrow = [model(*batch) for batch in unpadded]
        input_ids, attention_mask = ragged.batch(rows, pad_to=200)
        input_ids[attention_mask == 0] = 77  # whatever stands in the padding
        wide = model(input_ids, attention_mask)
    for head in ("sentiment_logits", "rating_logits"):
        expected = torch.cat([output[head] for output in narrow]).float()
        torch.testing.assert_close(wide[head].float(), expected, rtol=0, atol=tolerance)
