import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from classifier.modeling.temperature import (
    TEMPERATURE_BOUNDS,
    calibrated_probabilities,
    fit_temperature,
)


def test_probabilities_at_two_temperatures() -> None:
    logits = np.array([[0.0, np.log(3.0)]], dtype=np.float32)
    assert calibrated_probabilities(logits)[0] == pytest.approx([0.25, 0.75])
    halved = [1 / (1 + 3**0.5), 3**0.5 / (1 + 3**0.5)]
    assert calibrated_probabilities(logits, 2.0)[0] == pytest.approx(halved)


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_the_temperature_that_made_the_labels_is_found(temperature: float) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(scale=3, size=(20_000, 3))
    probabilities = softmax(logits / temperature, axis=1)
    labels = (rng.random((len(logits), 1)) > probabilities.cumsum(axis=1)).sum(axis=1).clip(max=2)
    assert fit_temperature(logits, labels) == pytest.approx(temperature, rel=0.05)


def test_no_temperature_of_a_grid_is_likelier_than_the_one_fitted() -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(scale=4, size=(60, 3))
    labels = rng.integers(0, 3, 60)
    labels[:40] = logits[:40].argmax(axis=1)

    def loss(temperature: float) -> float:
        probabilities = calibrated_probabilities(logits, temperature)
        return float(log_loss(labels, probabilities, labels=[0, 1, 2]))

    best = loss(fit_temperature(logits, labels))
    assert all(best <= loss(other) + 1e-7 for other in np.geomspace(*TEMPERATURE_BOUNDS, 400))


def test_temperature_stays_as_it_is_where_the_likelihood_has_no_best() -> None:
    no_label = np.zeros(0, dtype=np.int64)
    assert fit_temperature(np.zeros((0, 3)), no_label) == 1.0
    every_row_right = np.array([[4.0, 0.0, 0.0], [0.0, 0.1, 0.0]])
    assert fit_temperature(every_row_right, np.array([0, 1])) == 1.0
    all_alike = np.full((5, 3), 2.0)
    assert fit_temperature(all_alike, np.array([0, 1, 2, 0, 1])) == 1.0


def test_a_model_worse_than_guessing_gets_the_upper_bound() -> None:
    logits = np.array([[3.0, 0.0, 0.0], [0.0, 3.0, 0.0]])
    high = TEMPERATURE_BOUNDS[1]
    assert fit_temperature(logits, np.array([1, 2])) == pytest.approx(high, rel=1e-4)
