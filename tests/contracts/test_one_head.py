"""Models without a rating head: from training to the answer no rating is spoken of."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from classifier.data.tokens import Tokens
from classifier.evaluation.comparison import compare
from classifier.modeling.classifier import PoolingClassifier
from classifier.modeling.outputs import Labels, Outputs, rating_distribution
from classifier.modeling.pooling import POOLINGS
from classifier.registry.version import Version
from classifier.serving.packed_model import PackedModel
from classifier.serving.predictor import Predictor
from tests import tiny

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path) -> Version:
    folder = tmp_path_factory.mktemp("one head")
    (folder / "encoder").symlink_to(tiny_encoder)
    recipe = replace(tiny.RECIPE, rating_head=False)
    return tiny.publish_trained(folder, tiny.make_rows(120), 1, recipe, report=True)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_the_models_have_one_head_and_give_no_ratings(
    version: Version, pooling: str, ragged: Tokens
) -> None:
    trained = PoolingClassifier.from_pretrained(version.path / pooling)
    assert trained.rating_head is None
    assert (trained.config.pooling, trained.config.rating_head) == (pooling, False)
    packed = PackedModel.load(version.path / pooling, CPU, torch.float32)
    for outputs in (
        tiny.predict_tokens(trained, ragged, torch.float32),
        packed.predict(ragged),
    ):
        assert outputs.rating_logits is None
        assert outputs.sentiment_logits.shape == (20, 3)
        with pytest.raises(ValueError, match="no rating head"):
            rating_distribution(outputs)


def test_the_figures_are_of_the_sentiment(version: Version) -> None:
    metrics, history = version.metrics(), version.history()
    for pooling in POOLINGS:
        assert "macro_f1" in metrics[pooling]
        assert "validation_loss" in history[pooling][-1]
        names = re.findall(r'"(\w+)":', json.dumps([metrics[pooling], history[pooling]]))
        assert {name for name in names if "rating" in name} == set()
    assert "rating" not in metrics["comparison"]["verdict"]


@pytest.mark.parametrize("other", [None, 10 * np.eye(11)[[1, 6, 9]]])
def test_it_is_compared_on_the_sentiment_alone(other: np.ndarray | None) -> None:
    labels = Labels(np.array([0, 1, 2]), np.array([1, 6, 9]))
    found = compare(
        Outputs(10 * np.eye(3), None), Outputs(10 * np.eye(3), other), labels, resamples=10
    )
    assert set(found["differences"]) == {"macro_f1", "accuracy"}
    assert "rating_agreement_exact" not in found
    assert "rating" not in found["verdict"]


@pytest.mark.parametrize("page", ["README.md", "cls/README.md", "mean/README.md", "report.html"])
def test_its_cards_and_its_report_speak_of_no_rating(version: Version, page: str) -> None:
    shown = re.sub(r"data:image/[^\"]*", "", (version.path / page).read_text(encoding="utf-8"))
    assert "Macro F1" in shown
    for words in ("Rating MAE", "MAE", "from 0 to 10", "Largest rating errors", "same rating for"):
        assert words not in shown


def test_its_predictions_have_no_rating(version: Version) -> None:
    (answer,) = Predictor(version.path, CPU).predict(["Прекрасный фильм."])
    for prediction in answer.values():
        assert prediction.rating is None
        assert prediction.rating_probabilities is None
        assert prediction.rating_confidence is None
