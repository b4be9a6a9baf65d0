import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import permutation_test, t
from sklearn.metrics import f1_score

from classifier.errors import ClassifierError
from classifier.evaluation.comparison import Finding, compare, compare_seeds, verdict_sentence
from classifier.evaluation.metrics import Metrics
from classifier.evaluation.resampling import drawn_sizes
from classifier.labels import NO_RATING
from classifier.modeling.outputs import Labels, Outputs

NAMES = ("cls", "mean")


def saying(sentiment: NDArray[Any] | list[int], rating: Any = None) -> Outputs:
    """A model certain of these answers."""
    rating_logits = None if rating is None else 10 * np.eye(11)[np.asarray(rating)]
    return Outputs(10 * np.eye(3)[np.asarray(sentiment)], rating_logits)


def labelled(sentiment: NDArray[Any] | list[int], rating: Any = None) -> Labels:
    truth = np.asarray(sentiment, dtype=np.int64)
    if rating is None:
        return Labels(truth, np.full(len(truth), NO_RATING, dtype=np.int64))
    return Labels(truth, np.asarray(rating, dtype=np.int64))


def right_in(rows: int, right: list[int]) -> Outputs:
    """Says Good, which is the truth, in the rows named, and Bad in the others."""
    return saying([2 if row in right else 0 for row in range(rows)])


def noisy(truth: NDArray[Any], share: float, values: int, rng: np.random.Generator) -> NDArray[Any]:
    """The truth, but a random value in that share of the rows."""
    return np.where(rng.random(len(truth)) < share, rng.integers(0, values, len(truth)), truth)


def test_identical_models_show_no_difference() -> None:
    rng = np.random.default_rng(0)
    sentiment, rating = rng.integers(0, 3, 200), rng.integers(0, 11, 200)
    model = saying(noisy(sentiment, 0.3, 3, rng), noisy(rating, 0.3, 11, rng))
    found = compare(model, model, labelled(sentiment, rating), resamples=100)
    assert found["mcnemar"] == {"first_only_right": 0, "second_only_right": 0, "p": 1.0}
    for difference in found["differences"].values():
        assert difference == {"difference": 0.0, "low": 0.0, "high": 0.0, "p": 1.0}
    assert found["sentiment_agreement"] == 1.0
    assert found["rating_agreement_exact"] == 1.0
    assert found["verdict"].startswith(
        "No difference shown between CLS pooling and mean pooling on 200 reviews; "
    )


@pytest.mark.parametrize(
    ("first_only", "second_only", "p"),
    [
        (0, 0, 1.0),
        (0, 1, 1.0),
        (1, 1, 1.0),
        (0, 5, 2 / 2**5),
        (6, 0, 2 / 2**6),
        (1, 7, 2 * (1 + 8) / 2**8),
        (8, 2, 2 * (1 + 10 + 45) / 2**10),
    ],
)
def test_mcnemar_by_hand(first_only: int, second_only: int, p: float) -> None:
    both = list(range(20, 25))
    first = right_in(30, [*range(first_only), *both])
    second = right_in(30, [*range(first_only, first_only + second_only), *both])
    found = compare(first, second, labelled([2] * 30), resamples=10)
    assert found["mcnemar"]["first_only_right"] == first_only
    assert found["mcnemar"]["second_only_right"] == second_only
    assert found["mcnemar"]["p"] == pytest.approx(p)
    assert found["differences"]["accuracy"]["p"] == pytest.approx(p)


def test_agreement_counts_all_rows_rated_or_not() -> None:
    first = saying([0, 1, 2, 2], [1, 6, 8, 10])
    second = saying([0, 2, 2, 2], [1, 7, 10, 10])
    found = compare(first, second, labelled([0, 1, 2, 2]), resamples=10)
    assert found["sentiment_agreement"] == 0.75
    assert found["rating_agreement_exact"] == 0.5
    assert found["rating_agreement_within_1"] == 0.75
    assert found["rows"] == 4
    assert found["rated_rows"] == 0
    assert set(found["differences"]) == {"macro_f1", "accuracy"}
    assert found["p_limit"] == 0.025


def test_bootstrap_is_paired_and_equals_a_plain_loop() -> None:
    rng = np.random.default_rng(1)
    truth, rating = rng.integers(0, 3, 25), rng.integers(NO_RATING, 11, 25)
    sentiments = [noisy(truth, share, 3, rng) for share in (0.3, 0.6)]
    ratings = [noisy(rating.clip(min=0), share, 11, rng) for share in (0.3, 0.6)]
    first, second = (saying(s, r) for s, r in zip(sentiments, ratings, strict=True))
    found = compare(first, second, labelled(truth, rating), seed=5, resamples=150)

    # Rows that add the same, in the order in which `paired_differences` has them.
    errors = [np.where(rating < 0, 0, abs(r - rating)) for r in ratings]
    cells = [-(truth * 3 + s) for s in sentiments]  # one-hot, the later cell is the smaller
    sums = np.stack([cells[0], errors[0], rating >= 0, cells[1], errors[1]], axis=1)
    _, one_of, sizes = np.unique(sums, axis=0, return_index=True, return_counts=True)
    ((resamples, _),) = drawn_sizes(sizes, 150, seed=5)

    plain: dict[str, list[float]] = {"macro_f1": [], "accuracy": [], "rating_mae": []}
    for rows in [np.arange(25), *(np.repeat(one_of, times) for times in resamples)]:
        rated = [row for row in rows if rating[row] != NO_RATING]
        macro_f1, accuracy, mae = zip(
            *(
                (
                    f1_score(truth[rows], s[rows], labels=[0, 1, 2], average="macro"),
                    sum(truth[row] == s[row] for row in rows) / 25,
                    sum(abs(rating[row] - r[row]) for row in rated) / len(rated),
                )
                for s, r in zip(sentiments, ratings, strict=True)
            ),
            strict=True,
        )
        plain["macro_f1"].append(macro_f1[1] - macro_f1[0])
        plain["accuracy"].append(accuracy[1] - accuracy[0])
        plain["rating_mae"].append(mae[1] - mae[0])
    for name, (observed, *drawn) in plain.items():
        low, high = np.percentile(drawn, [2.5, 97.5])
        assert found["differences"][name]["difference"] == pytest.approx(observed), name
        assert found["differences"][name]["low"] == pytest.approx(low), name
        assert found["differences"][name]["high"] == pytest.approx(high), name


def test_swapping_p_is_scipys_exact_permutation_test() -> None:
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 3, 9)
    rating = rng.integers(0, 8, 9)
    first, second = rating, rating + np.array([2, 1, 3, 0, 1, 2, 0, 1, 1])

    def macro_f1_difference(second: NDArray[Any], first: NDArray[Any]) -> float:
        scores = [
            f1_score(truth, model, labels=[0, 1, 2], average="macro", zero_division=0)
            for model in (first, second)
        ]
        return float(scores[1] - scores[0])

    def mae_difference(second: NDArray[Any], first: NDArray[Any]) -> float:
        return float(np.abs(second - rating).mean() - np.abs(first - rating).mean())

    sentiments = truth, np.where(np.arange(9) < 6, (truth + 1) % 3, truth)
    found = compare(
        saying(sentiments[0], first),
        saying(sentiments[1], second),
        labelled(truth, rating),
        resamples=20_000,
    )["differences"]
    for name, pair, statistic in (
        ("macro_f1", sentiments, macro_f1_difference),
        ("rating_mae", (first, second), mae_difference),
    ):
        exact = permutation_test(
            (pair[1], pair[0]), statistic, permutation_type="samples", vectorized=False
        )
        assert found[name]["p"] == pytest.approx(exact.pvalue, abs=0.01), name


def test_a_clear_difference_is_shown_with_its_direction() -> None:
    rng = np.random.default_rng(3)
    sentiment, rating = rng.integers(0, 3, 400), rng.integers(0, 11, 400)
    worse = saying(noisy(sentiment, 0.5, 3, rng), noisy(rating, 0.5, 11, rng))
    better = saying(noisy(sentiment, 0.1, 3, rng), noisy(rating, 0.1, 11, rng))
    labels = labelled(sentiment, rating)
    for first, second, winner, loser in (
        (worse, better, "Mean pooling", "CLS"),
        (better, worse, "CLS pooling", "mean"),
    ):
        found = compare(first, second, labels, resamples=300)
        assert found["verdict"].startswith(f"{winner} is better on 400 reviews: macro F1 +0.")
        assert "accuracy +0." in found["verdict"]
        assert "rating MAE -" in found["verdict"]
        assert "no difference shown" not in found["verdict"]
        assert loser not in found["verdict"]
        assert (found["differences"]["macro_f1"]["low"] > 0) == (winner == "Mean pooling")
        assert (found["differences"]["rating_mae"]["high"] < 0) == (winner == "Mean pooling")


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_a_handful_of_rows_proves_nothing(rows: int) -> None:
    """Every resample of the bootstrap favours the second model, but luck alone could do that."""
    labels = labelled([2] * rows, [9] * rows)
    found = compare(saying([0] * rows, [2] * rows), saying([2] * rows, [9] * rows), labels)
    json.dumps(found, allow_nan=False)
    assert found["differences"]["macro_f1"]["low"] > 0
    assert found["verdict"].lower().startswith("no difference shown")
    assert f"on {rows} review{'s' if rows > 1 else ''}, none of them" in found["verdict"]


def test_equal_models_are_seldom_told_apart() -> None:
    rng = np.random.default_rng(4)
    told_apart = 0
    for seed in range(100):
        sentiment = rng.choice(3, 150, p=[0.2, 0.05, 0.75])
        rating = rng.integers(0, 11, 150)
        first, second = (
            saying(noisy(sentiment, 0.2, 3, rng), noisy(rating, 0.4, 11, rng)) for _ in range(2)
        )
        verdict = compare(first, second, labelled(sentiment, rating), seed=seed, resamples=200)
        told_apart += "No difference shown" not in verdict["verdict"]
    assert told_apart <= 10


def test_the_interval_of_the_difference_holds_the_truth_about_95_times_in_100() -> None:
    rng = np.random.default_rng(5)
    hits = 0
    for seed in range(150):
        rating = np.full(120, 5)
        first = 5 + (rng.random(120) < 0.5)  # MAE 0.5
        second = 5 + (rng.random(120) < 0.3)  # MAE 0.3
        sentiment = [0] * 120
        found = compare(
            saying(sentiment, first),
            saying(sentiment, second),
            labelled(sentiment, rating),
            seed=seed,
            resamples=200,
        )["differences"]["rating_mae"]
        hits += found["low"] <= -0.2 <= found["high"]
    assert 0.88 <= hits / 150 <= 0.99


def test_the_same_seed_gives_the_same_comparison_ready_for_json() -> None:
    rng = np.random.default_rng(6)
    sentiment, rating = rng.integers(0, 3, 60), rng.integers(NO_RATING, 11, 60)
    model, rival = (
        saying(noisy(sentiment, 0.4, 3, rng), rng.integers(0, 11, 60)) for _ in range(2)
    )
    labels = labelled(sentiment, rating)
    first, again, other = (
        compare(model, rival, labels, names=("a", "b"), seed=seed, resamples=100)
        for seed in (0, 0, 1)
    )
    assert first == again
    assert first["differences"] != other["differences"]
    assert json.loads(json.dumps(first, allow_nan=False)) == first
    assert first["names"] == ["a", "b"]


def test_no_rows_is_said_plainly() -> None:
    empty = Outputs(np.zeros((0, 3)), None)
    with pytest.raises(ClassifierError, match="no reviews"):
        compare(empty, empty, labelled([]))


def finding(measure: str, difference: float, shown: bool) -> Finding:
    if measure == "accuracy":
        return Finding(measure, difference, None, "McNemar p = 0.410", shown)
    interval = (difference - 0.01, difference + 0.02)
    return Finding(measure, difference, interval, "p = 0.004", shown)


@pytest.mark.parametrize(
    ("findings", "sentence"),
    [
        pytest.param(
            [finding("macro_f1", 0.021, True), finding("accuracy", 0.004, False)],
            "Mean pooling is better on 906 reviews: "
            "macro F1 +0.021 (95 % interval +0.011 to +0.041, p = 0.004); "
            "no difference shown in accuracy (McNemar p = 0.410).",
            id="second better",
        ),
        pytest.param(
            [finding("macro_f1", -0.03, True), finding("rating_mae", 0.05, True)],
            "CLS pooling is better on 906 reviews: "
            "macro F1 +0.030 (95 % interval +0.010 to +0.040, p = 0.004) and "
            "rating MAE -0.050 (95 % interval -0.070 to -0.040, p = 0.004).",
            id="first better, told from its side",
        ),
        pytest.param(
            [
                finding("macro_f1", 0.021, True),
                finding("accuracy", 0.004, False),
                finding("rating_mae", 0.05, True),
            ],
            "CLS pooling is better on 906 reviews in "
            "rating MAE -0.050 (95 % interval -0.070 to -0.040, p = 0.004), mean pooling in "
            "macro F1 +0.021 (95 % interval +0.011 to +0.041, p = 0.004); "
            "no difference shown in accuracy (McNemar p = 0.410).",
            id="each better in one",
        ),
        pytest.param(
            [
                finding("macro_f1", -0.005, False),
                finding("accuracy", -0.0001, False),
                finding("rating_mae", 0.2, True),
            ],
            "CLS pooling is better on 906 reviews: "
            "rating MAE -0.200 (95 % interval -0.220 to -0.190, p = 0.004); "
            "no difference shown in macro F1 (95 % interval -0.015 to +0.015, p = 0.004) and "
            "accuracy (McNemar p = 0.410).",
            id="two not shown",
        ),
        pytest.param(
            [finding("macro_f1", -0.005, False), finding("accuracy", -0.0001, False)],
            "No difference shown between CLS pooling and mean pooling on 906 reviews; "
            "mean pooling minus CLS pooling: "
            "macro F1 -0.005 (95 % interval -0.015 to +0.015, p = 0.004), "
            "accuracy +0.000 (McNemar p = 0.410).",
            id="none",
        ),
    ],
)
def test_verdict_sentences(findings: list[Finding], sentence: str) -> None:
    assert verdict_sentence(findings, NAMES, "on 906 reviews") == sentence


def test_names_of_versions_are_left_as_they_are() -> None:
    verdict = verdict_sentence(
        [finding("macro_f1", 0.021, True)], ("old", "new-a1b2"), "on 10 reviews"
    )
    assert verdict.startswith("new-a1b2 is better on 10 reviews: ")


def test_a_p_below_five_per_cent_but_above_the_shared_limit_is_explained() -> None:
    first, second = right_in(40, [0]), right_in(40, list(range(1, 9)))
    found = compare(first, second, labelled([2] * 40))
    assert found["p_limit"] < found["mcnemar"]["p"] < 0.05
    assert found["verdict"].startswith("No difference shown")
    assert "McNemar p = 0.039, the limit for 2 measures being 0.025" in found["verdict"]


def run(macro_f1: float, accuracy: float = 0.8, **others: Any) -> Metrics:
    return {"accuracy": accuracy, "macro_f1": macro_f1, "rows": 906, **others}


def test_seeds_that_agree_show_a_difference() -> None:
    runs = [
        (run(0.60, rating_mae=1.20), run(0.65, rating_mae=1.15)),
        (run(0.61, rating_mae=1.18), run(0.67, rating_mae=1.20)),
        (run(0.59, rating_mae=1.22), run(0.63, rating_mae=1.17)),
    ]
    found = compare_seeds(runs)
    json.dumps(found, allow_nan=False)
    figure = found["figures"]["macro_f1"]
    half_width = t.ppf(0.975, 2) * 0.01 / 3**0.5
    assert figure["first"] == pytest.approx({"mean": 0.60, "sd": 0.01})
    assert figure["second"] == pytest.approx({"mean": 0.65, "sd": 0.02})
    assert figure["differences"] == pytest.approx([0.05, 0.06, 0.04])
    assert figure["difference"] == pytest.approx(0.05)
    assert (figure["low"], figure["high"]) == pytest.approx((0.05 - half_width, 0.05 + half_width))
    assert figure["every_seed_agrees"]
    assert found["seeds"] == 3
    assert set(found["figures"]) == {"accuracy", "macro_f1", "rating_mae"}
    assert found["verdict"] == (
        "Mean pooling is better over 3 seeds: "
        "macro F1 +0.050 (95 % interval +0.025 to +0.075, every seed agrees); "
        "no difference shown in accuracy (mean pooling better in 0 of 3, "
        "the same difference each time) and rating MAE (95 % interval -0.127 to +0.074, "
        "mean pooling better in 2 of 3)."
    )


def test_agreeing_seeds_with_a_wide_interval_show_nothing() -> None:
    runs = [(run(0.60, 0.8), run(0.61, 0.9)), (run(0.60, 0.8), run(0.70, 0.8))]
    found = compare_seeds(runs)
    assert found["figures"]["macro_f1"]["every_seed_agrees"]
    assert found["figures"]["macro_f1"]["low"] < 0
    assert found["verdict"].startswith(
        "No difference shown between CLS pooling and mean pooling over 2 seeds; "
    )
    assert "every seed agrees" in found["verdict"]
    assert "mean pooling better in 1 of 2" in found["verdict"]


def test_one_seed_against_the_others_shows_nothing_though_the_interval_may() -> None:
    differences = [0.03] * 14 + [-0.001]
    found = compare_seeds([(run(0.6), run(0.6 + difference)) for difference in differences])
    assert found["figures"]["macro_f1"]["low"] > 0
    assert not found["figures"]["macro_f1"]["every_seed_agrees"]
    assert found["verdict"].startswith("No difference shown")


def test_seeds_that_change_nothing_give_no_interval() -> None:
    found = compare_seeds([(run(0.6), run(0.7))] * 3)
    assert found["figures"]["macro_f1"]["low"] is None
    assert found["figures"]["macro_f1"]["high"] is None
    assert found["verdict"].startswith("No difference shown")
    json.dumps(found, allow_nan=False)


def test_a_figure_missing_or_undefined_in_one_seed_is_left_out() -> None:
    runs = [(run(0.6, rating_qwk=0.5), run(0.7, rating_qwk=None)), (run(0.6), run(0.65))]
    assert set(compare_seeds(runs)["figures"]) == {"accuracy", "macro_f1"}


@pytest.mark.parametrize("runs", [[], [(run(0.6), run(0.7))]])
def test_one_seed_is_too_few(runs: list[tuple[Metrics, Metrics]]) -> None:
    with pytest.raises(ClassifierError, match="at least 2 seeds"):
        compare_seeds(runs)
