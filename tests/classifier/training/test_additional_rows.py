"""No person's ratings weigh too much of all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.training.additional_rows import LARGEST_SHARE, weighed_by_person

ratings = st.lists(st.sampled_from([1.0, 2.0, 0.5]), min_size=1, max_size=60)


def weighed(by_person: list[list[float]]) -> tuple[np.ndarray, np.ndarray]:
    """What each person's ratings weigh before and after."""
    weights = [weight for person in by_person for weight in person]
    persons = [str(number) for number, person in enumerate(by_person) for _ in person]
    after = weighed_by_person(weights, persons)
    number = np.array(persons, dtype=int)
    return np.bincount(number, weights), np.bincount(number, after)


@given(st.lists(ratings, min_size=20, max_size=70))
def test_at_most_a_twentieth_each(by_person: list[list[float]]) -> None:
    before, after = weighed(by_person)
    assert after.max() <= LARGEST_SHARE * after.sum() + 1e-9
    uncut = after >= before - 1e-9
    assert (after[~uncut] > after.max() - 1e-9).all(), "only those at the limit lose weight"
    assert (after <= before + 1e-9).all()


@given(st.lists(ratings, min_size=1, max_size=19))
def test_of_fewer_than_twenty_each_weighs_as_one_review(by_person: list[list[float]]) -> None:
    before, after = weighed(by_person)
    assert after == pytest.approx(np.minimum(before, 1.0))


def test_one_of_many_with_fifty_ratings() -> None:
    _, after = weighed([[1.0] * 50, *[[1.0] * 3] * 30])
    assert after[0] == pytest.approx(90 / 19)
    assert after[1:] == pytest.approx(3.0)


def test_rows_of_nobody_stay() -> None:
    assert weighed_by_person([1.0, 2.0], [None, None]).tolist() == [1.0, 2.0]
    assert weighed_by_person([3.0, 1.0, 1.0], [None, "a", "a"]).tolist() == [3.0, 0.5, 0.5]
