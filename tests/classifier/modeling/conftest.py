"""Models as a version has them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import PreTrainedTokenizerBase

from classifier.modeling.classifier import PoolingClassifier
from classifier.modeling.pooling import POOLINGS
from classifier.modeling.saving import save_model
from classifier.serving.predictor import Predictor
from classifier.training.recipe import Recipe

NewModel = Callable[..., PoolingClassifier]
CPU = torch.device("cpu")


@pytest.fixture
def version(
    tiny_model: NewModel, tokenizer: PreTrainedTokenizerBase, tiny_recipe: Recipe, tmp_path: Path
) -> Path:
    for pooling, temperature in zip(POOLINGS, (1.7, 0.6), strict=True):
        model = tiny_model(pooling, tiny_recipe)
        model.config.temperature = temperature
        save_model(model, tokenizer, tmp_path / "a version" / pooling)
    return tmp_path / "a version"


@pytest.fixture
def predictor(version: Path, monkeypatch: pytest.MonkeyPatch) -> Predictor:
    """What `predict` answers with, in the number format of `pipeline`."""
    monkeypatch.setattr("classifier.serving.predictor.compute_dtype", lambda _: torch.float32)
    return Predictor(version, CPU)
