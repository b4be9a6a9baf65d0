"""What a model says of a review depends on that review alone."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from classifier.data.tokens import Tokens
from classifier.modeling.attention import CPU_BFLOAT16_ATTENTION
from classifier.modeling.classifier import PoolingClassifier
from classifier.modeling.outputs import Outputs
from classifier.modeling.pooling import Pooling
from classifier.serving.packed_model import PackedModel
from classifier.serving.predictor import Predictor
from tests import tiny

NewModel = Callable[..., PoolingClassifier]
# What it says of those reviews, [reviews, 3 or 3 + 11], so many tokens at once.
Read = Callable[[list[int], int], NDArray[np.float32]]
CPU = torch.device("cpu")

# In float32 only the order of additions differs. In bfloat16 a step is 2**-8 of a value, and the
# logits here are about 1 (measured: 0.012 at most). The predictor's probabilities differ less.
LOGITS = {torch.float32: 1e-5, torch.bfloat16: 0.04}
PROBABILITIES = {torch.float32: 1e-5, torch.bfloat16: 0.008}
both_poolings = pytest.mark.parametrize("pooling", ["cls", "mean"])
both_kernels = pytest.mark.parametrize("kernel", ["sdpa", CPU_BFLOAT16_ATTENTION])
both_formats = pytest.mark.parametrize("dtype", LOGITS, ids=str)


@dataclass(frozen=True)
class Models:
    """Makes the ways to read reviews, each of the same untrained model."""

    new: NewModel
    tokens: Tokens
    tokenizer: PreTrainedTokenizerBase
    folder: Path
    patch: pytest.MonkeyPatch

    def chosen(self, rows: list[int]) -> Tokens:
        """Those texts, in that order."""
        starts = self.tokens.starts
        texts = [self.tokens.ids[starts[row] : starts[row + 1]] for row in rows]
        lengths = [len(text) for text in texts]
        return Tokens(
            np.concatenate(texts), np.cumsum([0, *lengths], dtype=np.int64), self.tokens.pad_id
        )

    def training(self, kernel: str, pooling: str, dtype: torch.dtype) -> Read:
        model = self.new(pooling)
        model.set_attn_implementation(kernel)
        return lambda rows, most: logits(tiny.predict_tokens(model, self.chosen(rows), dtype, most))

    def packed(self, _: str, pooling: str, dtype: torch.dtype) -> Read:
        self.new(pooling).save_pretrained(self.folder)
        model = PackedModel.load(self.folder, CPU, dtype)
        return lambda rows, _: logits(model.predict(self.chosen(rows)))

    def predictor(self, _: str, pooling: Pooling, dtype: torch.dtype) -> Read:
        has_bfloat16 = dtype == torch.bfloat16
        self.patch.setattr("classifier.modeling.device.cpu_has_bfloat16", lambda: has_bfloat16)
        for one in ("cls", "mean"):
            self.new(one).save_pretrained(self.folder / one)
            self.tokenizer.save_pretrained(self.folder / one)
        predictor = Predictor(self.folder, CPU)
        texts = [row["content"] for row in tiny.make_rows(len(self.tokens))]

        def read(rows: list[int], _: int) -> NDArray[np.float32]:
            answers = predictor.predict([texts[row] for row in rows])
            found = [answer[pooling].sentiment_probabilities for answer in answers]
            return np.array(found, dtype=np.float32)

        return read


def logits(outputs: Outputs) -> NDArray[np.float32]:
    """Of both heads, [reviews, 3 + 11]."""
    assert outputs.rating_logits is not None
    return np.hstack([outputs.sentiment_logits, outputs.rating_logits]).astype(np.float32)


@both_poolings
@both_formats
@pytest.mark.parametrize(
    ("way", "kernel"),
    [
        ("training", "sdpa"),
        ("training", CPU_BFLOAT16_ATTENTION),
        ("packed", ""),
        ("predictor", ""),
    ],
)
def test_it_does_not_depend_on_the_reviews_beside(
    way: str,
    kernel: str,
    dtype: torch.dtype,
    pooling: str,
    tiny_model: NewModel,
    ragged: Tokens,
    tokenizer: PreTrainedTokenizerBase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models = Models(tiny_model, ragged, tokenizer, tmp_path, monkeypatch)
    of_way: Read = getattr(models, way)(kernel, pooling, dtype)

    def read(rows: list[int], most_tokens: int) -> NDArray[np.float32]:
        monkeypatch.setattr("classifier.serving.model._TOKENS_AT_ONCE", most_tokens)
        return of_way(rows, most_tokens)

    tolerance = (PROBABILITIES if way == "predictor" else LOGITS)[dtype]
    rows = list(range(len(ragged)))
    each_alone = np.vstack([read([row], 2048) for row in rows])
    assert np.ptp(each_alone, axis=0).min() > 5 * tolerance  # the reviews differ by more
    shuffled = np.random.default_rng(0).permutation(rows).tolist()
    for order, most in ((rows, 2048), (rows, 192), (rows, 1), (shuffled, 2048)):
        np.testing.assert_allclose(read(order, most), each_alone[order], rtol=0, atol=tolerance)


@both_poolings
@both_formats
@both_kernels
def test_logits_do_not_depend_on_padding(
    tiny_model: NewModel,
    ragged: Tokens,
    pooling: str,
    kernel: str,
    dtype: torch.dtype,
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
        torch.testing.assert_close(wide[head].float(), expected, rtol=0, atol=LOGITS[dtype])
