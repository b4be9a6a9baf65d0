"""A model's folder loaded by transformers alone: the answers are those of `predict`."""

import ast
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModel,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedTokenizerBase,
    pipeline,
)

from classifier.data.tokenizer import FastTokenizer, load_tokenizer
from classifier.labels import RATINGS, SENTIMENTS
from classifier.modeling import modeling_kinorate
from classifier.modeling.classifier import PoolingClassifier
from classifier.modeling.encoders import find_encoder
from classifier.modeling.loading import load_classifier
from classifier.modeling.pooling import POOLINGS
from classifier.modeling.saving import save_model
from classifier.registry.registry import Registry
from classifier.serving.predictor import Predictor
from classifier.training.loop import new_model
from classifier.training.recipe import Recipe
from tests.classifier.command_line import CommandLine

NewModel = Callable[..., PoolingClassifier]
CPU = torch.device("cpu")
SOURCE = Path(str(modeling_kinorate.__file__))
TEXTS = [
    "Скучно до зевоты, зато музыка хороша.",
    "",
    "Отлично снято, но финал скучный. " * 700,  # 23,100 characters
    "[SEP] ужас [CLS] [PAD] [MASK] [UNK] 😀\n\tи <br>",
    "и" * 5000,
]
NEAR = 1e-4
pytestmark = pytest.mark.usefixtures("code_cache")


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


def classify(folder: Path, texts: Any, **options: Any) -> Any:
    return pipeline("text-classification", model=str(folder), trust_remote_code=True, device="cpu")(
        texts, **options
    )


@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_the_pipeline_answers_as_predict_does(
    pooling: Any, batch_size: int, version: Path, predictor: Predictor
) -> None:
    wanted = [answer[pooling] for answer in predictor.predict(TEXTS)]
    assert len({answer.sentiment_probabilities for answer in wanted}) == len(TEXTS)
    found = classify(version / pooling, TEXTS, batch_size=batch_size, top_k=None)
    for scores, answer in zip(found, wanted, strict=True):
        assert [one["score"] for one in scores] == sorted(
            (s["score"] for s in scores), reverse=True
        )
        by_label = {one["label"]: one["score"] for one in scores}
        probabilities = dict(zip(SENTIMENTS, answer.sentiment_probabilities, strict=True))
        assert by_label == pytest.approx(probabilities, abs=NEAR)


def test_the_pipeline_gives_the_likeliest_label_or_as_many_as_are_wanted(
    version: Path, predictor: Predictor
) -> None:
    wanted = predictor.predict(TEXTS[:1])[0]["cls"]
    likeliest = {"label": wanted.sentiment, "score": pytest.approx(wanted.confidence, abs=NEAR)}
    assert classify(version / "cls", TEXTS[0]) == [likeliest]
    assert classify(version / "cls", TEXTS)[0] == likeliest
    two = classify(version / "cls", TEXTS[0], top_k=2)
    assert len(two) == 2
    assert two[0] == likeliest


def test_the_pipeline_needs_no_name_of_its_task_and_no_complaint_is_logged(
    version: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make: Any = pipeline
    found = make(model=str(version / "mean"), trust_remote_code=True, device="cpu")
    assert found(TEXTS[0]) == classify(version / "mean", TEXTS[0])
    assert not caplog.records


@pytest.mark.parametrize(
    "family", ["roberta", "xlm-roberta", "modernbert", "distilbert", "electra", "deberta-v2", "t5"]
)
def test_so_does_the_pipeline_on_an_encoder_of_another_family(
    family: str,
    encoder_of: Callable[[str], Path],
    tiny_recipe: Recipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("classifier.serving.predictor.compute_dtype", lambda _: torch.float32)
    encoder = encoder_of(family)
    for pooling in POOLINGS:
        model = new_model(str(encoder), pooling, tiny_recipe, 0)
        save_model(model, load_tokenizer(encoder), tmp_path / pooling)
    predicted = Predictor(tmp_path, CPU).predict(TEXTS)
    for pooling in POOLINGS:
        found = classify(tmp_path / pooling, TEXTS, batch_size=3)
        assert [one["label"] for one in found] == [one[pooling].sentiment for one in predicted]
        scores = [one[pooling].confidence for one in predicted]
        assert [one["score"] for one in found] == pytest.approx(scores, abs=NEAR)
        assert len(set(scores)) > 1
        encoder_alone: Any = AutoModel.from_pretrained(tmp_path / pooling, trust_remote_code=True)
        assert encoder_alone.encoder.config.model_type == family


@pytest.mark.parametrize("pooling", POOLINGS)
def test_the_auto_classes_answer_as_predict_does(
    pooling: Any, version: Path, predictor: Predictor
) -> None:
    folder = version / pooling
    model: Any = AutoModelForSequenceClassification.from_pretrained(folder, trust_remote_code=True)
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
    assert model.config.id2label == dict(enumerate(SENTIMENTS))
    assert model.config.label2id == {name: at for at, name in enumerate(SENTIMENTS)}
    with torch.inference_mode():
        output = model(**tokenizer(TEXTS, padding=True, return_tensors="pt"))
    wanted = [answer[pooling] for answer in predictor.predict(TEXTS)]
    sentiments = torch.tensor([answer.sentiment_probabilities for answer in wanted])
    ratings = torch.tensor([answer.rating_probabilities for answer in wanted])
    torch.testing.assert_close(output.logits.softmax(-1), sentiments, atol=NEAR, rtol=0)
    torch.testing.assert_close(output.rating_logits.softmax(-1), ratings, atol=NEAR, rtol=0)
    assert output.rating_logits.shape == (len(TEXTS), len(RATINGS))


def test_a_loss_comes_of_labels_so_that_others_can_train_it_on(version: Path) -> None:
    folder = version / "mean"
    model: Any = AutoModelForSequenceClassification.from_pretrained(folder, trust_remote_code=True)
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
    tokens = tokenizer(TEXTS, padding=True, return_tensors="pt")
    labels = torch.tensor([0, 1, 2, 0, 1])
    output = model(**tokens, labels=labels)
    wanted = torch.nn.functional.cross_entropy(output.logits, labels)
    torch.testing.assert_close(output.loss, wanted)
    output.loss.backward()
    assert model.get_input_embeddings().weight.grad.abs().sum() > 0


def test_saved_again_by_others_it_is_the_same(version: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    found = pipeline(
        "text-classification", model=str(version / "mean"), trust_remote_code=True, device="cpu"
    )
    found.save_pretrained(str(again))
    assert (again / SOURCE.name).read_bytes() == SOURCE.read_bytes()
    assert classify(again, TEXTS, top_k=None) == found(TEXTS, top_k=None)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_the_encoder_alone_gives_vectors_and_this_models_pooling(
    pooling: Any, version: Path
) -> None:
    folder = version / pooling
    encoder: Any = AutoModel.from_pretrained(folder, trust_remote_code=True)
    trained = load_classifier(folder)
    weights = trained.encoder.state_dict()
    assert encoder.encoder.state_dict().keys() == weights.keys()
    assert all(torch.equal(weights[name], w) for name, w in encoder.encoder.state_dict().items())
    tokens = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)(
        TEXTS, padding=True, return_tensors="pt"
    )
    with torch.inference_mode():
        output = encoder(**tokens, output_hidden_states=True)
        wanted = trained(**tokens).sentiment_logits
        found = trained.sentiment_head(output.pooler_output)
    assert output.last_hidden_state.shape == (*tokens["input_ids"].shape, 32)
    assert torch.equal(output.hidden_states[-1], output.last_hidden_state)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "load",
    [
        AutoModelForSequenceClassification.from_pretrained,
        AutoModel.from_pretrained,
        lambda folder: pipeline("text-classification", model=folder),
    ],
)
def test_without_trust_it_is_refused_and_no_head_is_invented(
    load: Callable[[str], Any], version: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", None)  # nobody answers the question whether it is trusted
    with pytest.raises(ValueError, match="contains custom code"):
        load(str(version / "cls"))


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


@pytest.fixture
def tokenizers(version: Path) -> tuple[Any, FastTokenizer]:
    folder = version / "cls"
    return AutoTokenizer.from_pretrained(folder, trust_remote_code=True), FastTokenizer(folder)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.text()
        | st.lists(st.sampled_from(["[CLS]", "[SEP]", "[PAD]", " ", "фильм", "хорош", "."])).map(
            "".join
        )
        | st.integers(40, 400).map(lambda times: "фильм " * times + "[SEP] хорош"),
        min_size=1,
        max_size=4,
    )
)
def test_the_tokens_are_those_of_predict(
    tokenizers: tuple[Any, FastTokenizer], texts: list[str]
) -> None:
    theirs, ours = tokenizers
    wanted = ours.tokens(texts, 64, 0.5)
    found = theirs(texts)
    assert found["input_ids"] == [
        wanted.ids[wanted.starts[row] : wanted.starts[row + 1]].tolist()
        for row in range(len(texts))
    ]
    assert [sum(mask) for mask in found["attention_mask"]] == wanted.lengths.tolist()
    assert theirs(texts[0]) == {name: values[0] for name, values in found.items()}


def test_the_tokenizer_pads_and_cuts_as_it_is_asked(version: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(version / "cls", trust_remote_code=True)
    assert tokenizer(TEXTS, padding="max_length", return_tensors="pt")["input_ids"].shape == (5, 64)
    assert tokenizer(TEXTS[2], truncation=True, max_length=16, return_tensors="pt")[
        "input_ids"
    ].shape == (1, 16)
    assert tokenizer(TEXTS[:1], padding=True, pad_to_multiple_of=32)["attention_mask"][0][-1] == 0
    one = tokenizer(TEXTS[0], padding=True, pad_to_multiple_of=32)
    assert (len(one["input_ids"]), one["attention_mask"][-1]) == (32, 0)
    assert tokenizer([])["input_ids"] == []
    assert len(tokenizer(TEXTS[0], max_length=1)["input_ids"]) == 2  # [CLS] and [SEP] stay
    with pytest.raises(ValueError, match="no text_pair"):
        tokenizer("Один.", text_pair="Другой.")


def test_the_tokenizer_without_trust_knows_all_but_the_end_of_long_texts(
    version: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    trusted = AutoTokenizer.from_pretrained(version / "cls", trust_remote_code=True)
    plain = AutoTokenizer.from_pretrained(version / "cls")
    assert type(plain).__name__ == "BertTokenizer"
    assert plain(TEXTS[3]).data == trusted(TEXTS[3]).data
    cut = plain(TEXTS[2], truncation=True)["input_ids"]
    assert len(cut) == 64
    assert cut != trusted(TEXTS[2])["input_ids"]


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


def make_old(version: Path) -> None:
    """The layout of versions of earlier code: a BERT's settings among ours, weights of "bert."."""
    for pooling in POOLINGS:
        folder = version / pooling
        config = json.loads((folder / "config.json").read_text("utf-8"))
        own = ("pooling", "rating_head", "max_tokens", "head_share", "keep_ratings", "temperature")
        old = config["encoder"] | {name: config[name] for name in own}
        old["architectures"] = ["PoolingClassifier"]
        (folder / "config.json").write_text(json.dumps(old))
        weights = load_file(folder / "model.safetensors")
        renamed = {
            "bert." + name.removeprefix("encoder.") if name.startswith("encoder.") else name: weight
            for name, weight in weights.items()
        }
        save_file(renamed, folder / "model.safetensors", metadata={"format": "pt"})
        (folder / SOURCE.name).unlink()
        settings_of_tokenizer = json.loads((folder / "tokenizer_config.json").read_text("utf-8"))
        for name in ("auto_map", "head_share", "split_special_tokens", "model_input_names"):
            del settings_of_tokenizer[name]
        (folder / "tokenizer_config.json").write_text(json.dumps(settings_of_tokenizer))


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
