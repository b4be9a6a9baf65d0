"""A model's folder loaded by transformers alone: the answers are those of `predict`."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AutoModel,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    pipeline,
)

from classifier.data.tokenizer import load_tokenizer
from classifier.labels import RATINGS, SENTIMENTS
from classifier.modeling.loading import load_classifier
from classifier.modeling.pooling import POOLINGS
from classifier.modeling.saving import save_model
from classifier.serving.predictor import Predictor
from classifier.training.loop import new_model
from classifier.training.recipe import Recipe
from tests.classifier.modeling.saved_models import SOURCE, TEXTS, classify

CPU = torch.device("cpu")
NEAR = 1e-4
pytestmark = pytest.mark.usefixtures("code_cache")


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
    model.activation_checkpointing_enable()
    model.train()
    model(**tokens, labels=labels).loss.backward()
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
