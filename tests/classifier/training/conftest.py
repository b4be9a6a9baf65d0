"""What the tests of trainings share."""

from collections.abc import Callable

import pytest

from classifier.training.parts import Part


@pytest.fixture(autouse=True)
def _random_state(keep_default_rng: None) -> None:
    """Trainings seed torch's global generator; other tests must not notice."""


@pytest.fixture(scope="session")
def training(make_part: Callable[..., Part]) -> Part:
    """160 reviews to train on."""
    return make_part(160)
