"""`python -m benchmarks feedback`."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.asking import SCORES, Sent, chosen
from classifier.errors import ClassifierError
from classifier.modeling.outputs import Outputs
from tests import tiny
from tests.benchmarks.conftest import Benchmark

SMALL = ("--start", "24", "--rounds", "2", "--sent", "20", "--taps", "6", "--tokens", "32")


def logits(*shares: float) -> list[float]:
    return [math.log(share) for share in shares]


def test_each_score_asks_for_the_reviews_it_is_named_after() -> None:
    plain = "хороший фильм о людях"
    texts = [plain, "чепуха несусветная блажь", plain, plain * 9, plain]
    sure, unsure, other = (
        logits(0.02, 0.03, 0.95),
        logits(0.34, 0.33, 0.33),
        logits(0.9, 0.05, 0.05),
    )
    cls = [sure, sure, unsure, sure, sure]
    mean = [sure, sure, unsure, sure, other]
    outputs = {name: Outputs(np.array(rows), None) for name, rows in (("cls", cls), ("mean", mean))}
    sent = Sent(texts, outputs, [plain] * 12)
    asked = {name: chosen(score(sent), 1) for name, score in SCORES.items()}
    assert asked == {
        "random": [0],
        "models disagree": [4],
        "small margin": [2],
        "unknown words": [1],
        "rare length": [3],
    }
    assert chosen(SCORES["rare length"](sent), 3) == [3, 0, 1], "of equal ones the first sent"


def test_models_that_differ_in_the_rating_alone_disagree() -> None:
    sentiments = np.array([logits(0.1, 0.1, 0.8)] * 2)
    high, low = np.eye(11)[9] * 5, np.eye(11)[2] * 5
    outputs = {
        "cls": Outputs(sentiments, np.array([high, high])),
        "mean": Outputs(sentiments, np.array([high, low])),
    }
    assert chosen(SCORES["models disagree"](Sent(["a", "b"], outputs, [])), 1) == [1]


def test_it_says_what_is_missing_to_replay_users(benchmark: Benchmark) -> None:
    with pytest.raises(ClassifierError, match="3 rounds of 500 reviews after 500 take 2000 rated"):
        benchmark("feedback", "--rounds", "3", "--test-rows", "20")


def test_it_needs_ratings_to_judge_by(benchmark: Benchmark, tmp_path: Path) -> None:
    test = tmp_path / "test.jsonl"
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in tiny.make_rows(30, 5, rated=0)]
    test.write_text("".join(lines), encoding="utf-8")
    with pytest.raises(ClassifierError, match="None of the 30 reviews to judge on has a rating"):
        benchmark("feedback", "--test", str(test), *SMALL)


@pytest.mark.slow
def test_it_replays_the_same_users_for_every_score_and_goes_on_where_it_was(
    benchmark: Benchmark, few: Path, tmp_path: Path
) -> None:
    test = tmp_path / "test.jsonl"
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in tiny.make_rows(40, seed=5)]
    test.write_text("".join(lines), encoding="utf-8")
    work = tmp_path / "work"
    options = (
        *("--encoder", f"{few}/encoder", "--work", str(work), "--cache", f"{tmp_path}/cache"),
        *("--test", str(test), "--epochs", "1", *SMALL),
    )
    arms = ("--arm", "small margin", "--arm", "models disagree", "--pooling", "cls")
    document = benchmark("feedback", *options, *arms, "--seeds", "2")
    assert list(document["arms"]) == ["random", "small margin", "models disagree"]
    for seed in range(2):
        runs = [arm["runs"][seed]["rounds"] for arm in document["arms"].values()]
        assert all([judged["taps"] for judged in rounds] == [0, 6, 12] for rounds in runs)
        assert all(sum(judged["rated_sentiments"]) == judged["taps"] for judged in runs[0])
        assert runs[0][0] == runs[1][0] == runs[2][0], "one model to start from"
        assert not runs[0][1:] == runs[1][1:] == runs[2][1:], "other reviews are asked for"
    for name, arm in document["summary"]["arms"].items():
        assert arm["seeds"] == 2
        gain, last = arm["to_random"]["rating_mae"], arm["curve"][-1]
        assert last["taps"] == 12
        assert 0 < last["rating_mae"]["mean"] < 10
        assert gain["low"] <= gain["mean"] <= gain["high"]
        assert name != "random" or gain == {"mean": 0, "low": 0, "high": 0}
    (of_one,) = work.glob("*-0-small-margin.json")
    kept = {file: file.stat().st_mtime_ns for file in work.iterdir() if file != of_one}
    of_one.unlink()  # as if it had been killed there
    again = benchmark("feedback", *options, *arms, "--seeds", "2")
    assert again["summary"] == document["summary"]
    assert kept == {file: file.stat().st_mtime_ns for file in kept}
