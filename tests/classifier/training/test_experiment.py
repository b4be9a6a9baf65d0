"""An experiment in one process: what it makes of its encoder, its time and an interruption."""

import io
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from rich.console import Console

from classifier.errors import Interrupted
from classifier.modeling.encoders import Encoder
from classifier.training import experiment
from classifier.training.console import CommandConsole
from classifier.training.distributed import Group
from classifier.training.experiment import run_experiment
from classifier.training.settings import RunContext, Settings
from tests.classifier.command_line import CommandLine


@pytest.fixture
def said() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def context(tmp_path: Path, alone: Group, said: io.StringIO) -> RunContext:
    console = CommandConsole(Console(file=said, width=200))
    return RunContext(tmp_path / "models", tmp_path / "cache", alone, console)


def test_a_run_is_found_again_where_the_encoder_came_another_way(
    settings: Settings,
    context: RunContext,
    said: io.StringIO,
    no_report: None,
    tiny_encoder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    origins = iter(["no hub: no answer within 3 seconds", "no hub: name not known"])
    monkeypatch.setattr(
        experiment, "find_encoder", lambda *_: Encoder("tiny", tiny_encoder, next(origins))
    )
    with monkeypatch.context() as patched:
        patched.setattr(experiment, "publish", _interrupted)
        with pytest.raises(Interrupted):
            run_experiment(settings, context, resume=False)
    assert run_experiment(settings, context, resume=True) is not None
    assert "Resuming after the last whole epoch" in said.getvalue()


def test_the_minutes_are_for_all_seeds(
    settings: Settings, context: RunContext, no_report: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []

    def fitting(minutes: float, *_: object) -> int:
        asked.append(minutes)
        return 60

    monkeypatch.setattr(experiment, "reviews_within", fitting)
    run_experiment(replace(settings, minutes=6, seeds=2), context, resume=False)
    assert asked == [3]


@pytest.mark.parametrize(("options", "window"), [((), 512), (("--max-tokens", "1024"), 1024)])
def test_the_notebooks_recipe_reads_all_at_once(
    options: tuple[str, ...], window: int, tmp_path: Path, tiny_encoder: Path
) -> None:
    line = CommandLine(tmp_path, tiny_encoder)
    with patch("classifier.training.experiment.run_experiment", side_effect=Interrupted) as asked:
        line.here("train", "--reviews", "sample", "--recipe", "notebook", *options)
    recipe = asked.call_args.args[0].recipe
    assert (recipe.window, recipe.max_tokens) == (window, window)


def _interrupted(*_: object) -> None:
    raise Interrupted
