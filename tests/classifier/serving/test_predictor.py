"""The pair of a version answering texts as they were sent."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import PreTrainedTokenizerBase

from classifier.errors import ClassifierError
from classifier.labels import SENTIMENTS
from classifier.modeling.classifier import PoolingClassifier
from classifier.modeling.pooling import POOLINGS
from classifier.modeling.saving import save_model
from classifier.serving.predictor import Predictor
from classifier.training.recipe import Recipe

NewModel = Callable[..., PoolingClassifier]
CPU = torch.device("cpu")
TEXTS = ["Прекрасный фильм.", "Скучно и долго, " * 40, "Так себе, на один раз.", "Шедевр!"]


def save_pair(
    folder: Path, new: NewModel, tokenizer: PreTrainedTokenizerBase, recipe: Recipe
) -> Path:
    for pooling in POOLINGS:
        model = new(pooling, recipe)
        model.config.temperature = 2.0
        save_model(model, tokenizer, folder / pooling)
    return folder


@pytest.fixture
def pair(
    tiny_model: NewModel, tokenizer: PreTrainedTokenizerBase, tiny_recipe: Recipe, tmp_path: Path
) -> Path:
    return save_pair(tmp_path / "20260101T000000Z-00000000", tiny_model, tokenizer, tiny_recipe)


def test_both_models_answer_each_text(pair: Path) -> None:
    predictor = Predictor(pair, CPU)
    together = predictor.predict(TEXTS)
    assert len(together) == len(TEXTS)
    for answer in together:
        assert list(answer) == ["cls", "mean"]
        for pooling, prediction in answer.items():
            assert (prediction.pooling, prediction.version) == (pooling, pair.name)
            assert sum(prediction.sentiment_probabilities) == pytest.approx(1, abs=1e-5)
            assert prediction.sentiment in SENTIMENTS
            assert prediction.confidence == max(prediction.sentiment_probabilities)
            assert prediction.rating in range(11)
            assert prediction.rating_probabilities is not None
            assert sum(prediction.rating_probabilities) == pytest.approx(1, abs=1e-5)
            assert prediction.milliseconds > 0
    assert predictor.predict([]) == []


def test_a_rating_written_in_the_text_is_not_seen(pair: Path) -> None:
    predictor = Predictor(pair, CPU)
    bare, rated = predictor.predict(["Прекрасный фильм.", "Прекрасный фильм. 3 из 10"])
    for pooling in POOLINGS:
        one, other = bare[pooling], rated[pooling]
        assert one.sentiment_probabilities == pytest.approx(other.sentiment_probabilities)


def test_both_models_read_as_little_as_they_are_told(pair: Path) -> None:
    predictor = Predictor(pair, CPU)
    whole, short = predictor.predict(TEXTS), predictor.predict(TEXTS, 24)
    for text, before, after in zip(TEXTS, whole, short, strict=True):
        is_long = len(text) > 100
        for pooling in POOLINGS:
            assert not before[pooling].in_short
            assert after[pooling].in_short == is_long
            assert after[pooling].tokens == (24 if is_long else before[pooling].tokens)
        same = before["mean"].sentiment_probabilities == pytest.approx(
            after["mean"].sentiment_probabilities, abs=0.008
        )
        assert same != is_long
    most = predictor.models["cls"].config.max_tokens
    assert predictor.predict(TEXTS[1:2], 10 * most)[0]["cls"].tokens == whole[1]["cls"].tokens


def drop_head(pair: Path) -> None:
    file = pair / "mean" / "model.safetensors"
    weights = load_file(file)
    del weights["rating_head.weight"]
    save_file(weights, file, metadata={"format": "pt"})


def cut_weights(pair: Path) -> None:
    file = pair / "mean" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])


def lose_tokenizer(pair: Path) -> None:
    for file in [*pair.glob("*/tokenizer*"), *pair.glob("*/vocab.txt")]:
        file.unlink()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (drop_head, "it has no rating_head.weight"),
        (cut_weights, "can't be loaded as a model"),
        (lose_tokenizer, "has no tokenizer"),
        (lambda pair: shutil.rmtree(pair / "cls"), "can't be loaded as a model"),
    ],
)
def test_a_damaged_version_is_refused_in_one_sentence(
    spoil: Callable[[Path], None], said: str, pair: Path
) -> None:
    spoil(pair)
    with pytest.raises(ClassifierError, match=said):
        Predictor(pair, CPU)
