"""The model of any encoder that only predicts, against the one that trained."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import PreTrainedTokenizerBase

from classifier.data.tokenizer import load_tokenizer, tokenize
from classifier.data.tokens import Tokens
from classifier.modeling.classifier import PoolingClassifier
from classifier.modeling.outputs import Outputs
from classifier.serving.plain_model import PlainModel
from classifier.serving.predictor import Predictor, load_model, served
from classifier.training.loop import new_model
from tests import tiny

EncoderOf = Callable[[str], Path]
CPU = torch.device("cpu")
FAMILIES = ["roberta", "modernbert", "distilbert", "electra", "deberta-v2", "t5"]
both_poolings = pytest.mark.parametrize("pooling", ["cls", "mean"])


def reviews(folder: Path) -> Tokens:
    texts = [row["content"] for row in tiny.make_rows(9)] + ["", "фильм"]
    return tokenize(texts, load_tokenizer(folder), 64, 0.5)


def logits(outputs: Outputs) -> np.ndarray:
    assert outputs.rating_logits is not None
    return np.hstack([outputs.sentiment_logits, outputs.rating_logits])


@both_poolings
@pytest.mark.parametrize("family", FAMILIES)
def test_it_computes_what_the_trained_model_computes(
    family: str, pooling: str, encoder_of: EncoderOf, tmp_path: Path
) -> None:
    encoder = encoder_of(family)
    model, tokens = new_model(str(encoder), pooling, tiny.RECIPE, 0), reviews(encoder)
    model.save_pretrained(tmp_path)
    wanted = logits(tiny.predict_tokens(model, tokens, torch.float32))
    assert np.ptp(wanted, axis=0).min() > 0.01  # the reviews differ, so near means something
    found = PlainModel.load(tmp_path, CPU, torch.float32)
    np.testing.assert_allclose(logits(found.predict(tokens)), wanted, rtol=0, atol=2e-5)
    fast = PlainModel.load(tmp_path, CPU, torch.bfloat16)
    assert abs(logits(fast.predict(tokens)) - wanted).max() < 0.2 * wanted.std()
    one_by_one = [logits(found.predict_batch(tokens, range(n, n + 1))) for n in range(len(tokens))]
    np.testing.assert_allclose(np.vstack(one_by_one), wanted, rtol=0, atol=2e-5)


@pytest.mark.parametrize("family", ["roberta", "bert"])
def test_what_is_served_after_a_training_is_what_is_loaded_later(
    family: str, encoder_of: EncoderOf, tiny_encoder: Path, tmp_path: Path, arithmetic: str
) -> None:
    encoder = tiny_encoder if family == "bert" else encoder_of(family)
    model, tokens = new_model(str(encoder), "mean", tiny.RECIPE, 0), reviews(encoder)
    model.save_pretrained(tmp_path)
    later = load_model(tmp_path, CPU)
    assert type(later).__name__ == ("PackedModel" if family == "bert" else "PlainModel")
    assert np.array_equal(logits(served(model).predict(tokens)), logits(later.predict(tokens)))


def test_a_bert_with_another_activation_is_served_plainly(
    tiny_model: Callable[..., PoolingClassifier], ragged: Tokens, tmp_path: Path
) -> None:
    model = tiny_model()
    model.config.encoder.hidden_act = "relu"
    model.save_pretrained(tmp_path)
    model = PoolingClassifier.from_pretrained(tmp_path)
    wanted = logits(tiny.predict_tokens(model, ragged, torch.float32))
    found = load_model(tmp_path, CPU)
    assert isinstance(found, PlainModel)
    exact = PlainModel.load(tmp_path, CPU, torch.float32)
    np.testing.assert_allclose(logits(exact.predict(ragged)), wanted, rtol=0, atol=2e-5)


def test_a_version_of_it_answers(encoder_of: EncoderOf, tmp_path: Path) -> None:
    encoder = encoder_of("roberta")
    version = tiny.publish_untrained(tmp_path / "models", encoder)
    predictor = Predictor(version.path, CPU)
    texts = [row["content"] for row in tiny.make_rows(3)]
    together, alone = predictor.predict(texts), [predictor.predict([text])[0] for text in texts]
    for one, other in zip(together, alone, strict=True):
        for pooling in ("cls", "mean"):
            first, second = one[pooling], other[pooling]
            assert first.sentiment == second.sentiment
            assert first.confidence == pytest.approx(second.confidence, abs=0.01)


def test_the_fast_tokenizer_reads_as_the_one_that_trained(
    encoder_of: EncoderOf, tmp_path: Path
) -> None:
    for family in ("roberta", "xlm-roberta", "t5"):
        version = tiny.publish_untrained(tmp_path / family, encoder_of(family))
        predictor = Predictor(version.path, CPU)
        slow: PreTrainedTokenizerBase = load_tokenizer(version.path / "cls")
        texts = ["Финал скучный <s> </s> <mask>", "", "10 из 10 " * 100]
        mine = predictor._tokenizer.tokens(texts, 32, 0.5)
        theirs = tokenize(texts, slow, 32, 0.5)
        assert np.array_equal(mine.ids, theirs.ids)
        assert (mine.pad_id, mine.before, mine.after) == (
            theirs.pad_id,
            theirs.before,
            theirs.after,
        )
