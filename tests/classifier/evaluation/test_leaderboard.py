"""What a leaderboard concludes from known answers."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from classifier.evaluation.leaderboard import Entry, board
from classifier.modeling.outputs import Labels, Outputs

ROWS = 300
TRUTH = np.random.default_rng(0).integers(0, 3, ROWS)
LABELS = Labels(TRUTH, np.array([1, 6, 9])[TRUTH])


def outputs(right: float, seed: int, rating_head: bool = True) -> Outputs:
    """A model that is right about that share of the reviews, and rates as it feels."""
    chance = np.random.default_rng(seed)
    answered = np.where(chance.random(ROWS) < right, TRUTH, (TRUTH + 1) % 3)

    def logits(answers: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
        return 9.0 * np.eye(classes)[answers]

    ratings = logits(np.array([1, 6, 9])[answered], 11) if rating_head else None
    return Outputs(logits(answered, 3), ratings)


def entry(name: str, cls: list[Outputs], mean: list[Outputs]) -> Entry:
    return Entry(name, {}, LABELS, {"cls": cls, "mean": mean})


def test_it_depends_on_the_encoder_where_mean_gains_with_one_and_loses_with_the_other() -> None:
    gains = entry("gains", [outputs(0.6, 1)], [outputs(0.9, 2)])
    loses = entry("loses", [outputs(0.9, 3)], [outputs(0.6, 4)])
    found = board([gains, loses])
    assert "mean pooling is better" in found["poolings"]["gains"]["verdict"].lower()
    assert "CLS pooling is better" in found["poolings"]["loses"]["verdict"]
    assert found["overall"]["verdict"].startswith("No difference shown")
    verdict = found["dependence"]["verdict"]
    assert verdict.startswith("It depends on the encoder: in macro F1 mean pooling gains more")
    assert "with gains than with loses" in verdict
    assert found["dependence"]["shown"] == 3


def test_one_gain_everywhere_is_no_dependence() -> None:
    entries = [
        entry(name, [outputs(0.6, 2 * at)], [outputs(0.85, 2 * at + 1)])
        for at, name in enumerate(["one", "two", "three"])
    ]
    found = board(entries)
    assert found["overall"]["verdict"].startswith("Mean pooling is better on 300 reviews and 3 enc")
    assert len(found["dependence"]["pairs"]) == 3
    assert found["dependence"]["p_limit"] == pytest.approx(0.05 / 9)
    assert "not shown to depend" in found["dependence"]["verdict"]


def test_a_review_is_one_unit_however_many_seeds_answered_it() -> None:
    cls, mean = outputs(0.7, 1), outputs(0.8, 2)
    once, thrice = (board([entry("e", [cls] * count, [mean] * count)]) for count in (1, 3))
    for measure, one in once["overall"]["differences"].items():
        assert thrice["overall"]["differences"][measure] == pytest.approx(one)
    for one, three in zip(once["models"], thrice["models"], strict=True):
        assert three["figures"] == pytest.approx(one["figures"])
        for measure, interval in one["intervals"].items():
            assert three["intervals"][measure] == pytest.approx(interval)
    assert "counted over 3 seeds" in thrice["overall"]["verdict"]


def test_the_best_comes_first_and_the_others_are_compared_with_it() -> None:
    found = board(
        [
            entry("weak", [outputs(0.5, 1)], [outputs(0.6, 2)]),
            entry("strong", [outputs(0.9, 3)], [outputs(0.8, 4)]),
        ]
    )
    order = [(model["encoder"], model["pooling"]) for model in found["models"]]
    assert order == [("strong", "cls"), ("strong", "mean"), ("weak", "mean"), ("weak", "cls")]
    best, *others = found["models"]
    assert "behind" not in best
    for model in others:
        behind = model["behind"]["macro_f1"]
        gap = best["figures"]["macro_f1"] - model["figures"]["macro_f1"]
        assert behind["difference"] == pytest.approx(gap)
        assert behind["low"] < gap < behind["high"]


def test_models_that_answer_every_review_alike_are_named() -> None:
    logits = np.tile([0.0, 0.0, 9.0], (ROWS, 1))
    same, learnt = Outputs(logits, outputs(0.9, 1).rating_logits), outputs(0.9, 1)
    assert board([entry("e", [learnt], [learnt])])["unlearnt"] is None
    assert board([entry("e", [learnt, same], [same, same])])["unlearnt"] == (
        "e with mean pooling answers every review with one sentiment: nothing was learnt of it, "
        "train for longer."
    )
    everywhere = board([entry("e", [same], [same]), entry("f", [same], [same])])
    assert everywhere["unlearnt"].startswith("Every model answers every review with one")


@pytest.mark.parametrize("without", ["a model", "the reviews"])
def test_ratings_are_compared_where_there_are_some_everywhere(without: str) -> None:
    heads: dict[str, Any] = {"rating_head": without != "a model"}
    one = entry("one", [outputs(0.6, 1)], [outputs(0.7, 2, **heads)])
    labels = LABELS if without == "a model" else Labels(TRUTH, np.full(ROWS, -1))
    found = board([Entry("one", {}, labels, one.outputs)])
    assert list(found["models"][0]["figures"]) == ["macro_f1", "accuracy"]
    assert found["dependence"]["verdict"].startswith("With one encoder it can't be told")
