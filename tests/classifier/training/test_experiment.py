"""An experiment in one process: what it makes of its encoder, its time and an interruption."""

import io
import shutil
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from rich.console import Console
from tokenizers import BertWordPieceTokenizer

from classifier.data.tokenizer import load_tokenizer
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


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, recipe=replace(settings.recipe, word_dropout=0.15))


def test_an_encoder_whose_words_have_no_mask_stays_as_it_is(
    settings: Settings,
    context: RunContext,
    said: io.StringIO,
    no_report: None,
    tiny_encoder: Path,
    tmp_path: Path,
) -> None:
    encoder = Path(shutil.copytree(tiny_encoder, tmp_path / "encoder"))
    words = list(load_tokenizer(encoder).get_vocab().items())
    named = {place: word for word, place in words} | {4: "маска"}
    assert (("[MASK]", 4)) in words
    for file in encoder.glob("*token*"):
        file.unlink()
    BertWordPieceTokenizer(vocab={named[place]: place for place in named}).save_model(str(encoder))
    # transformers gives the tokenizer a [MASK], for which the encoder has no vector.
    assert load_tokenizer(encoder).mask_token_id == len(words)
    version = run_experiment(replace(settings, encoder=str(encoder)), context, resume=False)
    assert version is not None
    assert "Its words have no [MASK]: none are hidden, and it stays as it is" in said.getvalue()
    training = version.training()
    assert training["adaptation"] == []
    assert (training["recipe"]["adaptation_epochs"], training["recipe"]["word_dropout"]) == (0, 0)


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
