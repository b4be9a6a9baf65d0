"""The model that predicts is the model that was trained."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn.functional import gelu, linear
from transformers import PreTrainedTokenizerBase

from classifier.data.tokenizer import FastTokenizer, tokenize
from classifier.data.tokens import Tokens
from classifier.modeling.classifier import PoolingClassifier
from classifier.modeling.outputs import Outputs
from classifier.serving.packed_model import PackedLinear, PackedModel
from classifier.serving.predictor import Predictor, load_model
from classifier.training.recipe import Recipe
from tests.tiny import predict_tokens

NewModel = Callable[..., PoolingClassifier]
CPU = torch.device("cpu")

# The largest difference from transformers' BERT in float32, in standard deviations of the
# logits. In float32 only the order of additions differs. In bfloat16, which has 8 binary digits,
# it is 0.03 at most here, and 0.02 with a trained encoder of three layers over 200 reviews.
TOLERANCES = [(torch.float32, 1e-5), (torch.bfloat16, 0.08)]


def logits(outputs: Outputs) -> NDArray[np.float64]:
    """Of both heads, [reviews, 3 + 11]."""
    assert outputs.rating_logits is not None
    return np.hstack([outputs.sentiment_logits, outputs.rating_logits]).astype(np.float64)


@pytest.mark.parametrize("pooling", ["cls", "mean"])
@pytest.mark.parametrize(("dtype", "tolerance"), TOLERANCES)
def test_logits_are_those_of_the_model_that_trained(
    tiny_model: NewModel,
    ragged: Tokens,
    tmp_path: Path,
    pooling: str,
    dtype: torch.dtype,
    tolerance: float,
) -> None:
    trained = tiny_model(pooling)
    trained.save_pretrained(tmp_path)
    wanted = logits(predict_tokens(trained, ragged, torch.float32))
    found = PackedModel.load(tmp_path, CPU, dtype).predict(ragged)
    assert found.sentiment_logits.dtype == np.float32
    assert np.ptp(wanted, axis=0).min() > 0.1  # the reviews differ, so near means something
    assert abs(logits(found) - wanted).max() < tolerance * wanted.std()


def test_a_review_may_be_as_long_as_there_are_positions(
    tiny_model: NewModel, tmp_path: Path
) -> None:
    trained = tiny_model()
    trained.save_pretrained(tmp_path)
    longest = trained.config.encoder.max_position_embeddings
    ids = np.random.default_rng(5).integers(5, 200, size=longest - 1, dtype=np.int32)
    tokens = Tokens(ids, np.array([0, len(ids)]), pad_id=0)
    wanted = logits(predict_tokens(trained, tokens, torch.float32))
    found = logits(PackedModel.load(tmp_path, CPU, torch.float32).predict(tokens))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5)


def test_a_cpu_without_bfloat16_predicts_in_float32(
    tiny_model: NewModel,
    tokenizer: PreTrainedTokenizerBase,
    tiny_recipe: Recipe,
    ragged: Tokens,
    tmp_path: Path,
    arithmetic: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for pooling in ("cls", "mean"):
        tiny_model(pooling, tiny_recipe).save_pretrained(tmp_path / pooling)
        tokenizer.save_pretrained(tmp_path / pooling)
    found = load_model(tmp_path / "cls", CPU).predict(ragged)
    chosen = PackedModel.load(tmp_path / "cls", CPU, getattr(torch, arithmetic)).predict(ragged)
    assert np.array_equal(logits(found), logits(chosen))
    with caplog.at_level(logging.WARNING):
        Predictor(tmp_path, CPU)
    assert "bfloat16" not in caplog.text, "only a training and the bot's log say so"


def test_word_pieces_are_those_of_the_training(
    tiny_model: NewModel, tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    tiny_model().save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    texts = ["Прекрасный фильм!", "", "Скучно и долго, ёлки-палки. " * 40, "日本 и [SEP], \n\t  ❤"]
    assert FastTokenizer(tmp_path).unknown_id == tokenizer.unk_token_id
    for head_share in (0.5, 1.0):
        wanted = tokenize(texts, tokenizer, 64, head_share)
        found = FastTokenizer(tmp_path).tokens(texts, 64, head_share)
        assert found.pad_id == wanted.pad_id
        np.testing.assert_array_equal(found.starts, wanted.starts)
        np.testing.assert_array_equal(found.ids, wanted.ids)


# The tolerance is of the number itself, or of 1 where it is less; bfloat16 keeps 8 binary digits.
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 2**-6)])
@pytest.mark.parametrize("tokens", [1, 32, 50])
def test_a_packed_linear_layer_is_linear_with_what_comes_after(
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
        near(layer(hidden, "gelu"), gelu(wanted))
        near(layer.plus(other, hidden), other.float() + wanted)
