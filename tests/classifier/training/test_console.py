"""What a program that started a training is told of it."""

import io
import json
from typing import Any

import pytest

from classifier.training.console import JsonConsole
from classifier.training.loop import Step


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, in seconds: set its one element."""
    now = [100.0]
    monkeypatch.setattr("classifier.training.console.time.monotonic", lambda: now[0])
    return now


def told(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def of_steps(out: io.StringIO) -> list[dict[str, Any]]:
    return [line for line in told(out) if "share" in line]


def test_epochs_shares_and_the_time_left_are_of_the_whole_run(clock: list[float]) -> None:
    """One epoch of the encoder and three of each pooling, 10 steps an epoch, 2 s a step."""
    out = io.StringIO()
    console = JsonConsole(out)
    for title, epochs in (("the encoder", 1), ("CLS pooling", 3), ("mean pooling", 3)):
        with console.training(title, epochs / 7) as on_step:
            for epoch in range(1, epochs + 1):
                for done in range(1, 11):
                    clock[0] += 2
                    on_step(Step(epoch, epochs, done, 10, 0.5))
    lines = of_steps(out)
    assert len(lines) == 70
    assert [line["epoch"] for line in lines] == [epoch for epoch in range(1, 8) for _ in range(10)]
    assert {line["epochs"] for line in lines} == {7}
    assert [line["share"] for line in lines] == [round(done / 70, 4) for done in range(1, 71)]
    assert [line["seconds_left"] for line in lines] == [2 * left for left in range(69, -1, -1)]
    assert [lines[at]["training"] for at in (0, 10, 69)] == [
        "the encoder",
        "CLS pooling",
        "mean pooling",
    ]


def test_the_time_left_is_by_the_steps_of_this_process_alone(clock: list[float]) -> None:
    """Two of three epochs were trained before an interruption: these took no time now."""
    out = io.StringIO()
    with JsonConsole(out).training("CLS pooling", 0.5) as on_step:
        for done in range(1, 11):
            clock[0] += 2
            on_step(Step(3, 3, done, 10, 0.5))
    assert [line["seconds_left"] for line in of_steps(out)] == [
        2 * (30 + left) for left in range(9, -1, -1)
    ]


def test_of_several_processes_one_writes() -> None:
    out = io.StringIO()
    console = JsonConsole(out, quiet=True)
    console.say("Reviews: invented")
    with console.training("CLS pooling", 1.0) as on_step:
        on_step(Step(1, 1, 1, 1, 0.5))
    assert out.getvalue() == ""


def test_it_speaks_once_a_second(clock: list[float]) -> None:
    out = io.StringIO()
    with JsonConsole(out).training("CLS pooling", 1.0) as on_step:
        for done in range(1, 41):
            clock[0] += 0.1
            on_step(Step(1, 1, done, 40, 0.5))
    assert len(of_steps(out)) == 4


def test_what_a_terminal_shows_is_said_line_by_line_and_epochs_with_their_figures() -> None:
    out = io.StringIO()
    console = JsonConsole(out)
    console.warn("Only 60 reviews.")
    console.parts({"train": {"Bad": 1}, "holdout": {"Bad": 2}})
    figures = {"epoch": 1, "train_loss": 2.5, "train_accuracy": 0.25, "seconds": 3}
    figures |= {"validation_loss": 2.25, "validation_accuracy": 0.5}
    with console.training("mean pooling", 1 / 3):
        console.epoch(figures)
    lines = told(out)
    said = [line["said"] for line in lines if "said" in line]
    assert said[0] == "Only 60 reviews."
    assert any(line.startswith("│ holdout") for line in said)
    assert said[-1].startswith("  epoch 1: loss 2.5")
    assert lines[-1] == {"ended": {"training": "mean pooling", **figures}}
