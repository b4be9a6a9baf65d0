import numpy as np
import pytest
from scipy.special import softmax

from classifier.modeling.outputs import (
    Outputs,
    answers_of,
    rating_confidence,
    rating_distribution,
    shown_rating,
)


def test_the_rating_shown_is_the_median() -> None:
    probabilities = np.zeros((3, 11))
    probabilities[0, [2, 9, 10]] = [0.4, 0.3, 0.3]  # the mean is 6.5, the mode 2
    probabilities[1, [0, 10]] = 0.5  # half is enough
    probabilities[2, 10] = 1.0
    shown = shown_rating(probabilities)
    assert shown.tolist() == [9, 0, 10]
    assert shown.dtype == np.int64


def test_no_rating_has_less_expected_error_than_the_one_shown() -> None:
    probabilities = softmax(np.random.default_rng(0).normal(scale=2, size=(200, 11)), axis=1)
    distance = np.abs(np.arange(11)[:, None] - np.arange(11))
    expected_error = probabilities @ distance
    of_shown = expected_error[np.arange(200), shown_rating(probabilities)]
    assert of_shown == pytest.approx(expected_error.min(axis=1))


def test_confidence_is_the_mass_within_one_point() -> None:
    probabilities = np.tile(np.arange(11) / 55, (3, 1))
    confidence = rating_confidence(probabilities, np.array([0, 5, 10]))
    assert confidence == pytest.approx([1 / 55, 15 / 55, 19 / 55])


def test_a_model_without_rating_head_has_no_distribution() -> None:
    with pytest.raises(ValueError, match="no rating head"):
        rating_distribution(Outputs(np.eye(3)[[0]], None))


def test_answers_are_the_likeliest_sentiment_and_the_median_rating() -> None:
    answers = answers_of(Outputs(10 * np.eye(3)[[1, 0]], 10 * np.eye(11)[[7, 2]]))
    assert answers.sentiment.tolist() == [1, 0]
    assert answers.rating is not None
    assert answers.rating.tolist() == [7, 2]
