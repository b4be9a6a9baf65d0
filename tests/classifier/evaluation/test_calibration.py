import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.calibration import calibration_curve

from classifier.evaluation.calibration import (
    BINS,
    calibration_gaps,
    expected_calibration_error,
    reliability_bins,
)
from classifier.modeling.temperature import calibrated_probabilities, fit_temperature


def calibration_error(
    probabilities: NDArray[np.float64], labels: NDArray[np.int64], bins: int = BINS
) -> float:
    bin_of_row, gaps = calibration_gaps(probabilities, labels, bins)
    by_bin = np.bincount(bin_of_row, weights=gaps)
    return float(expected_calibration_error(by_bin, len(labels)))


def test_calibration_error_by_hand() -> None:
    # Two bins of (0, 0.5] and (0.5, 1]: confidences 0.5 | 0.9, 0.7, right | right, wrong.
    probabilities = np.array([[0.5, 0.3, 0.2], [0.9, 0.1, 0.0], [0.1, 0.7, 0.2]])
    labels = np.array([0, 0, 2])
    expected = (1 * abs(1 - 0.5) + 2 * abs(0.5 - 0.8)) / 3
    assert calibration_error(probabilities, labels, bins=2) == pytest.approx(expected)


def test_calibration_error_against_a_plain_loop() -> None:
    rng = np.random.default_rng(2)
    probabilities = softmax(rng.normal(scale=2, size=(500, 3)), axis=1)
    labels = rng.integers(0, 3, 500)
    expected = 0.0
    for number in range(15):
        inside = [
            (row.max(), float(row.argmax() == label))
            for row, label in zip(probabilities, labels, strict=True)
            if number / 15 < row.max() <= (number + 1) / 15
        ]
        if inside:
            confidence, accuracy = np.mean(inside, axis=0)
            expected += len(inside) / 500 * abs(accuracy - confidence)
    assert calibration_error(probabilities, labels) == pytest.approx(expected)


def test_certain_and_right_is_calibrated_and_certain_and_wrong_is_not() -> None:
    certain = np.array([[1.0, 0.0, 0.0]])
    assert calibration_error(certain, np.array([0])) == 0.0
    assert calibration_error(certain, np.array([1])) == 1.0


def test_reliability_bins_are_scikit_learns_curve_with_counts() -> None:
    rng = np.random.default_rng(3)
    probabilities = softmax(rng.normal(scale=2, size=(400, 3)), axis=1)
    labels = rng.integers(0, 3, 400)
    correct = probabilities.argmax(axis=1) == labels
    accuracy, confidence = calibration_curve(correct, probabilities.max(axis=1), n_bins=10)
    bins = reliability_bins(probabilities, labels, bins=10)
    assert bins.confidence == pytest.approx(confidence)
    assert bins.accuracy == pytest.approx(accuracy)
    assert bins.count.sum() == 400
    # Nothing is less confident than a third, so the lowest three bins are empty and left out.
    assert len(bins.count) == 7
    assert bins.count.min() > 0
    weighted_gap = (np.abs(bins.accuracy - bins.confidence) * bins.count).sum() / 400
    assert weighted_gap == pytest.approx(calibration_error(probabilities, labels, bins=10))


def test_scaling_mends_an_overconfident_model_on_other_rows() -> None:
    rng = np.random.default_rng(4)
    honest = rng.normal(scale=1.5, size=(6000, 3))
    chance = softmax(honest, axis=1).cumsum(axis=1)
    labels = (rng.random((6000, 1)) > chance).sum(axis=1).clip(max=2)
    overconfident = honest * 3
    temperature = fit_temperature(overconfident[:3000], labels[:3000])
    before, after = (
        calibration_error(calibrated_probabilities(overconfident[3000:], value), labels[3000:])
        for value in (1.0, temperature)
    )
    assert temperature == pytest.approx(3.0, rel=0.1)
    assert before > 0.15
    assert after < 0.03
