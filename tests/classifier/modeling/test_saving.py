"""What lies in a model's folder, and what the next program makes of it."""

import ast
import json
import shutil
import sys
from pathlib import Path

import pytest
import torch
from transformers import PreTrainedTokenizerBase

from classifier.data.tokenizer import load_tokenizer
from classifier.labels import SENTIMENTS
from classifier.modeling import modeling_kinorate
from classifier.modeling.encoders import find_encoder
from classifier.modeling.loading import load_classifier
from classifier.modeling.pooling import POOLINGS
from classifier.modeling.saving import save_model
from classifier.registry.registry import Registry
from classifier.serving.predictor import Predictor
from classifier.training.loop import new_model
from classifier.training.recipe import Recipe
from tests.classifier.command_line import CommandLine
from tests.classifier.modeling.saved_models import SOURCE, TEXTS, classify, make_old

pytestmark = pytest.mark.usefixtures("code_cache")
CPU = torch.device("cpu")


def test_the_code_is_the_packages_own_and_needs_nothing_else_of_it(version: Path) -> None:
    for pooling in POOLINGS:
        files = [file.name for file in (version / pooling).glob("*.py")]
        assert files == [SOURCE.name]
        assert (version / pooling / SOURCE.name).read_bytes() == SOURCE.read_bytes()
    imported = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.walk(ast.parse(SOURCE.read_text("utf-8")))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    packages = {name.split(".")[0] for name in imported}
    assert packages - set(sys.stdlib_module_names) == {"torch", "transformers"}
    assert modeling_kinorate.KinorateConfig().id2label == dict(enumerate(SENTIMENTS))


def test_the_settings_name_the_code_and_no_folder_of_the_machine_that_trained(
    version: Path, tiny_encoder: Path
) -> None:
    for file in version.glob("*/*.json"):
        written = file.read_text("utf-8")
        for folder in (tiny_encoder, version, Path.home()):
            assert str(folder) not in written
    config = json.loads((version / "cls" / "config.json").read_text("utf-8"))
    assert config["model_type"] == "kinorate"
    assert config["architectures"] == ["KinorateForSequenceClassification"]
    assert config["encoder"]["model_type"] == "bert"


def test_a_model_can_be_the_encoder_of_the_next_training(
    version: Path, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    found = find_encoder(str(version / "mean"), tmp_path)
    assert (found.config.model_type, found.positions) == ("bert", 256)
    model = new_model(str(found.folder), "cls", tiny_recipe, 0)
    trained = load_classifier(version / "mean")
    weights = trained.encoder.state_dict()
    assert model.encoder.state_dict().keys() == weights.keys()
    assert all(torch.equal(weights[name], w) for name, w in model.encoder.state_dict().items())
    assert (model.config.pooling, model.config.temperature) == ("cls", 1.0)
    again = tmp_path / "again"
    save_model(model, load_tokenizer(found.folder), again)
    (label,) = classify(again, TEXTS[0])
    assert label["label"] in SENTIMENTS


def test_a_version_of_earlier_code_serves_and_is_saved_as_one_of_today(
    version: Path, predictor: Predictor, tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    wanted = predictor.predict(TEXTS)
    old = shutil.copytree(version, tmp_path / "old")
    make_old(old)
    for before, after in zip(wanted, Predictor(old, CPU).predict(TEXTS), strict=True):
        for pooling in POOLINGS:
            same = pytest.approx(before[pooling].sentiment_probabilities, abs=1e-7)
            assert after[pooling].sentiment_probabilities == same
            assert after[pooling].rating == before[pooling].rating
    new = tmp_path / "new"
    save_model(load_classifier(old / "mean"), tokenizer, new)
    assert classify(new, TEXTS, top_k=None) == classify(version / "mean", TEXTS, top_k=None)


@pytest.mark.parametrize("command", [("predict", "Скучно."), ("models", "promote", "champion")])
def test_a_version_without_the_code_or_with_other_code_is_refused_in_a_sentence(
    command: tuple[str, ...], two_versions: Path, tiny_encoder: Path, tmp_path: Path
) -> None:
    models = shutil.copytree(two_versions, tmp_path / "models")
    code = Registry(models).get("champion").path / "mean" / SOURCE.name
    line = CommandLine(tmp_path, tiny_encoder)
    whole = code.read_bytes()
    for damaged, said in (
        (whole[::-1], "is damaged"),
        (whole[:-9], "half written"),
        (None, "is missing"),
    ):
        code.write_bytes(damaged) if damaged is not None else code.unlink()
        status, _, err = line.here(*command, "--models", str(models))
        assert status == 1
        assert err.count("\n") == 1
        assert f"mean/{SOURCE.name} " in err
        assert said in err


def test_a_folder_without_the_code_is_refused_by_the_name_of_the_file(version: Path) -> None:
    (version / "cls" / SOURCE.name).unlink()
    with pytest.raises(OSError, match=SOURCE.name):
        classify(version / "cls", TEXTS[0])


def test_a_folder_that_is_no_model_is_refused_by_its_name(version: Path) -> None:
    with pytest.raises((OSError, ValueError), match=version.name):
        classify(version, TEXTS[0])
