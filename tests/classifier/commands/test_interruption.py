"""Ctrl-C and SIGTERM in every command: a sentence, exit status 130, and never a traceback."""

import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.classifier.command_line import CommandLine

RESUME = "Interrupted. The same command with --resume goes on after the last whole epoch.\n"
GO_ON = "Interrupted. The same command goes on from there.\n"
COMMANDS = {
    "classifier.training.experiment.run_experiment": (("train", "--reviews", "sample"), RESUME),
    "classifier.training.retraining.retrain": (("retrain", "--extra", "x.jsonl"), None),
    "classifier.training.console.load_reviews": (
        ("evaluate", "champion", "--reviews", "sample"),
        None,
    ),
    "classifier.commands.evaluate._scored": (
        ("compare", "champion", "champion", "--reviews", "sample"),
        None,
    ),
    "classifier.serving.predictor.Predictor.predict": (("predict", "Хорошо"), None),
    "classifier.serving.bulk.predict_file": (
        ("predict", "--file", "a.txt", "--out", "a.csv"),
        GO_ON,
    ),
    "classifier.registry.registry.Registry.versions": (("models", "list"), None),
    "classifier.registry.version.Version.verify": (("models", "promote", "champion"), None),
    "classifier.sharing.public_copy.copy_public": (
        ("models", "push", "champion", "anna/kinorate"),
        None,
    ),
    "classifier.sharing.pull.hub_unreachable": (("models", "pull", "anna/kinorate"), GO_ON),
}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("work", COMMANDS)
def test_every_command_says_that_it_was_interrupted(
    work: str,
    number: signal.Signals,
    tmp_path: Path,
    tiny_encoder: Path,
    two_versions: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        signal.raise_signal(number)

    line = CommandLine(tmp_path, tiny_encoder)
    shutil.copytree(two_versions, line.models)
    monkeypatch.setattr(work, interrupted)
    command, said = COMMANDS[work]
    status, _, err = line.here(*command)
    assert (status, err) == (130, said or "Interrupted.\n")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_at_any_moment_even_while_libraries_are_imported(
    number: signal.Signals, tmp_path: Path, tiny_encoder: Path
) -> None:
    line = CommandLine(tmp_path, tiny_encoder)
    moments = random.Random(number)
    for _ in range(4):
        process = line.start("-m", "classifier", "predict", "Хорошо")
        time.sleep(moments.uniform(0.3, 2.0))
        process.send_signal(number)
        _, err = process.communicate()
        assert (process.returncode, err) in [
            (130, "Interrupted.\n"),
            (1, "Error: models has no champion yet: train, or promote a version.\n"),
        ]
