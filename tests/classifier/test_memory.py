"""What a training gives back: freed pages between its phases, and its models before the next."""

import io
import subprocess
import sys
import weakref
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console
from torch import Tensor

from classifier.errors import ClassifierError
from classifier.modeling.classifier import PoolingClassifier
from classifier.modeling.loading import load_classifier
from classifier.registry.registry import Registry
from classifier.training.both_poolings import BothPoolings
from classifier.training.console import CommandConsole
from classifier.training.distributed import Group
from classifier.training.experiment import run_experiment
from classifier.training.loop import train
from classifier.training.settings import RunContext, Settings

Rows = list[dict[str, Any]]

CHILD = """
from pathlib import Path
from classifier.memory import give_back_freed_pages, keep_freed_pages

def resident():
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) // 1024

keep_freed_pages()
blocks = [bytearray(2**16) for _ in range(3200)]  # 200 MB
last = bytearray(2**16)
full = resident()
blocks.clear()
kept = resident()
give_back_freed_pages()
print(full - kept, kept - resident())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc alone is told")
def test_freed_pages_are_kept_until_they_are_given_back() -> None:
    child = subprocess.run(
        [sys.executable, "-c", CHILD], capture_output=True, text=True, check=True
    )
    freed_at_once, given_back = map(int, child.stdout.split())
    assert freed_at_once < 20
    assert given_back > 150


@dataclass
class Watched:
    """What was seen of the models of an experiment while it ran."""

    weights: list[dict[str, Tensor]] = field(default_factory=list)  # after each training
    alive: list[int] = field(default_factory=list)  # earlier models at the start of each
    models: weakref.WeakSet[PoolingClassifier] = field(default_factory=weakref.WeakSet)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    seen = Watched()

    def watched_train(model: PoolingClassifier, *rest: Any) -> Any:
        seen.alive.append(len(seen.models))
        seen.models.add(model)
        history = train(model, *rest)
        seen.weights.append({name: value.clone() for name, value in model.state_dict().items()})
        return history

    monkeypatch.setattr("classifier.training.both_poolings.train", watched_train)
    return seen


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Two seeds of an epoch over few reviews, whose written ratings stay."""
    return replace(settings, keep_ratings=True, seed=3, seeds=2)


@pytest.fixture
def context(tmp_path: Path, alone: Group) -> RunContext:
    console = CommandConsole(Console(file=io.StringIO()))
    return RunContext(tmp_path / "models", tmp_path / "cache", alone, console)


@pytest.mark.usefixtures("keep_default_rng", "no_report")
def test_models_are_let_go_once_judged_and_the_first_seeds_are_published(
    watched: Watched, settings: Settings, context: RunContext
) -> None:
    version = run_experiment(settings, context, resume=False)
    assert version is not None
    assert watched.alive == [0, 0, 0, 0], "a model lives through the training of another"
    for pooling, weights in zip(("cls", "mean"), watched.weights, strict=False):
        published = load_classifier(version.path / pooling)
        assert published.config.pooling == pooling
        assert published.config.keep_ratings
        assert published.config.temperature not in (0, 1), "the fitted one"
        state = published.state_dict()
        assert state.keys() == weights.keys()
        assert all(torch.equal(value, state[name]) for name, value in weights.items())


@pytest.mark.usefixtures("keep_default_rng", "no_report")
def test_an_untrained_model_is_not_published_in_place_of_a_lost_one(
    settings: Settings, context: RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = BothPoolings._judge

    def lose(*args: Any) -> Any:
        for file in context.models.glob(".unfinished/*/cls-3.safetensors"):
            file.unlink()
        return judge(*args)

    monkeypatch.setattr(BothPoolings, "_judge", lose)
    with pytest.raises(ClassifierError, match=r"cls-3\.safetensors was removed or damaged"):
        run_experiment(settings, context, resume=False)
    assert Registry(context.models).versions() == []
