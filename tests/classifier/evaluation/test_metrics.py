import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import (
    cohen_kappa_score,
    confusion_matrix,
    f1_score,
    precision_score,
    recall_score,
)

from classifier.errors import ClassifierError
from classifier.evaluation.calibration import calibration_gaps, expected_calibration_error
from classifier.evaluation.metrics import evaluate, resampled_figures
from classifier.evaluation.resampling import drawn_rows
from classifier.labels import NO_RATING
from classifier.modeling.outputs import Labels, Outputs, answers_of
from classifier.modeling.temperature import calibrated_probabilities

INTERVALS = {
    *(f"{mean}_{of}" for mean in ("weighted", "macro") for of in ("precision", "recall", "f1")),
    *("accuracy", "ece", "ece_uncalibrated"),
    *("rating_mae", "rating_exact", "rating_within_1", "rating_qwk"),
}
RATING_FIGURES = {name for name in INTERVALS if name.startswith("rating_")}


def simulated(rows: int, seed: int = 0, unrated: float = 0.2) -> tuple[Outputs, Labels]:
    """A model somewhat better than chance, few Neutral, some rows without a rating."""
    rng = np.random.default_rng(seed)
    sentiment = rng.choice(3, rows, p=[0.25, 0.1, 0.65])
    rating = rng.integers(0, 11, rows)
    sentiment_logits = rng.normal(size=(rows, 3)) + 1.5 * np.eye(3)[sentiment]
    centre = rating + rng.normal(scale=1.5, size=rows)
    rating_logits = -((np.arange(11) - centre[:, None]) ** 2) / 3
    rating[rng.random(rows) < unrated] = NO_RATING
    outputs = Outputs(sentiment_logits.astype(np.float32), rating_logits.astype(np.float32))
    return outputs, Labels(sentiment, rating)


def certain(answers: list[int], classes: int) -> NDArray[np.float32]:
    return 10 * np.eye(classes, dtype=np.float32)[answers]


def saying(sentiment: list[int], rating: list[int] | None = None) -> Outputs:
    return Outputs(certain(sentiment, 3), None if rating is None else certain(rating, 11))


def labelled(sentiment: list[int], rating: list[int] | None = None) -> Labels:
    rating = [NO_RATING] * len(sentiment) if rating is None else rating
    return Labels(np.array(sentiment, dtype=np.int64), np.array(rating, dtype=np.int64))


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            *(st.integers(0, 2), st.integers(0, 2)),
            *(st.integers(NO_RATING, 10), st.integers(0, 10)),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_figures_are_scikit_learns(rows: list[tuple[int, int, int, int]]) -> None:
    truth, answered, rating, shown = (list(column) for column in zip(*rows, strict=True))
    metrics = evaluate(saying(answered, shown), labelled(truth, rating), resamples=2)
    json.dumps(metrics, allow_nan=False)
    options = {"labels": [0, 1, 2], "zero_division": 0}
    scores = {"precision": precision_score, "recall": recall_score, "f1": f1_score}
    for name, score in scores.items():
        for average in ("weighted", "macro"):
            expected = score(truth, answered, average=average, **options)
            assert metrics[f"{average}_{name}"] == pytest.approx(expected)
        by_class = [metrics["per_class"][label][name] for label in ("Bad", "Neutral", "Good")]
        assert by_class == pytest.approx(score(truth, answered, average=None, **options).tolist())
    assert metrics["accuracy"] == pytest.approx(np.mean(np.array(truth) == answered))
    assert metrics["confusion"] == confusion_matrix(truth, answered, labels=[0, 1, 2]).tolist()
    supports = [value["support"] for value in metrics["per_class"].values()]
    assert supports == [truth.count(label) for label in range(3)]

    pairs = [(r, s) for r, s in zip(rating, shown, strict=True) if r != NO_RATING]
    assert metrics["rows"] == len(rows)
    assert metrics["rated_rows"] == len(pairs)
    if not pairs:
        assert not RATING_FIGURES & metrics.keys()
        return
    errors = [abs(r - s) for r, s in pairs]
    assert metrics["rating_mae"] == pytest.approx(sum(errors) / len(errors))
    assert metrics["rating_exact"] == pytest.approx(errors.count(0) / len(errors))
    assert metrics["rating_within_1"] == pytest.approx(sum(e <= 1 for e in errors) / len(errors))
    if len({rating for pair in pairs for rating in pair}) == 1:
        assert metrics["rating_qwk"] is None
        assert "rating_qwk" not in metrics["intervals"]
    else:
        # Without all labels named, scikit-learn would take 2, 9, 10 for neighbours.
        kappa = cohen_kappa_score(*zip(*pairs, strict=True), labels=range(11), weights="quadratic")
        assert metrics["rating_qwk"] == pytest.approx(kappa)


def test_calibration_error_is_told_before_and_after_the_temperature() -> None:
    outputs, labels = simulated(300)
    metrics = evaluate(outputs, labels, temperature=2.0, resamples=10)
    for name, temperature in (("ece_uncalibrated", 1.0), ("ece", 2.0)):
        probabilities = calibrated_probabilities(outputs.sentiment_logits, temperature)
        bin_of_row, gaps = calibration_gaps(probabilities, labels.sentiment)
        expected = expected_calibration_error(np.bincount(bin_of_row, weights=gaps), 300)
        assert metrics[name] == pytest.approx(expected)
    assert metrics["temperature"] == 2.0


def test_every_resample_has_the_figures_of_its_rows() -> None:
    """The vectorised counts against evaluating the drawn rows one resample after another."""
    outputs, labels = simulated(40)
    answers = answers_of(outputs)
    (drawn,) = drawn_rows(40, 25, seed=3)
    figures = resampled_figures(answers, labels, drawn)
    assert set(figures) == INTERVALS - {"ece", "ece_uncalibrated"}
    for number, rows in enumerate(drawn):
        assert outputs.rating_logits is not None
        part = Outputs(outputs.sentiment_logits[rows], outputs.rating_logits[rows])
        metrics = evaluate(part, Labels(labels.sentiment[rows], labels.rating[rows]), resamples=1)
        for name, values in figures.items():
            assert values[number] == pytest.approx(metrics[name]), name


def test_intervals_are_the_percentiles_of_a_plain_bootstrap() -> None:
    outputs, labels = simulated(30, unrated=0.0)
    assert outputs.rating_logits is not None
    metrics = evaluate(outputs, labels, seed=7, resamples=200)
    assert set(metrics["intervals"]) == INTERVALS
    plain: dict[str, list[float]] = {name: [] for name in INTERVALS}
    for rows in np.concatenate(list(drawn_rows(30, 200, seed=7))):
        part = Outputs(outputs.sentiment_logits[rows], outputs.rating_logits[rows])
        drawn = evaluate(part, Labels(labels.sentiment[rows], labels.rating[rows]), resamples=1)
        for name in INTERVALS:
            plain[name].append(drawn[name])
    for name, (low, high) in metrics["intervals"].items():
        expected_low, expected_high = np.percentile(plain[name], [2.5, 97.5])
        assert high == pytest.approx(expected_high), name
        if name in ("ece", "ece_uncalibrated"):  # as far below the figure as above it
            expected_low = max(0.0, 2 * metrics[name] - expected_high)
        assert low == pytest.approx(expected_low), name


def test_the_seed_decides_the_intervals() -> None:
    outputs, labels = simulated(80)
    first, again, other = (
        evaluate(outputs, labels, seed=seed, resamples=100)["intervals"] for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_the_interval_of_accuracy_holds_the_truth_about_95_times_in_100() -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for seed in range(200):
        answered = np.where(rng.random(150) < 0.8, 2, 0)
        metrics = evaluate(saying(answered.tolist()), labelled([2] * 150), seed=seed, resamples=200)
        low, high = metrics["intervals"]["accuracy"]
        hits += low <= 0.8 <= high
    assert 0.89 <= hits / 200 <= 0.99


def test_calibration_intervals_hold_the_figure_itself() -> None:
    for seed in range(20):
        metrics = evaluate(*simulated(60, seed=seed), resamples=50)
        low, high = metrics["intervals"]["ece"]
        assert 0 <= low <= metrics["ece"] <= high <= 1


def test_one_class_of_truth_counts_the_absent_classes_as_zero() -> None:
    metrics = evaluate(saying([2, 2, 2, 0]), labelled([2, 2, 2, 2]), resamples=20)
    assert metrics["weighted_f1"] == pytest.approx(6 / 7)
    assert metrics["macro_f1"] == pytest.approx(6 / 7 / 3)
    assert metrics["per_class"]["Neutral"] == {"precision": 0, "recall": 0, "f1": 0, "support": 0}
    json.dumps(metrics, allow_nan=False)


@pytest.mark.parametrize("rating", [8, 3])
def test_one_row(rating: int) -> None:
    metrics = evaluate(saying([2], [8]), labelled([2], [rating]), resamples=20)
    json.dumps(metrics, allow_nan=False)
    assert metrics["accuracy"] == 1.0
    assert metrics["intervals"]["accuracy"] == [1.0, 1.0]
    assert metrics["rating_mae"] == abs(8 - rating)
    assert metrics["rating_qwk"] == (None if rating == 8 else 0.0)


def test_a_single_rated_row_among_many_leaves_no_undefined_interval() -> None:
    rating = [NO_RATING] * 9 + [4]
    metrics = evaluate(saying([2] * 10, [5] * 10), labelled([2] * 10, rating), resamples=50)
    json.dumps(metrics, allow_nan=False)
    assert metrics["rated_rows"] == 1
    assert metrics["intervals"]["rating_mae"] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("outputs", "labels"),
    [
        (saying([0, 2]), labelled([0, 2], [1, 9])),
        (saying([0, 2], [1, 9]), labelled([0, 2])),
    ],
    ids=["no rating head", "no rated row"],
)
def test_rating_figures_are_absent_without_head_or_ratings(
    outputs: Outputs, labels: Labels
) -> None:
    metrics = evaluate(outputs, labels, resamples=20)
    assert not RATING_FIGURES & metrics.keys()
    assert set(metrics["intervals"]) == INTERVALS - RATING_FIGURES


def test_no_rows_is_said_plainly() -> None:
    outputs = Outputs(np.zeros((0, 3)), np.zeros((0, 11)))
    with pytest.raises(ClassifierError, match="no reviews to evaluate"):
        evaluate(outputs, labelled([]))


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("head", ["sentiment", "rating"])
def test_logits_that_are_not_finite_name_the_head_and_the_row(head: str, value: float) -> None:
    outputs = saying([0, 1, 2], [1, 6, 9])
    logits: Any = getattr(outputs, f"{head}_logits")
    logits[1, 2] = value
    with pytest.raises(ClassifierError, match=f"{head} scores of review 2 of 3"):
        evaluate(outputs, labelled([0, 1, 2]))


def test_outputs_of_other_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="labels are 3 rows"):
        evaluate(saying([0, 1]), labelled([0, 1, 2]))
