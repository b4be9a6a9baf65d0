"""The code in a model card does what the card says, taken out of it and run."""

import contextlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import PreTrainedTokenizerBase

from classifier.modeling.classifier import PoolingClassifier
from classifier.modeling.pooling import POOLINGS
from classifier.modeling.saving import save_model
from classifier.registry.registry import Registry
from classifier.reports.model_card import model_card
from classifier.serving.predictor import Prediction, Predictor
from classifier.training.recipe import Recipe
from tests.classifier.command_line import CommandLine
from tests.classifier.reports.test_model_card import metrics, training

NewModel = Callable[..., PoolingClassifier]
PLACE = "path/to/this/folder"
REVIEW, PAIR = "Фильм отличный, смотрел не отрываясь!", ["Скучно.", "Шедевр!"]


def blocks(card: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", card, re.DOTALL | re.MULTILINE)


def python_of(card: str, place: str, folder: Path) -> str:
    """All the card's Python, as one program, with the folder in the place of its placeholder."""
    found = blocks(card, "python")
    assert len(found) == 3
    program = "\n".join(found)
    assert program.count(f'name = "{place}"') == 1
    return program.replace(f'"{place}"', repr(str(folder)))


def numbers(tensor: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+\.\d+(?:e[+-]\d+)?", tensor)]


def check(printed: str, wanted: list[Prediction], width: int) -> None:
    """What the program printed is what `predict` answers to its three texts."""
    lines = printed.replace("\n        ", " ").splitlines()
    likeliest, all_three, scores = (lines.pop(0) for _ in range(3))
    assert f"'label': '{wanted[0].sentiment}'" in likeliest
    assert numbers(likeliest) == pytest.approx([wanted[0].confidence], abs=1e-4)
    found = json.loads(all_three.replace("'", '"'))
    for answers, prediction in zip(found, wanted[1:], strict=True):
        best = sorted(prediction.sentiment_probabilities, reverse=True)
        assert [answer["score"] for answer in answers] == pytest.approx(best, abs=1e-4)
    flat = [value for one in wanted[1:] for value in one.sentiment_probabilities]
    assert numbers(scores) == pytest.approx(flat, abs=1e-4)
    if wanted[0].rating is not None:
        shown = ", ".join(str(one.rating) for one in wanted[1:])
        assert lines.pop(0) == f"tensor([{shown}])"
    assert lines == [f"torch.Size([2, {width}])"]


@pytest.mark.usefixtures("code_cache")
@pytest.mark.parametrize("rated", [True, False])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_the_python_of_a_models_card(
    pooling: Any,
    rated: bool,
    tiny_model: NewModel,
    tokenizer: PreTrainedTokenizerBase,
    tiny_recipe: Recipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe = replace(tiny_recipe, rating_head=rated)
    for name in POOLINGS:
        save_model(tiny_model(name, recipe), tokenizer, tmp_path / name)
    told = training(recipe=training()["recipe"] | {"rating_head": rated})
    card = model_card(told, metrics(), [pooling])
    printed = io.StringIO()
    program = compile(python_of(card, PLACE, tmp_path / pooling), "the card", "exec")
    with contextlib.redirect_stdout(printed):
        exec(program, {})
    monkeypatch.setattr("classifier.serving.predictor.compute_dtype", lambda _: torch.float32)
    predicted = Predictor(tmp_path, torch.device("cpu")).predict([REVIEW, *PAIR])
    check(printed.getvalue(), [one[pooling] for one in predicted], 32)


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["", "cls", "mean"])
def test_the_cards_of_a_trained_version_where_there_is_no_such_package(
    folder: str, trained_on_few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = Registry(trained_on_few / "models").get("champion").path
    card = (version / folder / "README.md").read_text("utf-8")
    place = PLACE if folder else f"{PLACE}/cls"
    program = python_of(card, place, version / (folder or "cls"))
    program += "\nimport sys\nassert 'classifier' not in sys.modules\n"
    run = subprocess.run(
        [sys.executable, "-I", "-c", program],
        cwd=tmp_path,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "HF_MODULES_CACHE": str(tmp_path / "code")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    monkeypatch.setattr("classifier.serving.predictor.compute_dtype", lambda _: torch.float32)
    predicted = Predictor(version, torch.device("cpu")).predict([REVIEW, *PAIR])
    pooling: Any = folder or "cls"
    check(run.stdout, [one[pooling] for one in predicted], 32)


def test_the_command_of_a_card(two_versions: Path, tiny_encoder: Path, tmp_path: Path) -> None:
    (command,) = blocks(model_card(training(), metrics()), "bash")
    begin, *arguments = command.split("classifier", 1)
    assert begin == "python -m "
    line = CommandLine(tmp_path, tiny_encoder)
    status, out, err = line.here(*shlex.split(arguments[0]), "--models", str(two_versions))
    assert (status, err) == (0, "")
    assert "CLS" in out
    assert REVIEW in command
